//! The sample data that ship with the project: what `tests/data/` holds, built into the program, and in which order it
//! is imported. Their origins and licences stand in the READMEs there.

use prost_types::Timestamp;

use crate::import::{Job, Kind, Mapping, Source};

/// A set of sample data, for a tenant of its own.
#[derive(Clone, Copy, Debug)]
pub struct DataSet {
    /// The tenant's name.
    pub tenant: &'static str,
    /// What it is and whose, in a sentence.
    pub about: &'static str,
    /// The day after its last event, in UTC, such as "2011-12-10": the day to ask about.
    pub ends_on: &'static str,
    ends_at: i64,
    /// The imports that load it, in order.
    pub steps: &'static [Step],
}

/// One import of a set.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it loads.
    pub kind: Kind,
    /// The mapping's name.
    pub name: &'static str,
    mapping: &'static str,
    file: &'static str,
    data: &'static [u8],
}

macro_rules! step {
    ($kind:ident, $set:literal, $mapping:literal, $file:literal) => {
        Step {
            kind: Kind::$kind,
            name: concat!($set, "/", $mapping),
            mapping: include_str!(concat!("../../../tests/data/", $set, "/", $mapping)),
            file: concat!($set, "/", $file),
            data: include_bytes!(concat!("../../../tests/data/", $set, "/", $file)),
        }
    };
}

/// Real orders and returns of a UK wholesaler.
pub const RETAIL: DataSet = DataSet {
    tenant: "retail",
    ends_on: "2011-12-10",
    ends_at: 1_323_475_200,
    about: "real orders and returns of a UK gift wholesaler, 2010-2011 (UCI Online Retail, D. Chen, CC BY 4.0)",
    steps: &[
        step!(Accounts, "retail", "accounts.toml", "lines.csv.gz"),
        step!(Orders, "retail", "orders.toml", "lines.csv.gz"),
    ],
};

/// A synthetic vendor of software by subscription, with facts for all four services.
pub const SAAS: DataSet = DataSet {
    tenant: "saas",
    ends_on: "2025-01-01",
    ends_at: 1_735_689_600,
    about: "a synthetic vendor of software by subscription (RavenStack, River @ Rivalytics): no real customers",
    steps: &[
        step!(Accounts, "saas", "accounts.toml", "accounts.csv"),
        step!(Orders, "saas", "orders.toml", "subscriptions.csv"),
        step!(Interactions, "saas", "subscription_ends.toml", "subscriptions.csv"),
        step!(Interactions, "saas", "tickets.toml", "support_tickets.csv"),
        step!(Interactions, "saas", "replies.toml", "support_tickets.csv"),
        step!(Interactions, "saas", "competitor_offers.toml", "churn_events.csv"),
        step!(Feedback, "saas", "satisfaction.toml", "support_tickets.csv"),
        step!(Feedback, "saas", "churn_reasons.toml", "churn_events.csv"),
    ],
};

impl DataSet {
    /// The start of [`DataSet::ends_on`].
    pub fn ends(&self) -> Timestamp {
        Timestamp { seconds: self.ends_at, nanos: 0 }
    }
}

impl Step {
    /// The import that does it. On failure, everything that is wrong with the mapping.
    pub fn job(&self) -> Result<Job, Vec<String>> {
        Ok(Job {
            mapping: Some(Mapping::parse(self.kind, self.mapping)?),
            ..Job::new(self.kind, Source::Bytes(self.file, self.data))
        })
    }
}
