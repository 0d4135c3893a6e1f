//! ListAskers: who asked for an improvement, and who of them has been told.

use std::collections::{BTreeMap, BTreeSet};

use contracts::common::v1::Party;
use contracts::feedback::v1::Improvement;
use contracts::voice::v1::*;
use methods::{
    Call, Collection, Violations, account_name, from_micros, list_fingerprint, not_found, store_fault, to_micros,
};
use runtime::Fault;
use store::Error;
use tonic::{Request, Response, Status};

use super::{
    IMPROVEMENTS, Page, Voice,
    hearing::{Hearing, Saying},
    phrases::taxonomy,
    read_name,
};
use crate::{evidence::Source, store::Reader, told};

/// How many sources of one asker are told.
const MOST_SOURCES: usize = 20;

/// Who asked for an improvement.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// What each account said, and each person there, by account and person, the latest first.
    pub(super) by_asker: BTreeMap<(String, String), Vec<Saying>>,
    /// Whether there was more to listen to than is looked at.
    is_bounded: bool,
}

impl Voice {
    pub(super) async fn listed_askers(
        &self,
        request: Request<ListAskersRequest>,
    ) -> Result<Response<ListAskersResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        read_name("improvement", &ask.improvement, IMPROVEMENTS, &mut violations);
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        violations.finish()?;
        let tenant = call.tenant.as_str().to_owned();
        let list = list_fingerprint(&(&tenant, "askers", &ask.improvement, ask.untold_only));
        let page = Page::read(&ask.page_token, list, self.gallery.clock.now().saturating_add(1))?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let reader = self.gallery.reader.clone();
        let (name, end) = (ask.improvement.clone(), page.end);
        let asked = self.at_work(async move {
            let improvement = reader.improvement(&tenant, &name).await.map_err(store_fault)?;
            let improvement = improvement.ok_or_else(|| not_found("improvement", &name))?;
            let asked = Asked::of(&reader, &tenant, &improvement, end).await.map_err(store_fault)?;
            let told = tellings(&reader, &tenant, &improvement, &asked).await.map_err(store_fault)?;
            Ok::<_, Fault>((asked, told))
        });
        let (asked, told) = asked.await?;
        let is_bounded = asked.is_bounded;
        let mut askers: Vec<Asker> = asked.by_asker.iter().map(|(asker, sayings)| shown(asker, sayings)).collect();
        for asker in &mut askers {
            let told = told.iter().find(|telling| telling.reaches(asker));
            asker.tell_time = told.map(|telling| from_micros(telling.at));
            asker.telling = told.map_or(String::new(), |telling| telling.name.clone());
        }
        let total_count = askers.len() as i64;
        let told_count = askers.iter().filter(|asker| asker.tell_time.is_some()).count() as i64;
        if ask.untold_only {
            askers.retain(|asker| asker.tell_time.is_none());
        }
        let (askers, next_page_token) = page.cut(askers, ask.page_size, list);
        Ok(Response::new(ListAskersResponse { askers, next_page_token, total_count, told_count, is_bounded }))
    }
}

impl Asked {
    /// Finds those whose feedback an improvement gathers, and those who spoke of its themes before it was shipped, or before
    /// a time.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(super) async fn of(reader: &Reader, tenant: &str, improvement: &Improvement, end: i64) -> Result<Self, Error> {
        let mut sayings = gathered(reader, tenant, &improvement.feedback).await?;
        let mut is_bounded = false;
        if !improvement.themes.is_empty() {
            let named: BTreeSet<&str> = improvement.themes.iter().map(String::as_str).collect();
            let mut themes = reader.themes(tenant).await?;
            themes.retain(|theme| named.contains(theme.name.as_str()));
            let phrases = taxonomy(&themes);
            let until = improvement.ship_time.as_ref().map_or(end, to_micros).min(end);
            let hearing = Hearing::of(reader, tenant, i64::MIN, until).await?;
            is_bounded = hearing.is_bounded;
            let known: BTreeSet<String> = sayings.iter().map(|saying| saying.source.clone()).collect();
            let asks = hearing.sayings.into_iter().filter(|saying| {
                let is_stated = saying.themes.iter().any(|theme| named.contains(theme.as_str()));
                !saying.is_compliment
                    && !known.contains(&saying.source)
                    && (is_stated || !phrases.themes(&saying.words, &saying.language).is_empty())
            });
            sayings.extend(asks);
        }
        sayings.sort_by(|one, other| (other.at, &other.source).cmp(&(one.at, &one.source)));
        let mut asked = Self { is_bounded, ..Self::default() };
        for saying in sayings {
            let asker = (saying.account.clone(), saying.contact.clone());
            asked.by_asker.entry(asker).or_default().push(saying);
        }
        Ok(asked)
    }

    /// The accounts that asked.
    pub(super) fn accounts(&self) -> BTreeSet<&str> {
        self.by_asker.keys().map(|(account, _)| account.as_str()).collect()
    }

    /// Whether there was more to listen to than is looked at.
    pub(super) fn is_bounded(&self) -> bool {
        self.is_bounded
    }
}

/// What was said with pieces of feedback that are named.
async fn gathered(reader: &Reader, tenant: &str, names: &[String]) -> Result<Vec<Saying>, Error> {
    let collection = Collection::OfAccount("feedback");
    let keys: BTreeSet<(String, String)> =
        names.iter().filter_map(|name| Some((collection.parse(name)?.0.to_owned(), name.clone()))).collect();
    let keys: Vec<(String, String)> = keys.into_iter().collect();
    let rows = reader.standing(tenant, &keys).await?;
    let accounts = rows.iter().map(|row| row.account.as_str()).collect();
    let merged = reader.merged_away(tenant, &accounts).await?;
    let mut sayings = Vec::with_capacity(rows.len());
    for row in &rows {
        let account = merged.get(&row.account).unwrap_or(&row.account);
        sayings.extend(Saying::of(account, &told::source(row)?));
    }
    Ok(sayings)
}

/// An interaction in which an account was told of an improvement.
struct Telling {
    account: String,
    /// Empty if it names nobody.
    contact: String,
    at: i64,
    name: String,
}

impl Telling {
    /// Whether an asker was told with it: a person with an interaction that names it or nobody, the account with any.
    fn reaches(&self, asker: &Asker) -> bool {
        let is_same = self.contact.is_empty() || asker.contact.is_empty() || self.contact == asker.contact;
        is_same && asker.account == self.account
    }
}

/// The interactions in which those who asked were told that an improvement is there, the first one first.
async fn tellings(
    reader: &Reader,
    tenant: &str,
    improvement: &Improvement,
    asked: &Asked,
) -> Result<Vec<Telling>, Error> {
    let Some(shipped_at) = improvement.ship_time.as_ref().map(to_micros) else { return Ok(Vec::new()) };
    let accounts: Vec<&str> = asked.accounts().into_iter().collect();
    let mut tellings = Vec::new();
    for (account, rows) in reader.interactions_since(tenant, &accounts, shipped_at).await? {
        for row in &rows {
            if let Source::Interaction(interaction) = told::source(row)?
                && interaction.party() == Party::Provider
                && interaction.thread == improvement.name
            {
                tellings.push(Telling {
                    account: account_name(&account),
                    contact: interaction.contact.clone(),
                    at: row.happened_at,
                    name: interaction.name.clone(),
                });
            }
        }
    }
    tellings.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
    Ok(tellings)
}

fn shown((account, contact): &(String, String), sayings: &[Saying]) -> Asker {
    Asker {
        account: account_name(account),
        contact: contact.clone(),
        sources: sayings.iter().take(MOST_SOURCES).map(|saying| saying.source.clone()).collect(),
        source_count: sayings.len() as i64,
        first_ask_time: sayings.last().map(|saying| from_micros(saying.at)),
        last_ask_time: sayings.first().map(|saying| from_micros(saying.at)),
        ..Asker::default()
    }
}
