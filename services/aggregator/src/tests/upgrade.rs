//! A database that an earlier version of this program left.

use dynamics::{Ledger, Model};
use runtime::Shutdown;
use sqlx::AssertSqlSafe;
use store::{Database, testing::Scratch};

use super::Place;
use crate::{MIGRATIONS, standing};

#[tokio::test]
async fn standings_with_a_column_for_each_figure_are_made_again() {
    for scratch in [Some(Scratch::sqlite().unwrap()), Scratch::postgres().await.unwrap()].into_iter().flatten() {
        let before = MIGRATIONS.iter().position(|step| step.name == "figures").unwrap();
        let database = Database::open(&scratch.url, &MIGRATIONS[..before]).await.unwrap();
        let ledger = Ledger::new(Model::default().half_lives()).encode();
        let names = standing::names();
        for account in ["a", "b"] {
            sqlx::query("insert into ledgers (tenant, account, currency, document) values ('three', $1, '', $2)")
                .bind(account)
                .bind(&ledger)
                .execute(&database.writer)
                .await
                .unwrap();
            let text = format!(
                "insert into standings (tenant, account, assessed_at, stage, {}) values ('three', $1, 5, 'exploration'{})",
                names.join(", "),
                ", 1.5".repeat(names.len())
            );
            sqlx::query(AssertSqlSafe(text)).bind(account).execute(&database.writer).await.unwrap();
        }
        database.close().await;

        let place = Place::open(scratch).await;
        place.clock.set(2 * 86_400_000_000);
        let figures = async || place.reader().figures("three", &[standing::BOND], "", 1).await.unwrap();
        let (page, end) = figures().await;
        assert!(page.is_empty());
        assert_eq!(end.as_deref(), Some("a"), "what is left out is passed over");
        place.refresher(&Shutdown::new()).renew().await.unwrap();
        let (page, _) = figures().await;
        assert_eq!((page[0].account.as_str(), page[0].assessed_at), ("a", place.clock.now()));
        assert!(page[0].figures[0] > 0.0 && page[0].figures[0] != 1.5, "{page:?}");
        place.close().await;
    }
}
