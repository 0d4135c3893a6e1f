//! What a customer is expected to do against what was expected of such a customer: the behavioural
//! half of loyalty, once a fit to the portfolio says what is usual there.

use crate::activity::Activity;
use crate::decay::{DAY, Micros};
use crate::prediction::{ActivityModel, DAYS_PER_WEEK, Summary};

/// What a fit expects of customers. It takes the place of each customer's own rhythm as the measure
/// of its deeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    fit: String,
    activity: ActivityModel,
    weeks: f64,
}

impl Expectation {
    /// By the fit of this id, over so many days ahead.
    pub fn new(fit: &str, activity: ActivityModel, horizon_days: u32) -> Expectation {
        Expectation { fit: fit.to_owned(), activity, weeks: f64::from(horizon_days) / DAYS_PER_WEEK }
    }

    /// The id of the fit.
    pub fn fit(&self) -> &str {
        &self.fit
    }

    /// Where a customer stands at `now`. With E the order days expected of it within the horizon,
    /// given all its orders, and C those that were expected, when it ordered first, of whoever would
    /// be a customer for as long,
    ///
    /// ```text
    /// value = (E − C) / (E + C)
    /// ```
    ///
    /// lies in [-1, 1] and is 0 for a customer of whom just the usual is expected, and so for one
    /// that has ordered for the first time today. It rests on the model of activity alone: the
    /// corrections of a prediction go by the facets, and would make loyalty follow from itself.
    ///
    /// None without an order.
    pub(crate) fn standing(&self, activity: &Activity, now: Micros) -> Option<f64> {
        let (first, last) = activity.span?;
        let today = now.div_euclid(DAY).max(last);
        let customer = Summary::of_days(activity.order_days, first, last, today).ok()?;
        let expected = self.activity.forecast(&customer, self.weeks).orders;
        let by_now = self.activity.orders_of_new_customer(customer.age());
        let usual = self.activity.orders_of_new_customer(customer.age() + self.weeks) - by_now;
        let both = expected + usual.max(0.0);
        Some(if both > 0.0 { (expected - usual.max(0.0)) / both } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::OrderDays;
    use crate::prediction::Kind;
    use crate::{Facet, Facts, Ledger, Model, OrderFact, View, assess, explain};

    fn expectation() -> Expectation {
        // As fitted to CDNOW by Fader, Hardie and Lee (2005).
        let activity = ActivityModel::new(Kind::ParetoNbd, &[0.553, 10.578, 0.606, 11.669]).unwrap();
        Expectation::new("f", activity, 91)
    }

    fn standing(days: &[i64], today: i64) -> f64 {
        let mut all = OrderDays::default();
        days.iter().for_each(|day| all.add(OrderFact { at: day * DAY, cancelled: false }, 0));
        expectation().standing(&all.summary(), today * DAY + 1).unwrap()
    }

    #[test]
    fn the_usual_is_expected_of_a_new_customer() {
        assert!(standing(&[100], 100).abs() < 1e-9);
        assert_eq!(expectation().standing(&Activity::default(), 0), None);
    }

    #[test]
    fn many_orders_stand_above_and_silence_below_what_is_usual() {
        assert!(standing(&[0, 50, 100, 150, 200, 250], 260) > 0.5);
        assert!(standing(&[0], 260) < -0.3);
        let silent: Vec<f64> = (0..20).map(|weeks| standing(&[0, 50, 100, 150, 200, 250], 250 + weeks * 28)).collect();
        assert!(silent.is_sorted_by(|one, next| one > next) && silent[19] < -0.8, "{silent:?}");
    }

    #[test]
    fn loyalty_in_deeds_follows_it_and_is_still_explained() {
        let orders = |days: &[i64]| -> Ledger {
            let facts =
                |day: &i64| Facts { order: Some(OrderFact { at: day * DAY, cancelled: false }), ..Facts::default() };
            let told: Vec<(String, Facts)> = days.iter().map(|day| (format!("orders/{day}"), facts(day))).collect();
            let model = Model::default();
            Ledger::fold(model.half_lives(), told.iter().map(|(source, facts)| (source.as_str(), facts)))
        };
        let model = Model::default().expecting(Some(expectation()));
        let loyalty = |ledger: &Ledger, model: &Model, today: i64| {
            let assessment = assess(ledger, model, today * DAY);
            let facet = assessment.view(View::Customer).facet(Facet::Loyalty).clone();
            let explanation = explain(ledger, model, today * DAY);
            let explained = explanation.facets.iter().find(|f| f.view == View::Customer && f.facet == Facet::Loyalty);
            let explained = explained.unwrap();
            let sum: f64 = explained.contributions.iter().map(|c| c.points).sum();
            assert!((explained.base + sum - facet.score).abs() < 1e-9);
            facet.score
        };
        let once = orders(&[0]);
        assert_eq!(loyalty(&once, &Model::default(), 300), 50.0, "one order makes no rhythm of its own");
        assert!(loyalty(&once, &model, 300) < 49.0, "but the portfolio says what to expect");
        let often = orders(&[0, 40, 80, 120, 160, 200, 240, 280]);
        assert!(loyalty(&often, &model, 300) > loyalty(&often, &model, 600));
    }
}
