//! Rows: what is put, and what it leaves of the row before.

use super::*;

pub(super) async fn a_row_comes_back_as_it_was_put(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    assert_eq!(store.get(&key).await?, None);

    let first = Draft { label: "thread".into(), ..draft("one") };
    let written = store.write(put(&key, first)).await?;
    let row = Row {
        key: key.clone(),
        version: 1,
        state: "open".into(),
        label: "thread".into(),
        happened_at: 7,
        created_at: START,
        recorded_at: START,
        deleted_at: None,
        document: b"one".to_vec(),
    };
    assert_eq!(written.outcome, Outcome::Landed);
    assert_eq!(written.position, Position { partition: partition("t", "a"), position: 1 });
    assert_eq!(*written.row, row);
    assert_eq!(store.get(&key).await?, Some(row.clone()));

    let later = place.pass(5);
    let second = Draft { state: "shut".into(), happened_at: 8, ..draft("two") };
    let written = store.write(put(&key, second)).await?;
    let second = Row {
        version: 2,
        state: "shut".into(),
        label: String::new(),
        happened_at: 8,
        recorded_at: later,
        document: b"two".to_vec(),
        ..row.clone()
    };
    assert_eq!(*written.row, second);
    assert_eq!(store.get(&key).await?, Some(second.clone()));
    let feed: Vec<Row> = feed_of(&store, "a").await?.into_iter().map(|change| change.row).collect();
    assert_eq!(feed, [in_feed(&row), in_feed(&second)]);
    Ok(())
}

pub(super) async fn a_put_that_says_nothing_new_changes_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let first = store.write(put(&key, draft("one"))).await?;
    place.pass(5);
    let second = store.write(put(&key, draft("one"))).await?;
    assert_eq!(second.outcome, Outcome::Unchanged);
    assert_eq!((second.row, second.position), (first.row, first.position));
    assert_eq!(feed_of(&store, "a").await?.len(), 1);
    Ok(())
}

pub(super) async fn a_put_that_is_taken_back_changes_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let thing = key("a", "1");
    store.write(put(&thing, draft("one"))).await?;
    let (named, other) = (thing.clone(), key("a", "2"));
    let written = store
        .write(command(vec![thing.clone(), other.clone()], move |rows| {
            rows.put(named.clone(), draft("two"));
            rows.put(other.clone(), draft("x"));
            rows.put(other.clone(), draft("y"));
            assert_eq!(rows.put(named.clone(), draft("one")).version, 1);
            assert_eq!(rows.get(&other).map(|row| row.version), Some(1));
            Ok(named)
        }))
        .await?;
    assert_eq!((written.outcome, written.row.version), (Outcome::Landed, 1));
    assert_eq!(texts(&feed_of(&store, "a").await?), ["one", "y"]);
    check_feed_against_rows(&store).await
}

pub(super) async fn a_deletion_remembers_when_and_can_be_undone(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let deleted = |text| Draft { deleted: true, ..draft(text) };
    store.write(put(&key, draft("one"))).await?;
    let then = place.pass(5);
    assert_eq!(store.write(put(&key, deleted("one"))).await?.row.deleted_at, Some(then));
    place.pass(5);
    assert_eq!(store.write(put(&key, deleted("two"))).await?.row.deleted_at, Some(then));
    assert_eq!(store.get(&key).await?.and_then(|row| row.deleted_at), Some(then));
    assert_eq!(store.write(put(&key, draft("two"))).await?.row.deleted_at, None);
    assert_eq!(store.get(&key).await?.map(|row| (row.version, row.deleted_at)), Some((4, None)));
    check_feed_against_rows(&store).await
}

pub(super) async fn many_rows_at_once_are_each_as_they_were_put(place: &Place) -> Result {
    let store = place.store().await?;
    let names: Vec<Key> = (0..1_000).map(|number| key(&format!("a{}", number % 90), &format!("{number:04}"))).collect();
    let drawn = |number: usize| Draft {
        // What a text format would have to escape.
        label: ["", "\t\n\\N", "\"', {}", "áé"][number % 4].into(),
        deleted: number.is_multiple_of(5),
        happened_at: [i64::MIN, -1, 0, i64::MAX][number % 4],
        document: (0..number % 300).map(|byte| byte as u8).collect(),
        ..draft("")
    };
    let known = names.iter().step_by(7).map(|name| put(name, draft("known"))).collect();
    assert!(store.write_batch(known).await?.iter().all(|answer| answer.is_ok()));

    // Of those that are new every third is changed in the same transaction.
    let puts = names.iter().enumerate().map(|(number, name)| put(name, drawn(number)));
    let appends = names.iter().step_by(3).map(|name| append(name, '!'));
    let answers = store.write_batch(puts.chain(appends).collect()).await?;
    assert!(answers.iter().all(|answer| answer.is_ok()));

    let rows: HashMap<Key, Row> = store.batch_get(&names).await?.into_iter().collect();
    for (number, name) in names.iter().enumerate() {
        let expected = drawn(number);
        let row = &rows[name];
        let (is_known, is_appended) = (number % 7 == 0, number % 3 == 0);
        assert_eq!(row.version, 1 + i64::from(is_known) + i64::from(is_appended), "{number}");
        if is_appended {
            assert_eq!(row.document, [expected.document, b"!".to_vec()].concat());
            continue;
        }
        assert_eq!((&row.label, row.happened_at), (&expected.label, expected.happened_at));
        assert_eq!((row.deleted_at.is_some(), &row.document), (expected.deleted, &expected.document), "{number}");
    }
    check_feed_against_rows(&store).await
}
