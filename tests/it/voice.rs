//! The voice of the customer: what is talked about, who asked for an improvement, and what it did.

mod askers;
mod effect;
mod themes;

use contracts::common::v1::{FreshnessToken, Party};
use contracts::feedback::v1::{
    CreateImprovementRequest, CreateThemeRequest, Feedback, FeedbackKind, FeedbackRow, ImportFeedbackRequest,
    Improvement, ImprovementKind, PlanImprovementRequest, ShipImprovementRequest, Theme, feedback_row,
};
use contracts::interactions::v1::{
    ImportInteractionsRequest, Interaction, InteractionChannel, InteractionsRow, Purpose, interactions_row,
};
use tests::{Suite, ask_as, day};

/// Something that a customer writes, so many days before the start.
fn said(account: &str, id: &str, days_ago: f64, text: &str) -> Interaction {
    Interaction {
        name: format!("accounts/{account}/interactions/{id}"),
        happen_time: day(-days_ago),
        party: Party::Customer.into(),
        channel: InteractionChannel::Email.into(),
        purpose: Purpose::AccountManagement.into(),
        text: text.to_owned(),
        ..Interaction::default()
    }
}

/// A complaint, so many days before the start.
fn complaint(account: &str, id: &str, days_ago: f64, text: &str) -> Feedback {
    Feedback {
        name: format!("accounts/{account}/feedback/{id}"),
        happen_time: day(-days_ago),
        kind: FeedbackKind::Complaint.into(),
        text: text.to_owned(),
        ..Feedback::default()
    }
}

/// Imports interactions. Returns what names them all.
async fn import(suite: &Suite, tenant: &str, interactions: Vec<Interaction>) -> Vec<FreshnessToken> {
    let row = |of| InteractionsRow { resource: Some(interactions_row::Resource::Interaction(of)) };
    let rows: Vec<InteractionsRow> = interactions.into_iter().map(row).collect();
    let batches: Vec<_> =
        rows.chunks(500).map(|rows| ImportInteractionsRequest { rows: rows.to_vec(), ..Default::default() }).collect();
    let ask = ask_as(tenant, tokio_stream::iter(batches));
    let mut answers = suite.interactions().import_interactions(ask).await.unwrap().into_inner();
    let mut tokens = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals[0]);
        tokens.extend(answer.freshness);
    }
    tokens
}

/// Imports feedback. Returns what names it all.
async fn import_feedback(suite: &Suite, tenant: &str, feedback: Vec<Feedback>) -> Vec<FreshnessToken> {
    let row = |of| FeedbackRow { resource: Some(feedback_row::Resource::Feedback(of)) };
    let rows: Vec<FeedbackRow> = feedback.into_iter().map(row).collect();
    let batches: Vec<_> =
        rows.chunks(500).map(|rows| ImportFeedbackRequest { rows: rows.to_vec(), ..Default::default() }).collect();
    let ask = ask_as(tenant, tokio_stream::iter(batches));
    let mut answers = suite.feedback().import_feedback(ask).await.unwrap().into_inner();
    let mut tokens = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals[0]);
        tokens.extend(answer.freshness);
    }
    tokens
}

/// Creates a theme with phrases for every language.
async fn theme(suite: &Suite, tenant: &str, id: &str, phrases: &[&str]) -> FreshnessToken {
    let theme = Theme {
        display_name: id.to_owned(),
        phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
        ..Theme::default()
    };
    let create = CreateThemeRequest { theme_id: id.to_owned(), theme: Some(theme), request_id: String::new() };
    suite.feedback().create_theme(ask_as(tenant, create)).await.unwrap().into_inner().freshness.unwrap()
}

/// Proposes an improvement that answers a theme and pieces of feedback.
async fn propose(suite: &Suite, tenant: &str, id: &str, themes: &[&str], feedback: &[&str]) -> FreshnessToken {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let improvement = Improvement {
        kind: ImprovementKind::Procedure.into(),
        title: id.to_owned(),
        themes: owned(themes),
        feedback: owned(feedback),
        ..Improvement::default()
    };
    let create = CreateImprovementRequest {
        improvement_id: id.to_owned(),
        improvement: Some(improvement),
        request_id: String::new(),
    };
    suite.feedback().create_improvement(ask_as(tenant, create)).await.unwrap().into_inner().freshness.unwrap()
}

/// Plans an improvement and ships it, so many days before the start.
async fn ship(suite: &Suite, tenant: &str, id: &str, days_ago: f64) -> FreshnessToken {
    let name = format!("improvements/{id}");
    let plan = PlanImprovementRequest { name: name.clone(), plan_time: day(-days_ago), ..Default::default() };
    suite.feedback().plan_improvement(ask_as(tenant, plan)).await.unwrap();
    let ship = ShipImprovementRequest { name, ship_time: day(-days_ago), ..Default::default() };
    suite.feedback().ship_improvement(ask_as(tenant, ship)).await.unwrap().into_inner().freshness.unwrap()
}
