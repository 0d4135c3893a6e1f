//! What is talked about: own themes, ranked, and phrases that rise.

use contracts::accounts::v1::{Account, CreateAccountRequest};
use contracts::common::v1::{AnalysisSettings, Emotion, EmotionKind, Money, Party};
use contracts::feedback::v1::{self as feedback, DeleteThemeRequest, FeedbackKind};
use contracts::interactions::v1::{self as interactions, EraseInteractionsRequest, Interaction};
use contracts::orders::v1::{ImportOrdersRequest, Order, OrdersRow, orders_row};
use contracts::predictions::v1::FitPortfolioRequest;
use contracts::voice::v1::*;
use tests::{Suite, TENANT, ask, day, refusal};
use tonic::Code;

use super::{complaint, import, import_feedback, said, theme};
use crate::{
    crash::chance::Chance,
    predictions::{self, assess, fit, portfolio},
    standard::{assert_invalid, assert_not_found},
};

fn own() -> ListThemesRequest {
    ListThemesRequest { origin: ThemeOrigin::Own.into(), ..ListThemesRequest::default() }
}

async fn listed(suite: &Suite, request: ListThemesRequest) -> ListThemesResponse {
    suite.voice().list_themes(ask(request)).await.unwrap().into_inner()
}

fn names(answer: &ListThemesResponse) -> Vec<&str> {
    answer.themes.iter().map(|theme| theme.display_name.as_str()).collect()
}

async fn sources(suite: &Suite, request: ListThemeSourcesRequest) -> ListThemeSourcesResponse {
    suite.voice().list_theme_sources(ask(request)).await.unwrap().into_inner()
}

fn order(account: &str, currency: &str, days_ago: f64, units: i64) -> OrdersRow {
    let order = Order {
        name: format!("accounts/{account}/orders/{days_ago}"),
        place_time: day(-days_ago),
        total: Some(Money { currency_code: currency.to_owned(), units, nanos: 0 }),
        ..Order::default()
    };
    OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
}

/// Has the texts left unread, so that only what is stated is felt.
async fn leave_unread(suite: &Suite) {
    let settings = Some(AnalysisSettings { disabled: true, ..AnalysisSettings::default() });
    let request = interactions::UpdateAnalysisSettingsRequest { settings: settings.clone(), ..Default::default() };
    suite.interactions().update_analysis_settings(ask(request)).await.unwrap();
    let request = feedback::UpdateAnalysisSettingsRequest { settings, ..Default::default() };
    suite.feedback().update_analysis_settings(ask(request)).await.unwrap();
}

/// Four customers and what they said: of deliveries three now and one before; of the price two now, in other words.
async fn speak(suite: &Suite) -> ListThemesRequest {
    leave_unread(suite).await;
    let mut fresh = vec![theme(suite, TENANT, "delivery", &["delivered late"]).await];
    fresh.push(theme(suite, TENANT, "price", &["too expensive"]).await);
    fresh.push(theme(suite, TENANT, "silence", &["nobody answers"]).await);
    let felt = |kind: EmotionKind| vec![Emotion { kind: kind.into(), intensity: 0.5 }];
    let interactions = vec![
        Interaction { sentiment: Some(-0.5), ..said("a", "1", 3.0, "Again it was DELIVERED\n late!") },
        Interaction { emotions: felt(EmotionKind::Anger), ..said("b", "1", 4.0, "All delivered late.") },
        said("b", "2", 5.0, "Delivered late, and it is too expensive too."),
        Interaction { sentiment: Some(0.25), ..said("c", "1", 6.0, "Good, if too expensive.") },
        // Not the customer's words.
        Interaction { party: Party::Provider.into(), ..said("d", "1", 3.0, "Was it delivered late?") },
        said("d", "2", 100.0, "It was delivered late."),
        said("d", "3", 7.0, "Thank you for the flowers."),
        // Before both periods.
        said("c", "2", 200.0, "delivered late"),
    ];
    fresh.extend(import(suite, TENANT, interactions).await);
    let mut stated = complaint("c", "1", 8.0, "I waited for a week.");
    stated.themes = vec!["themes/delivery".to_owned()];
    fresh.extend(import_feedback(suite, TENANT, vec![stated]).await);
    let rows = vec![
        order("a", "EUR", 10.0, 100),
        order("a", "EUR", 400.0, 1_000),
        order("b", "EUR", 20.0, 40),
        order("c", "USD", 30.0, 70),
        order("d", "EUR", 30.0, 5),
    ];
    let batch = ImportOrdersRequest { rows, ..Default::default() };
    let mut answers = suite.orders().import_orders(ask(tokio_stream::iter([batch]))).await.unwrap().into_inner();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals[0]);
        fresh.extend(answer.freshness);
    }
    ListThemesRequest { at_least_as_fresh: fresh, ..own() }
}

fn money(currency: &str, units: i64) -> Money {
    Money { currency_code: currency.to_owned(), units, nanos: 0 }
}

#[tokio::test]
async fn own_themes_are_ranked_by_those_who_speak_of_them() {
    let suite = Suite::start().await;
    let request = speak(&suite).await;
    let answer = listed(&suite, request.clone()).await;
    assert_eq!(names(&answer), ["delivery", "price"], "{answer:?}");
    let delivery = &answer.themes[0];
    assert_eq!((delivery.theme.as_str(), delivery.origin()), ("themes/delivery", ThemeOrigin::Own));
    assert_eq!((delivery.account_count, delivery.account_count_before), (3, 1));
    assert_eq!((delivery.source_count, delivery.source_count_before), (4, 1));
    assert_eq!(delivery.spend, [money("EUR", 140), money("USD", 70)]);
    assert_eq!((delivery.lifetime_value.len(), delivery.expected_spend.len()), (0, 0));
    let feeling = delivery.feeling.as_ref().unwrap();
    assert_eq!(feeling.source_count, 2);
    assert!((feeling.sentiment.unwrap().value - -0.75).abs() < 1e-9, "{feeling:?}");
    let examples: Vec<_> = delivery.examples.iter().map(|it| (it.source.as_str(), it.excerpt.as_str())).collect();
    assert_eq!(
        examples,
        [
            ("accounts/a/interactions/1", "Again it was DELIVERED late!"),
            ("accounts/b/interactions/1", "All delivered late."),
            ("accounts/b/interactions/2", "Delivered late, and it is too expensive too."),
        ]
    );
    assert_eq!((delivery.languages[0].language.as_str(), delivery.languages[0].source_count), ("und", 4));
    // Four texts of four accounts are too few to tell which way it moves.
    assert_eq!(delivery.trend.as_ref().unwrap().direction(), TrendDirection::Unclear);
    let heard = |heard: Option<Heard>| heard.map(|heard| (heard.account_count, heard.source_count, heard.is_bounded));
    assert_eq!(heard(answer.heard), Some((4, 6, false)));
    assert_eq!(heard(answer.heard_before), Some((1, 1, false)));
    assert_eq!((answer.start_time, answer.end_time), (day(-91.0).map(|it| after(it, 1_000)), day(0.0)));

    for (order_by, wanted) in [
        ("account_count", ["price", "delivery"]),
        ("value desc", ["delivery", "price"]),
        ("value asc", ["price", "delivery"]),
        ("feeling desc", ["delivery", "price"]),
        ("feeling", ["price", "delivery"]),
    ] {
        let request = ListThemesRequest { order_by: order_by.to_owned(), ..request.clone() };
        assert_eq!(names(&listed(&suite, request).await), wanted, "{order_by}");
    }
    // What was heard only in the days before is told with nobody who speaks of it now.
    for (days, language, wanted) in [(5, "und", 2), (2, "", 1), (5, "nl", 0), (91, "und", 2)] {
        let language = language.to_owned();
        let answer = listed(&suite, ListThemesRequest { days, language, ..request.clone() }).await;
        assert_eq!(answer.themes.len(), wanted, "{days}: {answer:?}");
    }
    // A hundred days ago only one of them had spoken.
    let then = listed(&suite, ListThemesRequest { as_of: day(-99.0), ..own() }).await;
    assert_eq!((names(&then), then.themes[0].account_count), (vec!["delivery"], 1));
}

fn after(time: prost_types::Timestamp, nanos: i32) -> prost_types::Timestamp {
    prost_types::Timestamp { nanos: time.nanos + nanos, ..time }
}

#[tokio::test]
async fn pages_hold_all_themes_once_and_all_sources_of_each() {
    let suite = Suite::start().await;
    let mut request = ListThemesRequest { page_size: 1, ..speak(&suite).await };
    let mut found = Vec::new();
    loop {
        let page = listed(&suite, request.clone()).await;
        found.extend(page.themes.iter().map(|theme| theme.display_name.clone()));
        // What is said meanwhile does not shift the pages.
        suite.clock.set(suite.clock.now() + 1_000_000);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, ["delivery", "price"]);
    let mut request =
        ListThemeSourcesRequest { theme: "themes/delivery".to_owned(), page_size: 3, ..Default::default() };
    let mut found = Vec::new();
    loop {
        let page = sources(&suite, request.clone()).await;
        assert_eq!(page.total_count, 4);
        found.extend(page.sources.into_iter().map(|source| (source.source, source.is_stated)));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let wanted = [
        ("accounts/a/interactions/1", false),
        ("accounts/b/interactions/1", false),
        ("accounts/b/interactions/2", false),
        ("accounts/c/feedback/1", true),
    ];
    assert_eq!(found, wanted.map(|(name, is_stated)| (name.to_owned(), is_stated)));
    let flowers = ListThemeSourcesRequest { phrase: "flowers".to_owned(), ..Default::default() };
    let found = sources(&suite, flowers).await.sources;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].source.as_str(), found[0].excerpt.as_str()),
        ("accounts/d/interactions/3", "Thank you for the flowers.")
    );
}

#[tokio::test]
async fn erased_words_are_heard_no_more() {
    let suite = Suite::start().await;
    let request = speak(&suite).await;
    assert_eq!(listed(&suite, request.clone()).await.themes[0].account_count, 3);
    let erase = EraseInteractionsRequest { parent: "accounts/b".to_owned(), ..Default::default() };
    let erased = suite.interactions().erase_interactions(ask(erase)).await.unwrap().into_inner().freshness;
    let answer = listed(&suite, ListThemesRequest { at_least_as_fresh: erased.into_iter().collect(), ..own() }).await;
    let counts: Vec<_> =
        answer.themes.iter().map(|it| (it.display_name.as_str(), it.account_count, it.source_count)).collect();
    assert_eq!(counts, [("delivery", 2, 2), ("price", 1, 1)]);
    assert!(!format!("{answer:?}").contains("All delivered late"));
    let delivery = ListThemeSourcesRequest { theme: "themes/delivery".to_owned(), ..Default::default() };
    assert!(sources(&suite, delivery.clone()).await.sources.iter().all(|source| !source.source.contains("/b/")));

    // And a theme that was deleted is none.
    let delete = DeleteThemeRequest { name: "themes/delivery".to_owned(), ..Default::default() };
    let deleted = suite.feedback().delete_theme(ask(delete)).await.unwrap().into_inner().freshness;
    let answer = listed(&suite, ListThemesRequest { at_least_as_fresh: deleted.into_iter().collect(), ..own() }).await;
    assert_eq!(names(&answer), ["price"]);
    assert_not_found(suite.voice().list_theme_sources(ask(delivery)).await);
}

/// What small talk is about.
const WORDS: [&str; 24] = [
    "invoice",
    "colour",
    "warehouse",
    "garden",
    "meeting",
    "catalogue",
    "window",
    "sample",
    "holiday",
    "contract",
    "ladder",
    "engine",
    "carton",
    "printer",
    "button",
    "account",
    "harbour",
    "receipt",
    "screen",
    "paper",
    "bicycle",
    "carpet",
    "kitchen",
    "lamp",
];

/// What customers say when nothing is new: each so many texts in each half year, of words drawn evenly.
fn small_talk(accounts: u64, seed: u64) -> Vec<Interaction> {
    let mut chance = Chance::of(seed);
    let mut said_by_all = Vec::new();
    for account in 0..accounts {
        for number in 0..8_u64 {
            let mut word = || WORDS[chance.below(WORDS.len() as u64) as usize];
            let text = format!("about the {} and the {} near the {}", word(), word(), word());
            let days_ago = number as f64 * 22.5 + chance.below(22) as f64 + 0.5;
            said_by_all.push(said(&format!("c-{account:03}"), &number.to_string(), days_ago, &text));
        }
    }
    said_by_all
}

#[tokio::test]
async fn a_phrase_that_rises_is_discovered_and_none_where_nothing_does() {
    let suite = Suite::start().await;
    let discovered =
        ListThemesRequest { origin: ThemeOrigin::Discovered.into(), page_size: 1_000, ..Default::default() };
    let steady = import(&suite, TENANT, small_talk(60, 5)).await;
    let answer = listed(&suite, ListThemesRequest { at_least_as_fresh: steady, ..discovered.clone() }).await;
    assert_eq!(names(&answer), Vec::<&str>::new(), "{}", answer.summary);

    let news = (0..60_usize).map(|number| {
        let [one, other] = [number * 7, number * 5 + 3].map(|at| WORDS[at % WORDS.len()]);
        let text = match number % 10 {
            0 | 3 | 6 => format!("about the parking permit and the {one} near the {other}"),
            _ => format!("about the {other} and the {one} near the {one}"),
        };
        Interaction { sentiment: Some(-0.5), ..said(&format!("c-{number:03}"), "new", 10.0, &text) }
    });
    let fresh = import(&suite, TENANT, news.collect()).await;
    let answer = listed(&suite, ListThemesRequest { at_least_as_fresh: fresh, ..discovered.clone() }).await;
    let permit = answer.themes.iter().find(|theme| theme.display_name.contains("parking permit"));
    let permit = permit.unwrap_or_else(|| panic!("{:?}", names(&answer)));
    assert_eq!((permit.origin(), permit.theme.as_str(), permit.language.as_str()), (ThemeOrigin::Discovered, "", "en"));
    assert_eq!((permit.account_count, permit.account_count_before), (18, 0));
    let trend = permit.trend.as_ref().unwrap();
    assert_eq!(trend.direction(), TrendDirection::Up);
    assert!(trend.ratio.unwrap().low > 1.0 && trend.q_value.unwrap() < 0.1, "{trend:?}");
    assert!(permit.examples.iter().all(|example| example.excerpt.contains("parking permit")));
    let found = ListThemeSourcesRequest { phrase: permit.display_name.clone(), ..Default::default() };
    assert_eq!(sources(&suite, found).await.total_count, 18);

    // Once it is a theme of their own it is not discovered any more.
    let own = theme(&suite, TENANT, "parking", &["parking permit"]).await;
    let answer = listed(&suite, ListThemesRequest { at_least_as_fresh: vec![own], ..discovered }).await;
    assert!(!names(&answer).iter().any(|name| name.contains("parking permit")), "{:?}", names(&answer));
    let both = listed(&suite, ListThemesRequest::default()).await;
    assert_eq!((both.themes[0].display_name.as_str(), both.themes[0].account_count), ("parking", 18));
}

#[tokio::test]
async fn what_one_segment_speaks_of_more_than_others_stands_out() {
    let suite = Suite::start().await;
    for number in 0..60 {
        let account = Account {
            display_name: "c".to_owned(),
            currency_code: "EUR".to_owned(),
            segment: if number % 3 == 0 { "retail" } else { "trade" }.to_owned(),
            ..Account::default()
        };
        let account_id = format!("c-{number:03}");
        let create = CreateAccountRequest { account_id, account: Some(account), ..Default::default() };
        suite.accounts().create_account(ask(create)).await.unwrap();
    }
    let mut said_by_all = small_talk(60, 9);
    for (number, interaction) in said_by_all.iter_mut().enumerate() {
        // Each says eight things, the second of them a month ago.
        if number % 24 == 1 {
            let rest = interaction.text.split(" and ").nth(1).unwrap_or_default();
            interaction.text = format!("about the gift wrapping and {rest}");
        }
    }
    let at_least_as_fresh = import(&suite, TENANT, said_by_all).await;
    let request = ListThemesRequest {
        origin: ThemeOrigin::Discovered.into(),
        segment: Some("retail".to_owned()),
        at_least_as_fresh,
        ..ListThemesRequest::default()
    };
    let answer = listed(&suite, request.clone()).await;
    let wrapping = answer.themes.iter().find(|theme| theme.display_name.contains("gift wrapping"));
    let wrapping = wrapping.unwrap_or_else(|| panic!("{:?}", names(&answer)));
    assert_eq!((wrapping.account_count, wrapping.account_count_before), (20, 0));
    let heard = [answer.heard.unwrap(), answer.heard_before.unwrap()];
    assert_eq!(heard.map(|heard| heard.account_count), [20, 40]);
    let trade = ListThemesRequest { segment: Some("trade".to_owned()), ..request };
    let answer = listed(&suite, trade).await;
    assert!(!names(&answer).iter().any(|name| name.contains("gift wrapping")), "{:?}", names(&answer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_fit_it_is_told_what_those_who_speak_will_be_worth() {
    let suite = Suite::start().await;
    let customers = portfolio(200, 3);
    let mut fresh = predictions::import(&suite, &customers).await;
    fresh.push(theme(&suite, TENANT, "speed", &["too slow"]).await);
    let speakers: Vec<&str> = customers.iter().take(5).map(|customer| customer.id.as_str()).collect();
    let all = speakers.iter().map(|account| said(account, "1", 1.0, "It is too slow."));
    fresh.extend(import(&suite, TENANT, all.collect()).await);
    let request = ListThemesRequest { horizon_days: Some(91), at_least_as_fresh: fresh, ..own() };
    let without = listed(&suite, request.clone()).await;
    assert_eq!((without.fit.as_str(), without.themes[0].lifetime_value.len()), ("", 0));

    let fit = fit(&suite, FitPortfolioRequest::default()).await;
    let answer = listed(&suite, request).await;
    assert_eq!(answer.fit, fit.name);
    let (mut spend, mut worth) = (0.0, 0.0);
    for account in speakers {
        let prediction = assess(&suite, account, 91).await.prediction.unwrap();
        spend += prediction.spend.unwrap().value;
        worth += prediction.lifetime_value.unwrap().value;
    }
    let amount = |amounts: &[Money]| match amounts {
        [only] if only.currency_code == "EUR" => only.units as f64 + f64::from(only.nanos) / 1e9,
        other => panic!("{other:?}"),
    };
    let speed = &answer.themes[0];
    assert!((amount(&speed.expected_spend) - spend).abs() < 1e-6, "{spend}: {speed:?}");
    assert!((amount(&speed.lifetime_value) - worth).abs() < 1e-6 && worth > 0.0, "{worth}: {speed:?}");
}

#[tokio::test]
async fn compliments_and_other_feedback_are_heard_too() {
    let suite = Suite::start().await;
    let mut fresh = vec![theme(&suite, TENANT, "kindness", &["so kind"]).await];
    let mut compliment = complaint("a", "1", 1.0, "You were so kind.");
    compliment.kind = FeedbackKind::Compliment.into();
    fresh.extend(import_feedback(&suite, TENANT, vec![compliment]).await);
    let answer = listed(&suite, ListThemesRequest { at_least_as_fresh: fresh, ..own() }).await;
    assert_eq!(names(&answer), ["kindness"]);
    assert_eq!(answer.themes[0].spend, []);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_every_field_at_fault() {
    let suite = Suite::start().await;
    let wrong = ListThemesRequest {
        days: 731,
        as_of: day(-40_000.0),
        language: "Dutch".to_owned(),
        origin: 9,
        page_size: -1,
        horizon_days: Some(0),
        ..Default::default()
    };
    let fields = ["days", "language", "as_of", "origin", "page_size", "horizon_days", "horizon_days"];
    assert_invalid(suite.voice().list_themes(ask(wrong)).await, &fields);
    let wrong = ListThemesRequest { order_by: "fame".to_owned(), ..Default::default() };
    let status = suite.voice().list_themes(ask(wrong)).await.unwrap_err();
    let (code, reason, fields) = refusal(&status);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "ERROR_REASON_FILTER_INVALID"));
    assert_eq!(fields, ["order_by"]);
    let ask_sources = async |theme: &str, phrase: &str, days: i32| {
        let request =
            ListThemeSourcesRequest { theme: theme.to_owned(), phrase: phrase.to_owned(), days, ..Default::default() };
        suite.voice().list_theme_sources(ask(request)).await
    };
    assert_invalid(ask_sources("", "", -1).await, &["days", "theme"]);
    assert_invalid(ask_sources("themes/a", "b", 0).await, &["phrase"]);
    assert_invalid(ask_sources("a", "", 0).await, &["theme"]);
    assert_invalid(ask_sources("", &"p".repeat(129), 0).await, &["phrase"]);
    assert_not_found(ask_sources("themes/nobody", "", 0).await);
    let token = ListThemesRequest { page_token: "none".to_owned(), ..Default::default() };
    let (_, reason, _) = refusal(&suite.voice().list_themes(ask(token)).await.unwrap_err());
    assert_eq!(reason, "ERROR_REASON_PAGE_TOKEN_INVALID");
}
