//! Lists of assessments, filtered, ordered and in pages; the portfolio.

use contracts::assessments::v1::*;
use tests::ask_as;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::Story;
use crate::standard::assert_refused;

/// Accounts whose deliveries came later and later, and two of which nothing is known.
async fn portfolio() -> Story {
    let mut story = Story::begin().await;
    for (index, account) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        story.customer(account).await;
        let order = story.order(account, "o_1", -40.0).await;
        story.deliver(&order, -38.0 + 3.0 * index as f64).await;
    }
    for account in ["x", "y"] {
        story.customer(account).await;
    }
    story
}

fn trust_of(assessment: &Assessment) -> f64 {
    super::trust(assessment)
}

fn names(assessments: &[Assessment]) -> Vec<&str> {
    let id = |assessment| {
        let assessment: &Assessment = assessment;
        assessment.name.trim_start_matches("accounts/").trim_end_matches("/assessment")
    };
    assessments.iter().map(id).collect()
}

/// Reads all pages.
async fn all_pages(story: &Story, request: ListAssessmentsRequest) -> Vec<Assessment> {
    let mut read = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = story.list(ListAssessmentsRequest { page_token, ..request.clone() }).await.unwrap();
        assert!(page.assessments.len() <= request.page_size as usize);
        read.extend(page.assessments);
        if page.next_page_token.is_empty() {
            return read;
        }
        page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_whatever_they_are_ordered_by() {
    let story = portfolio().await;
    for page_size in [1, 2, 3, 7] {
        let list = |order_by: &str| ListAssessmentsRequest {
            page_size,
            order_by: order_by.to_owned(),
            ..ListAssessmentsRequest::default()
        };
        let by_account = all_pages(&story, list("")).await;
        assert_eq!(names(&by_account), ["a", "b", "c", "d", "e", "x", "y"]);
        let falling = all_pages(&story, list("customer_trust desc")).await;
        assert!(falling.is_sorted_by(|one, next| trust_of(one) >= trust_of(next)));
        let rising = all_pages(&story, list("customer_trust")).await;
        assert!(rising.is_sorted_by(|one, next| trust_of(one) <= trust_of(next)));
        // Equal ones are ordered by account.
        let confidence = all_pages(&story, list("confidence")).await;
        assert_eq!(names(&confidence)[..2], ["x", "y"]);
        // Stages go from awareness on; within one, by account.
        let stages = all_pages(&story, list("stage")).await;
        assert_eq!(names(&stages), ["x", "y", "a", "b", "c", "d", "e"]);
        assert!(stages.is_sorted_by_key(Assessment::stage));
        let stages_falling = all_pages(&story, list("stage desc")).await;
        assert_eq!(names(&stages_falling), ["a", "b", "c", "d", "e", "x", "y"]);
        for mut read in [falling, rising, confidence, stages, stages_falling] {
            read.sort_by(|one, other| one.name.cmp(&other.name));
            assert_eq!(read, by_account);
        }
    }
    let page = story.list(ListAssessmentsRequest::default()).await.unwrap();
    assert_eq!((page.assessments.len(), page.next_page_token.as_str()), (7, ""));
}

#[tokio::test]
async fn what_passes_the_filter_is_listed_as_it_passed() {
    let story = portfolio().await;
    let filtered = async |filter: &str| {
        let request = ListAssessmentsRequest { filter: filter.to_owned(), ..ListAssessmentsRequest::default() };
        story.list(request).await.unwrap().assessments
    };
    let all = filtered("").await;
    let middle = trust_of(&all[2]);
    let below = filtered(&format!("customer_trust < {middle}")).await;
    assert_eq!(names(&below), ["d", "e"]);
    let at_least = filtered(&format!("customer_trust >= {middle} and confidence > 0")).await;
    assert_eq!(names(&at_least), ["a", "b", "c"]);
    assert_eq!(names(&filtered(&format!("customer_trust = {middle}")).await), ["c"]);
    assert_eq!(names(&filtered(r#"stage = "awareness""#).await), ["x", "y"]);
    let explored = filtered(r#"stage != "Awareness" AND customer_trust_velocity <= 100"#).await;
    assert_eq!(names(&explored), ["a", "b", "c", "d", "e"]);
    assert_eq!(filtered("bond > 100").await, []);

    // Standings are not renewed while nothing happens; what is listed by them is assessed at their time.
    story.on_day(60.0);
    let later = filtered(&format!("customer_trust = {middle}")).await;
    assert_eq!((names(&later), trust_of(&later[0])), (vec!["c"], middle));
    assert_eq!(later[0].assess_time, tests::day(0.0));
    let now = filtered("").await;
    assert_eq!(now[0].assess_time, tests::day(60.0));
    assert_ne!(trust_of(&now[2]), middle);
}

#[tokio::test]
async fn mistakes_in_filter_and_order_are_located() {
    let story = Story::begin().await;
    let refused = async |filter: &str, order_by: &str| -> (Status, String) {
        let request = ListAssessmentsRequest {
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
            ..ListAssessmentsRequest::default()
        };
        let status = story.list(request).await.unwrap_err();
        let position = status.get_details_error_info().unwrap().metadata.remove("position");
        (status, position.unwrap_or_default())
    };
    for (filter, expected) in [("bonds < 4", "0"), ("bond < 4 or gap > 1", "9"), ("bond < high", "7"), ("é", "0")] {
        let (status, position) = refused(filter, "").await;
        assert_eq!(position, expected, "{filter}");
        assert_refused::<()>(Err(status), Code::InvalidArgument, "FILTER_INVALID", &["filter"]);
    }
    for order_by in ["stages", "bond down", "bond, gap", "account"] {
        let (status, position) = refused("", order_by).await;
        assert_eq!(position, "0");
        assert_refused::<()>(Err(status), Code::InvalidArgument, "FILTER_INVALID", &["order_by"]);
    }
}

#[tokio::test]
async fn a_page_token_belongs_to_its_list() {
    let story = portfolio().await;
    let first = ListAssessmentsRequest { page_size: 2, ..ListAssessmentsRequest::default() };
    let page_token = story.list(first.clone()).await.unwrap().next_page_token;
    let next = ListAssessmentsRequest { page_token, ..first };
    for other in [
        ListAssessmentsRequest { filter: "bond > 1".to_owned(), ..next.clone() },
        ListAssessmentsRequest { order_by: "bond".to_owned(), ..next.clone() },
        ListAssessmentsRequest { as_of: tests::day(-1.0), ..next.clone() },
        ListAssessmentsRequest { page_token: "nonsense".to_owned(), ..next.clone() },
    ] {
        assert_refused(story.list(other).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
    }
    let mut client = story.client();
    let stranger = client.list_assessments(ask_as("stranger", next.clone())).await;
    assert_refused(stranger, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
    let larger = ListAssessmentsRequest { page_size: 3, ..next };
    assert_eq!(names(&story.list(larger).await.unwrap().assessments), ["c", "d", "e"], "the size may change");
}

#[tokio::test]
async fn a_portfolio_is_counted() {
    let story = portfolio().await;
    let request = GetPortfolioRequest { at_least_as_fresh: story.written.clone(), ..Default::default() };
    let portfolio = story.client().get_portfolio(tests::ask(request)).await.unwrap().into_inner();
    assert_eq!(portfolio.account_count, 7);
    let stages: Vec<(Stage, i64)> =
        portfolio.stages.iter().map(|counted| (counted.stage(), counted.account_count)).collect();
    let expected =
        [Stage::Awareness, Stage::Exploration, Stage::Expansion, Stage::Commitment, Stage::Dissolution].into_iter();
    assert_eq!(stages, expected.zip([2, 5, 0, 0, 0]).collect::<Vec<_>>());

    let all = story.list(ListAssessmentsRequest::default()).await.unwrap().assessments;
    assert_counted(&portfolio.bonds, (0.0, 10.0), all.iter().map(|one| one.bond.unwrap().value).collect());
    assert_counted(&portfolio.gaps, (-100.0, 20.0), all.iter().map(|one| one.gap).collect());
}

fn assert_counted(bins: &[Bin], (low, width): (f64, f64), values: Vec<f64>) {
    assert_eq!(bins.len(), 10);
    for (index, bin) in bins.iter().enumerate() {
        let low = low + width * index as f64;
        assert_eq!((bin.low, bin.high), (low, low + width));
        let inside = values.iter().filter(|value| (low..low + width).contains(value)).count();
        assert_eq!(bin.account_count, inside as i64, "{bin:?}");
    }
}
