//! What it comes to is told in the language that the call asks for, of the same figures.

use contracts::assessments::v1::*;
use contracts::common::v1::Party;
use contracts::predictions::v1::ListOpportunitiesRequest;
use tests::{ask_as, day};
use tonic::{Request, Response};

use super::{Story, assessment, of};

const LANGUAGES: [&str; 4] = ["en", "hu", "nl", "pt"];

/// The same request, asking for a language.
fn asking<T>(story: &Story, message: T, language: &str) -> Request<T> {
    let mut request = ask_as(story.tenant, message);
    request.metadata_mut().insert("accept-language", language.parse().unwrap());
    request
}

fn language<T>(answer: &Response<T>) -> &str {
    answer.metadata().get("content-language").unwrap().to_str().unwrap()
}

/// The digits of each figure in a text, sorted: the same in every language that has the same figures.
fn figures(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !(letter.is_ascii_digit() || ",.\u{a0}".contains(letter)));
    let digits = parts.map(|part| part.chars().filter(char::is_ascii_digit).collect::<String>());
    let mut found: Vec<String> = digits.filter(|digits| !digits.is_empty()).collect();
    found.sort();
    found
}

fn assert_same_figures(told: &[Vec<String>]) {
    for other in &told[1..] {
        assert_eq!(told[0].len(), other.len(), "{:#?}\n{other:#?}", told[0]);
        for (one, other) in told[0].iter().zip(other) {
            assert_eq!(figures(one), figures(other), "{one}\n{other}");
            assert!(one != other && !other.contains(['{', '}', '$']), "{other}");
        }
    }
}

/// Orders, one of them late and worth much, a complaint and a call.
async fn story() -> Story {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    for (id, days) in [("first", -60.0), ("second", -30.0)] {
        let order = story.order("acme", id, days).await;
        story.deliver(&order, days + 1.0).await;
    }
    let late = story.order("acme", "late", -20.0).await;
    story.deliver(&late, -8.0).await;
    story.say("acme", "call", Party::Customer, -7.0).await;
    story.complain("acme", "complaint", -6.0).await;
    story
}

async fn get(story: &Story, language: &str) -> Response<GetAssessmentResponse> {
    let request = GetAssessmentRequest { at_least_as_fresh: story.written.clone(), ..of("acme") };
    story.client().get_assessment(asking(story, request, language)).await.unwrap()
}

#[tokio::test]
async fn an_assessment_is_told_in_four_languages_with_the_same_figures() {
    let story = story().await;
    let mut told = Vec::new();
    for code in LANGUAGES {
        let answer = get(&story, code).await;
        assert_eq!(language(&answer), code);
        let assessment = answer.into_inner().assessment.unwrap();
        let bond = assessment.bond.unwrap().value;
        assert!(figures(&assessment.summary[0]).contains(&format!("{bond:.0}")), "{:?}", assessment.summary);
        told.push(assessment.summary);
    }
    assert_same_figures(&told);
    let has = |told: &[String], words: &str| assert!(told.iter().any(|told| told == words), "{words}\n{told:#?}");
    has(&told[0], "There were 3 orders, the first on November 6, 2025, the last on December 16, 2025.");
    has(&told[1], "3 rendelés érkezett; az első: 2025. november 6., az utolsó: 2025. december 16.");
    has(&told[2], "Wat het tot nu toe heeft opgeleverd: EUR\u{a0}150,00 uitgegeven door de klant.");
    has(&told[3], "O que resultou até agora: EUR\u{a0}150,00 gastos pelo cliente.");

    // Several, and a page of a list, are told as one is.
    let request = BatchGetAssessmentsRequest { names: vec![assessment("acme")], ..Default::default() };
    let several = story.client().batch_get_assessments(asking(&story, request, "hu")).await.unwrap().into_inner();
    assert_eq!(several.assessments[0].summary, told[1]);
    let page = story.client().list_assessments(asking(&story, ListAssessmentsRequest::default(), "nl")).await;
    assert_eq!(page.unwrap().into_inner().assessments[0].summary, told[2]);
}

#[tokio::test]
async fn who_names_no_language_gets_the_same_figures_and_no_summary_but_where_there_was_one() {
    let story = story().await;
    let request = GetAssessmentRequest { at_least_as_fresh: story.written.clone(), ..of("acme") };
    let answer = story.client().get_assessment(ask_as(story.tenant, request)).await.unwrap();
    assert_eq!(language(&answer), "en");
    let plain = answer.into_inner().assessment.unwrap();
    assert!(plain.summary.is_empty());
    let told = get(&story, "pt").await.into_inner().assessment.unwrap();
    assert_eq!(plain, Assessment { summary: vec![], ..told });
    let explained = story.explain("acme").await;
    assert!(explained.summary[0].starts_with("The bond is "), "{:?}", explained.summary);
    assert_eq!(explained.summary, get(&story, "en").await.into_inner().assessment.unwrap().summary);
}

#[tokio::test]
async fn the_language_is_negotiated() {
    let story = story().await;
    for (asked, answered) in [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("de, hu;q=0.4, nl;q=0.7", "nl"),
        ("fr", "en"),
        ("*", "en"),
        ("en;q=0, *;q=0.1", "hu"),
        (";;q=,", "en"),
    ] {
        let answer = get(&story, asked).await;
        assert_eq!(language(&answer), answered, "{asked}");
        assert!(!answer.into_inner().assessment.unwrap().summary.is_empty());
    }
}

#[tokio::test]
async fn the_reasons_that_are_told_are_those_of_the_explanation() {
    let story = story().await;
    let mut all = Vec::new();
    for code in LANGUAGES {
        let request = ExplainAssessmentRequest {
            name: assessment("acme"),
            by_source: true,
            at_least_as_fresh: story.written.clone(),
            ..ExplainAssessmentRequest::default()
        };
        let answer = story.client().explain_assessment(asking(&story, request, code)).await.unwrap();
        assert_eq!(language(&answer), code);
        let explained = answer.into_inner();
        let mut weights: Vec<(f64, &SignalContribution)> = explained
            .facets
            .iter()
            .flat_map(|facet| facet.contributions.iter().map(|told| (facet.bond_share * told.points, told)))
            .collect();
        weights.sort_by(|(one, _), (other, _)| other.abs().total_cmp(&one.abs()));
        let reasons = &explained.summary[explained.summary.len() - 5..];
        for (reason, (bond_points, told)) in reasons.iter().zip(weights) {
            assert!(reason.to_lowercase().starts_with(&told.meaning.to_lowercase()), "{reason}: {}", told.meaning);
            for points in [told.points, bond_points] {
                let mark = if code == "en" { "." } else { "," };
                let points = format!("{points:+.1}").replace('.', mark).replace("-0,0", "+0,0");
                assert!(reason.contains(&points), "{reason}: {points}");
            }
        }
        all.push(explained.summary);
    }
    assert_same_figures(&all);
}

#[tokio::test]
async fn a_comparison_a_simulation_and_opportunities_are_told_in_four_languages() {
    let story = story().await;
    let (mut compared, mut simulated, mut advised) = (Vec::new(), Vec::new(), Vec::new());
    for code in LANGUAGES {
        let request = CompareAssessmentsRequest {
            name: assessment("acme"),
            as_of: day(-25.0),
            at_least_as_fresh: story.written.clone(),
            ..CompareAssessmentsRequest::default()
        };
        let answer = story.client().compare_assessments(asking(&story, request, code)).await.unwrap();
        assert_eq!(language(&answer), code);
        let answer = answer.into_inner();
        // Each source that is named is one of the terms.
        for sentence in answer.summary.iter().filter(|told| told.contains("accounts/acme/")) {
            assert!(answer.terms.iter().any(|term| !term.source.is_empty() && sentence.contains(&term.source)));
        }
        compared.push(answer.summary);

        let supposition = Supposition { signal: "conflict".to_owned(), value: Some(-1.0), ..Supposition::default() };
        let request = SimulateAssessmentRequest {
            name: assessment("acme"),
            suppositions: vec![supposition],
            ..SimulateAssessmentRequest::default()
        };
        let answer = story.client().simulate_assessment(asking(&story, request, code)).await.unwrap();
        assert_eq!(language(&answer), code);
        simulated.push(answer.into_inner().summary);

        let request = ListOpportunitiesRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
        let answer = story.suite.predictions().list_opportunities(asking(&story, request, code)).await.unwrap();
        assert_eq!(language(&answer), code);
        let answer = answer.into_inner();
        let settle = answer.opportunities.iter().find(|told| told.lever == "settle_conflict").unwrap();
        assert!(settle.summary.last().unwrap().contains(&settle.sources[0]), "{:?}", settle.summary);
        advised.push([vec![answer.summary, settle.text.clone()], settle.summary.clone()].concat());
    }
    assert_same_figures(&compared);
    assert_same_figures(&simulated);
    assert_same_figures(&advised);
    assert_eq!(advised[2][1], "het geschil naar tevredenheid van de klant oplossen: 1 geschil is open");
    assert!(simulated[1][0].starts_with("A kötelék erőssége ") && simulated[1][0].contains(" ponttal csökkenne ("));
    let withheld = ListOpportunitiesRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let withheld = story.suite.predictions().list_opportunities(ask_as(story.tenant, withheld)).await.unwrap();
    assert!(withheld.into_inner().opportunities.iter().all(|told| told.summary.is_empty() && !told.text.is_empty()));
}

#[tokio::test]
async fn what_will_be_is_told_too() {
    let story = story().await;
    let mut told = Vec::new();
    for code in LANGUAGES {
        let request =
            GetAssessmentRequest { horizon_days: Some(91), at_least_as_fresh: story.written.clone(), ..of("acme") };
        let answer = story.client().get_assessment(asking(&story, request, code)).await.unwrap();
        told.push(answer.into_inner().assessment.unwrap().summary);
    }
    assert_same_figures(&told);
    let no_fit = "What it will order is not predicted: nothing has been learned of the portfolio yet.";
    assert!(told[0].iter().any(|told| told == no_fit), "{:#?}", told[0]);
}

#[tokio::test]
async fn a_watcher_is_told_in_its_language() {
    let mut story = story().await;
    // All that was written is known before anybody watches.
    story.assess("acme").await;
    let mut watchers = Vec::new();
    for code in LANGUAGES {
        // No deadline: it lasts as long as the stream is read.
        let mut request = Request::new(WatchAssessmentsRequest::default());
        request.metadata_mut().insert("rapport-tenant", story.tenant.parse().unwrap());
        request.metadata_mut().insert("accept-language", code.parse().unwrap());
        let answer = story.client().watch_assessments(request).await.unwrap();
        assert_eq!(language(&answer), code);
        let mut watcher = answer.into_inner();
        assert_eq!(watcher.message().await.unwrap().unwrap().assessment, None);
        watchers.push(watcher);
    }
    story.complain("acme", "again", -1.0).await;
    let mut told = Vec::new();
    for watcher in &mut watchers {
        let message = loop {
            let message = watcher.message().await.unwrap().unwrap();
            if message.assessment.is_some() {
                break message;
            }
        };
        assert!(message.summary.last().unwrap().ends_with(": accounts/acme/feedback/again."), "{:?}", message.summary);
        told.push(message.summary);
    }
    assert_same_figures(&told);
    assert!(told[2].last().unwrap().starts_with("Het komt door iets nieuws"), "{:?}", told[2]);
}
