//! Histories as the four services could have told them.

use std::collections::BTreeMap;

use contracts::accounts::v1::AccountState;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::evidence::Source;
use crate::evidence::tests::resources::{SPAN, source};
use crate::told::Told;

pub(super) const TENANTS: [&str; 2] = ["one", "two"];
pub(super) const ACCOUNTS: [&str; 4] = ["a", "b", "c", "d"];
pub(super) const SEGMENTS: [&str; 3] = ["", "gold", "home"];

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Stands,
    Deleted,
    /// Its words or persons are gone, or all of it.
    Erased,
    /// For an account: merged into this one of [`ACCOUNTS`].
    Merged(usize),
}

/// Which resources a history may tell of, and what becomes of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Events {
    /// All that can happen.
    All,
    /// All but erasures, of which no past is kept.
    Remembered,
}

/// A history in the order in which it was recorded: each change a microsecond after the one before, once everything that
/// the resources tell of had happened.
pub(super) fn history(events: Events) -> impl Strategy<Value = Vec<Told>> {
    let fate = prop_oneof![
        6 => Just(Fate::Stands),
        1 => Just(Fate::Deleted),
        1 => Just(Fate::Erased),
        1 => (0..ACCOUNTS.len()).prop_map(Fate::Merged),
    ];
    // Few places, so that resources change often.
    let place = (0..TENANTS.len(), 0..ACCOUNTS.len(), 0..SEGMENTS.len(), 0..2_u8);
    let step = (source(), place, 0..ACCOUNTS.len(), fate);
    vec(step, 1..40).prop_map(move |steps| {
        let mut services = Services::default();
        for (mut source, (tenant, account, segment, id), referrer, fate) in steps {
            if let Source::Account(resource) = &mut source {
                resource.segment = SEGMENTS[segment].to_owned();
            }
            let fate = match events {
                Events::Remembered if fate == Fate::Erased => Fate::Stands,
                _ => fate,
            };
            services.record(source, (TENANTS[tenant], ACCOUNTS[account], id), ACCOUNTS[referrer], fate);
        }
        services.told
    })
}

/// The four services, as far as they decide what can be told.
#[derive(Default)]
struct Services {
    versions: BTreeMap<(String, String), i64>,
    merged: Vec<(String, String)>,
    erased: Vec<(String, String)>,
    told: Vec<Told>,
}

impl Services {
    fn record(&mut self, mut source: Source, (tenant, account, id): (&str, &str, u8), referrer: &str, fate: Fate) {
        let parent = format!("accounts/{account}");
        let recorded_at = SPAN + self.told.len() as i64;
        let time = Some(methods::from_micros(recorded_at));
        let gone =
            |list: &[(String, String)], account: &str| list.iter().any(|(of, name)| of == tenant && name == account);
        let delete_time = time.filter(|_| fate == Fate::Deleted);
        let erase_time = time.filter(|_| fate == Fate::Erased);
        match &mut source {
            Source::Account(resource) => {
                // One that was merged or erased takes no more changes, but that it is erased.
                if gone(&self.erased, account) || (gone(&self.merged, account) && fate != Fate::Erased) {
                    return;
                }
                resource.name = parent.clone();
                resource.delete_time = delete_time;
                if !resource.referred_by.is_empty() {
                    resource.referred_by = format!("accounts/{referrer}");
                }
                match fate {
                    Fate::Erased => {
                        resource.referred_by.clear();
                        resource.set_state(AccountState::Erased);
                        let into = self.told.iter().rev().find_map(|told| match &told.source {
                            Source::Account(old) if told.tenant == tenant && told.account == account => {
                                Some(old.merged_into.clone())
                            }
                            _ => None,
                        });
                        resource.merged_into = into.unwrap_or_default();
                        self.erased.push((tenant.to_owned(), account.to_owned()));
                    }
                    Fate::Merged(into) => {
                        let into = ACCOUNTS[into];
                        if into == account || gone(&self.merged, into) || gone(&self.erased, into) {
                            return;
                        }
                        resource.merged_into = format!("accounts/{into}");
                        resource.set_state(AccountState::Merged);
                        self.merged.push((tenant.to_owned(), account.to_owned()));
                    }
                    Fate::Stands | Fate::Deleted => {}
                }
            }
            Source::Contact(resource) => {
                resource.name = format!("{parent}/contacts/{id}");
                (resource.delete_time, resource.erase_time) = (delete_time, erase_time);
            }
            Source::Milestone(resource) => {
                resource.name = format!("{parent}/milestones/{id}");
                resource.delete_time = delete_time;
            }
            Source::Order(resource) => {
                resource.name = format!("{parent}/orders/{id}");
                resource.delete_time = delete_time;
                let total = resource.total.get_or_insert_default();
                // The other amounts stay in euros, and so say nothing in the second tenant.
                total.currency_code = if tenant == TENANTS[0] { "EUR" } else { "HUF" }.to_owned();
            }
            Source::Interaction(resource) => {
                resource.name = format!("{parent}/interactions/{id}");
                (resource.delete_time, resource.erase_time) = (delete_time, erase_time);
            }
            Source::Commitment(resource) => {
                resource.name = format!("{parent}/commitments/{id}");
                resource.delete_time = delete_time;
            }
            Source::CompetitorOffer(resource) => {
                resource.name = format!("{parent}/competitorOffers/{id}");
                resource.delete_time = delete_time;
            }
            Source::Feedback(resource) => {
                resource.name = format!("{parent}/feedback/{id}");
                (resource.delete_time, resource.erase_time) = (delete_time, erase_time);
            }
        }
        let version = self.versions.entry((tenant.to_owned(), source.name().to_owned())).or_default();
        *version += 1;
        self.told.push(Told {
            tenant: tenant.to_owned(),
            account: account.to_owned(),
            version: *version,
            recorded_at,
            source,
        });
    }
}

/// Tells a history in another way: the sources in any order, each one's versions in theirs, some told again later, cut
/// into batches of any size. The numbers decide.
pub(super) fn retold(history: &[Told], numbers: Vec<usize>) -> Vec<Vec<Told>> {
    let mut numbers = numbers.into_iter().cycle();
    let mut below = |limit: usize| numbers.next().unwrap_or_default() % limit;
    let mut queues: BTreeMap<(String, String), Vec<Told>> = BTreeMap::new();
    for told in history.iter().rev() {
        queues.entry((told.tenant.clone(), told.source.name().to_owned())).or_default().push(told.clone());
    }
    let mut queues: Vec<Vec<Told>> = queues.into_values().collect();
    let mut batches = vec![Vec::new()];
    let mut said: Vec<Told> = Vec::new();
    while !queues.is_empty() {
        let index = below(queues.len());
        let told = queues[index].pop();
        if queues[index].is_empty() {
            queues.remove(index);
        }
        let again = (!said.is_empty() && below(3) == 0).then(|| said[below(said.len())].clone());
        said.extend(told.clone());
        if below(4) == 0 {
            batches.push(Vec::new());
        }
        let last = batches.len() - 1;
        batches[last].extend(told.into_iter().chain(again));
    }
    batches
}
