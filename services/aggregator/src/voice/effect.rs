//! GetImprovementEffect: how the relationships with those who asked moved, beside those with comparable accounts.

use std::{collections::BTreeSet, sync::Arc};

use contracts::feedback::v1::Improvement;
use contracts::voice::v1::*;
use dynamics::{
    DAY, Facet, Model, Status as AccountStatus, View, assess,
    effect::{Account, Effect, Reason, Scores, Verdict, measure},
};
use methods::{Call, Violations, from_micros, list_fingerprint, not_found, state_conflict, store_fault, to_micros};
use store::Error;
use tonic::{Request, Response, Status};

use super::{DAYS, IMPROVEMENTS, Voice, askers::Asked, figures::estimate, read_name, stake::spent};
use crate::{
    fits::History,
    picture::{Gallery, fold_facts},
    told::ORDER,
    wire,
};

/// The fewest and the most days after shipping.
const FEWEST_DAYS: i32 = 7;
const MOST_DAYS: i32 = 365;
/// How many of the accounts that asked, and how many others, are looked at.
const MOST_CONCERNED: usize = 1_000;
const MOST_OTHERS: usize = 3_000;
/// How many accounts are listed at once.
const ACCOUNTS_PER_PAGE: i64 = 1_000;
/// How many accounts' sources are held at once. Between them, others have their turn.
const ACCOUNTS_AT_ONCE: usize = 64;
/// The days in which orders and interactions count as activity.
const YEAR: i64 = 365 * DAY;
/// Billionths in a unit of currency.
const UNIT: f64 = 1e9;
/// The kind of the rows of interactions.
const INTERACTION: &str = "interaction";

impl Voice {
    pub(super) async fn effect(
        &self,
        request: Request<GetImprovementEffectRequest>,
    ) -> Result<Response<GetImprovementEffectResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        read_name("name", &ask.name, IMPROVEMENTS, &mut violations);
        if ask.days != 0 {
            violations.integer("days", ask.days.into(), FEWEST_DAYS.into(), MOST_DAYS.into());
        }
        violations.finish()?;
        let days = i64::from(if ask.days == 0 { DAYS } else { ask.days });
        let tenant = call.tenant.as_str().to_owned();
        self.gallery.wait(&ask.at_least_as_fresh).await?;
        let gallery = self.gallery.clone();
        let effect = self.at_work(async move {
            let improvement = gallery.reader.improvement(&tenant, &ask.name).await.map_err(store_fault)?;
            let improvement = improvement.ok_or_else(|| not_found("improvement", &ask.name))?;
            let Some(shipped_at) = improvement.ship_time.as_ref().map(to_micros) else {
                return Err(state_conflict(&ask.name, improvement.state().as_str_name(), "measured"));
            };
            let times = Times::new(shipped_at, days);
            let scope = Scope { gallery: &gallery, tenant: &tenant, times };
            scope.effect(&improvement).await.map_err(store_fault)
        });
        Ok(Response::new(GetImprovementEffectResponse { effect: Some(effect.await?) }))
    }
}

/// When facets are looked at.
#[derive(Debug, Clone, Copy)]
struct Times {
    shipped: i64,
    step: i64,
}

impl Times {
    fn new(shipped: i64, days: i64) -> Self {
        Self { shipped, step: days.saturating_mul(DAY) }
    }

    /// Two steps before, one step before, and just before it was shipped.
    fn before(self) -> [i64; 3] {
        [2, 1, 0].map(|steps: i64| self.shipped.saturating_sub(1).saturating_sub(self.step.saturating_mul(steps)))
    }

    fn after(self) -> i64 {
        self.shipped.saturating_add(self.step)
    }
}

/// Whose relationships are looked at, and when.
struct Scope<'a> {
    gallery: &'a Gallery,
    tenant: &'a str,
    times: Times,
}

/// The accounts that are looked at, each with its segment.
#[derive(Default)]
struct Drawn {
    concerned: Vec<(String, String)>,
    others: Vec<(String, String)>,
    is_bounded: bool,
}

impl Scope<'_> {
    async fn effect(&self, improvement: &Improvement) -> Result<ImprovementEffect, Error> {
        let told = ImprovementEffect {
            improvement: improvement.name.clone(),
            ship_time: Some(from_micros(self.times.shipped)),
            ..ImprovementEffect::default()
        };
        let now = self.gallery.clock.now();
        if self.times.after() > now {
            let facets = facets()
                .map(|(view, facet)| MovedFacet { verdict: EffectVerdict::TooEarly.into(), ..named(view, facet) });
            let days = self.times.step / DAY;
            let summary = format!("too early to say: it takes {days} days from when it was shipped");
            return Ok(ImprovementEffect { facets: facets.collect(), summary, ..told });
        }
        let asked = Asked::of(&self.gallery.reader, self.tenant, improvement, now.saturating_add(1)).await?;
        let drawn = self.draw(&asked.accounts()).await?;
        let mut accounts = self.read(&drawn.concerned, true).await?;
        let concerned = accounts.len();
        accounts.extend(self.read(&drawn.others, false).await?);
        let others = accounts.len() - concerned;
        let measured = tokio::task::spawn_blocking(move || measure(&accounts)).await;
        let effects = measured.map_err(|error| Error::Damaged(format!("an effect: {error}")))?;
        let moved: Vec<MovedFacet> =
            facets().zip(&effects).map(|((view, facet), effect)| moved(view, facet, effect)).collect();
        Ok(ImprovementEffect {
            end_time: Some(from_micros(self.times.after())),
            summary: summary(&moved, concerned, others),
            facets: moved,
            concerned_account_count: concerned as i64,
            other_account_count: others as i64,
            is_bounded: drawn.is_bounded || asked.is_bounded(),
            ..told
        })
    }

    /// Chooses the accounts that are looked at, evenly where there are too many.
    async fn draw(&self, asked: &BTreeSet<&str>) -> Result<Drawn, Error> {
        let reader = &self.gallery.reader;
        let total = usize::try_from(reader.ledger_count(self.tenant).await?).unwrap_or_default();
        let share = |count: usize, most: usize| count.div_ceil(most).max(1) as u64;
        let (of_asked, of_others) =
            (share(asked.len(), MOST_CONCERNED), share(total.saturating_sub(asked.len()), MOST_OTHERS));
        let is_drawn = |account: &str, share: u64| list_fingerprint(&("effect", account)).is_multiple_of(share);
        let mut drawn = Drawn { is_bounded: of_asked > 1 || of_others > 1, ..Drawn::default() };
        let mut after = String::new();
        loop {
            let page = reader.segments(self.tenant, &after, ACCOUNTS_PER_PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(drawn) };
            after.clone_from(last);
            for (account, segment) in page {
                match asked.contains(account.as_str()) {
                    true if is_drawn(&account, of_asked) => drawn.concerned.push((account, segment)),
                    false if is_drawn(&account, of_others) => drawn.others.push((account, segment)),
                    _ => {}
                }
            }
        }
    }

    /// What is known of accounts at each of the times, by what we now know of then; without those that were not there yet,
    /// or were closed, when it was shipped.
    async fn read(&self, accounts: &[(String, String)], concerned: bool) -> Result<Vec<Account>, Error> {
        let mut read = Vec::with_capacity(accounts.len());
        for set in accounts.chunks(ACCOUNTS_AT_ONCE) {
            let names: Vec<&str> = set.iter().map(|(account, _)| account.as_str()).collect();
            let mut sources = self.gallery.reader.sources_of(self.tenant, &names).await?;
            for (account, segment) in set {
                let history = History::read(sources.remove(account).unwrap_or_default())?;
                let model = self.gallery.models.plain(self.tenant, segment);
                read.extend(self.account(&history, &model, concerned));
            }
            tokio::task::yield_now().await;
        }
        Ok(read)
    }

    fn account(&self, history: &History, model: &Arc<Model>, concerned: bool) -> Option<Account> {
        let ledger_at = |time: i64| fold_facts(model, &history.facts(time, false));
        let [_, _, shipped] = self.times.before();
        let then = ledger_at(shipped);
        let since = history.happened().map(|(_, at)| at).filter(|at| *at <= shipped).min()?;
        if matches!(then.status(), AccountStatus::Closed { at } if at <= shipped) {
            return None;
        }
        let scores_at = |time: i64| -> Vec<Option<f64>> {
            let assessment = assess(&ledger_at(time), model, time);
            let facets = facets().map(|(view, facet)| {
                let facet = assessment.view(view).facet(facet);
                (!facet.is_prior).then_some(facet.score)
            });
            facets.collect()
        };
        let [two_before, one_before, before] = self.times.before().map(scores_at);
        let after = scores_at(self.times.after());
        let facets = (0..after.len())
            .map(|facet| Scores { before: [two_before[facet], one_before[facet], before[facet]], after: after[facet] });
        let is_recent = |at: i64| at <= shipped && at > shipped.saturating_sub(YEAR);
        let active = history.happened().filter(|(kind, at)| matches!(*kind, ORDER | INTERACTION) && is_recent(*at));
        Some(Account {
            concerned,
            value: spent(&then, self.times.shipped) as f64 / UNIT,
            age_days: shipped.saturating_sub(since) as f64 / DAY as f64,
            activity: active.count() as f64,
            facets: facets.collect(),
        })
    }
}

/// Each facet of each party, in the order in which effects are told.
fn facets() -> impl Iterator<Item = (View, Facet)> {
    View::ALL.into_iter().flat_map(|view| Facet::ALL.into_iter().map(move |facet| (view, facet)))
}

fn named(view: View, facet: Facet) -> MovedFacet {
    MovedFacet { party: wire::party(view).into(), facet: wire::facet(facet).into(), ..MovedFacet::default() }
}

fn moved(view: View, facet: Facet, effect: &Effect) -> MovedFacet {
    MovedFacet {
        change: effect.effect.as_ref().map(estimate),
        before: effect.before,
        after: effect.after,
        comparable_before: effect.comparable_before,
        comparable_after: effect.comparable_after,
        placebo: effect.placebo.as_ref().map(estimate),
        p_value: effect.p,
        adjusted_p_value: effect.adjusted_p,
        account_count: effect.concerned as i64,
        comparable_account_count: effect.comparable as i64,
        unassessed_account_count: effect.unassessed[0] as i64,
        unmatched_account_count: effect.unmatched as i64,
        verdict: verdict(effect.verdict).into(),
        ..named(view, facet)
    }
}

fn verdict(verdict: Verdict) -> EffectVerdict {
    match verdict {
        Verdict::Better => EffectVerdict::Better,
        Verdict::Worse => EffectVerdict::Worse,
        Verdict::TooLittle(Reason::FewConcerned) => EffectVerdict::FewConcerned,
        Verdict::TooLittle(Reason::FewComparable) => EffectVerdict::FewComparable,
        Verdict::TooLittle(Reason::NoEarlierFigures) => EffectVerdict::NoEarlierFigures,
        Verdict::TooLittle(Reason::TrendsDiffer) => EffectVerdict::TrendsDiffer,
        Verdict::TooLittle(Reason::NotTold) => EffectVerdict::NotTold,
    }
}

/// Why there is too little to say, what is nearest to telling something first.
const REASONS: [(EffectVerdict, &str); 5] = [
    (EffectVerdict::NotTold, "the differences may be chance"),
    (EffectVerdict::TrendsDiffer, "the two groups moved apart before it was shipped"),
    (EffectVerdict::NoEarlierFigures, "too little is known of the time before"),
    (EffectVerdict::FewComparable, "too few others are comparable"),
    (EffectVerdict::FewConcerned, "too few of those who asked can be looked at"),
];

/// What an effect comes to, in plain words.
fn summary(facets: &[MovedFacet], concerned: usize, others: usize) -> String {
    let looked_at = format!("Compared are {} that asked with {others} that did not", counted(concerned));
    let sure: Vec<String> = facets.iter().filter_map(sure).collect();
    if !sure.is_empty() {
        return format!("{}. {looked_at}; of the other facets there is too little to say.", sure.join(". "));
    }
    // Of what stands in the way, the least is told: other facets are further from telling anything.
    let least = REASONS.iter().find(|(verdict, _)| facets.iter().any(|facet| facet.verdict() == *verdict));
    let reason = least.map_or("nothing is known of those who asked", |(_, reason)| reason);
    format!("Too little to say: {reason}. {looked_at}.")
}

/// An effect that can be claimed, in words.
fn sure(facet: &MovedFacet) -> Option<String> {
    let direction = match facet.verdict() {
        EffectVerdict::Better => "up",
        EffectVerdict::Worse => "down",
        _ => return None,
    };
    let change = facet.change.as_ref()?;
    let name = |enumerator: &str, prefix: &str| enumerator.trim_start_matches(prefix).to_lowercase();
    Some(format!(
        "The {}'s {} moved {direction} {:.1} points further than with comparable accounts (95% interval {:+.1} to {:+.1})",
        name(facet.party().as_str_name(), "PARTY_"),
        name(facet.facet().as_str_name(), "FACET_"),
        change.value.abs(),
        change.low,
        change.high,
    ))
}

fn counted(accounts: usize) -> String {
    if accounts == 1 { "1 account".to_owned() } else { format!("{accounts} accounts") }
}

#[cfg(test)]
mod tests {
    use contracts::assessments::v1::Estimate;

    use super::*;

    #[test]
    fn an_effect_is_told_with_its_interval_and_its_absence_with_a_reason() {
        let change = Some(Estimate { value: -3.25, low: -5.0, high: -1.5 });
        let worse = MovedFacet { change, verdict: EffectVerdict::Worse.into(), ..named(View::Customer, Facet::Trust) };
        let unsure = MovedFacet { verdict: EffectVerdict::NotTold.into(), ..named(View::Customer, Facet::Ease) };
        assert_eq!(
            summary(&[worse, unsure], 1, 300),
            "The customer's trust moved down 3.2 points further than with comparable accounts (95% interval -5.0 to \
             -1.5). Compared are 1 account that asked with 300 that did not; of the other facets there is too little \
             to say."
        );
        let few = MovedFacet { verdict: EffectVerdict::FewConcerned.into(), ..named(View::Provider, Facet::Ease) };
        let told = summary(&[few, few, unsure], 5, 300);
        assert!(
            told.starts_with("Too little to say: the differences may be chance. Compared are 5 accounts"),
            "{told}"
        );
        let told = summary(&[few, few], 5, 300);
        assert!(
            told.starts_with("Too little to say: too few of those who asked can be looked at. Compared are 5 accounts"),
            "{told}"
        );
    }

    #[test]
    fn the_times_are_a_step_apart_and_just_before_it_was_shipped() {
        let times = Times::new(1_000 * DAY, 90);
        assert_eq!(times.before(), [820 * DAY - 1, 910 * DAY - 1, 1_000 * DAY - 1]);
        assert_eq!(times.after(), 1_090 * DAY);
        assert_eq!(facets().count(), 10);
    }
}
