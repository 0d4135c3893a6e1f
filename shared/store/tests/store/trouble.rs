//! Trouble: callers that go away, odd values, databases that fail or close.

use super::*;

pub(super) async fn a_cancelled_caller_leaves_nothing_half_done(place: &Place) -> Result {
    let store = place.store().await?;
    let (from, into) = (key("a", "1"), key("b", "1"));
    let mut answered = 0;
    for round in 0..300_u32 {
        let (one, other) = (from.clone(), into.clone());
        let both = command(vec![from.clone(), into.clone()], move |rows| {
            let text = rows.get(&one).map(text).unwrap_or_default() + "x";
            rows.put(other, draft(&text));
            rows.put(one.clone(), draft(&text));
            Ok(one)
        });
        answered += u32::from(cancel_after(round % 60, store.write(both)).await.is_some());
        cancel_after(round % 50, store.forget_changes_before(0)).await;
        cancel_after(round % 40, store.get(&from)).await;
        cancel_after(round % 30, store.changes_after(Position { partition: 0, position: 0 })).await;
    }
    let last = store.write(append(&from, '.')).await?;
    let (from, into) = (store.get(&from).await?, store.get(&into).await?);
    let (from, into) = (from.as_ref().map(text).unwrap_or_default(), into.as_ref().map(text).unwrap_or_default());
    assert_eq!(from, into.clone() + ".");
    // Those who went away before their turn wrote as well, or not at all; those who were answered wrote.
    assert!(into.len() >= answered as usize, "{answered} were answered, {into} was written");
    assert_eq!(last.row.version, from.len() as i64);
    check_feed_against_rows(&store).await?;
    assert_eq!(open_transactions(place).await?, 0);
    Ok(())
}

/// Counts the place's connections that PostgreSQL finds inside a transaction and idle.
async fn open_transactions(place: &Place) -> Result<i64> {
    let Some(schema) = place.scratch.schema() else { return Ok(0) };
    let mut connection = place.scratch.url.parse::<PgConnectOptions>()?.connect().await?;
    let row = sqlx::query(
        "select count(*) from pg_stat_activity where application_name = $1 and state like 'idle in transaction%'",
    )
    .bind(schema)
    .fetch_one(&mut connection)
    .await?;
    Ok(row.try_get(0)?)
}

pub(super) async fn unusual_values_survive(place: &Place) -> Result {
    let store = place.store().await?;
    let nothing =
        Draft { state: String::new(), label: String::new(), happened_at: 0, deleted: false, document: Vec::new() };
    let texts = [
        "",
        " ",
        "0",
        "1e3",
        "null",
        "Zoë Äpfel 日本語 🦀",
        "'; drop table things; --",
        "\"\\\n\t\r\u{1}\u{7f}",
        "%_?$1",
    ];
    let times = [i64::MIN, -1, 0, i64::MAX];
    let mut wanted = Vec::new();
    let all_bytes: Vec<u8> = (0..=255).collect();
    for (number, text) in texts.into_iter().enumerate() {
        let key = Key { table: "things", tenant: "t".into(), account: text.into(), id: text.into() };
        let draft = Draft {
            state: text.into(),
            label: text.into(),
            happened_at: times[number % times.len()],
            deleted: number % 2 == 1,
            document: if number % 3 == 0 { Vec::new() } else { all_bytes.clone() },
        };
        wanted.push(store.write(requested(&format!("r{text}"), text, put(&key, draft))).await?);
    }
    let emptiest = Key { table: "notes", tenant: String::new(), account: String::new(), id: String::new() };
    wanted.push(store.write(put(&emptiest, nothing)).await?);

    let store = place.store().await?;
    for written in &wanted {
        let row = &*written.row;
        assert_eq!(store.get(&row.key).await?.as_ref(), Some(row));
        assert_eq!(store.batch_get(std::slice::from_ref(&row.key)).await?.get(&row.key), Some(row));
        let before = Position { position: written.position.position - 1, ..written.position };
        assert_eq!(store.changes_after(before).await?[0].changes[0].row, in_feed(row));
    }
    for (text, written) in texts.into_iter().zip(&wanted) {
        let repeated = requested(&format!("r{text}"), text, refuse(&written.row.key));
        assert_eq!(store.write(repeated).await?.row, written.row);
        let query = ListQuery {
            tenant: "t".into(),
            account: Some(text.into()),
            state: Some(text.into()),
            label: Some(text.into()),
            happened_from: Some(written.row.happened_at),
            show_deleted: true,
            limit: 1,
            ..ListQuery::default()
        };
        assert_eq!(store.list(&THINGS, &query).await?.rows, std::slice::from_ref(&*written.row));
    }
    // A transaction finds them as it begins, by few keys and by many.
    let others = (0..500).map(|number| append(&key("others", &number.to_string()), '!'));
    for (times, others) in [(1, Vec::new()), (2, others.collect())] {
        let batch: Vec<Command> = wanted.iter().map(|written| append(&written.row.key, '!')).chain(others).collect();
        for (before, after) in wanted.iter().zip(store.write_batch(batch).await?) {
            let after = after?.row.clone();
            assert_eq!(after.version, before.row.version + times, "{:?}", after.key);
            assert!(after.document.starts_with(&before.row.document), "{:?}", after.key);
        }
    }
    check_feed_against_rows(&store).await
}

pub(super) async fn a_nul_character_hurts_only_its_own_command(place: &Place) -> Result {
    let store = place.store().await?;
    let good = key("a", "1");
    let bad = key("a", "nul \0");
    let batch = vec![
        put(&good, draft("one")),
        put(&bad, draft("one")),
        put(&good, Draft { state: "\0".into(), ..draft("two") }),
        put(&good, Draft { label: "\0".into(), ..draft("two") }),
        requested("\0", "", put(&good, draft("two"))),
        Command { tenant: "\0".into(), ..put(&good, draft("two")) },
        put(&good, draft("with \0 in the document")),
    ];
    let answers = store.write_batch(batch).await?;
    let landed: Vec<bool> = answers.iter().map(std::result::Result::is_ok).collect();
    assert_eq!(landed, [true, false, false, false, false, false, true]);
    assert!(matches!(answers[1], Err(Error::Unstorable(_))), "{:?}", answers[1]);
    assert!(matches!(store.write(put(&bad, draft("one"))).await, Err(Error::Unstorable(_))));
    assert!(matches!(store.get(&bad).await, Err(Error::Unstorable(_))));
    assert!(matches!(store.batch_get(&[bad]).await, Err(Error::Unstorable(_))));
    let query = ListQuery { tenant: "t".into(), label: Some("\0".into()), limit: 1, ..ListQuery::default() };
    assert!(matches!(store.list(&THINGS, &query).await, Err(Error::Unstorable(_))));
    check_feed_against_rows(&store).await
}

pub(super) async fn an_endless_id_hurts_only_its_own_command(place: &Place) -> Result {
    let store = place.store().await?;
    // Hard to compress, as PostgreSQL would try to.
    let noise = |length: u32| (0..length).map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 20) as u8 % 90));
    let long: String = noise(2_000).collect();
    let endless: String = noise(3_000).collect();
    let answers = store
        .write_batch(vec![
            put(&key("a", &long), draft("long")),
            put(&key("a", &endless), draft("endless")),
            requested(&long, "", put(&key("a", "1"), draft("one"))),
            requested(&endless, "", put(&key("a", "2"), draft("two"))),
        ])
        .await?;
    let landed: Vec<bool> = answers.iter().map(std::result::Result::is_ok).collect();
    assert_eq!(landed, [true, false, true, false]);
    check_feed_against_rows(&store).await
}

pub(super) async fn everything_is_there_after_reopening(place: &Place) -> Result {
    let database = place.open().await?;
    let store = place.start(database.clone());
    let key = key("a", "1");
    for _ in 0..3 {
        store.write(append(&key, 'x')).await?;
    }
    let row = store.get(&key).await?;
    let feed = whole_feed(&store).await?;
    drop(store);
    database.close().await;

    // Opening migrates again, which is fine.
    let store = place.store().await?;
    assert_eq!(store.get(&key).await?, row);
    assert_eq!(whole_feed(&store).await?, feed);
    assert_eq!(store.write(append(&key, 'x')).await?.position.position, 4);
    check_feed_against_rows(&store).await
}

pub(super) async fn a_write_survives_a_store_that_was_not_closed(place: &Place) -> Result {
    let (thing, other) = (key("a", "1"), key("b", "1"));
    for polls in 1..6 {
        // A process that ends in the midst of its second write.
        let answered = std::thread::scope(|scope| {
            let process = scope.spawn(|| {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
                runtime.block_on(async {
                    let store = place.store().await.expect("the database opens");
                    let answered = store.write(append(&thing, 'x')).await.expect("the row is written");
                    let (one, two) = (thing.clone(), other.clone());
                    let both = command(vec![thing.clone(), other.clone()], move |rows| {
                        let text = rows.get(&one).map(text).unwrap_or_default() + "y";
                        rows.put(two, draft(&text));
                        rows.put(one.clone(), draft(&text));
                        Ok(one)
                    });
                    cancel_after(polls, store.write(both)).await;
                    text(&answered.row)
                })
            });
            process.join().expect("the process ends")
        });
        // This one waits until the database has done with the other.
        let store = place.store().await?;
        let row = store.write(append(&thing, '.')).await?.row;
        assert!([format!("{answered}."), format!("{answered}y.")].contains(&text(&row)), "{answered} became {row:?}");
        check_feed_against_rows(&store).await?;
    }
    Ok(())
}

pub(super) async fn a_newer_database_is_refused(place: &Place) -> Result {
    let database = place.open().await?;
    database.close().await;
    let error = match Database::open(&place.scratch.url, &place.migrations[..1]).await {
        Err(error @ Error::Open { .. }) => error.to_string(),
        other => panic!("opened {other:?}"),
    };
    assert!(error.contains("a newer version of this program has migrated it (step 2"), "{error}");
    // An older one is brought up to date.
    let migrations = [
        place.migrations[0],
        place.migrations[1],
        Migration { version: 3, name: "more", sql: "create table more (id text not null)" },
    ];
    let database = Database::open(&place.scratch.url, &migrations).await?;
    let count = sqlx::query("select count(*) from more").fetch_one(&database.reader).await?;
    assert_eq!(count.try_get::<i64, _>(0)?, 0);
    Ok(())
}

pub(super) async fn concurrent_writers_share_commits(place: &Place) -> Result {
    let store = place.store().await?;
    let writers = (0..400).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.write(put(&key("a", &number.to_string()), draft("x"))).await.map(|_| ()) })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    let commits = *store.commits().borrow();
    assert!((1..100).contains(&commits), "{commits} commits for 400 writes");
    assert_eq!(whole_feed(&store).await?.len(), 400);
    Ok(())
}

pub(super) async fn a_closed_database_is_answered_with_an_error(place: &Place) -> Result {
    let database = place.open().await?;
    let store = place.start(database.clone());
    let key = key("a", "1");
    store.write(put(&key, draft("one"))).await?;
    database.close().await;
    assert!(matches!(store.write(put(&key, draft("two"))).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.get(&key).await, Err(Error::Unavailable(_))));
    assert_eq!(place.store().await?.get(&key).await?.map(|row| text(&row)), Some("one".into()));
    Ok(())
}

/// A server may restart at any time; the store finds its way back, and a retry with a request id is safe.
#[tokio::test]
async fn broken_connections_are_replaced() -> Result {
    let Some(place) = Place::postgres().await? else { return Ok(()) };
    let store = place.store().await?;
    let key = key("a", "1");
    for round in 0..5 {
        let request = || requested(&format!("r{round}"), "same", append(&key, 'x'));
        store.write(append(&key, '.')).await?;
        place
            .scratch
            .administrate(format!(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where application_name = '{}' and pid <> pg_backend_pid()",
                place.scratch.schema().unwrap_or_default()
            ))
            .await?;
        let mut attempts = 1;
        while store.write(request()).await.is_err() {
            attempts += 1;
            assert!(attempts < 5, "the connection was not replaced");
        }
        // Those who read find out what became of theirs, each connection once.
        let mut attempts = 1;
        while store.get(&key).await.is_err() {
            attempts += 1;
            assert!(attempts <= 1 + store::CONNECTIONS, "the connections were not replaced");
        }
    }
    assert_eq!(store.get(&key).await?.map(|row| text(&row)), Some(".x.x.x.x.x".into()));
    check_feed_against_rows(&store).await?;
    place.drop_schema().await
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_a_reason() -> Result {
    let folder = tempfile::tempdir()?;
    let absent = format!("sqlite:{}/absent/x.db", folder.path().display());
    for (url, reason) in [
        ("sqlite:", "sqlite:PATH"),
        ("sqlite::memory:", "name a file"),
        ("postgres://me:secret@127.0.0.1:1/x", "me:***@"),
        (absent.as_str(), "unable to open"),
    ] {
        let error = Database::open(url, &[]).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(reason) && !error.contains("secret"), "{url}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_lookup_of_many_keys_uses_the_index() -> Result {
    let place = Place::sqlite()?;
    let database = place.open().await?;
    assert_eq!(database.backend, Backend::Sqlite);
    let plan =
        "explain query plan select id from things where (tenant, account, id) in (values ($1, $2, $3), ($4, $5, $6))";
    let steps = sqlx::query(plan).fetch_all(&database.reader).await?;
    let steps: Vec<String> = steps.iter().map(|step| step.try_get(3)).collect::<std::result::Result<_, _>>()?;
    assert!(steps.iter().any(|step| step.contains("SEARCH things")), "{steps:?}");
    Ok(())
}
