//! How many bytes the tables take.

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;

use crate::{cell::Cell, part::Kept, table::Table};

/// The tables whose rows grow with the events, of the orders service and of the aggregator.
const BY_EVENT: [(&str, &str); 4] =
    [("orders", "orders"), ("orders", "changes"), ("aggregator", "sources"), ("aggregator", "movements")];
/// The tables that have a row for each account.
const BY_ACCOUNT: [(&str, &str); 3] =
    [("orders", "account_currencies"), ("aggregator", "ledgers"), ("aggregator", "standings")];

/// The bytes of tables, with their indexes, as they are after all that was written.
pub(crate) async fn measure(cell: &mut Cell, size: usize, table: &mut Table) {
    let mut all = BTreeMap::new();
    cell.services.stop();
    cell.aggregator.stop();
    for (service, kept) in [("orders", cell.services.kept()), ("aggregator", cell.aggregator.kept())] {
        all.insert(service, tables(cell, service, &kept).await);
    }
    let (events, accounts) = (cell.orders as f64, cell.accounts as f64);
    table.add(size, "events an account", events / accounts);
    for (service, tables) in &all {
        let bytes: f64 = tables.values().sum();
        table.add(size, &format!("{service}, all tables, bytes/event"), bytes / events);
        table.add(size, &format!("{service}, all tables, bytes/account"), bytes / accounts);
    }
    for (service, name) in BY_EVENT {
        table.add(size, &format!("{service}: `{name}`, bytes/event"), all[service].get(name).unwrap_or(&0.0) / events);
    }
    for (service, name) in BY_ACCOUNT {
        let bytes = all[service].get(name).unwrap_or(&0.0);
        table.add(size, &format!("{service}: `{name}`, bytes/account"), bytes / accounts);
    }
}

async fn tables(cell: &Cell, service: &str, kept: &Kept) -> BTreeMap<String, f64> {
    match kept {
        Kept::Folder(folder) => {
            let path = folder.join(format!("{service}.db"));
            tokio::task::spawn_blocking(move || in_file(&path)).await.unwrap()
        }
        Kept::Schemas(beginning) => {
            let client = cell.server.as_ref().unwrap().connect().await;
            let schema = format!("{beginning}{service}");
            let text = "select relname::text, pg_total_relation_size(pg_class.oid)::float8 from pg_class
                 join pg_namespace on pg_namespace.oid = relnamespace where relkind = 'r' and nspname = $1";
            let rows = client.query(text, &[&schema]).await.unwrap();
            rows.iter().map(|row| (row.get(0), row.get(1))).collect()
        }
    }
}

/// Its write-ahead log was folded into it.
fn in_file(path: &Path) -> BTreeMap<String, f64> {
    let connection = Connection::open(path).unwrap();
    let text = "select coalesce(tbl_name, dbstat.name), sum(pgsize) from dbstat
         left join sqlite_schema on sqlite_schema.name = dbstat.name where aggregate = true group by 1";
    let mut select = connection.prepare(text).unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
