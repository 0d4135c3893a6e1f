//! Erasure: resources of an account lose their words, in the past of the feed too. What happened and when remains.

use contracts::common::v1::FreshnessToken;
use prost_types::Timestamp;
use runtime::Fault;
use store::{Command, Key, Outcome, Rows};

use crate::{
    Call, Collection, Done, Kind, ListAsk, Methods, Resource, Violations, account_id, from_micros, refusal,
    store_fault,
    write::{check_etag, named},
};

/// How many resources lose their words in one transaction.
const ROWS_PER_TRANSACTION: i32 = 500;

/// How resources of a kind lose their words.
pub struct Erasure<T: 'static> {
    /// The name of the person that a resource is about.
    pub contact: fn(&T) -> &str,
    /// When the words were erased.
    pub erase_time: fn(&mut T) -> &mut Option<Timestamp>,
    /// Empties the words.
    pub empty: fn(&mut T),
    /// The same for a stored document.
    pub redact: fn(&[u8]) -> Vec<u8>,
}

/// Whose words to erase.
#[derive(Debug, Default)]
pub struct EraseAsk {
    /// `accounts/{account}`.
    pub parent: String,
    /// Only what is about this person, `accounts/{account}/contacts/{contact}`; everything if empty.
    pub contact: String,
}

impl Methods {
    /// Erases one resource, whatever became of it or of its account: what is known of a person can always go. `empty`
    /// empties what stands, `redact` a stored document of the past.
    ///
    /// # Errors
    /// NOT_FOUND, ABORTED for another etag, and a fault with every violation.
    pub async fn erase_one<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        (name, etag, request_id): (&str, &str, &str),
        empty: fn(&mut T, Timestamp),
        redact: fn(&[u8]) -> Vec<u8>,
    ) -> Result<Done<T>, Fault> {
        let key = named(kind, call, name, request_id)?;
        let etag = etag.to_owned();
        let decide = move |rows: &mut Rows<'_>, key: &Key| {
            let now = from_micros(rows.now());
            let name = kind.name_of(key);
            let row = rows.get(key).ok_or_else(|| refusal(crate::not_found(kind.name, &name)))?;
            let deleted = row.deleted_at.is_some();
            let mut resource = kind.load(row).map_err(refusal)?;
            check_etag(kind, &name, &etag, resource.etag()).map_err(refusal)?;
            empty(&mut resource, now);
            rows.put(key.clone(), kind.draft(&resource, deleted));
            rows.redact_past(key.clone(), redact);
            Ok(())
        };
        self.write(kind, call, key, vec![], request_id, decide).await
    }

    /// Erases the words of an account's resources, deleted ones too, in batches. Those that have lost theirs are left as
    /// they are, so a call that broke off is repeated. Answers with how many were changed.
    ///
    /// # Errors
    /// A fault with every violation, or UNAVAILABLE half-way.
    pub async fn erase<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        erasure: &'static Erasure<T>,
        call: &Call,
        ask: EraseAsk,
    ) -> Result<(i64, Option<FreshnessToken>), Fault> {
        let mut violations = Violations::default();
        if account_id(&ask.parent).is_none() {
            violations.add("parent", "must be a name such as `accounts/{account}`");
        }
        violations.reference_within("contact", &ask.contact, Collection::OfAccount("contacts"), &ask.parent);
        violations.finish()?;

        let mut erased_count = 0;
        let mut freshness = None;
        let mut page_token = String::new();
        loop {
            let page = ListAsk {
                parent: ask.parent.clone(),
                page_size: ROWS_PER_TRANSACTION,
                page_token,
                show_deleted: true,
                ..ListAsk::default()
            };
            let (resources, next, read) = self.list(kind, call, page).await?;
            freshness = freshness.or(read);
            let mut commands = Vec::with_capacity(resources.len());
            for mut resource in resources {
                let concerned = ask.contact.is_empty() || (erasure.contact)(&resource) == ask.contact;
                if concerned
                    && (erasure.erase_time)(&mut resource).is_none()
                    && let Some(key) = kind.key(&call.tenant, resource.name())
                {
                    commands.push(erase_command(kind, erasure, key));
                }
            }
            for written in self.store().write_batch(commands).await.map_err(store_fault)? {
                let written = written.map_err(store_fault)?;
                if written.outcome == Outcome::Landed {
                    erased_count += 1;
                    freshness = Some(self.mark(&written));
                }
            }
            if next.is_empty() {
                return Ok((erased_count, freshness));
            }
            page_token = next;
        }
    }
}

/// Erases one resource. It is not put through the rules of its kind: whatever became of it, its words can go.
fn erase_command<T: Resource>(kind: &'static Kind<T>, erasure: &'static Erasure<T>, key: Key) -> Command {
    Command {
        tenant: key.tenant.clone(),
        keys: vec![key.clone()],
        request: None,
        decide: Box::new(move |rows| {
            let now = from_micros(rows.now());
            let name = kind.name_of(&key);
            let row = rows.get(&key).ok_or_else(|| refusal(crate::not_found(kind.name, &name)))?;
            let deleted = row.deleted_at.is_some();
            let mut resource = kind.load(row).map_err(refusal)?;
            (erasure.empty)(&mut resource);
            (erasure.erase_time)(&mut resource).get_or_insert(now);
            rows.put(key.clone(), kind.draft(&resource, deleted));
            rows.redact_past(key.clone(), erasure.redact);
            Ok(key)
        }),
    }
}
