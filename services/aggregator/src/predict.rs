//! What a customer will probably do next, by the fit in use, and where it stands between the provider and its rivals.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use contracts::assessments::v1 as wire;
use contracts::interactions::v1::OfferOutcome;
use dynamics::{
    DAY, Ledger, Model, Status,
    contest::{self, Contest, Ending, Offer, Position, Prior, Record, Standing},
    prediction::{self, DAYS_PER_WEEK, Discount, Past, residual_value},
};
use methods::{Violations, store_fault};
use runtime::Fault;
use store::Error;

use crate::{
    evidence::Source,
    fits::{Fitted, in_units, known, until},
    picture::{Gallery, Picture},
    store::SourceRow,
    told,
};

/// What an amount a year ahead is worth less: the 15 % that Fader, Hardie and Lee (2005), "RFM and CLV", discount by.
const YEARLY_DISCOUNT: f64 = 0.15;
/// The longest horizon: ten years.
const MOST_DAYS: i32 = 3_650;

/// What is believed of rivals' offers before any was resolved.
static BELIEVED: LazyLock<contest::Predictor> = LazyLock::new(|| contest::fit(&Prior::default(), &[]).predictor());

/// How far to look ahead, and what is needed to do so for some accounts.
pub(crate) struct Ahead {
    days: u32,
    /// By the account that answers.
    offers: HashMap<String, Vec<SourceRow>>,
}

impl Ahead {
    /// What the rivals' offers to an account say of it, at the moment of its picture.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn record(&self, picture: &Picture) -> Result<Record, Error> {
        let offers = self.offers.get(&picture.account).map_or(&[][..], Vec::as_slice);
        Ok(Record::before(&offers_then(offers, picture)?, picture.now))
    }
}

/// Reads how far ahead a request asks; none if it does not.
pub(crate) fn read_horizon(horizon_days: Option<i32>, violations: &mut Violations) -> Option<u32> {
    let days = horizon_days?;
    violations.integer("horizon_days", days.into(), 1, MOST_DAYS.into());
    u32::try_from(days).ok()
}

impl Gallery {
    /// Prepares to look ahead of some pictures.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn ahead<'a>(
        &self,
        tenant: &str,
        days: Option<u32>,
        pictures: impl IntoIterator<Item = &'a Picture>,
    ) -> Result<Option<Ahead>, Fault> {
        let Some(days) = days else { return Ok(None) };
        let accounts: Vec<&str> = pictures.into_iter().map(|picture| picture.account.as_str()).collect();
        let offers = self.reader.offers_of(tenant, &accounts).await.map_err(store_fault)?;
        Ok(Some(Ahead { days, offers }))
    }

    /// Predicts for an account; none if it was closed.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn predict(&self, picture: &Picture, ahead: &Ahead) -> Result<Option<wire::Prediction>, Error> {
        if picture.ledger.status() != Status::Open {
            return Ok(None);
        }
        let fitted = self.fits.in_use(&picture.tenant);
        let plain = self.models.without_expectation(&picture.tenant, &picture.model);
        let record = ahead.record(picture)?;
        let subject = Subject { ledger: &picture.ledger, model: &plain, currency: &picture.currency, now: picture.now };
        Ok(Some(subject.predict(fitted.as_ref(), &record, ahead.days)))
    }
}

/// What a prediction is made of.
pub(crate) struct Subject<'a> {
    pub(crate) ledger: &'a Ledger,
    /// Without a fit's expectation: what is predicted is no part of what it is predicted from.
    pub(crate) model: &'a Model,
    pub(crate) currency: &'a str,
    pub(crate) now: i64,
}

impl Subject<'_> {
    /// Predicts for so many days.
    pub(crate) fn predict(&self, fitted: Option<&Arc<Fitted>>, record: &Record, days: u32) -> wire::Prediction {
        let standing = Standing::at(self.ledger, self.model, self.now, *record);
        let contest = fitted.map_or(&*BELIEVED, |fitted| &fitted.contest).contest(&standing);
        let case_count = fitted.map_or(0, |fitted| fitted.contest_cases as i64);
        let orders = fitted.and_then(|fitted| self.orders(fitted, days)).unwrap_or_default();
        let competition = Some(competition(&contest, case_count));
        wire::Prediction { horizon_days: days as i32, competition, ..orders }
    }

    /// What the customer will order; none if it never did.
    fn orders(&self, fitted: &Fitted, days: u32) -> Option<wire::Prediction> {
        let today = self.now.div_euclid(DAY);
        let order_days = in_units(until(self.ledger.order_days(), today), self.currency, &fitted.scales);
        let past = Past::new(&order_days, today, known(self.ledger, self.model, self.now)).ok()?;
        let weeks = f64::from(days) / DAYS_PER_WEEK;
        let predictor = &fitted.predictor;
        let predicted = predictor.predict(&past, weeks);
        let scale = fitted.scales.of(self.currency);
        let in_currency = |amount: prediction::Estimate| scale.map(|scale| estimate(amount, 1.0 / scale));
        let worth = lifetime_value(fitted, &past, predicted.spend);
        let mut terms: Vec<wire::PredictionTerm> = predicted
            .contributions
            .iter()
            .map(|term| wire::PredictionTerm {
                feature: term.name.to_owned(),
                log_odds: term.ln_odds,
                log_count: term.ln_orders,
            })
            .collect();
        terms.sort_by(|one, other| other.log_odds.abs().total_cmp(&one.log_odds.abs()));
        let alive = prediction::Estimate { value: predicted.alive, low: predicted.alive, high: predicted.alive };
        Some(wire::Prediction {
            active_probability: Some(estimate(alive, 1.0)),
            order_probability: Some(estimate(predicted.any_order, 1.0)),
            order_day_count: Some(estimate(predicted.orders, 1.0)),
            spend: in_currency(predicted.spend),
            lifetime_value: in_currency(worth),
            currency_code: self.currency.to_owned(),
            yearly_discount: YEARLY_DISCOUNT,
            order_probability_by_orders: 1.0 / (1.0 + (-predicted.base_ln_odds).exp()),
            order_day_count_by_orders: predicted.base_ln_orders.exp(),
            terms,
            ..wire::Prediction::default()
        })
    }
}

/// All that a customer will probably spend from now on, discounted, in units of the predictor. Its interval is as wide, by
/// proportion, as that of its spend within a horizon: both follow from the same parameters.
pub(crate) fn lifetime_value(fitted: &Fitted, past: &Past<'_>, within: prediction::Estimate) -> prediction::Estimate {
    let predictor = &fitted.predictor;
    let discount = Discount::per_year(YEARLY_DISCOUNT);
    let residual = discount.map_or(0.0, |discount| predictor.activity().residual_orders(&past.summary(), discount));
    let of_one = predictor.spend().map_or(0.0, |spend| spend.expected(past.spend().as_ref()));
    let value = residual_value(residual, of_one, 1.0);
    let share = |end: f64| if within.value > 0.0 { value * end / within.value } else { value };
    prediction::Estimate { value, low: share(within.low), high: share(within.high) }
}

/// The offers of rivals that are known of now.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn offers_now(rows: &[SourceRow], now: i64) -> Result<Vec<Offer>, Error> {
    let current = rows.iter().filter(|row| row.superseded_at.is_none() && row.deleted_at.is_none());
    offers_as_of(current, now)
}

/// The offers of rivals that were known of at the moment of a picture, as they were then.
fn offers_then(rows: &[SourceRow], picture: &Picture) -> Result<Vec<Offer>, Error> {
    offers_as_of(rows.iter().filter(|row| picture.knew(row)), picture.now)
}

fn offers_as_of<'a>(rows: impl Iterator<Item = &'a SourceRow>, now: i64) -> Result<Vec<Offer>, Error> {
    let mut offers = Vec::new();
    for row in rows {
        if let Some(Source::CompetitorOffer(offer)) = told::source(row)?.as_of(now) {
            offers.push(read_offer(&offer));
        }
    }
    Ok(offers)
}

/// What the contract's offer says.
pub(crate) fn read_offer(offer: &contracts::interactions::v1::CompetitorOffer) -> Offer {
    let micros = |time: &Option<prost_types::Timestamp>| time.as_ref().map(methods::to_micros);
    Offer {
        learned_at: micros(&offer.learn_time).unwrap_or_default(),
        disclosed: offer.disclosed,
        counter_chance: offer.counter_chance,
        countered_at: offer.counter_offer.as_ref().and_then(|counter| micros(&counter.make_time)),
        ending: match offer.outcome() {
            OfferOutcome::Unspecified | OfferOutcome::Open => None,
            OfferOutcome::Stayed => Some(Ending::Stayed),
            OfferOutcome::Split => Some(Ending::Split),
            OfferOutcome::Left => Some(Ending::Left),
        },
        ended_at: micros(&offer.resolve_time).or(micros(&offer.learn_time)).unwrap_or_default(),
    }
}

fn competition(contest: &Contest, case_count: i64) -> wire::Competition {
    let chance =
        |chance: &contest::Chance| Some(wire::Estimate { value: chance.chance, low: chance.low, high: chance.high });
    wire::Competition {
        counter_probability: chance(&contest.counter),
        stay_probability: chance(&contest.stay_alone),
        countered_stay_probability: chance(&contest.stay_countered),
        position: position(contest.position()).into(),
        case_count,
    }
}

/// A position in the contract's words.
pub(crate) fn position(position: Option<Position>) -> wire::Position {
    match position {
        None => wire::Position::Unknown,
        Some(Position::Exposed) => wire::Position::Exposed,
        Some(Position::Contestable) => wire::Position::Contestable,
        Some(Position::Resilient) => wire::Position::Resilient,
        Some(Position::BeyondCompetition) => wire::Position::BeyondCompetition,
    }
}

pub(crate) fn estimate(of: prediction::Estimate, scale: f64) -> wire::Estimate {
    wire::Estimate { value: of.value * scale, low: of.low * scale, high: of.high * scale }
}
