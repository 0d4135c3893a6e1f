//! Decisions: what a command sees and does, alone and beside others.

use super::*;

pub(super) async fn a_refusal_leaves_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let Err(Error::Refused(refusal)) = store.write(refuse(&key)).await else { panic!("it was not refused") };
    assert_eq!(refusal.to_string(), "no");
    assert_eq!(store.get(&key).await?, None);
    assert_eq!(whole_feed(&store).await?, []);
    Ok(())
}

pub(super) async fn a_panic_hurts_only_its_own_command(place: &Place) -> Result {
    let store = place.store().await?;
    let (first, second, third) = (key("a", "1"), key("a", "2"), key("b", "3"));
    let doomed = second.clone();
    let panicking = command(vec![second.clone()], move |rows| {
        rows.put(doomed, draft("lost"));
        panic!("as the test wants it")
    });
    let batch = vec![put(&first, draft("one")), panicking, refuse(&second), put(&third, draft("three"))];
    let answers = store.write_batch(batch).await?;
    assert!(
        matches!(&answers[..], [Ok(_), Err(Error::Panicked), Err(Error::Refused(_)), Ok(_)]),
        "answered {answers:?}"
    );
    assert!(store.get(&first).await?.is_some());
    assert!(store.get(&second).await?.is_none());
    assert!(store.get(&third).await?.is_some());
    assert_eq!(whole_feed(&store).await?.len(), 2);
    check_feed_against_rows(&store).await
}

pub(super) async fn a_row_that_was_not_named_is_neither_seen_nor_put(place: &Place) -> Result {
    let store = place.store().await?;
    let (named, other) = (key("a", "1"), key("b", "1"));
    store.write(put(&other, draft("theirs"))).await?;
    let (mine, theirs) = (named.clone(), other.clone());
    let curious = command(vec![named.clone()], move |rows| {
        assert_eq!(rows.get(&theirs), None);
        rows.put(mine.clone(), draft("mine"));
        Ok(mine)
    });
    let theirs = other.clone();
    let careless = command(vec![named.clone()], move |rows| {
        rows.put(theirs.clone(), draft("mine"));
        Ok(theirs)
    });
    // In one batch with a command that does name it.
    let answers = store.write_batch(vec![append(&other, '!'), curious, careless]).await?;
    assert!(matches!(&answers[..], [Ok(_), Ok(_), Err(Error::Panicked)]), "answered {answers:?}");
    assert_eq!(store.get(&other).await?.map(|row| text(&row)), Some("theirs!".into()));
    check_feed_against_rows(&store).await
}

pub(super) async fn an_answer_that_is_not_there_undoes_the_puts(place: &Place) -> Result {
    let store = place.store().await?;
    let (there, absent) = (key("a", "1"), key("a", "2"));
    let (mine, named) = (there.clone(), absent.clone());
    let answer = store
        .write(command(vec![there.clone(), absent], move |rows| {
            rows.put(mine, draft("one"));
            Ok(named)
        }))
        .await;
    assert!(matches!(answer, Err(Error::Damaged(_))), "answered {answer:?}");
    assert_eq!(store.get(&there).await?, None);
    assert_eq!(whole_feed(&store).await?, []);
    Ok(())
}

pub(super) async fn commands_of_one_batch_see_each_other(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let answers = store.write_batch("abc".chars().map(|letter| append(&key, letter)).collect()).await?;
    let answers: Vec<Written> = answers.into_iter().collect::<std::result::Result<_, _>>()?;
    let seen = answers.iter().map(|written| (text(&written.row), written.row.version, written.position.position));
    assert_eq!(seen.collect::<Vec<_>>(), [("a".into(), 1, 1), ("ab".into(), 2, 2), ("abc".into(), 3, 3)]);
    assert_eq!(store.get(&key).await?.as_ref(), answers.last().map(|written| &*written.row));
    // What stood in between is in the feed too.
    assert_eq!(texts(&feed_of(&store, "a").await?), ["a", "ab", "abc"]);
    check_feed_against_rows(&store).await
}

pub(super) async fn a_row_put_unfed_is_not_in_the_feed(place: &Place) -> Result {
    let store = place.store().await?;
    let (thing, note) = (key("a", "1"), Key { table: "notes", ..key("a", "1") });
    let (named, noted) = (thing.clone(), note.clone());
    let answer = store
        .write(command(vec![thing.clone(), note.clone()], move |rows| {
            rows.put_unfed(noted, draft("note"));
            rows.put(named.clone(), draft("thing"));
            Ok(named)
        }))
        .await?;
    assert_eq!(answer.position.position, 1);
    assert_eq!(store.get(&note).await?.map(|row| text(&row)), Some("note".into()));
    assert_eq!(store.get(&thing).await?.map(|row| text(&row)), Some("thing".into()));
    assert_eq!(texts(&feed_of(&store, "a").await?), ["thing"]);
    let only = note.clone();
    let answer = store
        .write(command(vec![note], move |rows| {
            rows.put_unfed(only.clone(), draft("note 2"));
            Ok(only)
        }))
        .await?;
    assert_eq!((answer.position.position, answer.row.version, answer.outcome), (1, 2, Outcome::Landed));
    Ok(())
}

pub(super) async fn a_merge_writes_to_two_partitions(place: &Place) -> Result {
    let store = place.store().await?;
    let (from, into) = (key("a", "1"), key("b", "1"));
    assert_ne!(partition("t", "a"), partition("t", "b"));
    store.write_batch(vec![put(&from, draft("from")), put(&into, draft("into"))]).await?;
    let (gone, kept) = (from.clone(), into.clone());
    let written = store
        .write(command(vec![from.clone(), into.clone()], move |rows| {
            let merged = rows.get(&kept).map(text).unwrap_or_default() + &rows.get(&gone).map(text).unwrap_or_default();
            rows.put(gone, Draft { deleted: true, ..draft("") });
            rows.put(kept.clone(), draft(&merged));
            Ok(kept)
        }))
        .await?;
    assert_eq!(text(&written.row), "intofrom");
    assert_eq!(written.position, Position { partition: partition("t", "b"), position: 2 });
    assert_eq!(texts(&feed_of(&store, "a").await?), ["from", ""]);
    assert_eq!(texts(&feed_of(&store, "b").await?), ["into", "intofrom"]);
    check_feed_against_rows(&store).await
}
