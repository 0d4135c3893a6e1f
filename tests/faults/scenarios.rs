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
    /// How many of a hundred rounds of kills it gets; of the others, how many in addition.
    pub(crate) share: u32,
}

const PLAIN: Shape =
    Shape { storage: Storage::Postgres, replicas: 1, aggregators: 1, networked: false, disk: None, clocked: false };

/// All of them.
pub(crate) const SCENARIOS: [Scenario; 12] = [
    Scenario { name: "self-check", shape: PLAIN, fault: Fault::Tamper, share: 0 },
    Scenario { name: "kill-postgres-suite", shape: PLAIN, fault: Fault::Kill, share: 30 },
    Scenario {
        name: "kill-sqlite-suite",
        shape: Shape { storage: Storage::Sqlite, ..PLAIN },
        fault: Fault::Kill,
        share: 25,
    },
    Scenario { name: "kill-postgres", shape: PLAIN, fault: Fault::KillPostgres, share: 20 },
    Scenario { name: "kill-replicas", shape: Shape { replicas: 2, ..PLAIN }, fault: Fault::Kill, share: 15 },
    Scenario {
        name: "kill-aggregators",
        shape: Shape { aggregators: 3, ..PLAIN },
        fault: Fault::KillAggregator,
        share: 10,
    },
    Scenario { name: "pause", shape: PLAIN, fault: Fault::Pause, share: 8 },
    Scenario {
        name: "pause-replicas",
        shape: Shape { replicas: 2, aggregators: 2, ..PLAIN },
        fault: Fault::Pause,
        share: 8,
    },
    Scenario { name: "network", shape: Shape { networked: true, ..PLAIN }, fault: Fault::Network, share: 15 },
    Scenario { name: "clock", shape: Shape { clocked: true, ..PLAIN }, fault: Fault::Clock, share: 8 },
    Scenario {
        name: "disk-sqlite",
        shape: Shape { storage: Storage::Sqlite, disk: Some(256), ..PLAIN },
        fault: Fault::Disk,
        share: 4,
    },
    Scenario { name: "disk-postgres", shape: Shape { disk: Some(512), ..PLAIN }, fault: Fault::Disk, share: 4 },
];

impl Scenario {
    /// Whether its rounds are kills, which are counted.
    pub(crate) fn kills(&self) -> bool {
        matches!(self.fault, Fault::Kill | Fault::KillAggregator | Fault::KillPostgres)
    }

    /// Whether what is done is no fault but fraud, so that the judge has to find it.
    pub(crate) fn is_to_be_found(&self) -> bool {
        self.fault == Fault::Tamper
    }

    /// How many rounds it gets where there are so many rounds of kills in all.
    pub(crate) fn rounds(&self, kills: u32) -> u32 {
        (kills * self.share).div_ceil(100).max(self.is_to_be_found().into())
    }
}
