use super::*;

/// A sound history of one account: two orders, one of them changed and one deleted, an import, a write that was refused,
/// one that was cut off and landed, and one that did not.
fn sound() -> History {
    let names = ["o1", "o2", "o1", "o2", "b1", "b2", "cut"];
    let versions = [1, 1, 2, 2, 1, 1, 1];
    let notes = ["n1", "n2", "n3", "n2", "n4", "n5", "n6"];
    let deleted = [false, false, false, true, false, false, false];
    let changes: Vec<Change> = (0..names.len())
        .map(|index| Change {
            partition: 7,
            position: index as i64 + 1,
            resource: resource(names[index]),
            version: versions[index],
            said: said(notes[index], deleted[index]),
            recorded_at: 1_000 + index as i64 / 2,
        })
        .collect();
    let mut writes: Vec<Write> =
        changes[..6].iter().zip(0..).map(|(change, index)| acknowledged(change, index)).collect();
    writes[4].batch = Some(1);
    writes[5].batch = Some(1);
    let refused = Outcome::Refused { reason: "ERROR_REASON_ETAG_MISMATCH".to_owned(), expected: true };
    for (note, outcome) in [("n6", Outcome::Unknown), ("n7", Outcome::Unknown), ("n8", refused)] {
        writes.push(Write { said: said(note, false), attempts: 3, outcome, ..writes[0].clone() });
    }
    let row = |index: usize| Row {
        service: "orders".to_owned(),
        resource: changes[index].resource.clone(),
        version: changes[index].version,
        said: changes[index].said.clone(),
    };
    let get = |invoked, index: usize| Get {
        invoked,
        at: invoked + 5,
        resource: changes[index].resource.clone(),
        shown: Some((changes[index].version, changes[index].said.clone())),
    };
    let feed = Feed {
        service: "orders".to_owned(),
        watcher: "judge".to_owned(),
        changes: changes.clone(),
        ends: BTreeMap::from([(7, 7), (8, 0)]),
    };
    let short = Feed { watcher: "watcher".to_owned(), changes: changes[..5].to_vec(), ..feed.clone() };
    let fresh = |asked, shown| Fresh {
        invoked: 100,
        at: 105,
        account: "t:accounts/a".to_owned(),
        asked: vec![place(asked)],
        named: vec![place(asked + 1)],
        shown,
    };
    let shown = BTreeMap::from([(resource("o1"), 2), (resource("b1"), 1)]);
    History {
        writes,
        feeds: vec![feed],
        watched: vec![short],
        rows: vec![row(2), row(3), row(4), row(5), row(6)],
        // The first overlaps the change to version 2 and may miss it.
        gets: vec![get(24, 0), get(40, 2), Get { shown: None, ..get(50, 3) }],
        fresh: vec![fresh(3, Shown::Timeline(shown)), fresh(2, Shown::Orders(2))],
        ledgers: vec![Ledgers { tenant: "t".to_owned(), accounts: 1, verified: 1, differing: vec![] }],
        replays: vec![Replay { what: "a".to_owned(), first: "x".to_owned(), second: "x".to_owned() }],
    }
}

fn resource(id: &str) -> String {
    format!("t:accounts/a/orders/{id}")
}

fn said(note: &str, deleted: bool) -> Said {
    Said { note: note.to_owned(), content: note.len() as u64, deleted }
}

fn place(position: i64) -> Place {
    Place { service: "orders".to_owned(), partition: 7, position }
}

fn acknowledged(change: &Change, index: u64) -> Write {
    let outcome = Outcome::Acknowledged {
        at: 10 * index + 5,
        resource: change.resource.clone(),
        version: Some(change.version),
        token: Some(place(change.position)),
    };
    let (service, client) = ("orders".to_owned(), "writer".to_owned());
    Write { service, client, said: change.said.clone(), batch: None, invoked: 10 * index, attempts: 1, outcome }
}

/// What is found broken once a history was doctored.
fn broken(doctor: impl FnOnce(&mut History)) -> Vec<Broken> {
    let mut history = sound();
    doctor(&mut history);
    let mut broken: Vec<Broken> = judge(&history).violations.iter().map(|violation| violation.broken).collect();
    broken.sort_unstable();
    broken.dedup();
    broken
}

/// Takes a change out of everything that was told in the end, as if it had never been.
fn undo(history: &mut History, index: usize) {
    let gone = history.feeds[0].changes.remove(index);
    for feed in [&mut history.feeds[0], &mut history.watched[0]] {
        feed.changes.retain(|change| *change != gone);
        (1..).zip(&mut feed.changes).for_each(|(position, change)| change.position = position);
    }
    history.feeds[0].ends.insert(7, 6);
    history.rows.retain(|row| row.resource != gone.resource);
}

#[test]
fn a_sound_history_is_found_sound_and_counted() {
    let Verdict { counts, violations } = judge(&sound());
    assert_eq!(violations, []);
    assert_eq!((counts.acknowledged, counts.present_once), (6, 6));
    assert_eq!((counts.unknown_present, counts.unknown_absent, counts.refused), (1, 1, 1));
    assert_eq!((counts.feeds["orders"], counts.watched, counts.batches), (7, 1, 1));
    assert_eq!((counts.gets, counts.fresh, counts.ledgers, counts.replays), (3, 2, 1, 1));
}

#[test]
fn a_history_survives_being_written_down() {
    let text = serde_json::to_string(&sound()).unwrap();
    assert_eq!(serde_json::from_str::<History>(&text).unwrap(), sound());
}

#[test]
fn a_lost_acknowledged_write_is_caught() {
    // Nobody else says anything of it, so that nothing but the loss is there to be seen.
    let lost = broken(|history| {
        let last = history.feeds[0].changes.len() - 1;
        undo(history, last);
        let said = said("n6", false);
        let write = history.writes.iter_mut().find(|write| write.said == said).unwrap();
        write.outcome =
            Outcome::Acknowledged { at: 70, resource: resource("cut"), version: Some(1), token: Some(place(7)) };
    });
    assert_eq!(lost, [Broken::Lost]);
}

#[test]
fn a_write_that_is_there_as_another_version_or_resource_is_caught() {
    let other = |version, id: &str| {
        let resource = resource(id);
        broken(|history| {
            let Outcome::Acknowledged { version: acknowledged, resource: name, .. } = &mut history.writes[2].outcome
            else {
                panic!("it is acknowledged")
            };
            (*acknowledged, *name) = (Some(version), resource);
        })
    };
    for wrong in [other(3, "o1"), other(2, "o9")] {
        assert!(wrong.contains(&Broken::Lost), "{wrong:?}");
    }
}

#[test]
fn a_duplicate_is_caught() {
    let twice = broken(|history| {
        let change = Change { position: 8, resource: resource("again"), ..history.feeds[0].changes[0].clone() };
        let Change { resource, version, said, .. } = change.clone();
        history.rows.push(Row { service: "orders".to_owned(), resource, version, said });
        history.feeds[0].changes.push(Change { recorded_at: 2_000, ..change });
        history.feeds[0].ends.insert(7, 8);
    });
    assert_eq!(twice, [Broken::Duplicate]);
    let alike = broken(|history| {
        let outcome = history.writes[0].outcome.clone();
        history.writes[1].outcome = outcome;
    });
    assert!(alike.contains(&Broken::Duplicate), "{alike:?}");
}

#[test]
fn a_half_written_batch_is_caught() {
    let half = broken(|history| {
        undo(history, 5);
        // Nobody was told of it, and nobody looked.
        history.writes[4].outcome = Outcome::Unknown;
        history.writes[5].outcome = Outcome::Unknown;
    });
    assert_eq!(half, [Broken::Half]);
}

#[test]
fn a_content_that_nobody_sent_is_caught() {
    let altered = broken(|history| {
        history.feeds[0].changes[6].said.content = 99;
        history.rows[4].said.content = 99;
    });
    assert_eq!(altered, [Broken::Half]);
    assert_eq!(broken(|history| drop(history.writes.remove(6))), [Broken::Unasked]);
}

#[test]
fn a_row_without_its_change_and_a_change_without_its_row_are_caught() {
    assert_eq!(broken(|history| drop(history.rows.pop())), [Broken::Rows]);
    let stranger = broken(|history| {
        let row = Row { resource: resource("stranger"), ..history.rows[0].clone() };
        history.rows.push(row);
    });
    assert_eq!(stranger, [Broken::Rows]);
    assert_eq!(broken(|history| history.rows[0].version = 1), [Broken::Rows]);
    assert_eq!(broken(|history| history.rows.push(history.rows[0].clone())), [Broken::Rows]);
}

#[test]
fn a_gap_is_caught() {
    let gap = broken(|history| {
        history.watched.clear();
        history.feeds[0].changes[6].position = 8;
        history.feeds[0].ends.insert(7, 8);
    });
    assert_eq!(gap, [Broken::Gap]);
    assert_eq!(broken(|history| history.feeds[0].ends.extend([(8, 1)])), [Broken::Gap]);
    assert_eq!(broken(|history| drop(history.watched[0].changes.remove(1))), [Broken::Gap]);
}

#[test]
fn a_change_that_is_told_twice_is_caught() {
    let again = broken(|history| {
        let change = history.watched[0].changes[4].clone();
        history.watched[0].changes.push(change);
    });
    assert_eq!(again, [Broken::Gap]);
}

#[test]
fn a_reordering_is_caught() {
    let earlier = broken(|history| {
        // The second order was answered before the first was tried, and stands after it.
        history.writes[0].invoked = 16;
    });
    assert_eq!(earlier, [Broken::Reordered]);
    assert_eq!(broken(|history| history.feeds[0].changes[6].recorded_at = 1), [Broken::Reordered]);
    let swapped = broken(|history| history.watched[0].changes.swap(0, 1));
    assert_eq!(swapped, [Broken::Gap]);
}

#[test]
fn watchers_that_were_told_different_things_are_caught() {
    let other = broken(|history| history.watched[0].changes[3].said.note = "rumour".to_owned());
    assert_eq!(other, [Broken::Watchers]);
    assert_eq!(broken(|history| history.watched[0].service = "feedback".to_owned()), [Broken::Watchers]);
}

#[test]
fn a_version_that_is_skipped_or_goes_backwards_is_caught() {
    let skipped = broken(|history| {
        history.watched.clear();
        history.feeds[0].changes[6].version = 2;
        history.rows[4].version = 2;
    });
    assert_eq!(skipped, [Broken::Versions]);
    let backwards = broken(|history| {
        let first = history.gets[0].clone();
        history.gets.push(Get { invoked: 46, at: 47, ..first });
    });
    assert_eq!(backwards, [Broken::Stale]);
}

#[test]
fn a_read_of_something_that_never_was_is_caught() {
    let other = broken(|history| history.gets[1].shown.as_mut().unwrap().1.content = 77);
    assert_eq!(other, [Broken::Half]);
    // Gone, though nobody deleted it.
    assert_eq!(broken(|history| history.gets[1].shown = None), [Broken::Stale]);
}

#[test]
fn a_token_that_lies_is_caught() {
    // A timeline without the deletion that the token names.
    let stale = broken(|history| {
        history.fresh[0].asked = vec![place(4)];
        history.fresh[0].shown = Shown::Timeline(BTreeMap::from([(resource("o1"), 2), (resource("o2"), 1)]));
    });
    assert_eq!(stale, [Broken::TokenLied]);
    // One that shows something that was never so at once.
    let torn = broken(|history| {
        history.fresh[0].shown = Shown::Timeline(BTreeMap::from([(resource("o1"), 1), (resource("b1"), 1)]));
    });
    assert_eq!(torn, [Broken::TokenLied]);
    // One that is as new as its token, and not as what it names itself.
    let boasting = broken(|history| history.fresh[0].named = vec![place(6)]);
    assert_eq!(boasting, [Broken::TokenLied]);
    assert_eq!(broken(|history| history.fresh[1].shown = Shown::Orders(5)), [Broken::TokenLied]);
    assert_eq!(broken(|history| history.fresh[1].named = vec![place(1)]), [Broken::TokenLied]);
    assert_eq!(broken(|history| history.fresh[1].named = vec![place(70)]), [Broken::TokenLied]);
    // A write's token that ends before the write.
    let short = broken(|history| {
        let Outcome::Acknowledged { token, .. } = &mut history.writes[5].outcome else { panic!("it is acknowledged") };
        *token = Some(place(5));
    });
    assert!(short.contains(&Broken::TokenLied), "{short:?}");
}

#[test]
fn what_was_refused_and_is_there_is_caught() {
    let refused = broken(|history| {
        let outcome = history.writes[8].outcome.clone();
        history.writes[6].outcome = outcome;
    });
    assert_eq!(refused, [Broken::Unasked]);
    let unexpected = broken(|history| {
        history.writes[8].outcome = Outcome::Refused { reason: "ERROR_REASON_INTERNAL".to_owned(), expected: false };
    });
    assert_eq!(unexpected, [Broken::Refused]);
}

#[test]
fn ledgers_and_replays_that_differ_are_caught() {
    assert_eq!(broken(|history| history.ledgers[0].differing.push("accounts/a".to_owned())), [Broken::Ledgers]);
    assert_eq!(broken(|history| history.ledgers[0].verified = 0), [Broken::Ledgers]);
    assert_eq!(broken(|history| history.replays[0].second = "y".to_owned()), [Broken::Replay]);
}
