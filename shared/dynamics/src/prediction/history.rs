//! What a customer's past says at a cut: a fixed list of named features.

use std::fmt;

use thiserror::Error;

use super::summary::{Spend, Summary, SummaryError};
use crate::vocabulary::vocabulary;
use crate::{Assessment, Facet, View};

/// One day with at least one order, and what was spent on it: in units of the currency, after
/// returns, so it may be 0 or negative. Days are counted from any common origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderDay {
    /// The day.
    pub day: i64,
    /// What was spent on it; finite.
    pub spend: f64,
}

/// Why order days are no [`Past`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PastError {
    /// No order up to the cut.
    #[error("there is no order day up to the cut")]
    NoOrder,
    /// The days do not ascend, each only once.
    #[error("the order days are not in ascending order")]
    Order,
    /// What was spent on a day is not finite.
    #[error("the spend of an order day is not a finite number")]
    Spend,
    /// The days lie too far apart for a [`Summary`].
    #[error(transparent)]
    Span(#[from] SummaryError),
    /// There is neither one entry of [`Known`] for each cut of the plan nor none.
    #[error("what is known beyond orders does not fit the cuts of the plan")]
    Known,
}

vocabulary! {
    /// What is looked at in a customer's past. Counts, spans and amounts enter as ln(1 + v), of a
    /// negative v as -ln(1 - v); shares and ratios as each says. What a history does not have yet (a gap
    /// before the second order) is absent and counts as the mean of all customers.
    Feature {
        /// Days since the last order day.
        Recency = "days since the last order",
        /// Days since the first order day.
        Age = "days since the first order",
        /// Order days after the first.
        Repeats = "repeat orders",
        /// Days from the first order day to the last.
        Span = "days from the first order to the last",
        /// The mean number of days between order days.
        MeanGap = "mean gap between orders",
        /// The standard deviation of the days between order days, of two gaps or more.
        GapSpread = "spread of gaps between orders",
        /// ln of days since the last order over the mean gap, one day added to each.
        Overdue = "silence against the mean gap",
        /// ln of days since the last order over the longest gap, one day added to each.
        LongestSilence = "silence against the longest gap",
        /// Order days in the last 14 days.
        Orders14 = "orders in the last 14 days",
        /// Order days in the last 28 days.
        Orders28 = "orders in the last 28 days",
        /// Order days in the last 56 days.
        Orders56 = "orders in the last 56 days",
        /// Order days in the last 91 days.
        Orders91 = "orders in the last 91 days",
        /// ln of order days in the last 28 days over what the customer's own rate would be, half an
        /// order added to each; from an age of 28 days.
        Pace28 = "pace of the last 28 days against the usual",
        /// The same of 91 days, from that age.
        Pace91 = "pace of the last 91 days against the usual",
        /// ln of order days in the last 91 days over those of the 91 before, half an order added to
        /// each; from an age of 182 days.
        Trend = "trend of orders over two quarters",
        /// Repeat orders per week of age.
        Rate = "repeat orders per week",
        /// Days since the last order as a share of the age; not transformed.
        RecencyShare = "share of the time silent since the last order",
        /// Spend in the last 91 days.
        Spend91 = "spend in the last 91 days",
        /// Mean spend of an order day.
        MeanSpend = "mean spend of an order",
        /// Spend of the last order day.
        LastSpend = "spend of the last order",
        /// The greatest spend of an order day.
        MaxSpend = "greatest spend of an order",
        /// Spend of all order days.
        TotalSpend = "spend so far",
        /// Spend per week of age.
        SpendRate = "spend per week",
        /// The customer's rapport, of 100; less 50, over 50. Absent without evidence, as all scores.
        CustomerRapport = "rapport as the customer sees it",
        /// The customer's trust.
        CustomerTrust = "trust as the customer sees it",
        /// The customer's loyalty.
        CustomerLoyalty = "loyalty as the customer sees it",
        /// The customer's ease.
        CustomerEase = "ease as the customer sees it",
        /// The customer's value.
        CustomerValue = "value as the customer sees it",
        /// The provider's rapport.
        ProviderRapport = "rapport as the provider sees it",
        /// The provider's trust.
        ProviderTrust = "trust as the provider sees it",
        /// The provider's loyalty.
        ProviderLoyalty = "loyalty as the provider sees it",
        /// The provider's ease.
        ProviderEase = "ease as the provider sees it",
        /// The provider's value.
        ProviderValue = "value as the provider sees it",
        /// How the customer's rapport moves, in points per quarter. Absent without evidence, as all.
        CustomerRapportVelocity = "movement of the customer's rapport",
        /// The same of the customer's trust.
        CustomerTrustVelocity = "movement of the customer's trust",
        /// The same of the customer's loyalty.
        CustomerLoyaltyVelocity = "movement of the customer's loyalty",
        /// The same of the customer's ease.
        CustomerEaseVelocity = "movement of the customer's ease",
        /// The same of the customer's value.
        CustomerValueVelocity = "movement of the customer's value",
        /// The same of the provider's rapport.
        ProviderRapportVelocity = "movement of the provider's rapport",
        /// The same of the provider's trust.
        ProviderTrustVelocity = "movement of the provider's trust",
        /// The same of the provider's loyalty.
        ProviderLoyaltyVelocity = "movement of the provider's loyalty",
        /// The same of the provider's ease.
        ProviderEaseVelocity = "movement of the provider's ease",
        /// The same of the provider's value.
        ProviderValueVelocity = "movement of the provider's value",
        /// How sure the customer's view is, 0 to 1; not transformed.
        CustomerConfidence = "confidence of the customer's view",
        /// How sure the provider's view is, 0 to 1; not transformed.
        ProviderConfidence = "confidence of the provider's view",
        /// Contacts that the customer began or took part in.
        CustomerContacts = "contacts by the customer",
        /// Contacts that the provider began or took part in.
        ProviderContacts = "contacts by the provider",
        /// What was given back for returns as a share of all that was paid; not transformed.
        ReturnedShare = "share of spend returned",
        /// What was saved against the list price as a share of that price; not transformed.
        SavedShare = "share of the list price saved",
        /// Orders that were cancelled, as a share of all; not transformed.
        CancelledShare = "share of orders cancelled",
        /// Matters that are open: conflicts, returns, asks.
        OpenMatters = "open matters",
    }
}

/// How many features there are.
pub(super) const FEATURES: usize = Feature::ALL.len();

/// The features that come from orders; the others are [`Known`].
const OF_ORDERS: usize = Feature::CustomerRapport as usize;

/// What is known of an account at a cut beyond its order days.
#[derive(Clone, Copy, PartialEq)]
pub struct Known([f64; FEATURES - OF_ORDERS]);

impl Known {
    /// Nothing: every feature beyond orders is absent.
    pub const NOTHING: Known = Known([f64::NAN; FEATURES - OF_ORDERS]);

    /// What an assessment says. To predict without hindsight it must have been made as of the cut.
    pub fn of(assessment: &Assessment) -> Known {
        let mut known = Known::NOTHING;
        for (view, facets, velocities, confidence, contacts, count) in [
            (
                View::Customer,
                Feature::CustomerRapport,
                Feature::CustomerRapportVelocity,
                Feature::CustomerConfidence,
                Feature::CustomerContacts,
                assessment.interactions.customer,
            ),
            (
                View::Provider,
                Feature::ProviderRapport,
                Feature::ProviderRapportVelocity,
                Feature::ProviderConfidence,
                Feature::ProviderContacts,
                assessment.interactions.provider,
            ),
        ] {
            let said = assessment.view(view);
            for facet in Facet::ALL.map(|facet| said.facet(facet)).iter().filter(|facet| !facet.is_prior) {
                let place = facet.facet.index();
                known.0[facets.index() - OF_ORDERS + place] = finite((facet.score - 50.0) / 50.0);
                known.0[velocities.index() - OF_ORDERS + place] = finite(signed_log(facet.velocity));
            }
            known.set(confidence, said.confidence);
            known.set(contacts, signed_log(count as f64));
        }
        let worth = assessment.worth;
        let share = |part: i128, rest: i128| {
            let (part, rest) = (part.max(0) as f64, rest.max(0) as f64);
            if part + rest > 0.0 { part / (part + rest) } else { 0.0 }
        };
        known.set(Feature::ReturnedShare, share(worth.returned, worth.spend));
        known.set(Feature::SavedShare, share(worth.savings, worth.spend));
        let activity = &assessment.activity;
        known.set(Feature::CancelledShare, share(activity.cancelled.into(), activity.orders.into()));
        known
    }

    /// With so many matters open at the cut: conflicts, returns, asks.
    pub fn with_open_matters(mut self, open: u32) -> Known {
        self.set(Feature::OpenMatters, f64::from(open).ln_1p());
        self
    }

    fn set(&mut self, feature: Feature, value: f64) {
        self.0[feature.index() - OF_ORDERS] = finite(value);
    }
}

impl Default for Known {
    fn default() -> Known {
        Known::NOTHING
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = Feature::ALL[OF_ORDERS..].iter().zip(self.0).filter(|(_, value)| !value.is_nan());
        f.debug_map().entries(there.map(|(feature, value)| (feature.name(), value))).finish()
    }
}

/// A customer's past at a cut: at least one order day, and what else is known.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    days: &'a [OrderDay],
    cut: i64,
    summary: Summary,
    known: Known,
}

impl<'a> Past<'a> {
    /// The past at the end of day `cut` of a customer with these order days in ascending order.
    /// Days after the cut are not looked at.
    ///
    /// # Errors
    /// When no day lies up to the cut; when days do not ascend, lie too far apart, or their spend
    /// is not finite.
    pub fn new(days: &'a [OrderDay], cut: i64, known: Known) -> Result<Past<'a>, PastError> {
        if days.windows(2).any(|pair| pair[0].day >= pair[1].day) {
            return Err(PastError::Order);
        }
        let days = &days[..days.partition_point(|order| order.day <= cut)];
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Err(PastError::NoOrder) };
        if !days.iter().all(|order| order.spend.is_finite()) {
            return Err(PastError::Spend);
        }
        let summary = Summary::of_days(days.len() as u64, first.day, last.day, cut)?;
        Ok(Past { days, cut, summary, known })
    }

    /// The order days, the cut, and nothing after it.
    pub fn days(&self) -> &'a [OrderDay] {
        self.days
    }

    /// The last day that is seen.
    pub fn cut(&self) -> i64 {
        self.cut
    }

    /// What the models of activity need to know.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// The mean spend of all order days. None where that is not above 0.
    pub fn spend(&self) -> Option<Spend> {
        let orders = u32::try_from(self.days.len()).ok()?;
        Spend::new(orders, total(self.days) / f64::from(orders)).ok()
    }

    /// What the past says.
    pub fn features(&self) -> Features {
        let mut found = Features([f64::NAN; FEATURES]);
        found.0[OF_ORDERS..].copy_from_slice(&self.known.0);
        let (first, last) = (self.days[0].day, self.days[self.days.len() - 1].day);
        let days = |from: i64, to: i64| (to - from) as f64;
        let orders = self.days.len() as f64;
        let (age, recency, span) = (days(first, self.cut), days(last, self.cut), days(first, last));
        found.set(Feature::Recency, recency.ln_1p());
        found.set(Feature::Age, age.ln_1p());
        found.set(Feature::Repeats, (orders - 1.0).ln_1p());
        found.set(Feature::Span, span.ln_1p());
        self.gaps(&mut found, recency);

        let recent =
            |length: i64| &self.days[self.days.partition_point(|order| order.day <= self.cut.saturating_sub(length))..];
        for (length, feature) in
            [(14, Feature::Orders14), (28, Feature::Orders28), (56, Feature::Orders56), (91, Feature::Orders91)]
        {
            if age >= length as f64 {
                found.set(feature, (recent(length).len() as f64).ln_1p());
            }
        }
        for (length, feature) in [(28, Feature::Pace28), (91, Feature::Pace91)] {
            if age >= length as f64 {
                let usual = orders * length as f64 / (age + 1.0);
                found.set(feature, ((recent(length).len() as f64 + 0.5) / (usual + 0.5)).ln());
            }
        }
        if age >= 182.0 {
            let (quarter, half) = (recent(91).len() as f64, recent(182).len() as f64);
            found.set(Feature::Trend, ((quarter + 0.5) / (half - quarter + 0.5)).ln());
        }
        let weeks = (age + 1.0) / 7.0;
        found.set(Feature::Rate, ((orders - 1.0) / weeks).ln_1p());
        found.set(Feature::RecencyShare, recency / (age + 1.0));

        let all = total(self.days);
        let greatest = self.days.iter().map(|order| order.spend).fold(f64::NEG_INFINITY, f64::max);
        if age >= 91.0 {
            found.set(Feature::Spend91, signed_log(total(recent(91))));
        }
        found.set(Feature::MeanSpend, signed_log(all / orders));
        found.set(Feature::LastSpend, signed_log(self.days[self.days.len() - 1].spend));
        found.set(Feature::MaxSpend, signed_log(greatest));
        found.set(Feature::TotalSpend, signed_log(all));
        found.set(Feature::SpendRate, signed_log(total(&self.days[1..]) / weeks));
        found
    }

    fn gaps(&self, found: &mut Features, recency: f64) {
        let gaps = || self.days.windows(2).map(|pair| (pair[1].day - pair[0].day) as f64);
        let count = (self.days.len() - 1) as f64;
        if count < 1.0 {
            return;
        }
        let mean = gaps().sum::<f64>() / count;
        found.set(Feature::MeanGap, mean.ln_1p());
        found.set(Feature::Overdue, ((recency + 1.0) / (mean + 1.0)).ln());
        found.set(Feature::LongestSilence, ((recency + 1.0) / (gaps().fold(1.0, f64::max) + 1.0)).ln());
        if count >= 2.0 {
            let variance = gaps().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / (count - 1.0);
            found.set(Feature::GapSpread, variance.sqrt().ln_1p());
        }
    }
}

/// The features of a customer at a cut.
#[derive(Clone, Copy, PartialEq)]
pub struct Features(pub(super) [f64; FEATURES]);

impl Features {
    /// A feature as the models see it, transformed; none where the past does not have it.
    pub fn get(&self, feature: Feature) -> Option<f64> {
        Some(self.0[feature.index()]).filter(|value| !value.is_nan())
    }

    fn set(&mut self, feature: Feature, value: f64) {
        self.0[feature.index()] = finite(value);
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = Feature::ALL.iter().filter_map(|feature| Some((feature.name(), self.get(*feature)?)));
        f.debug_map().entries(there).finish()
    }
}

/// ln(1 + v), mirrored for what is below 0.
fn signed_log(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}

/// Absent where it is no finite number.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value + 0.0 } else { f64::NAN }
}

/// The sum, finite as long as each part is.
fn total(days: &[OrderDay]) -> f64 {
    days.iter().map(|order| order.spend).sum::<f64>().clamp(f64::MIN, f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DAY, Evidence, Facts, Interactions, Ledger, Model, Signal, Topic, Worth, assess};

    #[test]
    fn an_assessment_tells_what_it_has_evidence_of() {
        let now = 100 * DAY;
        let signal = Signal::of(View::Customer, Facet::Trust).find(|signal| !signal.derived()).unwrap();
        let facts = Facts {
            evidence: vec![Evidence::new(Topic::Signal(signal), now - DAY, -1.0, 8.0).unwrap()],
            worth: Worth { spend: 60, returned: 20, savings: 0, ..Worth::default() },
            interactions: Interactions { customer: 3, provider: 0 },
            ..Facts::default()
        };
        let model = Model::default();
        let ledger = Ledger::fold(model.half_lives(), [("source", &facts)]);
        let known = Known::of(&assess(&ledger, &model, now)).with_open_matters(1);
        let days = [OrderDay { day: 0, spend: 10.0 }];
        let features = Past::new(&days, 100, known).unwrap().features();
        assert!(features.get(Feature::CustomerTrust).unwrap() < 0.0, "{features:?}");
        assert_eq!(features.get(Feature::ProviderTrust), None);
        assert_eq!(features.get(Feature::CustomerContacts), Some(4f64.ln()));
        assert_eq!(features.get(Feature::ReturnedShare), Some(0.25));
        assert_eq!(features.get(Feature::OpenMatters), Some(2f64.ln()));
        let nothing = Past::new(&days, 100, Known::NOTHING).unwrap().features();
        assert!(Feature::ALL[OF_ORDERS..].iter().all(|feature| nothing.get(*feature).is_none()));
    }
}
