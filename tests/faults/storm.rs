//! One scenario: everybody is at work, something is broken round after round, and then it is judged.

use std::{
    fs,
    path::Path,
    rc::Rc,
    time::{Duration, Instant},
};

use tests::{
    chance::Chance,
    history::{Verdict, judge},
    resources::Kind,
};
use tokio::task::JoinSet;

use crate::{
    cluster::{Cluster, until},
    doors::Doors,
    importer::Importer,
    judging,
    reader::Reader,
    recorder::Recorder,
    scenarios::Scenario,
    watcher::Watcher,
    writer::{TENANTS, Writer},
};

const WRITERS_PER_TENANT: usize = 8;
/// Of rows, and as many of the aggregator.
const READERS: usize = 3;
/// How long the suite may take to serve again after a fault.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long everybody has to finish.
const ENDING: Duration = Duration::from_secs(120);

/// What a scenario came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    /// How many rounds there were.
    pub(crate) rounds: u32,
    /// How many writes were on their way at the moment of a fault, in all.
    pub(crate) in_flight: usize,
    /// How many calls were cut off.
    pub(crate) cut_off: usize,
    /// How long it took until everything served again, round by round.
    pub(crate) recoveries: Vec<Duration>,
    /// How long it took to make the suite, to break it and let everybody finish, and to read and judge everything.
    pub(crate) took: [Duration; 3],
    /// What must not have happened and is in no history.
    pub(crate) failures: Vec<String>,
}

/// Plays a scenario in a folder.
///
/// # Errors
/// If it cannot be played to its end.
pub(crate) async fn play(
    scenario: &Scenario,
    rounds: u32,
    seed: u64,
    binary: &Path,
    folder: &Path,
) -> Result<Report, String> {
    let mut chance = Chance::of(seed);
    let begun = Instant::now();
    let mut cluster = Cluster::start(binary, folder, scenario.shape).await?;
    let doors = Doors::new(&cluster.doors)?;
    let recorder = Rc::new(Recorder::new());
    let mut report = Report::default();
    report.took[0] = begun.elapsed();
    let played = rage(scenario, rounds, &mut cluster, &doors, &recorder, &mut chance, &mut report).await;
    report.took[1] = begun.elapsed() - report.took[0];
    let read = match &played {
        Ok(()) => judging::read(&mut cluster, &doors, &recorder).await,
        Err(_) => Ok(()),
    };
    report.cut_off = recorder.cut_off();
    report.failures.extend([played.err(), read.err(), recorder.failure()].into_iter().flatten());
    report.failures.extend(cluster.confessions());
    let history = recorder.history.borrow();
    if report.failures.is_empty() {
        report.verdict = judge(&history);
    }
    report.took[2] = begun.elapsed() - report.took[0] - report.took[1];
    let is_sound = report.failures.is_empty() && report.verdict.violations.is_empty();
    if !is_sound {
        let text = serde_json::to_string(&*history).map_err(|error| error.to_string())?;
        fs::write(folder.join("history.json"), text).map_err(|error| error.to_string())?;
        // A disk that was mounted goes away with the harness.
        if let Some(disk) = &cluster.disk {
            let kept = folder.join("kept");
            let _ = std::process::Command::new("cp").arg("-r").arg(&disk.folder).arg(kept).status();
        }
    }
    Ok(report)
}

/// Has everybody work while things break, and lets them finish.
async fn rage(
    scenario: &Scenario,
    rounds: u32,
    cluster: &mut Cluster,
    doors: &Doors,
    recorder: &Rc<Recorder>,
    chance: &mut Chance,
    report: &mut Report,
) -> Result<(), String> {
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    begin(&mut tasks, doors, chance, recorder).await?;
    println!("  {}: everybody is at work after {:.1?}", scenario.name, begun.elapsed());
    recover(cluster, recorder, 0).await?;
    println!("  {}: all serve after {:.1?}", scenario.name, begun.elapsed());
    for round in 1..=rounds {
        let goal = recorder.written() + 5 + chance.below(60) as usize;
        until(PATIENCE, "more is written", async || recorder.written() >= goal || recorder.failure().is_some()).await?;
        chance.pause(Duration::from_millis(30)).await;
        let in_flight = recorder.in_flight();
        let done = scenario.fault.strike(cluster, chance).await?;
        let (ended, begun) = (recorder.now(), Instant::now());
        let recovered = recover(cluster, recorder, ended).await;
        println!(
            "  {} {round}/{rounds}: {done}; {in_flight} writes in flight; {}",
            scenario.name,
            match &recovered {
                Ok(()) => format!("all serve again after {:.1?}", begun.elapsed()),
                Err(error) => error.clone(),
            }
        );
        recovered?;
        report.rounds += 1;
        report.in_flight += in_flight;
        report.recoveries.push(begun.elapsed());
    }
    recorder.close();
    let closed = Instant::now();
    let finished = async {
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| error.to_string())?;
        }
        Ok::<(), String>(())
    };
    tokio::time::timeout(ENDING, finished).await.map_err(|_| "not everybody came to an end".to_owned())??;
    println!("  {}: all have finished after {:.1?}", scenario.name, closed.elapsed());
    Ok(())
}

/// Sends out everybody.
async fn begin(
    tasks: &mut JoinSet<()>,
    doors: &Doors,
    chance: &mut Chance,
    recorder: &Rc<Recorder>,
) -> Result<(), String> {
    for (number, tenant) in (0..).zip(TENANTS) {
        for writer in Writer::many(WRITERS_PER_TENANT, tenant, doors, chance, recorder).await? {
            tasks.spawn_local(writer.run());
        }
        let importer = Importer {
            name: format!("{tenant}-import"),
            tenant,
            doors: doors.clone(),
            chance: chance.split(),
            recorder: recorder.clone(),
            next_batch: number * 1_000_000,
        };
        tasks.spawn_local(importer.run());
    }
    for kind in Kind::ALL {
        for number in 0..2 {
            let name = format!("watcher {number} of {}", kind.service());
            tasks.spawn_local(Watcher::new(name, kind, doors, chance.split(), recorder).run());
        }
    }
    for number in 0..2 * READERS {
        let is_of_rows = number < READERS;
        let reader = Reader { is_of_rows, doors: doors.clone(), chance: chance.split(), recorder: recorder.clone() };
        tasks.spawn_local(reader.run());
    }
    Ok(())
}

/// Waits until every service has answered something that was begun after a moment.
async fn recover(cluster: &mut Cluster, recorder: &Recorder, moment: u64) -> Result<(), String> {
    let mut failure = None;
    let recovered = until(PATIENCE, "all serve again", async || {
        failure = cluster.tend().err().or_else(|| recorder.failure());
        failure.is_some() || recorder.silent_since(moment).is_empty()
    })
    .await;
    match failure {
        Some(failure) => Err(failure),
        None => recovered.map_err(|error| format!("{error}; silent: {:?}", recorder.silent_since(moment))),
    }
}
