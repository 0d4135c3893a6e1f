//! Every SQL statement of the aggregator that writes, each a set of rows at a time.

use std::collections::{BTreeSet, HashMap};

use store::{Error, Mark, Transaction, Update, Value};

use crate::{
    movement::Stood,
    standing,
    store::{LedgerRow, SourceRow},
};

/// Tenant and account.
pub(crate) type AccountKey = (String, String);
/// Tenant, account and source.
pub(crate) type SourceKey = (String, String, String);

/// An account's standing, as it is kept.
pub(crate) struct StandingRow {
    pub(crate) tenant: String,
    pub(crate) account: String,
    pub(crate) assessed_at: i64,
    /// What it was made with: see [`dynamics::Model::made_with`].
    pub(crate) model: String,
    pub(crate) stage: String,
    pub(crate) figures: Vec<f64>,
    /// What is kept to tell the next movement; see [`crate::movement`].
    pub(crate) last_movement: Vec<u8>,
}

/// The current versions of the sources named by tenant, account and source.
pub(crate) async fn current_sources(
    transaction: &mut Transaction,
    keys: &[SourceKey],
) -> Result<Vec<SourceRow>, Error> {
    let select = format!("select {} from sources where (tenant, account, source)", SourceRow::COLUMNS);
    transaction.look_up((&select, "and superseded_at is null"), &source_keys(keys.iter()), SourceRow::found).await
}

/// The accounts of these that were merged away, with those that answer for them.
pub(crate) async fn merges(
    transaction: &mut Transaction,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, String>, Error> {
    let select = "select tenant, account, into_account from merges where (tenant, account)";
    let keys = account_keys(accounts.iter());
    let found = transaction.look_up((select, ""), &keys, |row| Ok(((row.text(0)?, row.text(1)?), row.text(2)?)));
    Ok(found.await?.into_iter().collect())
}

/// Records a merge: whoever was merged into the duplicate before is merged into the same account now.
pub(crate) async fn merge(
    transaction: &mut Transaction,
    tenant: &str,
    account: &str,
    into_account: &str,
) -> Result<(), Error> {
    let values = [Value::Text(tenant), Value::Text(account), Value::Text(into_account)];
    let text = "update merges set into_account = $3 where tenant = $1 and into_account = $2";
    transaction.execute(text, &values).await?;
    let text = "insert into merges (tenant, account, into_account) values ($1, $2, $3)
         on conflict (tenant, account) do update set into_account = excluded.into_account";
    transaction.execute(text, &values).await?;
    Ok(())
}

/// The ledgers of those accounts that have one.
pub(crate) async fn ledgers(transaction: &mut Transaction, accounts: &[AccountKey]) -> Result<Vec<LedgerRow>, Error> {
    let select = format!("select {} from ledgers where (tenant, account)", LedgerRow::COLUMNS);
    transaction.look_up((&select, ""), &account_keys(accounts.iter()), LedgerRow::found).await
}

/// Marks the versions that were current as superseded, each at its time.
pub(crate) async fn supersede(transaction: &mut Transaction, sources: &[(SourceKey, i64)]) -> Result<(), Error> {
    let rows = sources.iter().map(|((tenant, account, source), superseded_at)| {
        [Value::Integer(*superseded_at), Value::Text(tenant), Value::Text(account), Value::Text(source)]
    });
    let update = Update {
        table: "sources",
        column: "superseded_at",
        key: "tenant, account, source",
        condition: "and superseded_at is null",
    };
    transaction.set_each(&update, &rows.collect::<Vec<_>>()).await
}

/// Deletes all versions of sources, so that nothing is left of what was erased.
pub(crate) async fn erase(transaction: &mut Transaction, keys: &[SourceKey]) -> Result<(), Error> {
    let delete = "delete from sources where (tenant, account, source)";
    transaction.write_keyed((delete, ""), &source_keys(keys.iter())).await
}

/// Forgets all sources of some kinds.
pub(crate) async fn forget_kinds(transaction: &mut Transaction, kinds: &[&str]) -> Result<(), Error> {
    for kind in kinds {
        transaction.execute("delete from sources where kind = $1", &[Value::Text(kind)]).await?;
    }
    Ok(())
}

/// Forgets who was merged into whom: each duplicate answers for itself again, with an empty ledger for now.
pub(crate) async fn forget_merges(transaction: &mut Transaction, empty_ledger: &[u8]) -> Result<(), Error> {
    let text = "insert into ledgers (tenant, account, currency, document)
         select tenant, account, '', $1 from merges where 1 = 1
         on conflict (tenant, account) do nothing";
    transaction.execute(text, &[Value::Bytes(empty_ledger)]).await?;
    transaction.execute("delete from merges", &[]).await?;
    Ok(())
}

/// Keeps new versions, each with the time at which the next one was recorded.
pub(crate) async fn insert_sources(
    transaction: &mut Transaction,
    rows: &[(&SourceRow, Option<i64>)],
) -> Result<(), Error> {
    let insert = format!("insert into sources ({}) values", SourceRow::COLUMNS);
    let rows = rows.iter().map(|(row, superseded_at)| {
        [
            Value::Text(&row.tenant),
            Value::Text(&row.account),
            Value::Text(&row.source),
            Value::Integer(row.version),
            Value::Text(&row.kind),
            Value::Integer(row.happened_at),
            Value::Integer(row.recorded_at),
            Value::Optional(*superseded_at),
            Value::Optional(row.deleted_at),
            Value::Bytes(&row.document),
        ]
    });
    transaction.write_rows((&insert, ""), &rows.collect::<Vec<_>>()).await
}

/// Keeps ledgers.
pub(crate) async fn upsert_ledgers(transaction: &mut Transaction, rows: &[LedgerRow]) -> Result<(), Error> {
    let insert = format!("insert into ledgers ({}) values", LedgerRow::COLUMNS);
    let or_update = "on conflict (tenant, account) do update set
             currency = excluded.currency, segment = excluded.segment, document = excluded.document";
    let rows = rows.iter().map(|row| {
        [
            Value::Text(&row.tenant),
            Value::Text(&row.account),
            Value::Text(&row.currency),
            Value::Text(&row.segment),
            Value::Bytes(&row.document),
        ]
    });
    transaction.write_rows((&insert, or_update), &rows.collect::<Vec<_>>()).await
}

/// What is kept with the standings of those accounts that have one, to tell how they move.
pub(crate) async fn stood(
    transaction: &mut Transaction,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, Stood>, Error> {
    let select = "select tenant, account, assessed_at, last_movement from standings where (tenant, account)";
    let keys = account_keys(accounts.iter());
    let found = transaction.look_up((select, ""), &keys, |row| {
        let stood = Stood { assessed_at: row.integer(2)?, last_movement: row.optional_bytes(3)? };
        Ok(((row.text(0)?, row.text(1)?), stood))
    });
    Ok(found.await?.into_iter().collect())
}

/// Keeps standings.
pub(crate) async fn upsert_standings(transaction: &mut Transaction, rows: &[StandingRow]) -> Result<(), Error> {
    let insert = "insert into standings (tenant, account, assessed_at, model, stage, figures, last_movement) values";
    let or_update = "on conflict (tenant, account) do update set
             assessed_at = excluded.assessed_at, model = excluded.model, stage = excluded.stage,
             figures = excluded.figures, last_movement = excluded.last_movement";
    let figures: Vec<Vec<u8>> = rows.iter().map(|row| standing::encode(&row.figures)).collect();
    let rows = rows.iter().zip(&figures).map(|(row, figures)| {
        [
            Value::Text(&row.tenant),
            Value::Text(&row.account),
            Value::Integer(row.assessed_at),
            Value::Text(&row.model),
            Value::Text(&row.stage),
            Value::Bytes(figures),
            Value::Bytes(&row.last_movement),
        ]
    });
    transaction.write_rows((insert, or_update), &rows.collect::<Vec<_>>()).await
}

/// Drops the ledger and the standing of accounts of which nothing is left.
pub(crate) async fn drop_accounts(transaction: &mut Transaction, accounts: &BTreeSet<AccountKey>) -> Result<(), Error> {
    let accounts = account_keys(accounts.iter());
    for delete in ["delete from ledgers where (tenant, account)", "delete from standings where (tenant, account)"] {
        transaction.write_keyed((delete, ""), &accounts).await?;
    }
    Ok(())
}

/// Moves the positions of what was followed.
pub(crate) async fn follow(transaction: &mut Transaction, marks: &[Mark]) -> Result<(), Error> {
    let insert = "insert into followed (feed, feed_partition, position) values";
    let or_update = "on conflict (feed, feed_partition) do update set position = excluded.position";
    let rows = marks
        .iter()
        .map(|mark| [Value::Text(&mark.feed), Value::Integer(mark.partition.into()), Value::Integer(mark.position)]);
    transaction.write_rows((insert, or_update), &rows.collect::<Vec<_>>()).await
}

/// Forgets how far a feed was followed, before it is followed from its beginning.
pub(crate) async fn unfollow(transaction: &mut Transaction, feed: &str) -> Result<(), Error> {
    transaction.execute("delete from followed where feed = $1", &[Value::Text(feed)]).await?;
    Ok(())
}

/// Records what the stored ledgers were made with.
pub(crate) async fn set(transaction: &mut Transaction, name: &str, value: &str) -> Result<(), Error> {
    let text = "insert into settings (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value";
    transaction.execute(text, &[Value::Text(name), Value::Text(value)]).await?;
    Ok(())
}

/// Forgets the settings whose names begin like this.
pub(crate) async fn unset(transaction: &mut Transaction, beginning: &str) -> Result<(), Error> {
    let names = transaction.select("select name from settings", &[], |row| row.text(0)).await?;
    let names: Vec<_> =
        names.iter().filter(|name| name.starts_with(beginning)).map(|name| [Value::Text(name)]).collect();
    transaction.write_keyed(("delete from settings where name", ""), &names).await
}

fn account_keys<'a>(accounts: impl Iterator<Item = &'a AccountKey>) -> Vec<[Value<'a>; 2]> {
    accounts.map(|(tenant, account)| [Value::Text(tenant), Value::Text(account)]).collect()
}

fn source_keys<'a>(keys: impl Iterator<Item = &'a SourceKey>) -> Vec<[Value<'a>; 3]> {
    keys.map(|(tenant, account, source)| [Value::Text(tenant), Value::Text(account), Value::Text(source)]).collect()
}
