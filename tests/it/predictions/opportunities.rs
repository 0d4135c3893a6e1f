//! What would strengthen the ties.

use contracts::assessments::v1::*;
use contracts::predictions::v1::*;
use tests::{Suite, ask, refusal};
use tonic::Code;

use super::{fit, import, portfolio};

fn all() -> ListOpportunitiesRequest {
    ListOpportunitiesRequest { parent: "accounts/-".to_owned(), page_size: 1_000, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_late_deliveries_is_to_get_them_on_time_and_a_simulation_says_the_same() {
    let suite = Suite::start().await;
    let customers = portfolio(300, 31);
    let at_least_as_fresh = import(&suite, &customers).await;
    let without_a_fit = ListOpportunitiesRequest { at_least_as_fresh, ..all() };
    let found = suite.predictions().list_opportunities(ask(without_a_fit)).await.unwrap().into_inner();
    assert_eq!((found.account_count, found.fit.as_str()), (300, ""));
    assert!(found.opportunities.iter().all(|opportunity| opportunity.kept_value_gain.is_none()));

    let fit = fit(&suite, FitPortfolioRequest::default()).await;
    let found = suite.predictions().list_opportunities(ask(all())).await.unwrap().into_inner();
    assert_eq!(found.fit, fit.name);
    let gain = |opportunity: &Opportunity| {
        let value = |estimate: Option<Estimate>| estimate.map_or(0.0, |estimate| estimate.value);
        value(opportunity.kept_value_gain) + value(opportunity.spend_gain)
    };
    assert!(found.opportunities.is_sorted_by(|one, next| gain(one) >= gain(next)));
    let on_time: Vec<&Opportunity> =
        found.opportunities.iter().filter(|opportunity| opportunity.lever == "deliver_on_time").collect();
    assert!(on_time.len() > 10);
    for opportunity in &on_time {
        let customer = customers.iter().find(|customer| opportunity.account == format!("accounts/{}", customer.id));
        assert!(customer.unwrap().is_late, "{} gets nothing late", opportunity.account);
        assert!(opportunity.bond_after > opportunity.bond_before && !opportunity.sources.is_empty());
    }

    for opportunity in found.opportunities.iter().take(20) {
        let simulate = SimulateAssessmentRequest {
            name: format!("{}/assessment", opportunity.account),
            suppositions: opportunity.suppositions.clone(),
            without_signals: opportunity.without_signals.clone(),
            horizon_days: Some(91),
            ..SimulateAssessmentRequest::default()
        };
        let told = suite.assessments().simulate_assessment(ask(simulate)).await.unwrap().into_inner();
        let bond = |assessment: &Option<Assessment>| assessment.as_ref().unwrap().bond.unwrap().value;
        assert_eq!((bond(&told.before), bond(&told.after)), (opportunity.bond_before, opportunity.bond_after));
        let moved: Vec<FacetChange> = told.facets.into_iter().filter(|facet| facet.before != facet.after).collect();
        assert_eq!(moved, opportunity.facets);
        let days = |assessment: &Option<Assessment>| {
            assessment.as_ref().unwrap().prediction.as_ref().unwrap().order_day_count.unwrap().value
        };
        if let Some(gain) = opportunity.order_day_gain {
            assert!((days(&told.after) - days(&told.before) - gain.value).abs() < 1e-9, "{opportunity:?}");
            assert!(gain.low <= gain.value && gain.value <= gain.high);
        }
    }

    // A page at a time it is the same list.
    let mut paged = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = ListOpportunitiesRequest { page_size: 50, page_token, ..all() };
        let page = suite.predictions().list_opportunities(ask(page)).await.unwrap().into_inner();
        paged.extend(page.opportunities);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let names = |all: &[Opportunity]| -> Vec<(String, String)> {
        all.iter().map(|opportunity| (opportunity.account.clone(), opportunity.lever.clone())).collect()
    };
    assert_eq!(names(&paged)[..found.opportunities.len()], names(&found.opportunities)[..]);

    // Of one account, and of those that pass.
    let one = &on_time[0].account;
    let of_one = ListOpportunitiesRequest { parent: one.clone(), ..ListOpportunitiesRequest::default() };
    let of_one = suite.predictions().list_opportunities(ask(of_one)).await.unwrap().into_inner();
    assert!(of_one.account_count == 1 && of_one.opportunities.iter().any(|found| found.lever == "deliver_on_time"));
    let none = ListOpportunitiesRequest { filter: "bond > 100".to_owned(), ..all() };
    let none = suite.predictions().list_opportunities(ask(none)).await.unwrap().into_inner();
    assert_eq!((none.account_count, none.opportunities.len()), (0, 0));
    assert!(none.summary.contains("nothing stands out"), "{}", none.summary);
    let prompt = customers.iter().find(|customer| !customer.is_late && customer.days_ago.last() == Some(&0));
    if let Some(prompt) = prompt {
        let parent = format!("accounts/{}", prompt.id);
        let ask_of = ListOpportunitiesRequest { parent, ..ListOpportunitiesRequest::default() };
        let answer = suite.predictions().list_opportunities(ask(ask_of)).await.unwrap().into_inner();
        assert!(answer.opportunities.iter().all(|found| found.lever != "deliver_on_time"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_of_one_account_or_of_all_is_refused() {
    let suite = Suite::start().await;
    let mut predictions = suite.predictions();
    let cases = [
        (ListOpportunitiesRequest { parent: "accounts".to_owned(), ..Default::default() }, "parent"),
        (ListOpportunitiesRequest { as_of: tests::day(-1.0), ..all() }, "as_of"),
        (ListOpportunitiesRequest { known_at: tests::day(-1.0), ..all() }, "known_at"),
        (
            ListOpportunitiesRequest { parent: "accounts/a".to_owned(), filter: "bond > 1".to_owned(), ..all() },
            "filter",
        ),
        (
            ListOpportunitiesRequest { parent: "accounts/a".to_owned(), order_by: "bond".to_owned(), ..all() },
            "order_by",
        ),
        (ListOpportunitiesRequest { horizon_days: Some(0), ..all() }, "horizon_days"),
    ];
    for (asked, field) in cases {
        let (code, _, fields) = refusal(&predictions.list_opportunities(ask(asked)).await.unwrap_err());
        assert_eq!((code, fields), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    let unknown = ListOpportunitiesRequest { parent: "accounts/a".to_owned(), ..Default::default() };
    assert_eq!(predictions.list_opportunities(ask(unknown)).await.unwrap_err().code(), Code::NotFound);
}
