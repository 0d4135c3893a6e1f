//! Create, update, delete and transitions.

use contracts::common::v1::{ErrorReason, FreshnessToken, TextAnalysis};
use prost_types::FieldMask;
use runtime::{Fault, Tenant};
use store::{Command, Key, Mark, Refusal, Rows, Written};
use tonic::Code;

use crate::{Call, Guard, Kind, Methods, Resource, Violations, faults, mask, names, refusal, store_fault, token};

/// What a write answers.
#[derive(Debug)]
pub struct Done<T> {
    /// The resource as it is after the write.
    pub resource: T,
    /// Names the write.
    pub freshness: Option<FreshnessToken>,
}

impl Methods {
    /// Creates a resource. `parent` is empty for resources of the tenant and for accounts.
    ///
    /// # Errors
    /// As the contract says of the `Create` methods.
    pub async fn create<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        parent: &str,
        id: &str,
        resource: Option<T>,
        request_id: &str,
    ) -> Result<Done<T>, Fault> {
        let mut violations = Violations::default();
        let id = if id.is_empty() { names::new_id() } else { id.to_owned() };
        violations.chosen_id(&format!("{}_id", kind.name), &id);
        let (account, id) = match kind.collection {
            names::Collection::Accounts => (id, String::new()),
            names::Collection::OfTenant(_) => (String::new(), id),
            names::Collection::OfAccount(_) => match names::account_id(parent) {
                Some(account) => (account.to_owned(), id),
                None => {
                    violations.add("parent", "must be a name such as `accounts/{account}`");
                    (String::new(), id)
                }
            },
        };
        let mut new = resource.unwrap_or_else(|| {
            violations.add(kind.name, "is required");
            T::default()
        });
        new.unstamp();
        new.set_name(kind.collection.name(&account, &id));
        kind.make_new(&mut new);
        violations.within(kind.name, |violations| (kind.check)(&new, violations));
        check_request_id(request_id, &mut violations);
        violations.finish()?;

        let key = kind.collection.key(kind.table, &call.tenant, &account, &id);
        let related = (kind.related)(&call.tenant, &key, &new);
        let read = self.read_words(kind, call, &new).await;
        let decide = move |rows: &mut Rows<'_>, key: &Key| {
            let name = kind.name_of(key);
            if let Some(standing) = rows.get(key) {
                // The same content again is a retry with an id of the client's own; anything else is a collision.
                let mut old = T::decode(standing.document.as_slice()).map_err(internal)?;
                kind.make_new(&mut old);
                (kind.derive)(&mut new);
                (kind.derive)(&mut old);
                if standing.deleted_at.is_none() && kind.draft(&old, false) == kind.draft(&new, false) {
                    return Ok(());
                }
                return Err(refusal(faults::already_exists(kind.name, &name)));
            }
            record_reading(kind, None, &mut new, read);
            put(kind, rows, key, None, new)
        };
        self.write(kind, call, key, related, request_id, decide).await
    }

    /// Changes the fields that a mask names.
    ///
    /// # Errors
    /// As the contract says of the `Update` methods.
    pub async fn update<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        resource: Option<T>,
        update_mask: Option<FieldMask>,
        request_id: &str,
    ) -> Result<Done<T>, Fault> {
        let mut violations = Violations::default();
        let patch = resource.unwrap_or_else(|| {
            violations.add(kind.name, "is required");
            T::default()
        });
        let key = kind.key(&call.tenant, patch.name());
        if key.is_none() {
            violations
                .add(&format!("{}.name", kind.name), format!("must be a name such as `{}`", kind.collection.pattern()));
        }
        check_request_id(request_id, &mut violations);
        violations.finish()?;
        let Some(key) = key else { return Err(faults::not_found(kind.name, patch.name())) };

        // Only the mask tells whether the old relations stay or the new ones come; rows too many do no harm.
        let mut related = self.related(kind, call, &key).await?;
        related.extend((kind.related)(&call.tenant, &key, &patch));
        let read = self.read_words(kind, call, &patch).await;
        let decide = move |rows: &mut Rows<'_>, key: &Key| {
            let old = standing(kind, rows, key, patch.etag())?;
            let mut violations = Violations::default();
            let new = mask::apply(&old, &patch, update_mask.as_ref(), kind.updatable, &mut violations);
            if let Some(new) = &new {
                violations.within(kind.name, |violations| (kind.check)(new, violations));
            }
            violations.finish().map_err(refusal)?;
            let mut new = new
                .ok_or_else(|| internal(store::Error::Damaged("a resource does not fit its descriptor".to_owned())))?;
            record_reading(kind, Some(&old), &mut new, read);
            put(kind, rows, key, Some(&old), new)
        };
        self.write(kind, call, key, related, request_id, decide).await
    }

    /// Deletes a resource, or brings it back. What is as wanted already is left as it is.
    ///
    /// # Errors
    /// As the contract says of the `Delete` and `Undelete` methods.
    pub async fn set_deleted<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        name: &str,
        etag: &str,
        request_id: &str,
        deleted: bool,
    ) -> Result<Done<T>, Fault> {
        self.set_deleted_with(kind, call, (name, etag, request_id), deleted, |_, _| vec![], |_, _, _| Ok(())).await
    }

    /// Deletes a resource, or brings it back, if a rule that looks at other rows allows it.
    ///
    /// # Errors
    /// As for [`Methods::set_deleted`], and what the rule refuses with.
    pub async fn set_deleted_with<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        (name, etag, request_id): (&str, &str, &str),
        deleted: bool,
        related: impl FnOnce(&Tenant, &Key) -> Vec<Key>,
        rule: impl FnOnce(&T, &mut Rows<'_>, &Key) -> Result<(), Fault> + Send + 'static,
    ) -> Result<Done<T>, Fault> {
        let key = named(kind, call, name, request_id)?;
        let related = related(&call.tenant, &key);
        let etag = etag.to_owned();
        let decide = move |rows: &mut Rows<'_>, key: &Key| {
            let name = kind.name_of(key);
            let row = rows.get(key).ok_or_else(|| refusal(faults::not_found(kind.name, &name)))?;
            let resource = kind.load(row).map_err(refusal)?;
            check_etag(kind, &name, &etag, resource.etag()).map_err(refusal)?;
            rule(&resource, rows, key).map_err(refusal)?;
            rows.put(key.clone(), kind.draft(&resource, deleted));
            Ok(())
        };
        self.write(kind, call, key, related, request_id, decide).await
    }

    /// Changes a resource by a rule of its service.
    ///
    /// # Errors
    /// NOT_FOUND, ABORTED for another etag, and whatever the rule refuses with.
    pub async fn transition<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        (name, etag, request_id): (&str, &str, &str),
        rule: impl FnOnce(&mut T, i64) -> Result<(), Fault> + Send + 'static,
    ) -> Result<Done<T>, Fault> {
        self.transition_with(kind, call, (name, etag, request_id), vec![], move |resource, rows, _| {
            rule(resource, rows.now())
        })
        .await
    }

    /// Changes a resource by a rule that looks at other rows too, or puts them.
    ///
    /// # Errors
    /// As for [`Methods::transition`].
    pub async fn transition_with<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        (name, etag, request_id): (&str, &str, &str),
        mut related: Vec<Key>,
        rule: impl FnOnce(&mut T, &mut Rows<'_>, &Key) -> Result<(), Fault> + Send + 'static,
    ) -> Result<Done<T>, Fault> {
        let key = named(kind, call, name, request_id)?;
        related.extend(self.related(kind, call, &key).await?);
        let etag = etag.to_owned();
        let decide = move |rows: &mut Rows<'_>, key: &Key| {
            let old = standing(kind, rows, key, &etag)?;
            let mut new = old.clone();
            rule(&mut new, rows, key).map_err(refusal)?;
            let mut violations = Violations::default();
            // What stood was right, so what is wrong now came with the request, whose fields have the resource's names.
            (kind.check)(&new, &mut violations);
            violations.finish().map_err(refusal)?;
            put(kind, rows, key, Some(&old), new)
        };
        self.write(kind, call, key, related, request_id, decide).await
    }

    /// What the words of a resource that is to be written say, read as its tenant wants it.
    async fn read_words<T: Resource>(&self, kind: &Kind<T>, call: &Call, resource: &T) -> Option<TextAnalysis> {
        kind.reading.as_ref()?;
        let reader = self.readers.of(&self.store, &call.tenant).await;
        self.readers.read(kind, &reader, resource)
    }

    /// Names what the resource that stands relates to. If another write is faster and changes that, the rules miss a row.
    async fn related<T: Resource>(&self, kind: &'static Kind<T>, call: &Call, key: &Key) -> Result<Vec<Key>, Fault> {
        let row = self.store.get(key).await.map_err(store_fault)?;
        let resource = row.map_or_else(|| Ok(T::default()), |row| kind.load(&row))?;
        Ok((kind.related)(&call.tenant, key, &resource))
    }

    pub(crate) async fn write<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        key: Key,
        mut related: Vec<Key>,
        request_id: &str,
        decide: impl FnOnce(&mut Rows<'_>, &Key) -> Result<(), Refusal> + Send + 'static,
    ) -> Result<Done<T>, Fault> {
        related.push(key.clone());
        let request = call.request(request_id);
        let command = Command {
            tenant: call.tenant.as_str().to_owned(),
            keys: related,
            request,
            decide: Box::new(move |rows| {
                decide(rows, &key)?;
                Ok(key)
            }),
        };
        let written = self.store.write(command).await.map_err(store_fault)?;
        Ok(Done { resource: kind.load(&written.row)?, freshness: Some(self.mark(&written)) })
    }

    pub(crate) fn mark(&self, written: &Written) -> FreshnessToken {
        token(vec![Mark {
            feed: self.feed.to_owned(),
            partition: written.position.partition,
            position: written.position.position,
        }])
    }

    /// Makes the command that records an imported row.
    ///
    /// # Errors
    /// Every violation of the row.
    pub fn import_command<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        tenant: &Tenant,
        mut resource: T,
    ) -> Result<Command, Fault> {
        let mut violations = Violations::default();
        let key = kind.key(tenant, resource.name());
        let name = resource.name().to_owned();
        resource.unstamp();
        resource.set_name(name);
        (kind.as_row)(&mut resource);
        kind.forget_analysis(&mut resource);
        violations.within(kind.name, |violations| {
            if key.is_none() {
                violations.add("name", format!("must be a name such as `{}`", kind.collection.pattern()));
            }
            (kind.check)(&resource, violations);
        });
        violations.finish()?;
        let Some(key) = key else { return Err(faults::not_found(kind.name, "")) };
        let mut keys = (kind.related)(tenant, &key, &resource);
        keys.push(key.clone());
        let read = self.readers.read(kind, &self.readers.at_hand(tenant), &resource);
        Ok(Command {
            tenant: tenant.as_str().to_owned(),
            keys,
            request: None,
            decide: Box::new(move |rows| {
                let old = rows.get(&key).map(|row| kind.load(row)).transpose().map_err(refusal)?;
                record_reading(kind, old.as_ref(), &mut resource, read);
                put(kind, rows, &key, old.as_ref(), resource)?;
                Ok(key)
            }),
        })
    }
}

/// Derives, applies the rules and puts.
fn put<T: Resource>(
    kind: &'static Kind<T>,
    rows: &mut Rows<'_>,
    key: &Key,
    old: Option<&T>,
    mut new: T,
) -> Result<(), Refusal> {
    let name = kind.name_of(key);
    (kind.derive)(&mut new);
    let mut guard = Guard { rows, key, name: &name, old, new: &mut new };
    (kind.rules)(&mut guard).map_err(refusal)?;
    rows.put(key.clone(), kind.draft_of(new, false));
    Ok(())
}

/// Records what the words of a resource say. The same words as before keep what was read and said of them.
fn record_reading<T: Resource>(kind: &Kind<T>, old: Option<&T>, new: &mut T, read: Option<TextAnalysis>) {
    let Some(reading) = &kind.reading else {
        return;
    };
    let standing = old.filter(|old| (reading.text)(old) == (reading.text)(new));
    *(reading.analysis)(new) = match standing {
        Some(old) => (reading.analysis)(&mut old.clone()).take(),
        // An update that says nothing of the words has read none, and one that empties them neither.
        None => read,
    };
}

/// Returns the resource that stands, if it is at the version that the client saw.
fn standing<T: Resource>(kind: &'static Kind<T>, rows: &Rows<'_>, key: &Key, etag: &str) -> Result<T, Refusal> {
    let name = kind.name_of(key);
    let row = rows.get(key).filter(|row| row.deleted_at.is_none());
    let row = row.ok_or_else(|| refusal(faults::not_found(kind.name, &name)))?;
    let resource = kind.load(row).map_err(refusal)?;
    check_etag(kind, &name, etag, resource.etag()).map_err(refusal)?;
    Ok(resource)
}

pub(crate) fn named<T: Resource>(kind: &Kind<T>, call: &Call, name: &str, request_id: &str) -> Result<Key, Fault> {
    let mut violations = Violations::default();
    kind.check_target(name, request_id, &mut violations);
    violations.finish()?;
    kind.key(&call.tenant, name).ok_or_else(|| faults::not_found(kind.name, name))
}

pub(crate) fn check_request_id(request_id: &str, violations: &mut Violations) {
    violations.text("request_id", request_id, 0, 64);
}

pub(crate) fn check_etag<T>(kind: &Kind<T>, name: &str, wanted: &str, standing: &str) -> Result<(), Fault> {
    check_stale(kind.name, name, wanted, standing)
}

/// Refuses a change of what has changed since the client read it. No etag means that it does not matter.
pub(crate) fn check_stale(kind: &str, name: &str, wanted: &str, standing: &str) -> Result<(), Fault> {
    if wanted.is_empty() || wanted == standing {
        return Ok(());
    }
    let fault = Fault::new(
        Code::Aborted,
        ErrorReason::EtagMismatch.as_str_name(),
        format!("{kind} `{name}` has changed since it was read"),
    );
    Err(fault.with("name", name).with("etag", standing))
}

fn internal(error: impl std::error::Error) -> Refusal {
    refusal(Fault::log_internal(&error))
}
