//! Request ids: a retry is answered as the first time.

use super::*;

pub(super) async fn a_repeated_request_gets_the_first_answer(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let full = || Draft { label: "thread".into(), deleted: true, happened_at: -3, ..draft("one") };
    let request = || requested("r", "same", put(&key, full()));
    // The same request twice in one batch, and a command in between that changes the row.
    let answers = store.write_batch(vec![request(), append(&key, '2'), request()]).await?;
    let mut answers = answers.into_iter().collect::<std::result::Result<Vec<Written>, _>>()?;
    let (second, _, first) = (answers.pop(), answers.pop(), answers.pop());
    let (Some(first), Some(second)) = (first, second) else { panic!("answers are missing") };
    assert_eq!((first.outcome, second.outcome), (Outcome::Landed, Outcome::Replayed));
    assert_eq!((&first.row, first.position), (&second.row, second.position));

    place.pass(HOUR);
    store.write(append(&key, '3')).await?;
    let store = place.store().await?;
    let third = store.write(request()).await?;
    assert_eq!(third.outcome, Outcome::Replayed);
    assert_eq!((third.row, third.position), (first.row, first.position));
    assert_eq!(feed_of(&store, "a").await?.len(), 3);
    // Another tenant's request of that id is another request.
    let theirs = Key { tenant: "u".into(), ..key.clone() };
    let other = Command { tenant: "u".into(), ..requested("r", "same", put(&theirs, draft("theirs"))) };
    assert_eq!(store.write(other).await?.outcome, Outcome::Landed);
    Ok(())
}

pub(super) async fn a_request_id_serves_one_request_only(place: &Place) -> Result {
    let store = place.store().await?;
    let (one, other) = (key("a", "1"), key("a", "2"));
    let reuse = || requested("r", "other", put(&other, draft("other")));
    let answers = store.write_batch(vec![requested("r", "one", put(&one, draft("one"))), reuse()]).await?;
    assert!(matches!(&answers[..], [Ok(_), Err(Error::RequestIdReused(id))] if id == "r"), "answered {answers:?}");
    assert!(matches!(store.write(reuse()).await, Err(Error::RequestIdReused(_))));
    assert_eq!(store.get(&other).await?, None);
    Ok(())
}

pub(super) async fn an_answer_is_kept_for_a_day(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    let request = || requested("r", "same", append(&key, 'x'));
    store.write(request()).await?;
    place.pass(24 * HOUR);
    assert_eq!(store.write(request()).await?.outcome, Outcome::Replayed);
    place.pass(HOUR);
    let written = store.write(request()).await?;
    assert_eq!((written.outcome, text(&written.row)), (Outcome::Landed, "xx".into()));
    assert_eq!(store.write(request()).await?.outcome, Outcome::Replayed);
    Ok(())
}

pub(super) async fn a_refused_request_may_be_tried_again(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    assert!(store.write(requested("r", "same", refuse(&key))).await.is_err());
    assert_eq!(store.write(requested("r", "same", put(&key, draft("one")))).await?.outcome, Outcome::Landed);
    Ok(())
}

pub(super) async fn a_request_is_known_to_all_of_a_large_batch(place: &Place) -> Result {
    let store = place.store().await?;
    let asked = key("a", "asked");
    let request = || requested("r", "same", append(&asked, '!'));
    let others = (0..1_200).map(|number| append(&key(&format!("a{}", number % 70), "1"), '?'));
    let batch: Vec<Command> =
        std::iter::once(request()).chain(others).chain([append(&asked, '?'), request()]).collect();
    let answers = store.write_batch(batch).await?.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
    let (first, last) = (&answers[0], &answers[answers.len() - 1]);
    assert_eq!((first.outcome, last.outcome), (Outcome::Landed, Outcome::Replayed));
    assert_eq!((last.position, text(&last.row)), (first.position, "!".to_owned()));
    assert_eq!(store.get(&asked).await?.map(|row| text(&row)), Some("!?".to_owned()));
    let other = store.get(&key("a0", "1")).await?;
    assert_eq!(other.map(|row| (text(&row), row.version)), Some(("?".repeat(18), 18)));
    check_feed_against_rows(&store).await
}
