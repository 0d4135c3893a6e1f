//! Which faults are tried on which suite, and how often.

use crate::{
    cluster::{Shape, Storage},
    faults::Fault,
};

/// A suite and what is done to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) fault: Fault,
    /// How many rounds it gets where a hundred are asked for. Those of kills that need nothing rare are a hundred together.
    pub(crate) share: u32,
}

const PLAIN: Shape = Shape {
    storage: Storage::Postgres,
    replicas: 1,
    aggregators: 1,
    networked: false,
    disk: None,
    clocked: false,
    nats: 0,
};

/// All of them.
pub(crate) const SCENARIOS: [Scenario; 15] = [
    scenario("self-check", PLAIN, Fault::Tamper, 5),
    scenario("kill-postgres-suite", PLAIN, Fault::Kill, 25),
    scenario("kill-sqlite-suite", Shape { storage: Storage::Sqlite, ..PLAIN }, Fault::Kill, 25),
    scenario("kill-postgres", PLAIN, Fault::KillPostgres, 20),
    scenario("kill-replicas", Shape { replicas: 2, ..PLAIN }, Fault::Kill, 15),
    scenario("kill-aggregators", Shape { aggregators: 3, ..PLAIN }, Fault::KillAggregator, 15),
    scenario("kill-nats", Shape { nats: 1, ..PLAIN }, Fault::KillNats, 5),
    scenario("kill-nats-leader", Shape { nats: 3, aggregators: 2, ..PLAIN }, Fault::KillNats, 5),
    scenario("pause", PLAIN, Fault::Pause, 4),
    scenario("pause-replicas", Shape { replicas: 2, aggregators: 2, ..PLAIN }, Fault::Pause, 8),
    scenario("pause-aggregators", Shape { aggregators: 3, ..PLAIN }, Fault::PauseAggregator, 5),
    scenario("network", Shape { networked: true, ..PLAIN }, Fault::Network, 15),
    scenario("clock", Shape { clocked: true, ..PLAIN }, Fault::Clock, 8),
    scenario("disk-sqlite", Shape { storage: Storage::Sqlite, disk: Some(256), ..PLAIN }, Fault::Disk, 5),
    scenario("disk-postgres", Shape { disk: Some(512), ..PLAIN }, Fault::Disk, 4),
];

const fn scenario(name: &'static str, shape: Shape, fault: Fault, share: u32) -> Scenario {
    Scenario { name, shape, fault, share }
}

impl Scenario {
    /// Whether its rounds are kills, which are counted.
    pub(crate) fn kills(&self) -> bool {
        matches!(self.fault, Fault::Kill | Fault::KillAggregator | Fault::KillPostgres | Fault::KillNats)
    }

    /// Whether what is done is no fault but fraud, so that the judge has to find it.
    pub(crate) fn is_to_be_found(&self) -> bool {
        self.fault == Fault::Tamper
    }

    /// How many rounds it gets where so many rounds of kills are asked for; what gets less than one is left out.
    pub(crate) fn rounds(&self, kills: u32) -> u32 {
        let rounds = kills * self.share / 100;
        // Once is enough, and always: who finds nothing has to be able to.
        if self.is_to_be_found() { 1 } else { rounds }
    }
}
