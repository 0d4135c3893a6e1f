//! The feed: every change once, in order, without gaps.

use super::*;

/// Sixteen writers write at once, some to shared rows. Returns how many writes there were.
async fn write_from_many_tasks(stores: &[Store]) -> Result<i64> {
    let writers = (0..16_usize).map(|writer| {
        let store = stores[writer % stores.len()].clone();
        tokio::spawn(async move {
            for round in 0..25 {
                let shared = key(&format!("account {}", round % 3), "shared");
                let own = key(&format!("account {}", writer % 4), &format!("{writer} {round}"));
                let answer = store.write(append(&shared, 'x')).await.expect("the shared row is written");
                let seen = store.changes_after(Position { position: answer.position.position - 1, ..answer.position });
                let seen = seen.await.expect("the feed continues");
                assert_eq!(seen[0].changes[0].row, in_feed(&answer.row));
                store.write(put(&own, draft("own"))).await.expect("the own row is written");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await?;
    }
    Ok(16 * 25 * 2)
}

pub(super) async fn positions_have_no_gaps_under_concurrent_writers(place: &Place) -> Result {
    let store = place.store().await?;
    // A reader who follows meanwhile sees each position once, in order: `feed_after` checks it.
    let followed = partition("t", "account 0");
    let follower = tokio::spawn({
        let store = store.clone();
        async move {
            let mut commits = store.commits();
            let mut after = Position { partition: followed, position: 0 };
            let mut seen = Vec::new();
            while seen.len() < 100 {
                let changes = feed_after(&store, after).await.expect("the feed continues");
                after.position += changes.len() as i64;
                seen.extend(changes);
                if commits.changed().await.is_err() {
                    break;
                }
            }
            seen
        }
    });
    let writes = write_from_many_tasks(std::slice::from_ref(&store)).await?;
    let feed = whole_feed(&store).await?;
    assert_eq!(feed.len() as i64, writes);
    // One more, in case the follower waits after the last.
    store.write(put(&key("account 0", "last"), draft("x"))).await?;
    let seen = follower.await?;
    let same = feed_of(&store, "account 0").await?;
    assert_eq!(seen, same[..seen.len()]);
    check_feed_against_rows(&store).await
}

pub(super) async fn two_stores_share_one_feed(place: &Place) -> Result {
    // Opened at once, as two processes may be.
    let (one, other) = tokio::join!(place.open(), place.open());
    let stores = [place.start(one?), place.start(other?)];
    let writes = write_from_many_tasks(&stores).await?;
    assert_eq!(whole_feed(&stores[0]).await?.len() as i64, writes);
    assert_eq!(whole_feed(&stores[0]).await?, whole_feed(&stores[1]).await?);
    check_feed_against_rows(&stores[1]).await
}

pub(super) async fn time_never_falls_within_a_partition(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    store.write(append(&key, '1')).await?;
    place.pass(-HOUR);
    // Another process, whose clock is behind.
    let store = place.store().await?;
    assert_eq!(store.write(append(&key, '2')).await?.row.recorded_at, START);
    let later = place.pass(2 * HOUR);
    assert_eq!(store.write(append(&key, '3')).await?.row.recorded_at, later);
    Ok(())
}

pub(super) async fn the_feed_is_read_in_portions(place: &Place) -> Result {
    let store = place.store().await?;
    let key = key("a", "1");
    for _ in 0..70 {
        store.write(append(&key, 'x')).await?;
    }
    let start = Position { partition: partition("t", "a"), position: 0 };
    assert_eq!(store.changes_after(start).await?.len(), 32);
    assert_eq!(feed_of(&store, "a").await?.len(), 70);
    // From the middle of a group only what follows.
    store.write_batch("abc".chars().map(|letter| append(&key, letter)).collect()).await?;
    let rest = store.changes_after(Position { position: 71, ..start }).await?;
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].changes.iter().map(|change| change.position).collect::<Vec<_>>(), [72, 73]);
    Ok(())
}

pub(super) async fn a_position_ahead_of_the_feed_is_refused(place: &Place) -> Result {
    let store = place.store().await?;
    let end = store.write(put(&key("a", "1"), draft("x"))).await?.position;
    assert_eq!(store.changes_after(end).await?, []);
    store.check_position(end).await?;
    for position in [2, i64::MAX] {
        let ahead = Position { position, ..end };
        for error in [store.changes_after(ahead).await.err(), store.check_position(ahead).await.err()] {
            assert!(matches!(error, Some(Error::PositionAhead { last: 1, .. })), "{error:?}");
        }
    }
    let untouched = Position { partition: (end.partition + 1) % PARTITIONS, position: 0 };
    assert_eq!(store.changes_after(untouched).await?, []);
    let ahead = store.check_position(Position { position: 1, ..untouched }).await;
    assert!(matches!(ahead, Err(Error::PositionAhead { last: 0, .. })), "{ahead:?}");
    Ok(())
}

pub(super) async fn a_forgotten_position_is_refused(place: &Place) -> Result {
    let store = place.store().await?;
    let thing = key("a", "1");
    for letter in "abcde".chars() {
        store.write(append(&thing, letter)).await?;
        store.write(append(&key("b", "1"), letter)).await?;
        place.pass(10);
    }
    let at = |position| Position { partition: partition("t", "a"), position };
    let check = async |position, wanted: Option<i64>| -> Result {
        for error in [store.changes_after(at(position)).await.err(), store.check_position(at(position)).await.err()] {
            match (error, wanted) {
                (None, None) => {}
                (Some(Error::PositionExpired { first, .. }), Some(wanted)) => assert_eq!(first, wanted),
                (error, _) => panic!("after {position}: {error:?}"),
            }
        }
        Ok(())
    };
    assert_eq!(store.beginning(partition("t", "a")).await?, at(0));
    assert_eq!(store.forget_changes_before(START + 20).await?, 4);
    assert_eq!(store.beginning(partition("t", "a")).await?, at(2));
    for (position, wanted) in [(0, Some(3)), (1, Some(3)), (2, None), (4, None), (5, None)] {
        check(position, wanted).await?;
    }
    assert_eq!(texts(&feed_after(&store, at(2)).await?), ["abc", "abcd", "abcde"]);
    assert_eq!(store.get(&thing).await?.map(|row| text(&row)), Some("abcde".into()));

    // When all is forgotten, only who had seen all may go on.
    assert_eq!(store.forget_changes_before(i64::MAX).await?, 6);
    assert_eq!(store.beginning(partition("t", "a")).await?, at(5));
    for (position, wanted) in [(0, Some(6)), (4, Some(6)), (5, None)] {
        check(position, wanted).await?;
    }
    assert_eq!(store.write(append(&thing, 'f')).await?.position.position, 6);
    assert_eq!(texts(&feed_after(&store, at(5)).await?), ["abcdef"]);
    Ok(())
}

pub(super) async fn a_large_transaction_is_cut_into_groups(place: &Place) -> Result {
    let store = place.store().await?;
    let sizes = [100, 200, 60, 300, 0, 255, 1, 1, 900].map(|kib| kib * 1024);
    let documents = sizes.iter().enumerate();
    let batch = documents.map(|(number, size)| put(&key("a", &number.to_string()), draft(&"x".repeat(*size))));
    store.write_batch(batch.collect()).await?;
    // Many small ones are large together: their keys count as well.
    let long = "x".repeat(1_000);
    let small = (0..600).map(|number| put(&key("a", &format!("{long}{number}")), draft("")));
    store.write_batch(small.collect()).await?;

    let mut groups = Vec::new();
    let mut after = Position { partition: partition("t", "a"), position: 0 };
    loop {
        let more = store.changes_after(after).await?;
        if more.is_empty() {
            break;
        }
        for group in more {
            let bytes = group.changes.iter().map(|change| change.row.document.len() + change.row.key.id.len());
            assert!(group.changes.len() == 1 || bytes.sum::<usize>() <= 256 * 1024);
            after.position += group.changes.len() as i64;
            groups.push(group.changes.len());
        }
    }
    assert_eq!(groups[..7], [1, 1, 1, 1, 2, 2, 1]);
    assert_eq!(groups[7..].len(), 3);
    check_feed_against_rows(&store).await?;
    Ok(())
}
