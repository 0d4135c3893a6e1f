//! What is done to the suite: each fault begins, lasts and ends, at moments by chance.

use std::time::Duration;

use tests::chance::Chance;
use tokio::time::sleep;

use crate::{
    cluster::{Cluster, until},
    node::send,
    proxy::Network,
};

/// Longest time for a database to come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than it takes the others to give up on a process that is silent, so that its work is taken over.
const LONG_PAUSE: Duration = Duration::from_secs(7);
/// By how much a clock is off at most, either way. Answers to request ids are kept for a day, which must not pass.
const CLOCK_SKEW: u64 = 6 * 3_600;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Processes are killed with SIGKILL.
    Kill,
    /// An aggregator is killed with SIGKILL, whatever partitions it holds.
    KillAggregator,
    /// Every process of PostgreSQL is killed with SIGKILL while transactions are open.
    KillPostgres,
    /// A NATS server is killed with SIGKILL, more often than not the one that leads the stream; now and then a service too.
    KillNats,
    /// A process is stopped where it is and goes on later.
    Pause,
    /// An aggregator is stopped until the others have taken over its partitions, and goes on as if nothing had been.
    PauseAggregator,
    /// The network is cut, stalled or slow.
    Network,
    /// The disk is full.
    Disk,
    /// Clocks jump.
    Clock,
    /// Something that no suite does: data are changed behind its back. It has to be found.
    Tamper,
}

impl Fault {
    /// Does it and ends it. Answers with what was done.
    pub(crate) async fn strike(self, cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
        match self {
            Self::Kill => kill(cluster, chance, None).await,
            Self::KillAggregator => kill(cluster, chance, Some("aggregator")).await,
            Self::KillPostgres => kill_postgres(cluster, chance).await,
            Self::KillNats => kill_nats(cluster, chance).await,
            Self::Pause => pause(cluster, chance).await,
            Self::PauseAggregator => pause_aggregator(cluster, chance).await,
            Self::Network => network(cluster, chance).await,
            Self::Disk => disk(cluster, chance).await,
            Self::Clock => clock(cluster, chance),
            Self::Tamper => tamper(cluster).await,
        }
    }
}

/// Kills one process, or two, or all; now and then again while they start.
async fn kill(cluster: &mut Cluster, chance: &mut Chance, only: Option<&str>) -> Result<String, String> {
    let matching = |name: &str| only.is_none_or(|only| name.starts_with(only));
    let mut victims: Vec<usize> =
        (0..cluster.nodes.len()).filter(|index| matching(&cluster.nodes[*index].name)).collect();
    if !chance.one_in(10) {
        let count = if chance.one_in(4) { 2 } else { 1 };
        while victims.len() > count {
            victims.swap_remove(chance.below(victims.len() as u64) as usize);
        }
    }
    let names: Vec<String> = victims.iter().map(|index| cluster.nodes[*index].name.clone()).collect();
    victims.iter().for_each(|index| cluster.nodes[*index].kill());
    chance.pause(Duration::from_millis(150)).await;
    let mut again = 0;
    while chance.one_in(4) {
        for index in &victims {
            cluster.nodes[*index].start()?;
        }
        chance.pause(Duration::from_millis(300)).await;
        victims.iter().for_each(|index| cluster.nodes[*index].kill());
        again += 1;
    }
    for index in &victims {
        cluster.nodes[*index].start()?;
    }
    let again = if again > 0 { format!(", {again} times more while starting") } else { String::new() };
    Ok(format!("kill -9 {}{again}", names.join(" ")))
}

async fn kill_postgres(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let too = chance.one_in(4).then(|| cluster.any(chance));
    let postgres = cluster.postgres.as_mut().ok_or("there is no PostgreSQL")?;
    let mut open = 0;
    for _ in 0..100 {
        open = postgres.open_transactions()?;
        if open > 0 {
            break;
        }
    }
    postgres.kill();
    let mut what = format!("kill -9 postgres, where {open} transactions had written and were open");
    if let Some(index) = too {
        cluster.nodes[index].kill();
        what = format!("{what}; and {}", cluster.nodes[index].name);
    }
    chance.pause(Duration::from_millis(400)).await;
    start_postgres(cluster).await?;
    if let Some(index) = too {
        cluster.nodes[index].start()?;
    }
    Ok(what)
}

async fn start_postgres(cluster: &mut Cluster) -> Result<(), String> {
    let postgres = cluster.postgres.as_mut().ok_or("there is no PostgreSQL")?;
    postgres.node.start()?;
    until(PATIENCE, "PostgreSQL recovers", async || postgres.is_ready()).await
}

async fn kill_nats(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let too = chance.one_in(3).then(|| cluster.any(chance));
    let nats = cluster.nats.as_mut().ok_or("there is no NATS")?;
    let leader = nats.leader().await;
    let any = chance.below(nats.nodes.len() as u64) as usize;
    let victim = if chance.one_in(4) { any } else { leader.unwrap_or(any) };
    nats.nodes[victim].kill();
    let leads = if leader == Some(victim) { ", which leads the stream" } else { "" };
    let mut what = format!("kill -9 {}{leads}", nats.nodes[victim].name);
    if let Some(index) = too {
        cluster.nodes[index].kill();
        what = format!("{what}; and {}", cluster.nodes[index].name);
    }
    chance.pause(Duration::from_millis(1_500)).await;
    if let Some(nats) = &mut cluster.nats {
        nats.nodes[victim].start()?;
    }
    if let Some(index) = too {
        cluster.nodes[index].start()?;
    }
    Ok(what)
}

/// Stops a process, or one of PostgreSQL's that serves a connection.
async fn pause(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let time = if chance.one_in(4) { LONG_PAUSE } else { chance.up_to(Duration::from_millis(1_500)) };
    if chance.one_in(4)
        && let Some(postgres) = &cluster.postgres
        && let backends = postgres.backends()
        && !backends.is_empty()
    {
        let backend = chance.one_of(&backends);
        send("STOP", &[backend]);
        sleep(time).await;
        send("CONT", &[backend]);
        return Ok(format!("stopped a process of postgres for {time:.1?}"));
    }
    let index = cluster.any(chance);
    cluster.nodes[index].pause();
    sleep(time).await;
    cluster.nodes[index].resume();
    Ok(format!("stopped {} for {time:.1?}", cluster.nodes[index].name))
}

async fn pause_aggregator(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let is_aggregator = |index: &usize| cluster.nodes[*index].name.starts_with("aggregator");
    let aggregators: Vec<usize> = (0..cluster.nodes.len()).filter(is_aggregator).collect();
    let index = chance.one_of(&aggregators);
    let time = LONG_PAUSE + chance.up_to(LONG_PAUSE / 2);
    cluster.nodes[index].pause();
    sleep(time).await;
    cluster.nodes[index].resume();
    Ok(format!("stopped {} for {time:.1?}", cluster.nodes[index].name))
}

/// Does something to one connection between two services, or to all that one has.
async fn network(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let whole = chance.one_in(3);
    let index = chance.below(cluster.networks.len() as u64) as usize;
    let name = &cluster.networks[index].0;
    let end = name.rsplit_once(' ').map_or("", |(_, end)| end);
    let is_hit = |other: &str| if whole { other.ends_with(end) } else { other == name };
    let state = match chance.below(5) {
        0 => Network::Cut,
        1 => Network::Slow(Duration::from_millis(10) + chance.up_to(Duration::from_millis(200))),
        2 => Network::Stalled { from_caller: true, to_caller: true },
        3 => Network::Stalled { from_caller: true, to_caller: false },
        _ => Network::Stalled { from_caller: false, to_caller: true },
    };
    let time = chance.up_to(Duration::from_millis(2_000));
    let hit: Vec<&(String, crate::proxy::Proxy)> = cluster.networks.iter().filter(|(other, _)| is_hit(other)).collect();
    hit.iter().for_each(|(_, proxy)| proxy.set(state));
    sleep(time).await;
    let mut cut = "";
    // What was stalled may come to its end without a word, too.
    if state != Network::Cut && chance.one_in(3) {
        hit.iter().for_each(|(_, proxy)| proxy.set(Network::Cut));
        sleep(Duration::from_millis(30)).await;
        cut = ", and cut";
    }
    hit.iter().for_each(|(_, proxy)| proxy.set(Network::Sound));
    let which = if whole { format!("everything to {end}") } else { name.clone() };
    Ok(format!("{state:?}{cut}: {which} for {time:.1?}"))
}

async fn disk(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let taken = cluster.disk.as_ref().ok_or("there is no disk")?.fill();
    let time = Duration::from_millis(300) + chance.up_to(Duration::from_millis(1_500));
    sleep(time).await;
    // Whoever ends for want of room is started again, in vain at first.
    let ended = cluster.tend()?;
    sleep(chance.up_to(Duration::from_millis(500))).await;
    if let Some(disk) = &cluster.disk {
        // More is taken while others give some back.
        let more = disk.fill();
        disk.free();
        let ended = if ended.is_empty() { String::new() } else { format!("; {} ended", ended.join(" ")) };
        return Ok(format!("a full disk for {time:.1?}: {} KiB taken{ended}", (taken + more) / 1_024));
    }
    Ok(String::new())
}

/// Moves some clocks, each by its own.
fn clock(cluster: &mut Cluster, chance: &mut Chance) -> Result<String, String> {
    let mut moved = Vec::new();
    for node in &cluster.nodes {
        if chance.one_in(2) {
            let seconds = chance.below(2 * CLOCK_SKEW) as i64 - CLOCK_SKEW as i64;
            cluster.set_clock(&node.name, seconds)?;
            moved.push(format!("{} {:+.1} h", node.name, seconds as f64 / 3_600.0));
        }
    }
    Ok(format!("clocks jump: {}", moved.join(", ")))
}

/// Takes an order from its service, one that no import may send again, and an imported one from the aggregator's picture; both
/// stand. Who writes locks positions of the feed first: who has read the order and is about to write it would put it back.
async fn tamper(cluster: &mut Cluster) -> Result<String, String> {
    let postgres = cluster.postgres.as_ref().ok_or("there is no PostgreSQL")?;
    let row = "lock table feed_positions in exclusive mode; delete from orders where (tenant, account, id) in (select tenant, account, id from orders
        where deleted_at is null and id not like '%import%' and id <> 'shared' limit 1) returning id";
    let source = "delete from sources where (tenant, account, source, version) in (
        select tenant, account, source, version from sources where kind = 'order' and deleted_at is null
        and superseded_at is null and source like '%import%' limit 1) returning source";
    let mut taken = Vec::new();
    for (database, statement) in [("orders", row), ("aggregator", source)] {
        let mut found = String::new();
        until(PATIENCE, "there is something to be taken", async || {
            found = postgres.ask(database, statement).unwrap_or_default();
            !found.is_empty()
        })
        .await?;
        taken.push(format!("{found} from {database}"));
    }
    Ok(format!("took away {}", taken.join(" and ")))
}
