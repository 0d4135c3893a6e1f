//! What an improvement did, on two portfolios that are the same but for its effect.

use contracts::assessments::v1::{Assessment, BatchGetAssessmentsRequest, Facet, FacetScore};
use contracts::common::v1::{FreshnessToken, Party};
use contracts::feedback::v1::{Feedback, FeedbackKind};
use contracts::voice::v1::*;
use tests::{Suite, TENANT, ask, ask_as, day, refusal};
use tonic::Code;

use super::{complaint, import, import_feedback, propose, said, ship, theme};
use crate::{
    crash::chance::Chance,
    standard::{assert_invalid, assert_not_found, assert_state_conflict},
};

const NAME: &str = "improvements/faster";
/// How many days ago it was shipped.
const SHIPPED: f64 = 100.0;
/// The tenant where it helped, and the one where it did nothing.
const TENANTS: [(&str, f64); 2] = [("helped", 1.5), ("plain", 0.0)];
const ACCOUNTS: usize = 240;

fn id(account: usize) -> String {
    format!("c-{account:03}")
}

/// A survey of each month: how content an account says it is, from 1 to 5.
struct Survey {
    account: usize,
    days_ago: f64,
    score: f64,
}

/// Customers who are content in different degrees, from month to month too, and who of them asks: rather those who have just
/// been less content than usual.
fn portfolio(seed: u64) -> (Vec<Survey>, Vec<usize>) {
    let mut chance = Chance::of(seed);
    let mut uniform = || (chance.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30);
    let (mut surveys, mut askers) = (Vec::new(), Vec::new());
    for account in 0..ACCOUNTS {
        let usual = 2.0 + 1.5 * uniform();
        let mut last = usual;
        for month in (0..16).rev() {
            let days_ago = 30.0 * f64::from(month) + 10.0 * uniform();
            let score = (usual + 1.6 * (uniform() + uniform() - 1.0)).clamp(1.0, 5.0);
            if days_ago > SHIPPED {
                last = score;
            }
            surveys.push(Survey { account, days_ago, score });
        }
        if uniform() < if last < usual { 0.45 } else { 0.2 } {
            askers.push(account);
        }
    }
    (surveys, askers)
}

/// Puts a portfolio in place, where the improvement added so much to how content those are who asked.
async fn live(
    suite: &Suite,
    tenant: &str,
    added: f64,
    (surveys, askers): &(Vec<Survey>, Vec<usize>),
) -> Vec<FreshnessToken> {
    let mut fresh = vec![theme(suite, tenant, "slow", &["too slow"]).await];
    let feedback = surveys.iter().enumerate().map(|(number, survey)| {
        let is_helped = survey.days_ago < SHIPPED && askers.contains(&survey.account);
        let score = if is_helped { (survey.score + added).min(5.0) } else { survey.score };
        Feedback {
            kind: FeedbackKind::Csat.into(),
            score: Some(score),
            ..complaint(&id(survey.account), &number.to_string(), survey.days_ago, "")
        }
    });
    fresh.extend(import_feedback(suite, tenant, feedback.collect()).await);
    let asked = |account: usize| {
        let text = if askers.contains(&account) { "It is too slow." } else { "Which colours are there?" };
        said(&id(account), "1", SHIPPED + 5.0, text)
    };
    fresh.extend(import(suite, tenant, (0..ACCOUNTS).map(asked).collect()).await);
    fresh.push(propose(suite, tenant, "faster", &["themes/slow"], &[]).await);
    fresh.push(ship(suite, tenant, "faster", SHIPPED).await);
    fresh
}

async fn effect(suite: &Suite, tenant: &str, at_least_as_fresh: Vec<FreshnessToken>) -> ImprovementEffect {
    let request = GetImprovementEffectRequest { name: NAME.to_owned(), days: 91, at_least_as_fresh };
    suite.voice().get_improvement_effect(ask_as(tenant, request)).await.unwrap().into_inner().effect.unwrap()
}

/// The assessments of accounts a quarter after it was shipped.
async fn after(suite: &Suite, tenant: &str, accounts: &[usize]) -> Vec<Assessment> {
    let request = BatchGetAssessmentsRequest {
        names: accounts.iter().map(|account| format!("accounts/{}/assessment", id(*account))).collect(),
        as_of: day(91.0 - SHIPPED),
        ..BatchGetAssessmentsRequest::default()
    };
    suite.assessments().batch_get_assessments(ask_as(tenant, request)).await.unwrap().into_inner().assessments
}

fn score(assessment: &Assessment, party: Party, facet: Facet) -> f64 {
    let view = match party {
        Party::Customer => assessment.customer_view.as_ref(),
        _ => assessment.provider_view.as_ref(),
    };
    let view = view.unwrap();
    let of: &Option<FacetScore> = match facet {
        Facet::Rapport => &view.rapport,
        Facet::Trust => &view.trust,
        Facet::Loyalty => &view.loyalty,
        Facet::Ease => &view.ease,
        _ => &view.value,
    };
    of.as_ref().unwrap().score.as_ref().unwrap().value
}

fn claims(effect: &ImprovementEffect) -> Vec<(Party, Facet, EffectVerdict)> {
    let sure = [EffectVerdict::Better, EffectVerdict::Worse];
    let facets = effect.facets.iter().filter(|facet| sure.contains(&facet.verdict()));
    facets.map(|facet| (facet.party(), facet.facet(), facet.verdict())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_effect_is_covered_and_none_is_claimed_where_there_is_none() {
    let suite = Suite::start().await;
    let drawn = portfolio(17);
    let askers = drawn.1.clone();
    let mut effects = Vec::new();
    let mut assessed = Vec::new();
    for (tenant, added) in TENANTS {
        let fresh = live(&suite, tenant, added, &drawn).await;
        effects.push(effect(&suite, tenant, fresh).await);
        assessed.push(after(&suite, tenant, &askers).await);
    }
    let [helped, plain] = <[ImprovementEffect; 2]>::try_from(effects).unwrap();
    assert_eq!(claims(&plain), [], "{}", plain.summary);
    assert!(plain.summary.starts_with("Too little to say"), "{}", plain.summary);
    assert_eq!((helped.ship_time, helped.end_time), (day(-SHIPPED), day(91.0 - SHIPPED)));
    assert_eq!(helped.concerned_account_count, askers.len() as i64);
    assert_eq!(helped.other_account_count, (ACCOUNTS - askers.len()) as i64);
    assert!(!helped.is_bounded && helped.facets.len() == 10);

    // What it did is known exactly: the two portfolios differ in nothing else.
    let known = |party: Party, facet: Facet| {
        let differences = assessed[0]
            .iter()
            .zip(&assessed[1])
            .map(|(one, other)| score(one, party, facet) - score(other, party, facet));
        differences.sum::<f64>() / askers.len() as f64
    };
    let (mut told, mut covered, mut moved) = (0, 0, 0);
    for facet in &helped.facets {
        let Some(change) = facet.change else { continue };
        let known = known(facet.party(), facet.facet());
        told += 1;
        covered += i32::from(change.low <= known && known <= change.high);
        if known.abs() > 2.0 {
            moved += 1;
            assert!(change.low <= known && known <= change.high, "{known} {facet:?}");
            assert_eq!(facet.verdict(), EffectVerdict::Better, "{known} {facet:?}");
            let placebo = facet.placebo.unwrap();
            assert!(placebo.low <= 0.0 && placebo.high >= 0.0, "{facet:?}");
        }
    }
    assert!(moved > 0 && told - covered <= 1, "{covered} of {told} are covered: {helped:?}");
    assert!(helped.summary.contains("points further than with comparable accounts"), "{}", helped.summary);
}

#[tokio::test]
async fn of_a_few_nothing_is_claimed_and_before_its_time_nothing_is_told() {
    let suite = Suite::start().await;
    let mut fresh = vec![theme(&suite, TENANT, "slow", &["too slow"]).await];
    let all = (0..40).map(|account| said(&id(account), "1", 120.0, if account < 4 { "too slow" } else { "thanks" }));
    fresh.extend(import(&suite, TENANT, all.collect()).await);
    fresh.push(propose(&suite, TENANT, "faster", &["themes/slow"], &[]).await);
    let request = GetImprovementEffectRequest { name: NAME.to_owned(), at_least_as_fresh: fresh, ..Default::default() };
    let proposed = suite.voice().get_improvement_effect(ask(request.clone())).await;
    assert_state_conflict(proposed);
    let fresh = vec![ship(&suite, TENANT, "faster", SHIPPED).await];
    let few = effect(&suite, TENANT, fresh).await;
    assert_eq!((claims(&few), few.concerned_account_count, few.other_account_count), (vec![], 4, 36));
    assert!(few.facets.iter().all(|facet| facet.change.is_none()), "{few:?}");
    assert!(few.summary.starts_with("Too little to say: too few"), "{}", few.summary);

    let request = GetImprovementEffectRequest { days: 365, ..request };
    let early = suite.voice().get_improvement_effect(ask(request)).await.unwrap().into_inner().effect.unwrap();
    assert_eq!(early.end_time, None);
    assert!(early.facets.iter().all(|facet| facet.verdict() == EffectVerdict::TooEarly));
    assert!(early.summary.contains("365 days"), "{}", early.summary);

    let wrong = GetImprovementEffectRequest { name: "faster".to_owned(), days: 6, ..Default::default() };
    assert_invalid(suite.voice().get_improvement_effect(ask(wrong)).await, &["name", "days"]);
    let nobodys = GetImprovementEffectRequest { name: "improvements/nobody".to_owned(), ..Default::default() };
    assert_not_found(suite.voice().get_improvement_effect(ask(nobodys)).await);
    let other = GetImprovementEffectRequest { name: NAME.to_owned(), ..Default::default() };
    let status = suite.voice().get_improvement_effect(ask_as("other", other)).await.unwrap_err();
    assert_eq!(refusal(&status).0, Code::NotFound, "tenants do not see each other");
}
