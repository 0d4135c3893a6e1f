//! Themes, improvements and what customers say, as they are kept and read.

use contracts::common::v1::Party;
use contracts::feedback::v1::{Improvement, Theme};
use contracts::interactions::v1::Interaction;
use methods::from_micros;
use sqlx::Row as _;
use store::{Backend, Database, testing::Scratch};

use super::{Place, reading::plan};
use crate::{
    MIGRATIONS,
    apply::Heard,
    progress::FEEDS,
    told::Told,
    voice::{Bounds, Hearing, interactions_since, topics::Topic, words},
};

async fn places() -> Vec<Place> {
    [Some(Place::sqlite().await), Place::postgres().await].into_iter().flatten().collect()
}

fn theme(version: i64, deleted_at: Option<i64>) -> Topic {
    let theme = Theme {
        name: "themes/t".to_owned(),
        version,
        display_name: format!("version {version}"),
        delete_time: deleted_at.map(from_micros),
        ..Theme::default()
    };
    Topic::theme("one".to_owned(), &theme)
}

fn heard(topics: Vec<Topic>) -> Heard {
    Heard { told: vec![], topics, through: vec![] }
}

#[tokio::test]
async fn the_latest_version_of_a_theme_is_kept_however_it_is_heard() {
    for place in places().await {
        let names = async |tenant: &str| {
            let themes = place.reader().themes(tenant).await.unwrap();
            themes.into_iter().map(|theme| theme.display_name).collect::<Vec<_>>()
        };
        let applier = place.applier();
        applier.apply(&[heard(vec![theme(2, None), theme(3, None), theme(1, None)])]).await.unwrap();
        assert_eq!(names("one").await, ["version 3"]);
        applier.apply(&[heard(vec![theme(2, None)])]).await.unwrap();
        assert_eq!(names("one").await, ["version 3"]);
        applier.apply(&[heard(vec![theme(4, Some(7))])]).await.unwrap();
        assert_eq!(place.reader().theme("one", "themes/t").await.unwrap(), None);
        applier.apply(&[heard(vec![theme(5, None)])]).await.unwrap();
        assert_eq!(place.reader().theme("one", "themes/t").await.unwrap().unwrap().version, 5);
        assert!(names("two").await.is_empty());

        let improvement = Improvement { name: "improvements/i".to_owned(), version: 1, ..Improvement::default() };
        applier.apply(&[heard(vec![Topic::improvement("one".to_owned(), &improvement)])]).await.unwrap();
        assert_eq!(place.reader().improvement("one", "improvements/i").await.unwrap(), Some(improvement));
        let feed = FEEDS.iter().position(|feed| *feed == "feedback").unwrap();
        applier.forget_feed(feed, &place.leases.held()).await.unwrap();
        assert!(names("one").await.is_empty(), "the feed is heard again from its beginning");
        assert_eq!(place.reader().improvement("one", "improvements/i").await.unwrap(), None);
        place.close().await;
    }
}

#[tokio::test]
async fn an_earlier_versions_database_hears_the_feedback_again_and_nothing_else() {
    for scratch in [Some(Scratch::sqlite().unwrap()), Scratch::postgres().await.unwrap()].into_iter().flatten() {
        let before = MIGRATIONS.iter().position(|step| step.name == "topics").unwrap();
        let database = Database::open(&scratch.url, &MIGRATIONS[..before]).await.unwrap();
        for feed in FEEDS {
            let text = "insert into followed (feed, feed_partition, position) values ($1, 3, 9)";
            sqlx::query(text).bind(feed).execute(&database.writer).await.unwrap();
        }
        database.close().await;
        let place = Place::open(scratch).await;
        let mut followed: Vec<String> =
            place.reader().followed().await.unwrap().into_iter().map(|it| it.feed).collect();
        followed.sort();
        assert_eq!(followed, ["accounts", "interactions", "orders"]);
        place.close().await;
    }
}

#[tokio::test]
async fn what_customers_say_is_read_along_an_index() {
    for place in places().await {
        let mut connection = place.database.reader.acquire().await.unwrap();
        let backend = place.database.backend;
        let text = words().replace("$2", "5").replace("($3, $4, $5)", "(9, 'a', 's')").replace("$6", "50");
        let told = plan(&mut connection, backend, &text, &["one"], &[]).await;
        assert!(told.contains("sources_words"), "{told}");
        assert!(!["SCAN ", "TEMP B-TREE", "Seq Scan", "Sort"].iter().any(|word| told.contains(word)), "{told}");
        let sought = match backend {
            Backend::Sqlite => "(happened_at,account,source)<(?,?,?)",
            Backend::Postgres => "ROW(happened_at, account, source) < ROW(",
        };
        assert!(told.contains(sought), "{told}");

        let text = interactions_since(1, 7);
        let told = plan(&mut connection, backend, &text, &["one", "a"], &[]).await;
        let sought = match backend {
            Backend::Sqlite => "(tenant=? AND account=?",
            Backend::Postgres => "(account = ",
        };
        assert!(told.contains(sought) && !told.contains("SCAN sources"), "{told}");
        drop(connection);
        place.close().await;
    }
}

/// The nth thing that a customer says, three at a time.
fn said(number: i64) -> Told {
    let interaction = Interaction {
        name: format!("accounts/a/interactions/{number}"),
        happen_time: Some(from_micros(number / 3)),
        party: Party::Customer.into(),
        text: "late".to_owned(),
        ..Interaction::default()
    };
    Told { tenant: "one".to_owned(), account: "a".to_owned(), version: 1, recorded_at: 10, source: interaction.into() }
}

#[tokio::test]
async fn pages_of_what_was_said_go_on_where_the_last_one_ended() {
    for place in places().await {
        place.apply(&(0..20).map(said).collect::<Vec<_>>()).await;
        let text = words();
        let (mut at, mut account, mut source) = (6_i64, String::new(), String::new());
        let mut found = Vec::new();
        loop {
            let select = sqlx::query(sqlx::AssertSqlSafe(text.clone())).bind("one").bind(1_i64);
            let select = select.bind(at).bind(&account).bind(&source).bind(4_i64);
            let rows = select.fetch_all(&place.database.reader).await.unwrap();
            let Some(last) = rows.last() else { break };
            (at, account, source) = (last.get(5), last.get(1), last.get(2));
            found.extend(rows.iter().map(|row| (row.get::<i64, _>(5), row.get::<String, _>(2))));
        }
        assert_eq!(found.len(), 15, "{found:?}");
        assert!(found.is_sorted_by(|one, next| one > next) && found[0].0 == 5 && found[14].0 == 1, "{found:?}");
        place.close().await;
    }
}

#[tokio::test]
async fn more_than_is_looked_at_is_told_as_such() {
    for place in places().await {
        place.apply(&(0..20).map(said).collect::<Vec<_>>()).await;
        for (sources, characters, counted, is_bounded) in [
            (20, 1_000, 20, false),
            (19, 1_000, 19, true),
            (20, 80, 20, false),
            (20, 79, 20, false),
            (20, 76, 19, true),
            (20, 0, 0, true),
        ] {
            let bounds = Bounds { sources, characters };
            let hearing = Hearing::within(bounds, &place.reader(), "one", i64::MIN, 100).await.unwrap();
            let told = hearing.told();
            assert_eq!((told.source_count, told.is_bounded), (counted, is_bounded), "{bounds:?}");
            // The newest are heard.
            let oldest = (counted > 0).then(|| from_micros((20 - counted) / 3));
            assert_eq!(told.first_time, oldest, "{bounds:?}");
        }
        place.close().await;
    }
}
