use std::{collections::BTreeSet, time::Duration};

use store::{Held, Leases, leases::DEAD_AFTER};

use super::*;

/// Two processes on one file: the later one has it.
pub(super) async fn a_file_belongs_to_whoever_opened_it_last(place: &Place) -> Result {
    let database = place.open().await?;
    if database.backend == Backend::Postgres {
        return Ok(());
    }
    let [first, second] = ["b", "a"].map(|id| Leases::new(database.clone(), id.to_owned()));
    first.beat().await?;
    let held = first.held();
    assert!(held.is_all() && fenced(&database, &held).await?.is_none());
    second.beat().await?;
    assert!(second.held().is_all());
    assert!(fenced(&database, &held).await?.is_some(), "who was pushed out may not write");
    first.beat().await?;
    assert!(first.held().is_empty());
    assert_eq!(fenced(&database, &second.held()).await?, None);
    second.leave().await?;
    first.beat().await?;
    assert!(first.held().is_empty(), "who was pushed out does not come back");
    Ok(())
}

/// Processes that come, hang, come back and leave: each partition is held by one at most, and soon by one again.
pub(super) async fn leases_are_shared_out_among_those_who_live(place: &Place) -> Result {
    let database = place.open().await?;
    if database.backend == Backend::Sqlite {
        return Ok(());
    }
    let leases = ["a", "b", "c"].map(|id| Leases::new(database.clone(), id.to_owned()));
    let mut now = Duration::ZERO;
    let mut beat = async |who: &[usize], times: u32| -> Result {
        for _ in 0..times {
            now += Duration::from_secs(1);
            for one in who {
                leases[*one].beat_at(now).await?;
            }
        }
        Ok(())
    };
    beat(&[0], 1).await?;
    assert!(leases[0].held().is_all());
    beat(&[0, 1, 2], 3).await?;
    assert_eq!(sizes(&leases), [22, 21, 21]);
    assert_disjoint(&leases);

    // The second one hangs for as long as makes it dead, and then wants to write.
    let before = leases[1].held();
    beat(&[0, 2], DEAD_AFTER.as_secs() as u32 - 1).await?;
    assert_eq!(leases[0].held().len(), 22, "it may merely be slow");
    beat(&[0, 2], 3).await?;
    assert_eq!((leases[0].held().len(), leases[2].held().len()), (32, 32));
    assert_eq!(leases[1].held(), before, "it does not know yet");
    assert!(fenced(&database, &before).await?.is_some());
    beat(&[0, 1, 2], 3).await?;
    assert_eq!(sizes(&leases), [22, 21, 21]);
    assert_disjoint(&leases);

    leases[0].leave().await?;
    beat(&[0, 1, 2], 2).await?;
    assert_eq!(sizes(&leases), [0, 32, 32], "nobody waits for one that has left");
    assert_disjoint(&leases);
    Ok(())
}

/// One that was buried at its first beat, comes back between two looks of who buried it, and lives.
pub(super) async fn one_that_was_buried_at_its_first_beat_comes_back(place: &Place) -> Result {
    let database = place.open().await?;
    if database.backend == Backend::Sqlite {
        return Ok(());
    }
    let leases = ["a", "b"].map(|id| Leases::new(database.clone(), id.to_owned()));
    let mut seconds = (1..).map(Duration::from_secs);
    let mut beat = async |one: usize| leases[one].beat_at(seconds.next().unwrap_or_default()).await;
    beat(0).await?;
    beat(1).await?;
    for _ in 0..=DEAD_AFTER.as_secs() {
        beat(0).await?;
    }
    assert!(leases[0].held().is_all() && !leases[0].is_live("b"));
    for _ in 0..3 {
        beat(1).await?;
        beat(0).await?;
    }
    beat(1).await?;
    assert!(leases[0].is_live("b"));
    assert_eq!(sizes(&leases), [32, 32]);
    Ok(())
}

/// A lease that changes hands waits for the transaction that began under it.
pub(super) async fn a_fence_counts_writes_and_holds_until_the_end(place: &Place) -> Result {
    let database = place.open().await?;
    let leases = Leases::new(database.clone(), "a".to_owned());
    leases.beat().await?;
    let some: Held = leases.held().iter().filter(|(partition, _)| partition % 3 == 0).collect();
    for before in 0..2 {
        let (transaction, fenced) = database.transaction_under(&some, &BTreeSet::from([1])).await?;
        assert_eq!(fenced.len(), some.len() + 1);
        for (partition, found) in fenced {
            assert!(partition % 3 == 0 || partition == 1);
            assert_eq!(found.writes_before, before);
        }
        transaction.commit().await?;
    }
    let (transaction, _) = database.transaction_under(&some, &BTreeSet::new()).await?;
    drop(transaction);
    let (mut transaction, fenced) = database.transaction_under(&some, &BTreeSet::new()).await?;
    assert!(fenced.values().all(|found| found.writes_before == 2), "what was undone does not count");
    transaction.take_away_all().await?;
    transaction.commit().await?;
    assert!(self::fenced(&database, &some).await?.is_some());
    Ok(())
}

/// One that stops in the middle of a transaction keeps its leases locked; the others take them once it lets go, and go on
/// beating meanwhile.
pub(super) async fn a_lease_that_is_locked_holds_up_no_beat(place: &Place) -> Result {
    let database = place.open().await?;
    if database.backend == Backend::Sqlite {
        return Ok(());
    }
    let [first, second] = ["a", "b"].map(|id| Leases::new(database.clone(), id.to_owned()));
    first.beat_at(Duration::ZERO).await?;
    let one: Held = first.held().iter().take(1).collect();
    let (partition, _) = one.iter().next().ok_or("nothing is held")?;
    let (transaction, _) = database.transaction_under(&one, &BTreeSet::new()).await?;
    // The first hangs from here on.
    for seconds in 0..2 * DEAD_AFTER.as_secs() {
        for part in 0..4 {
            second.beat_at(Duration::from_millis(1_000 * seconds + 250 * part)).await?;
        }
    }
    assert_eq!((second.held().len(), second.held().generation(partition)), (63, None));
    transaction.commit().await?;
    second.beat_at(3 * DEAD_AFTER).await?;
    assert!(second.held().is_all());

    // Its own transaction keeps it from giving back, but not from acting as if it had.
    let last: Held = second.held().iter().skip(63).collect();
    let (transaction, _) = database.transaction_under(&last, &BTreeSet::new()).await?;
    let third = Leases::new(database.clone(), "c".to_owned());
    for _ in 0..2 {
        third.beat_at(Duration::ZERO).await?;
        second.beat_at(3 * DEAD_AFTER).await?;
        assert_eq!(second.held().len(), 32);
    }
    third.beat_at(Duration::ZERO).await?;
    assert_eq!(third.held().len(), 31);
    transaction.commit().await?;
    second.beat_at(3 * DEAD_AFTER).await?;
    third.beat_at(Duration::ZERO).await?;
    assert_disjoint(&[second, third]);
    Ok(())
}

/// A process that is started again where it was need not wait until it is taken for dead.
pub(super) async fn who_comes_back_to_its_place_takes_over_at_once(place: &Place) -> Result {
    let database = place.open().await?;
    if database.backend == Backend::Sqlite {
        return Ok(());
    }
    let [before, elsewhere, again] =
        ["1@one:7600", "2@one:7601", "3@one:7600"].map(|id| Leases::new(database.clone(), id.to_owned()));
    for _ in 0..3 {
        before.beat_at(Duration::ZERO).await?;
        elsewhere.beat_at(Duration::ZERO).await?;
    }
    assert_eq!((before.held().len(), elsewhere.held().len()), (32, 32));
    let held = before.held();
    again.beat_at(Duration::ZERO).await?;
    assert_eq!(again.held().len(), 32);
    assert!(held.iter().all(|(partition, _)| again.held().generation(partition).is_some()));
    assert!(fenced(&database, &held).await?.is_some());
    // If it lives after all, it gets its share like everybody.
    for _ in 0..3 {
        before.beat_at(Duration::ZERO).await?;
        elsewhere.beat_at(Duration::ZERO).await?;
        again.beat_at(Duration::ZERO).await?;
    }
    assert_disjoint(&[before, elsewhere, again]);
    Ok(())
}

/// The partition for which a transaction under these leases is refused, if it is.
async fn fenced(database: &Database, held: &Held) -> Result<Option<u32>> {
    match database.transaction_under(held, &BTreeSet::new()).await {
        Ok(_) => Ok(None),
        Err(Error::Fenced { partition }) => Ok(Some(partition)),
        Err(error) => Err(error.into()),
    }
}

fn sizes(leases: &[Leases]) -> Vec<usize> {
    leases.iter().map(|leases| leases.held().len()).collect()
}

fn assert_disjoint(leases: &[Leases]) {
    let mut all: Vec<u32> = Vec::new();
    leases.iter().for_each(|leases| all.extend(leases.held().iter().map(|(partition, _)| partition)));
    all.sort_unstable();
    assert_eq!(all, (0..PARTITIONS).collect::<Vec<_>>());
}
