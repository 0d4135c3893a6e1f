//! Random commands against a model of the store.

use super::*;

#[derive(Debug, Clone)]
enum Action {
    Put { row: u8, document: u8, deleted: bool },
    PutTwo { row: u8, other: u8, document: u8 },
    Append { row: u8 },
    Erase { row: u8 },
    Refuse { row: u8 },
    Repeat { request: u8 },
}

fn actions() -> impl Strategy<Value = Vec<Vec<Action>>> {
    let action = prop_oneof![
        4 => (0..8_u8, 0..3_u8, any::<bool>()).prop_map(|(row, document, deleted)| Action::Put { row, document, deleted }),
        2 => (0..8_u8, 0..8_u8, 0..3_u8).prop_map(|(row, other, document)| Action::PutTwo { row, other, document }),
        4 => (0..8_u8).prop_map(|row| Action::Append { row }),
        1 => (0..8_u8).prop_map(|row| Action::Erase { row }),
        1 => (0..8_u8).prop_map(|row| Action::Refuse { row }),
        2 => (0..4_u8).prop_map(|request| Action::Repeat { request }),
    ];
    prop::collection::vec(prop::collection::vec(action, 1..8), 1..12)
}

/// What is to be stored: each row's version, document and whether it is deleted; and what each change says.
#[derive(Default)]
struct Model {
    rows: BTreeMap<Key, (i64, String, bool)>,
    changes: Vec<(Key, i64, String)>,
    requests: BTreeMap<u8, (Key, i64, String)>,
}

impl Model {
    fn put(&mut self, key: &Key, document: String, deleted: bool) -> (Key, i64, String) {
        let before = self.rows.get(key).cloned();
        let version = match before {
            Some((version, text, was_deleted)) if text == document && was_deleted == deleted => version,
            before => {
                let version = before.map_or(0, |(version, ..)| version) + 1;
                self.changes.push((key.clone(), version, document.clone()));
                version
            }
        };
        self.rows.insert(key.clone(), (version, document.clone(), deleted));
        (key.clone(), version, document)
    }

    fn appended(&self, key: &Key) -> String {
        self.rows.get(key).map(|(_, text, _)| text.clone()).unwrap_or_default() + "+"
    }

    /// Does an action, and returns the command that is to do the same and the answer it is to get.
    fn act(&mut self, tenant: &str, action: &Action) -> (Command, Option<(Key, i64, String)>) {
        let key =
            |row: u8| Key { tenant: tenant.into(), ..key(["a", "b", "c"][usize::from(row) % 3], &row.to_string()) };
        let (command, answer) = match *action {
            Action::Put { row, document, deleted } => {
                let draft = Draft { deleted, ..draft(&document.to_string()) };
                (put(&key(row), draft), Some(self.put(&key(row), document.to_string(), deleted)))
            }
            Action::PutTwo { row, other, document } => {
                let (one, two) = (key(row), key(other));
                let text = format!("two {document}");
                let answer = self.put(&one, text.clone(), false);
                self.put(&two, text.clone(), false);
                let command = command(vec![one.clone(), two.clone()], move |rows| {
                    rows.put(one.clone(), draft(&text));
                    rows.put(two, draft(&text));
                    Ok(one)
                });
                (command, Some(answer))
            }
            Action::Append { row } => {
                let text = self.appended(&key(row));
                (append(&key(row), '+'), Some(self.put(&key(row), text, false)))
            }
            Action::Erase { row } => {
                let erased = key(row);
                let answer = self.put(&erased, "erased".into(), false);
                let past = self.changes.iter_mut().filter(|change| change.0 == erased && change.1 < answer.1);
                past.for_each(|change| change.2 = "redacted".into());
                self.requests.retain(|_, answer| answer.0 != erased);
                (erase(&erased), Some(answer))
            }
            Action::Refuse { row } => (refuse(&key(row)), None),
            Action::Repeat { request } => {
                let key = key(request);
                let answer = match self.requests.get(&request) {
                    Some(answer) => answer.clone(),
                    None => {
                        let text = self.appended(&key);
                        let answer = self.put(&key, text, false);
                        self.requests.insert(request, answer.clone());
                        answer
                    }
                };
                (requested(&request.to_string(), "same", append(&key, '+')), Some(answer))
            }
        };
        (Command { tenant: tenant.into(), ..command }, answer)
    }
}

/// Does the batches in a tenant of their own, and compares answers, rows and feed with the model's.
async fn check_against_model(store: &Store, tenant: &str, batches: Vec<Vec<Action>>) -> Result {
    let mut model = Model::default();
    for batch in batches {
        let (commands, wanted): (Vec<_>, Vec<_>) = batch.iter().map(|action| model.act(tenant, action)).unzip();
        for (answer, wanted) in store.write_batch(commands).await?.into_iter().zip(wanted) {
            let answer = answer.ok().map(|written| (written.row.key.clone(), written.row.version, text(&written.row)));
            assert_eq!(answer, wanted);
        }
    }
    let query = ListQuery { tenant: tenant.into(), limit: 100, show_deleted: true, ..ListQuery::default() };
    let rows = store.list(&THINGS, &query).await?.rows;
    let rows = rows.into_iter().map(|row| (row.key.clone(), (row.version, text(&row), row.deleted_at.is_some())));
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), model.rows);

    let mut feed = whole_feed(store).await?;
    feed.retain(|change| change.row.key.tenant == tenant);
    let replayed =
        feed.iter().map(|Change { row, .. }| (row.key.clone(), (row.version, text(row), row.deleted_at.is_some())));
    assert_eq!(replayed.collect::<BTreeMap<_, _>>(), model.rows);
    // Order holds inside a partition; stable sorting compares just that.
    let mut feed: Vec<_> = feed.iter().map(|Change { row, .. }| (row.key.clone(), row.version, text(row))).collect();
    let of_partition = |change: &(Key, i64, String)| partition(tenant, &change.0.account);
    feed.sort_by_key(of_partition);
    model.changes.sort_by_key(of_partition);
    assert_eq!(feed, model.changes);
    Ok(())
}

fn random_commands_do_as_the_model_does(runtime: &tokio::runtime::Runtime, place: &Place) -> Result {
    let store = runtime.block_on(place.store())?;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let tenants = AtomicU64::new(0);
    runner.run(&actions(), |batches| {
        let tenant = format!("tenant {}", tenants.fetch_add(1, Ordering::Relaxed));
        let checked = runtime.block_on(check_against_model(&store, &tenant, batches));
        checked.map_err(|error| TestCaseError::fail(error.to_string()))
    })?;
    Ok(())
}

#[test]
fn random_commands_do_as_the_model_does_on_sqlite() -> Result {
    random_commands_do_as_the_model_does(&tokio::runtime::Runtime::new()?, &Place::sqlite()?)
}

#[test]
fn random_commands_do_as_the_model_does_on_postgres() -> Result {
    let runtime = tokio::runtime::Runtime::new()?;
    let Some(place) = runtime.block_on(Place::postgres())? else { return Ok(()) };
    random_commands_do_as_the_model_does(&runtime, &place)?;
    runtime.block_on(place.drop_schema())
}
