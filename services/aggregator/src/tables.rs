//! Every SQL statement of the aggregator that writes, each a set of rows at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use store::{Error, Mark, bind_row_sets, placeholders};

use crate::{
    movement::Stood,
    standing,
    store::{LedgerRow, SourceRow, read_ledger},
};

/// Few: SQLite looks each `$n` up among all of its statement, and these rows have many columns. With 64 rows it took four
/// times as long for each.
const STANDINGS_PER_STATEMENT: usize = 4;

/// Tenant and account.
pub(crate) type AccountKey = (String, String);
/// Tenant, account and source.
pub(crate) type SourceKey = (String, String, String);

/// An account's standing, as it is kept.
pub(crate) struct StandingRow {
    pub(crate) tenant: String,
    pub(crate) account: String,
    pub(crate) assessed_at: i64,
    /// The id of the model.
    pub(crate) model: String,
    pub(crate) stage: String,
    pub(crate) figures: Vec<f64>,
    /// What is kept to tell the next movement; see [`crate::movement`].
    pub(crate) last_movement: Vec<u8>,
}

/// The current versions of the sources named by tenant, account and source.
pub(crate) async fn current_sources(
    connection: &mut AnyConnection,
    keys: &[SourceKey],
) -> Result<Vec<SourceRow>, Error> {
    let mut found = Vec::new();
    for set in bind_row_sets(keys) {
        let text = format!(
            "select {} from sources where (tenant, account, source) in (values {}) and superseded_at is null",
            SourceRow::COLUMNS,
            placeholders(set.len(), 3)
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (tenant, account, source) in set {
            select = select.bind(tenant).bind(account).bind(source);
        }
        for row in select.fetch_all(&mut *connection).await? {
            found.push(SourceRow::read(&row)?);
        }
    }
    Ok(found)
}

/// The accounts of these that were merged away, with those that answer for them.
pub(crate) async fn merges(
    connection: &mut AnyConnection,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, String>, Error> {
    let mut found = HashMap::new();
    for set in bind_row_sets(accounts) {
        let text = format!(
            "select tenant, account, into_account from merges where (tenant, account) in (values {})",
            placeholders(set.len(), 2)
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (tenant, account) in set {
            select = select.bind(tenant).bind(account);
        }
        for row in select.fetch_all(&mut *connection).await? {
            found.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
    }
    Ok(found)
}

/// Records a merge: whoever was merged into the duplicate before is merged into the same account now.
pub(crate) async fn merge(
    connection: &mut AnyConnection,
    tenant: &str,
    account: &str,
    into_account: &str,
) -> Result<(), Error> {
    sqlx::query("update merges set into_account = $3 where tenant = $1 and into_account = $2")
        .bind(tenant)
        .bind(account)
        .bind(into_account)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into merges (tenant, account, into_account) values ($1, $2, $3)
         on conflict (tenant, account) do update set into_account = excluded.into_account",
    )
    .bind(tenant)
    .bind(account)
    .bind(into_account)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// The ledgers of those accounts that have one.
pub(crate) async fn ledgers(connection: &mut AnyConnection, accounts: &[AccountKey]) -> Result<Vec<LedgerRow>, Error> {
    let mut found = Vec::new();
    for set in bind_row_sets(accounts) {
        let text = format!(
            "select {} from ledgers where (tenant, account) in (values {})",
            LedgerRow::COLUMNS,
            placeholders(set.len(), 2)
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (tenant, account) in set {
            select = select.bind(tenant).bind(account);
        }
        for row in select.fetch_all(&mut *connection).await? {
            found.push(read_ledger(&row)?);
        }
    }
    Ok(found)
}

/// Marks the versions that were current as superseded, each at its time.
pub(crate) async fn supersede(connection: &mut AnyConnection, sources: &[(SourceKey, i64)]) -> Result<(), Error> {
    let mut by_time: BTreeMap<i64, Vec<&SourceKey>> = BTreeMap::new();
    for (key, superseded_at) in sources {
        by_time.entry(*superseded_at).or_default().push(key);
    }
    for (superseded_at, keys) in by_time {
        for set in bind_row_sets(&keys) {
            let text = format!(
                "update sources set superseded_at = ${} where (tenant, account, source) in (values {})
                 and superseded_at is null",
                set.len() * 3 + 1,
                placeholders(set.len(), 3)
            );
            let mut update = sqlx::query(AssertSqlSafe(text));
            for (tenant, account, source) in set {
                update = update.bind(tenant).bind(account).bind(source);
            }
            update.bind(superseded_at).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Deletes all versions of sources, so that nothing is left of what was erased.
pub(crate) async fn erase(connection: &mut AnyConnection, keys: &[SourceKey]) -> Result<(), Error> {
    for set in bind_row_sets(keys) {
        let text =
            format!("delete from sources where (tenant, account, source) in (values {})", placeholders(set.len(), 3));
        let mut delete = sqlx::query(AssertSqlSafe(text));
        for (tenant, account, source) in set {
            delete = delete.bind(tenant).bind(account).bind(source);
        }
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets all sources of some kinds.
pub(crate) async fn forget_kinds(connection: &mut AnyConnection, kinds: &[&str]) -> Result<(), Error> {
    for kind in kinds {
        sqlx::query("delete from sources where kind = $1").bind(*kind).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets who was merged into whom: each duplicate answers for itself again, with an empty ledger for now.
pub(crate) async fn forget_merges(connection: &mut AnyConnection, empty_ledger: &[u8]) -> Result<(), Error> {
    sqlx::query(
        "insert into ledgers (tenant, account, currency, document)
         select tenant, account, '', $1 from merges where 1 = 1
         on conflict (tenant, account) do nothing",
    )
    .bind(empty_ledger)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from merges").execute(connection).await?;
    Ok(())
}

/// Keeps new versions.
pub(crate) async fn insert_sources(connection: &mut AnyConnection, rows: &[&SourceRow]) -> Result<(), Error> {
    for set in bind_row_sets(rows) {
        let text = format!("insert into sources ({}) values {}", SourceRow::COLUMNS, placeholders(set.len(), 10));
        let mut insert = sqlx::query(AssertSqlSafe(text));
        for row in set {
            insert = insert
                .bind(&row.tenant)
                .bind(&row.account)
                .bind(&row.source)
                .bind(row.version)
                .bind(&row.kind)
                .bind(row.happened_at)
                .bind(row.recorded_at)
                .bind(row.superseded_at)
                .bind(row.deleted_at)
                .bind(&row.document);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Keeps ledgers.
pub(crate) async fn upsert_ledgers(connection: &mut AnyConnection, rows: &[LedgerRow]) -> Result<(), Error> {
    for set in bind_row_sets(rows) {
        let text = format!(
            "insert into ledgers ({}) values {}
             on conflict (tenant, account) do update set
                 currency = excluded.currency, segment = excluded.segment, document = excluded.document",
            LedgerRow::COLUMNS,
            placeholders(set.len(), 5)
        );
        let mut upsert = sqlx::query(AssertSqlSafe(text));
        for row in set {
            upsert =
                upsert.bind(&row.tenant).bind(&row.account).bind(&row.currency).bind(&row.segment).bind(&row.document);
        }
        upsert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// What is kept with the standings of those accounts that have one, to tell how they move.
pub(crate) async fn stood(
    connection: &mut AnyConnection,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, Stood>, Error> {
    let mut found = HashMap::with_capacity(accounts.len());
    for set in bind_row_sets(accounts) {
        let text = format!(
            "select tenant, account, assessed_at, last_movement from standings where (tenant, account) in (values {})",
            placeholders(set.len(), 2)
        );
        let mut select = sqlx::query(AssertSqlSafe(text));
        for (tenant, account) in set {
            select = select.bind(tenant).bind(account);
        }
        for row in select.fetch_all(&mut *connection).await? {
            let stood = Stood { assessed_at: row.try_get(2)?, last_movement: row.try_get(3)? };
            found.insert((row.try_get(0)?, row.try_get(1)?), stood);
        }
    }
    Ok(found)
}

/// Keeps standings.
pub(crate) async fn upsert_standings(connection: &mut AnyConnection, rows: &[StandingRow]) -> Result<(), Error> {
    let names = standing::names();
    let updates: Vec<String> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    for set in rows.chunks(STANDINGS_PER_STATEMENT) {
        let text = format!(
            "insert into standings (tenant, account, assessed_at, model, stage, last_movement, {}) values {}
             on conflict (tenant, account) do update set
                 assessed_at = excluded.assessed_at, model = excluded.model, stage = excluded.stage,
                 last_movement = excluded.last_movement, {}",
            names.join(", "),
            placeholders(set.len(), standing::METRICS + 6),
            updates.join(", ")
        );
        let mut upsert = sqlx::query(AssertSqlSafe(text));
        for row in set {
            upsert = upsert.bind(&row.tenant).bind(&row.account).bind(row.assessed_at);
            upsert = upsert.bind(&row.model).bind(&row.stage).bind(&row.last_movement);
            for figure in &row.figures {
                upsert = upsert.bind(*figure);
            }
        }
        upsert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Drops the ledger and the standing of accounts of which nothing is left.
pub(crate) async fn drop_accounts(
    connection: &mut AnyConnection,
    accounts: &BTreeSet<AccountKey>,
) -> Result<(), Error> {
    for (tenant, account) in accounts {
        for text in [
            "delete from ledgers where tenant = $1 and account = $2",
            "delete from standings where tenant = $1 and account = $2",
        ] {
            sqlx::query(text).bind(tenant).bind(account).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Moves the positions of what was followed.
pub(crate) async fn follow(connection: &mut AnyConnection, marks: &[Mark]) -> Result<(), Error> {
    for set in bind_row_sets(marks) {
        let text = format!(
            "insert into followed (feed, feed_partition, position) values {}
             on conflict (feed, feed_partition) do update set position = excluded.position",
            placeholders(set.len(), 3)
        );
        let mut upsert = sqlx::query(AssertSqlSafe(text));
        for mark in set {
            upsert = upsert.bind(&mark.feed).bind(i64::from(mark.partition)).bind(mark.position);
        }
        upsert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets how far a feed was followed, before it is followed from its beginning.
pub(crate) async fn unfollow(connection: &mut AnyConnection, feed: &str) -> Result<(), Error> {
    sqlx::query("delete from followed where feed = $1").bind(feed).execute(connection).await?;
    Ok(())
}

/// Records what the stored ledgers were made with.
pub(crate) async fn set(connection: &mut AnyConnection, name: &str, value: &str) -> Result<(), Error> {
    sqlx::query(
        "insert into settings (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}
