//! Erasure: nothing of what was erased is left in a row's past.

use super::*;

pub(super) async fn an_erased_past_is_rewritten_everywhere(place: &Place) -> Result {
    let store = place.store().await?;
    let (erased, neighbour) = (key("a", "1"), key("a", "2"));
    let note = Key { table: "notes", ..erased.clone() };
    for round in 0..40 {
        let mut batch = vec![append(&erased, 'x'), append(&neighbour, 'y'), append(&erased, 'z'), append(&note, 'n')];
        batch.truncate(4 - round % 3);
        store.write_batch(batch).await?;
    }
    let answered = |key: &Key, id: &str| requested(id, "same", append(key, '!'));
    store.write_batch(vec![answered(&erased, "r1"), answered(&neighbour, "r2"), answered(&note, "r3")]).await?;
    let before = feed_of(&store, "a").await?;

    let erasure = || requested("erasure", "same", erase(&erased));
    store.write(erasure()).await?;
    let after = feed_of(&store, "a").await?;
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.last().map(|change| text(&change.row)), Some("erased".into()));
    for (before, after) in before.into_iter().zip(after) {
        let mut wanted = before;
        if wanted.row.key == erased {
            wanted.row.document = b"redacted".to_vec();
        }
        assert_eq!(after, wanted);
    }
    // The erasure's own answer is kept, those of others are, those that would tell what was erased are not.
    assert_eq!(store.write(erasure()).await?.outcome, Outcome::Replayed);
    assert_eq!(store.write(answered(&neighbour, "r2")).await?.outcome, Outcome::Replayed);
    assert_eq!(store.write(answered(&note, "r3")).await?.outcome, Outcome::Replayed);
    let again = store.write(answered(&erased, "r1")).await?;
    assert_eq!((again.outcome, text(&again.row)), (Outcome::Landed, "erased!".into()));
    Ok(())
}

pub(super) async fn an_erasure_reaches_the_commands_it_is_joined_with(place: &Place) -> Result {
    let store = place.store().await?;
    let (erased, other) = (key("a", "1"), key("a", "2"));
    let request = |id: &str, key: &Key| requested(id, "same", append(key, '!'));
    store.write(request("r0", &erased)).await?;
    let batch = vec![request("r1", &erased), request("r2", &other), erase(&erased), append(&erased, '?')];
    for answer in store.write_batch(batch).await? {
        answer?;
    }
    assert_eq!(texts(&feed_of(&store, "a").await?), ["redacted", "redacted", "!", "erased", "erased?"]);
    assert_eq!(store.write(request("r2", &other)).await?.outcome, Outcome::Replayed);
    for id in ["r0", "r1"] {
        assert_eq!(store.write(request(id, &erased)).await?.outcome, Outcome::Landed);
    }
    check_feed_against_rows(&store).await
}

pub(super) async fn a_redaction_that_panics_writes_nothing(place: &Place) -> Result {
    let store = place.store().await?;
    let thing = key("a", "1");
    store.write(put(&thing, draft("one"))).await?;
    let named = thing.clone();
    let panicking = command(vec![thing.clone()], move |rows| {
        rows.redact_past(named.clone(), |_| panic!("as the test wants it"));
        rows.put(named.clone(), draft("two"));
        Ok(named)
    });
    let answer = store.write(panicking).await;
    assert!(matches!(answer, Err(Error::Panicked)), "answered {answer:?}");
    // The writer goes on.
    assert_eq!(text(&store.write(append(&thing, '!')).await?.row), "one!");
    check_feed_against_rows(&store).await
}
