//! What the words say by themselves is evidence, unless the analysis abstains or somebody knows better.

use contracts::{
    assessments::v1::*,
    common::v1::{AnalysisOverride, AnalysisSettings, Competitor, Party},
    interactions::v1::*,
};
use tests::{ask_as, day};

use super::{Story, said, trust, value};

const ANGRY: &str = "I am very disappointed and angry: the delivery was terrible, and nobody answers my mails.";
const IN_FINNISH: &str = "Toimitus oli myöhässä ja olen todella vihainen, koska kukaan ei vastaa minulle lainkaan.";

impl Story {
    /// Records what a party wrote.
    async fn write(&mut self, account: &str, id: &str, party: Party, text: &str) -> Interaction {
        let interaction = Interaction {
            happen_time: day(-1.0),
            party: party.into(),
            channel: InteractionChannel::Email.into(),
            purpose: Purpose::Sales.into(),
            text: text.to_owned(),
            ..Interaction::default()
        };
        let request = CreateInteractionRequest {
            parent: format!("accounts/{account}"),
            interaction_id: id.to_owned(),
            interaction: Some(interaction),
            ..Default::default()
        };
        let answer = self.suite.interactions().create_interaction(ask_as(self.tenant, request)).await.unwrap();
        let answer = answer.into_inner();
        self.note(answer.freshness);
        answer.interaction.unwrap()
    }

    /// The points that a signal makes, and the source that makes them.
    async fn points(&self, account: &str, signal: &str) -> Option<(f64, String)> {
        let explained = self.explain(account).await;
        let mut all = explained.facets.into_iter().flat_map(|facet| facet.contributions);
        let found = all.find(|contribution| contribution.signal == signal)?;
        let source = found.sources.first().map(|source| source.source.clone()).unwrap_or_default();
        (found.points != 0.0).then_some((found.points, source))
    }
}

fn rapport(assessment: &Assessment) -> f64 {
    value(&assessment.customer_view.as_ref().unwrap().rapport)
}

#[tokio::test]
async fn an_angry_letter_lowers_rapport_and_trust_and_one_that_is_not_read_does_not() {
    let mut story = Story::begin().await;
    for (account, text) in [("angry", ANGRY), ("finnish", IN_FINNISH), ("silent", "")] {
        story.customer(account).await;
        story.write(account, "letter", Party::Customer, text).await;
    }
    let [angry, finnish, silent] =
        [story.assess("angry").await, story.assess("finnish").await, story.assess("silent").await];
    assert!(rapport(&angry) < rapport(&silent), "{} is not below {}", rapport(&angry), rapport(&silent));
    assert!(trust(&angry) < trust(&silent), "{} is not below {}", trust(&angry), trust(&silent));
    assert_eq!((rapport(&finnish), trust(&finnish)), (rapport(&silent), trust(&silent)), "an abstention says nothing");
    let (points, source) = story.points("angry", "customer_tone").await.unwrap();
    assert!(points < 0.0 && source == "accounts/angry/interactions/letter", "{points} {source}");
    assert!(story.points("finnish", "customer_tone").await.is_none());

    // Somebody knows better.
    let request = OverrideInteractionAnalysisRequest {
        name: source,
        r#override: Some(AnalysisOverride { reason: "quoted from a film".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let answer = story.suite.interactions().override_interaction_analysis(ask_as(story.tenant, request)).await.unwrap();
    story.note(answer.into_inner().freshness);
    let overridden = story.assess("angry").await;
    assert_eq!((rapport(&overridden), trust(&overridden)), (rapport(&silent), trust(&silent)));
    assert_eq!(story.verify().await, 3);
}

#[tokio::test]
async fn each_party_is_known_by_its_own_words() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.write("acme", "letter", Party::Provider, ANGRY).await;
    assert!(story.points("acme", "customer_tone").await.is_none());
    let (points, _) = story.points("acme", "provider_tone").await.unwrap();
    assert!(points < 0.0, "{points}");
}

#[tokio::test]
async fn rivals_and_needs_that_the_customer_speaks_of_are_evidence() {
    let mut story = Story::begin().await;
    let competitors = vec![Competitor { name: "Globex".to_owned(), aliases: vec![] }];
    let settings = Some(AnalysisSettings { competitors, ..AnalysisSettings::default() });
    let request = UpdateAnalysisSettingsRequest { settings, ..Default::default() };
    story.suite.interactions().update_analysis_settings(ask_as(story.tenant, request)).await.unwrap();
    for account in ["rival", "need", "silent"] {
        story.customer(account).await;
    }
    story.write("rival", "letter", Party::Customer, "Globex offered us a better price for the same chairs.").await;
    story.write("need", "letter", Party::Customer, "We need chairs that can be stacked.").await;
    story.write("silent", "letter", Party::Customer, "").await;

    let loyalty = |assessment: &Assessment| value(&assessment.customer_view.as_ref().unwrap().loyalty);
    let worth = |assessment: &Assessment| value(&assessment.customer_view.as_ref().unwrap().value);
    let [rival, need, silent] = [story.assess("rival").await, story.assess("need").await, story.assess("silent").await];
    assert!(loyalty(&rival) < loyalty(&silent), "{} is not below {}", loyalty(&rival), loyalty(&silent));
    assert!(worth(&need) < worth(&silent), "{} is not below {}", worth(&need), worth(&silent));
    let (points, source) = story.points("rival", "rival_mention").await.unwrap();
    assert!(points < 0.0 && source == "accounts/rival/interactions/letter");
    assert!(story.points("need", "need_met").await.unwrap().0 < 0.0);
    assert!(story.points("silent", "rival_mention").await.is_none());

    // The same from the ledger, from the sources, and after a restart.
    assert_eq!(story.verify().await, 3);
    let before = said(story.assess("rival").await);
    story.suite = story.suite.restart().await;
    assert_eq!(said(story.assess("rival").await), before);
}
