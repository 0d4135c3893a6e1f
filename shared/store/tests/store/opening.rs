//! Opening: several at once, in a schema, over TLS, while a server is slow.

use super::*;

/// Opens this many times at once, each as a process of its own would.
const PROCESSES: usize = 8;

pub(super) async fn many_open_one_empty_database_at_once(place: &Place) -> Result {
    let databases: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let (url, migrations) = (place.scratch.url.clone(), place.migrations);
            tokio::spawn(async move { Database::open(&url, &migrations).await })
        })
        .collect();
    let mut stores = Vec::new();
    for database in databases {
        stores.push(place.start(database.await??));
    }
    for (number, store) in stores.iter().enumerate() {
        store.write(put(&key("a", &number.to_string()), draft("x"))).await?;
    }
    check_feed_against_rows(&stores[0]).await?;
    assert_eq!(whole_feed(&stores[0]).await?.len(), PROCESSES);
    Ok(())
}

pub(super) async fn a_transaction_sees_what_it_wrote(place: &Place) -> Result {
    let database = place.open().await?;
    let mut transaction = database.transaction().await?;
    let insert = |table: &str| {
        format!(
            "insert into {table} (tenant, account, id, version, state, label, happened_at, created_at, recorded_at,
             deleted_at, document) values"
        )
    };
    // More than travels at once.
    let document = vec![7_u8; 3 << 20];
    let ids: Vec<String> = (0..7).map(|number| number.to_string()).collect();
    let rows = |version: i64, deleted_at: Option<i64>| -> Vec<[Value<'_>; 11]> {
        let row = |id| {
            let text = Value::Text("t");
            let at = Value::Integer(1);
            let deleted = Value::Optional(deleted_at);
            [text, text, id, Value::Integer(version), text, text, at, at, at, deleted, Value::Bytes(&document)]
        };
        ids.iter().map(|id| row(Value::Text(id))).collect()
    };
    let or_update = "on conflict (tenant, account, id) do update set
         version = excluded.version, deleted_at = excluded.deleted_at";
    transaction.write_rows((&insert("things"), or_update), &rows(1, None)).await?;
    transaction.write_rows((&insert("notes"), or_update), &rows(2, Some(-1))).await?;
    // The same table again: what stood beside it a moment ago is there by now.
    let key = [Value::Text("changed"), Value::Text("t"), Value::Text("6")];
    let update = Update { table: "notes", column: "label", key: "account, id", condition: "" };
    transaction.set_each(&update, &[key]).await?;
    transaction.write_keyed(("delete from notes where (label, account, id)", ""), &[key]).await?;
    transaction.write_rows((&insert("things"), or_update), &rows(3, Some(i64::MIN))).await?;
    let select = "select version, deleted_at, length(document) from";
    let keys: Vec<_> = ids.iter().map(|id| [Value::Text("t"), Value::Text(id)]).collect();
    for (table, version, deleted_at, count) in [("things", 3, i64::MIN, 7), ("notes", 2, -1, 6)] {
        let select = format!("{select} {table} where (account, id)");
        let found = transaction
            .look_up((&select, "and tenant = 't' order by id"), &keys, |row| Ok((row.integer(0)?, row.optional(1)?)));
        assert_eq!(found.await?, vec![(version, Some(deleted_at)); count]);
    }
    let update = Update { table: "things", column: "label", key: "account, id", condition: "and version = 3" };
    let labels: Vec<String> = (2..7).map(|number| format!("new {number}")).collect();
    let named: Vec<_> =
        keys[2..].iter().zip(&labels).map(|(&[account, id], label)| [Value::Text(label), account, id]).collect();
    transaction.set_each(&update, &named).await?;
    let other_version = Update { condition: "and version = 4", ..update };
    transaction.set_each(&other_version, &[[Value::Text("lost"), keys[1][0], keys[1][1]]]).await?;
    transaction.write_keyed(("delete from things where (account, id)", ""), &keys[..1]).await?;
    let touched = transaction.execute("delete from notes where version = $1", &[Value::Integer(2)]).await?;
    assert_eq!(touched, 6);
    let labels = "select label from things where tenant = $1 order by id";
    let found = transaction.select(labels, &[Value::Text("t")], |row| row.text(0)).await?;
    assert_eq!(found, ["t", "new 2", "new 3", "new 4", "new 5", "new 6"]);
    // Dropped, not committed: nothing of it stays.
    drop(transaction);
    let mut transaction = database.transaction().await?;
    assert_eq!(transaction.select(labels, &[Value::Text("t")], |row| row.text(0)).await?, Vec::<String>::new());
    transaction.write_rows((&insert("things"), ""), &rows(1, None)).await?;
    transaction.commit().await?;
    let count = sqlx::query("select count(*) from things").fetch_one(&database.reader).await?;
    assert_eq!(count.try_get::<i64, _>(0)?, ids.len() as i64);
    // A row twice in one transaction is refused, at its end at the latest, and takes everything with it.
    let mut transaction = database.transaction().await?;
    let refused = match transaction.write_rows((&insert("things"), ""), &rows(1, None)).await {
        Ok(()) => transaction.commit().await,
        Err(error) => Err(error),
    };
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    Ok(())
}

/// A server that gives everybody little time does not hinder migrations, nor those who wait for them.
#[tokio::test]
async fn a_migration_may_take_its_time() -> Result {
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    let url = format!("{}&options=-c%20statement_timeout=100%20-c%20lock_timeout=100", place.scratch.url);
    let slow = Migration { version: 3, name: "slow", sql: "create table slow (id bigint); select pg_sleep(0.5);" };
    let migrations = [place.migrations[0], place.migrations[1], slow];
    let (one, other) = tokio::join!(Database::open(&url, &migrations), Database::open(&url, &migrations));
    one?;
    other?;
    place.drop_schema().await
}

#[tokio::test]
async fn a_schema_is_created_and_used() -> Result {
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    let server = std::env::var("TEST_DATABASE_URL")?;
    let schema = format!("{}_own", place.scratch.schema().unwrap_or_default());
    let url = format!("{server}&schema={schema}");
    let opened = (0..PROCESSES).map(|_| {
        let (url, migrations) = (url.clone(), place.migrations);
        tokio::spawn(async move { Database::open(&url, &migrations).await })
    });
    let mut databases = Vec::new();
    for database in opened.collect::<Vec<_>>() {
        databases.push(database.await??);
    }
    let store = place.start(databases.pop().ok_or("none was opened")?);
    store.write(put(&key("a", "1"), draft("x"))).await?;
    let select = format!("select count(*) from {schema}.things");
    let count = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_one(&databases[0].reader).await?;
    assert_eq!(count.try_get::<i64, _>(0)?, 1);
    assert_eq!(store.get(&key("a", "1")).await?.map(|row| text(&row)), Some("x".into()));
    place.scratch.administrate(format!("drop schema {schema} cascade")).await?;
    place.drop_schema().await
}

#[tokio::test]
async fn a_writer_of_its_own_waits_for_nobody() -> Result {
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    let database = place.open().await?;
    let held = database.transaction().await?;
    let other = database.with_own_writer();
    let mut transaction = other.transaction().await?;
    transaction.execute("delete from things", &[]).await?;
    transaction.commit().await?;
    assert!(cancel_after(100, database.transaction()).await.is_none(), "two transactions of one writer");
    held.commit().await?;
    drop(database.transaction().await?);
    place.drop_schema().await
}

/// Over TLS with a certificate that the right authority vouches for; not with another's, and not under another name.
#[tokio::test]
async fn a_connection_is_encrypted_and_its_server_known() -> Result {
    let Ok(certificates) = std::env::var("TEST_DATABASE_CERTIFICATES") else {
        eprintln!("skipped: TEST_DATABASE_CERTIFICATES is not set");
        return Ok(());
    };
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    // The certificate has a name, and not the address.
    let over = |authority: &str, host: &str| {
        format!("{}&sslmode=verify-full&sslrootcert={certificates}/{authority}.crt&host={host}", place.scratch.url)
    };
    let database = Database::open(&over("authority", "localhost"), &place.migrations).await?;
    let encrypted = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid)
         where ssl and version in ('TLSv1.2', 'TLSv1.3') and application_name = $1";
    let schema = place.scratch.schema().unwrap_or_default();
    let mut transaction = database.transaction().await?;
    let count = transaction.select(encrypted, &[Value::Text(schema)], |row| row.integer(0)).await?;
    assert_eq!(count, [1], "the connection that writes is encrypted");
    let count = sqlx::query(encrypted).bind(schema).fetch_one(&database.reader).await?;
    assert_eq!(count.try_get::<i64, _>(0)?, 2, "and the one that reads");
    transaction.commit().await?;
    let plain = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid)
         where not ssl and application_name = $1";
    let count = sqlx::query(plain).bind(schema).fetch_one(&database.reader).await?;
    assert_eq!(count.try_get::<i64, _>(0)?, 0, "no other is left");

    for (authority, host, reason) in
        [("other", "localhost", "UnknownIssuer"), ("authority", "127.0.0.1", "not valid for")]
    {
        let refused = Database::open(&over(authority, host), &place.migrations).await;
        let error = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(reason), "{authority} {host}: {error}");
    }
    place.drop_schema().await
}

/// A network that swallows everything takes the connections that it had, and no place among those that may be.
#[tokio::test]
async fn a_silent_server_takes_no_connection_for_ever() -> Result {
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    let server = place.scratch.url.parse::<PgConnectOptions>()?;
    let server = (server.get_host().to_owned(), server.get_port());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    // Carries what comes, until it is told to carry nothing more of those connections that there are by then.
    let (silence, silenced) = tokio::sync::watch::channel(0_u32);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (server, mut silenced) = (server.clone(), silenced.clone());
            let before = *silenced.borrow_and_update();
            tokio::spawn(async move {
                let Ok(mut far) = tokio::net::TcpStream::connect(server).await else { return };
                let silence = async { silenced.wait_for(|now| *now > before).await.map(|_| ()) };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = silence => std::future::pending().await,
                }
            });
        }
    });
    let database = Database::open_with(&format!("{}&port={port}", place.scratch.url), &place.migrations, 2).await?;
    let store = place.start(database.clone());
    store.write(put(&key("a", "1"), draft("x"))).await?;
    for round in 1..=2 {
        // Both connections are open and in use.
        let (one, other) = (database.reader.acquire().await?, database.reader.acquire().await?);
        one.done();
        other.done();
        silence.send(round)?;
        for _ in 0..4 {
            // Callers who lose their patience.
            assert!(cancel_after(20, store.get(&key("a", "1"))).await.is_none(), "a silent server answered");
        }
        let mut attempts = 1;
        while store.get(&key("a", "1")).await.is_err() {
            attempts += 1;
            assert!(attempts < 20, "the connections were not replaced");
        }
    }
    place.drop_schema().await
}
