//! What a fit learns, and what it predicts.

use contracts::assessments::v1::*;
use contracts::predictions::v1::*;
use dynamics::prediction::{Kind, Tally, fit as fit_purely};
use tests::{Suite, ask, eventually, refusal};
use tonic::Code;

use super::{assess, fit, import, portfolio};

fn ln_odds(chance: f64) -> f64 {
    (chance / (1.0 - chance)).ln()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fit_is_what_the_pure_function_makes_of_the_same_orders() {
    let suite = Suite::start().await;
    let customers = portfolio(400, 11);
    let at_least_as_fresh = import(&suite, &customers).await;
    let fit = fit(&suite, FitPortfolioRequest { at_least_as_fresh, ..FitPortfolioRequest::default() }).await;

    let mut tally = Tally::default();
    customers.iter().filter_map(|customer| customer.summary(0)).for_each(|summary| tally.add(summary, 1));
    let orders: usize = customers.iter().map(|customer| customer.days_ago.len()).sum();
    assert_eq!((fit.account_count, fit.order_day_count, fit.horizon_days), (400, orders as i64, 91));
    let activity = fit.activity.as_ref().unwrap();
    let purely = Kind::ALL.map(|kind| fit_purely(kind, &tally.clone().finish()).unwrap());
    let same = purely.iter().find(|purely| purely.ln_likelihood == activity.log_likelihood);
    let same = same.unwrap_or_else(|| panic!("{activity:?} is none of {purely:?}"));
    let parameters: Vec<f64> = activity.parameters.iter().map(|parameter| parameter.value).collect();
    assert_eq!(parameters, same.model.parameters());
    assert_eq!(fit.activity_trials.len(), 4);
    assert!(
        fit.activity_trials.is_sorted_by(|one, next| one.held_back_log_likelihood >= next.held_back_log_likelihood)
    );
    assert!(fit.is_default && fit.create_time == fit.cut_time && fit.end_time.is_some());
    assert!(!fit.known_at_cuts, "all was imported today");

    // Who gets late deliveries leaves sooner, and only what is beyond the orders says so.
    let correction = fit.order_correction.as_ref().unwrap();
    assert!(correction.is_used, "{}", correction.outcome);
    assert!(correction.loss_with.unwrap() < correction.loss_without.unwrap());
    let backtest = fit.backtest.as_ref().unwrap();
    assert_eq!(backtest.predictors[0].predictor, "served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prediction_tells_what_moved_it_and_is_the_same_after_a_restart() {
    let suite = Suite::start().await;
    let customers = portfolio(400, 12);
    let before = assess_unknown(&suite).await;
    assert_eq!(before, Code::NotFound);
    let at_least_as_fresh = import(&suite, &customers).await;
    let made = fit(&suite, FitPortfolioRequest { at_least_as_fresh, ..FitPortfolioRequest::default() }).await;
    let mut late = Vec::new();
    let mut prompt = Vec::new();
    let mut first = None;
    for customer in &customers {
        let assessment = assess(&suite, &customer.id, 91).await;
        assert_eq!(assessment.fit, made.name);
        let prediction = assessment.prediction.clone().unwrap();
        let chance = prediction.order_probability.unwrap();
        assert!(0.0 < chance.low && chance.low <= chance.value && chance.value <= chance.high && chance.high < 1.0);
        let days = prediction.order_day_count.unwrap();
        assert!(days.value >= chance.value && prediction.spend.unwrap().value > 0.0);
        assert!(prediction.lifetime_value.unwrap().value > 0.0 && prediction.currency_code == "EUR");
        let odds: f64 = prediction.terms.iter().map(|term| term.log_odds).sum();
        let count: f64 = prediction.terms.iter().map(|term| term.log_count).sum();
        let by_orders = (prediction.order_probability_by_orders, prediction.order_day_count_by_orders);
        assert!((ln_odds(by_orders.0) + odds - ln_odds(chance.value)).abs() < 1e-6, "{prediction:?}");
        assert!((by_orders.1.ln() + count - days.value.ln()).abs() < 1e-6, "{prediction:?}");
        // Those who ordered not long ago, and before.
        if customer.days_ago.len() > 1 && customer.days_ago.last().is_some_and(|ago| *ago < 90) {
            if customer.is_late { &mut late } else { &mut prompt }.push(odds);
        }
        first.get_or_insert(assessment);
    }
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    assert!(late.len() > 3 && prompt.len() > 20);
    assert!(mean(&late) < mean(&prompt), "{} {}", mean(&late), mean(&prompt));

    let longer = assess(&suite, &customers[0].id, 365).await.prediction.unwrap();
    let shorter = first.as_ref().unwrap().prediction.as_ref().unwrap();
    assert!(longer.order_probability.unwrap().value > shorter.order_probability.unwrap().value);
    assert_told(&suite, &customers[0].id, shorter).await;

    let suite = suite.restart().await;
    let again = assess(&suite, &customers[0].id, 91).await;
    assert_eq!((again.prediction, again.bond, again.fit), {
        let first = first.unwrap();
        (first.prediction, first.bond, first.fit)
    });
    let listed = suite.predictions().list_fits(ask(ListFitsRequest::default())).await.unwrap().into_inner();
    assert_eq!(listed.fits.len(), 1);
    assert!(listed.fits[0].is_default && listed.fits[0].backtest.is_none());
}

/// What is told in Hungarian is what is predicted, with its terms in Hungarian.
async fn assert_told(suite: &Suite, account: &str, predicted: &Prediction) {
    let mut request = ask(GetAssessmentRequest {
        name: format!("accounts/{account}/assessment"),
        horizon_days: Some(91),
        ..GetAssessmentRequest::default()
    });
    request.metadata_mut().insert("accept-language", "hu-HU, en;q=0.5".parse().unwrap());
    let told = suite.assessments().get_assessment(request).await.unwrap().into_inner().assessment.unwrap();
    let prediction = told.prediction.unwrap();
    let percent = |share: f64| format!("{:.1}%", share * 100.0).replace('.', ",");
    let chance =
        format!("91 napon belül az ügyfél {} eséllyel rendel", percent(predicted.order_probability.unwrap().value));
    assert!(told.summary.iter().any(|told| told.starts_with(&chance)), "{chance}: {:#?}", told.summary);
    for (told, term) in prediction.terms.iter().zip(&predicted.terms) {
        assert_ne!(told.feature, term.feature);
        assert_eq!(told.log_odds, term.log_odds);
    }
    let most = &prediction.terms[0];
    let way = if most.log_odds > 0.0 { "Ami leginkább növeli: " } else { "Ami leginkább csökkenti: " };
    let most = format!("{way}{}", most.feature);
    assert!(told.summary.iter().any(|told| told.starts_with(&most)), "{most}: {:#?}", told.summary);
}

async fn assess_unknown(suite: &Suite) -> Code {
    let get = GetFitRequest { name: "fits/default".to_owned() };
    suite.predictions().get_fit(ask(get)).await.unwrap_err().code()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loyalty_in_deeds_follows_the_fit_in_use_and_lists_follow_in_the_background() {
    let suite = Suite::start().await;
    let customers = portfolio(250, 13);
    let at_least_as_fresh = import(&suite, &customers).await;
    let once = customers.iter().find(|customer| customer.days_ago.len() == 1 && customer.days_ago[0] > 200).unwrap();
    let loyalty = |assessment: &Assessment| {
        let view = assessment.customer_view.as_ref().unwrap();
        view.loyalty.as_ref().unwrap().score.unwrap().value
    };
    let explain = ExplainAssessmentRequest {
        name: format!("accounts/{}/assessment", once.id),
        at_least_as_fresh,
        ..ExplainAssessmentRequest::default()
    };
    let before = suite.assessments().explain_assessment(ask(explain.clone())).await.unwrap().into_inner();
    assert_eq!(before.assessment.as_ref().unwrap().fit, "");
    let made = fit(&suite, FitPortfolioRequest::default()).await;
    let after = suite.assessments().explain_assessment(ask(explain)).await.unwrap().into_inner();
    assert_eq!(after.assessment.as_ref().unwrap().fit, made.name);
    // One order makes no rhythm; but the portfolio says that much more was to be expected since.
    assert!(loyalty(after.assessment.as_ref().unwrap()) < loyalty(before.assessment.as_ref().unwrap()) - 0.5);
    for facet in &after.facets {
        let sum: f64 = facet.contributions.iter().map(|contribution| contribution.points).sum();
        assert!((facet.base + sum - facet.score).abs() < 1e-9);
    }

    let filter = format!("customer_loyalty < {}", loyalty(after.assessment.as_ref().unwrap()) + 1e-6);
    let list = ListAssessmentsRequest { filter, horizon_days: Some(91), page_size: 1_000, ..Default::default() };
    let listed = eventually(async || {
        let page = suite.assessments().list_assessments(ask(list.clone())).await.unwrap().into_inner();
        page.assessments.into_iter().find(|assessment| assessment.name.contains(&once.id))
    })
    .await;
    assert_eq!((listed.fit, listed.prediction.is_some()), (made.name.clone(), true));

    // Another fit, and back to the first.
    let second = fit(&suite, FitPortfolioRequest { horizon_days: 28, ..FitPortfolioRequest::default() }).await;
    assert_eq!(assess(&suite, &once.id, 28).await.fit, second.name);
    let choose = |name: &str| SetDefaultFitRequest { name: name.to_owned(), request_id: String::new() };
    let chosen = suite.predictions().set_default_fit(ask(choose(&made.name))).await.unwrap().into_inner().fit;
    assert_eq!(chosen.map(|fit| (fit.name, fit.is_default)), Some((made.name.clone(), true)));
    assert_eq!(assess(&suite, &once.id, 28).await.fit, made.name);
    suite.predictions().set_default_fit(ask(choose(""))).await.unwrap();
    assert_eq!(assess(&suite, &once.id, 28).await.fit, second.name);

    // A fit of an earlier time is only used if it is chosen.
    let as_of = tests::day(-100.0);
    let earlier = fit(&suite, FitPortfolioRequest { as_of, ..FitPortfolioRequest::default() }).await;
    assert_eq!((earlier.is_default, earlier.cut_time), (false, as_of));
    assert!(earlier.order_day_count < second.order_day_count);
    assert_eq!(assess(&suite, &once.id, 28).await.fit, second.name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fits_are_made_one_at_a_time_and_can_be_broken_off() {
    let suite = Suite::start().await;
    let mut predictions = suite.predictions();
    let failed = predictions.fit_portfolio(ask(FitPortfolioRequest::default())).await.unwrap().into_inner();
    let failed = tests::ended(&suite, &failed.fit.unwrap().name).await;
    assert_eq!(failed.state(), FitState::Failed);
    assert!(failed.status.contains("nothing to learn from"), "{}", failed.status);
    let choose = SetDefaultFitRequest { name: failed.name.clone(), request_id: String::new() };
    let (code, reason, _) = refusal(&predictions.set_default_fit(ask(choose)).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "ERROR_REASON_STATE_CONFLICT"));
    let cancel = |name: &str| CancelFitRequest { name: name.to_owned(), request_id: String::new() };
    let (code, reason, _) = refusal(&predictions.cancel_fit(ask(cancel(&failed.name))).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "ERROR_REASON_STATE_CONFLICT"));
    let (code, ..) = refusal(&predictions.cancel_fit(ask(cancel("fits/none"))).await.unwrap_err());
    assert_eq!(code, Code::NotFound);

    let at_least_as_fresh = import(&suite, &portfolio(600, 14)).await;
    let asked =
        FitPortfolioRequest { at_least_as_fresh, request_id: "one".to_owned(), ..FitPortfolioRequest::default() };
    let begun = predictions.fit_portfolio(ask(asked.clone())).await.unwrap().into_inner().fit.unwrap();
    let again = predictions.fit_portfolio(ask(asked)).await.unwrap().into_inner().fit.unwrap();
    assert_eq!(again.name, begun.name);
    let other = predictions.fit_portfolio(ask(FitPortfolioRequest::default())).await;
    // It may have been quick.
    if let Err(status) = other {
        assert_eq!(refusal(&status).1, "ERROR_REASON_STATE_CONFLICT");
    }
    match predictions.cancel_fit(ask(cancel(&begun.name))).await {
        Ok(cancelled) => {
            let cancelled = cancelled.into_inner().fit.unwrap();
            assert_eq!((cancelled.state(), cancelled.is_default), (FitState::Cancelled, false));
            assert!(cancelled.end_time.is_some());
            assert_eq!(tests::ended(&suite, &begun.name).await.state(), FitState::Cancelled);
        }
        Err(status) => assert_eq!(refusal(&status).1, "ERROR_REASON_STATE_CONFLICT"),
    }
    let fields = |horizon_days| FitPortfolioRequest { horizon_days, ..FitPortfolioRequest::default() };
    for days in [-1, 6, 731] {
        let (code, _, fields) = refusal(&predictions.fit_portfolio(ask(fields(days))).await.unwrap_err());
        assert_eq!((code, fields), (Code::InvalidArgument, vec!["horizon_days".to_owned()]));
    }
    let future = FitPortfolioRequest { as_of: tests::day(1.0), ..FitPortfolioRequest::default() };
    assert_eq!(refusal(&predictions.fit_portfolio(ask(future)).await.unwrap_err()).2, ["as_of"]);
}
