//! What a service tells about a kind of resource, once.

use runtime::{Fault, Tenant};
use store::{Draft, Key, Row, Rows, Table};

use crate::{Collection, Meta, Reading, Resource, Violations, write::check_request_id};

/// What a kind of resource is: its names, checks, states and rules.
pub struct Kind<T: 'static> {
    /// What it is called in messages and field paths: "order", "competitor_offer".
    pub name: &'static str,
    /// The table of its rows.
    pub table: &'static Table,
    /// Where it lives.
    pub collection: Collection,
    /// The fields that an update may change; a path below one of them is as good.
    pub updatable: &'static [&'static str],
    /// Checks what a client sent, whatever it sent it for.
    pub check: fn(&T, &mut Violations),
    /// Empties the fields that only a transition or an import may fill, of a resource that is to be created.
    pub as_new: fn(&mut T),
    /// Empties the fields that only a transition may fill, of an imported row.
    pub as_row: fn(&mut T),
    /// Fills the fields that follow from the others, such as the state.
    pub derive: fn(&mut T),
    /// The words to be read, if it has any.
    pub reading: Option<Reading<T>>,
    /// What lists filter by.
    pub index: fn(&T) -> Index,
    /// Which other rows the rules look at or put: asked of what is to be created or imported, of what stands before a
    /// transition, and of both what stands and what is sent before an update.
    pub related: fn(&Tenant, &Key, &T) -> Vec<Key>,
    /// Rules that need other rows or the row that stands. Every write of this kind passes through them, last.
    pub rules: fn(&mut Guard<'_, '_, T>) -> Result<(), Fault>,
}

/// What lists filter by.
#[derive(Debug, Default)]
pub struct Index {
    /// The state's name in the contract; empty if the kind has no states.
    pub state: &'static str,
    /// Another text to filter by.
    pub label: String,
    /// When it happened, in microseconds since 1970.
    pub happened_at: i64,
}

/// What the rules of a kind see and may change.
pub struct Guard<'a, 'rows, T> {
    /// The rows that [`Kind::related`] named.
    pub rows: &'a mut Rows<'rows>,
    /// The key of the resource.
    pub key: &'a Key,
    /// The resource's name.
    pub name: &'a str,
    /// What stands.
    pub old: Option<&'a T>,
    /// What is to stand.
    pub new: &'a mut T,
}

impl<T: Resource> Kind<T> {
    /// Returns the key in a resource name.
    pub fn key(&self, tenant: &Tenant, name: &str) -> Option<Key> {
        let (account, id) = self.collection.parse(name)?;
        Some(self.collection.key(self.table, tenant, account, id))
    }

    /// Checks what the request of a transition has in common with all others. Transitions do so themselves; a handler that
    /// has more to check does it first, to answer everything at once.
    pub fn check_target(&self, name: &str, request_id: &str, violations: &mut Violations) {
        if self.collection.parse(name).is_none() {
            violations.add("name", format!("must be a name such as `{}`", self.collection.pattern()));
        }
        check_request_id(request_id, violations);
    }

    /// Empties what a client cannot state of a resource that is to be created.
    pub(crate) fn make_new(&self, resource: &mut T) {
        (self.as_new)(resource);
        self.forget_analysis(resource);
    }

    /// Takes the analysis away: nobody states it.
    pub(crate) fn forget_analysis(&self, resource: &mut T) {
        if let Some(reading) = &self.reading {
            *(reading.analysis)(resource) = None;
        }
    }

    /// Returns the name of a row's resource.
    pub fn name_of(&self, key: &Key) -> String {
        self.collection.name(&key.account, &key.id)
    }

    /// Reads the resource in a row.
    ///
    /// # Errors
    /// INTERNAL if it cannot be understood.
    pub fn load(&self, row: &Row) -> Result<T, Fault> {
        let mut resource = T::decode(row.document.as_slice()).map_err(|error| Fault::log_internal(&error))?;
        resource.stamp(Meta::of(row, self.name_of(&row.key)));
        Ok(resource)
    }

    /// Makes what is stored of a resource.
    pub fn draft(&self, resource: &T, deleted: bool) -> Draft {
        self.draft_of(resource.clone(), deleted)
    }

    /// As [`Kind::draft`], of a resource that is not needed any more.
    pub(crate) fn draft_of(&self, mut bare: T, deleted: bool) -> Draft {
        bare.unstamp();
        let index = (self.index)(&bare);
        Draft {
            state: index.state.to_owned(),
            label: index.label,
            happened_at: index.happened_at,
            deleted,
            document: bare.encode_to_vec(),
        }
    }

    /// For [`Kind::related`] of kinds without relations.
    pub fn unrelated(_: &Tenant, _: &Key, _: &T) -> Vec<Key> {
        Vec::new()
    }

    /// For [`Kind::rules`] of kinds without rules.
    ///
    /// # Errors
    /// None.
    pub fn no_rules(_: &mut Guard<'_, '_, T>) -> Result<(), Fault> {
        Ok(())
    }
}
