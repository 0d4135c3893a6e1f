//! What all resources of the contract have in common: the fields that the service itself fills in.

use contracts::{
    accounts::v1 as accounts, assessments::v1 as assessments, feedback::v1 as feedback,
    interactions::v1 as interactions, orders::v1 as orders,
};
use prost::Message;
use store::Row;

use crate::from_micros;

/// The fields that the service itself fills in.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The resource name.
    pub name: String,
    /// When it was first recorded, in microseconds since 1970.
    pub created_at: i64,
    /// When this version was recorded.
    pub recorded_at: i64,
    /// When it was deleted.
    pub deleted_at: Option<i64>,
    /// The version.
    pub version: i64,
}

impl Meta {
    pub(crate) fn of(row: &Row, name: String) -> Self {
        Self {
            name,
            created_at: row.created_at,
            recorded_at: row.recorded_at,
            deleted_at: row.deleted_at,
            version: row.version,
        }
    }

    /// Identifies the version, also across a deletion and a new life of the same name.
    pub(crate) fn etag(&self) -> String {
        format!("{:x}-{:x}", self.version, self.recorded_at)
    }
}

/// A resource of the contract.
pub trait Resource: Message + Default + Clone + PartialEq + 'static {
    /// Its full name in the contract.
    const FULL_NAME: &'static str;
    /// Its name as given.
    fn name(&self) -> &str;
    /// Its etag as given.
    fn etag(&self) -> &str;
    /// Names it, so that checks know which account it belongs to.
    fn set_name(&mut self, name: String);
    /// Fills in what the service fills in.
    fn stamp(&mut self, meta: Meta);
    /// Empties the same fields, before it is stored: the row's columns have them.
    fn unstamp(&mut self);
}

macro_rules! resources {
    ($($package:ident :: $resource:ident),* $(,)?) => {$(
        impl Resource for $package::$resource {
            const FULL_NAME: &'static str =
                concat!("rapport.", stringify!($package), ".v1.", stringify!($resource));

            fn name(&self) -> &str {
                &self.name
            }

            fn etag(&self) -> &str {
                &self.etag
            }

            fn set_name(&mut self, name: String) {
                self.name = name;
            }

            fn stamp(&mut self, meta: Meta) {
                self.etag = meta.etag();
                self.name = meta.name;
                self.create_time = Some(from_micros(meta.created_at));
                self.update_time = Some(from_micros(meta.recorded_at));
                self.delete_time = meta.deleted_at.map(from_micros);
                self.version = meta.version;
            }

            fn unstamp(&mut self) {
                self.etag.clear();
                self.name.clear();
                self.create_time = None;
                self.update_time = None;
                self.delete_time = None;
                self.version = 0;
            }
        }
    )*};
}

resources![
    accounts::Account,
    accounts::Contact,
    accounts::Milestone,
    orders::Order,
    interactions::Interaction,
    interactions::Commitment,
    interactions::CompetitorOffer,
    feedback::Feedback,
    feedback::Theme,
    feedback::Improvement,
    assessments::StatedView,
];

/// A model is immutable: it has neither versions nor an etag.
impl Resource for assessments::Model {
    const FULL_NAME: &'static str = "rapport.assessments.v1.Model";

    fn name(&self) -> &str {
        &self.name
    }

    fn etag(&self) -> &str {
        ""
    }

    fn set_name(&mut self, name: String) {
        self.name = name;
    }

    fn stamp(&mut self, meta: Meta) {
        self.name = meta.name;
        self.create_time = Some(from_micros(meta.created_at));
    }

    fn unstamp(&mut self) {
        self.name.clear();
        self.create_time = None;
        self.is_default = false;
        self.segments.clear();
    }
}
