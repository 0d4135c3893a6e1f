//! Every field of every resource is used: a change of it changes what the source says, or it stands here as one that
//! rightly says nothing.

use std::collections::BTreeSet;

use contracts::accounts::v1::{Account, AccountState, Closure, Contact, Milestone};
use contracts::common::v1::{
    Abstention, AnalysisOverride, Emotion, EmotionKind, Party, PerceivedEmotion, Stance, TextAnalysis, TextSpan,
    TextSpanKind,
};
use contracts::feedback::v1::{About, Feedback, FeedbackKind, Scale, Subject};
use contracts::interactions::v1::{
    Commitment, CommitmentState, CompetitorOffer, CounterOffer, Interaction, InteractionChannel, OfferOutcome, Purpose,
};
use prost::Message;
use prost_types::{Duration, FileDescriptorSet};

use super::{Source, day};

/// What every resource has and no relationship depends on. `create_time` counts where nothing better is known.
pub(super) const OF_THE_RECORD: [&str; 4] = ["name", "update_time", "etag", "version"];

/// A field of a resource, and a change of it.
type Change<T> = (&'static str, fn(&mut T));

/// Makes each change on its own and demands that the source then says something else. Returns the fields' names.
pub(super) fn changed<T: Clone + Into<Source>>(base: &T, changes: &[Change<T>]) -> BTreeSet<&'static str> {
    let said = |resource: T| {
        let source: Source = resource.into();
        let referral = source.referral().map(|(referrer, at)| (referrer.to_owned(), at));
        (source.facts(), source.moments(), referral)
    };
    for (field, change) in changes {
        let mut other = base.clone();
        change(&mut other);
        assert_ne!(said(other), said(base.clone()), "a change of {field} says nothing");
    }
    changes.iter().map(|(field, _)| *field).collect()
}

/// Demands that these fields, and those that say nothing, are all that the contract gives the message.
pub(super) fn assert_all(message: &str, used: BTreeSet<&'static str>, silent: &[&'static str]) {
    let set = FileDescriptorSet::decode(contracts::DESCRIPTOR_SET).unwrap();
    let all = set.file.iter().flat_map(|file| &file.message_type);
    let found = all.clone().find(|found| found.name() == message).unwrap_or_else(|| panic!("no message {message}"));
    let fields: BTreeSet<&str> = found.field.iter().map(|field| field.name()).collect();
    let known: BTreeSet<&str> = used.into_iter().chain(silent.iter().copied()).collect();
    assert_eq!(fields, known, "{message}");
}

#[test]
fn of_an_account() {
    let closure = Closure { close_time: day(50), party: Party::Customer.into(), reason: "too dear".to_owned() };
    let base = Account { create_time: day(9), open_time: day(10), closure: Some(closure), ..Account::default() };
    let used = changed(
        &base,
        &[
            ("create_time", |account| account.create_time = day(8)),
            ("delete_time", |account| account.delete_time = day(60)),
            ("open_time", |account| account.open_time = day(11)),
            ("referred_by", |account| account.referred_by = "accounts/friend".to_owned()),
            ("state", |account| account.state = AccountState::Erased.into()),
            ("closure", |account| account.closure = None),
            ("merged_into", |account| account.merged_into = "accounts/other".to_owned()),
        ],
    );
    let described = ["display_name", "currency_code", "region_code", "segment"];
    assert_all("Account", used, &[OF_THE_RECORD.as_slice(), &described].concat());
    let used = changed(
        &base,
        &[
            ("close_time", |account| account.closure.as_mut().unwrap().close_time = day(51)),
            ("party", |account| account.closure.as_mut().unwrap().party = Party::Provider.into()),
            ("reason", |account| account.closure.as_mut().unwrap().reason = "moved".to_owned()),
        ],
    );
    assert_all("Closure", used, &[]);
}

#[test]
fn of_a_contact_and_a_milestone() {
    let base = Contact { create_time: day(1), ..Contact::default() };
    let used = changed(
        &base,
        &[
            ("create_time", |contact| contact.create_time = day(2)),
            ("delete_time", |contact| contact.delete_time = day(2)),
            ("role", |contact| contact.role = "purchasing".to_owned()),
            ("met_time", |contact| contact.met_time = day(3)),
            ("leave_time", |contact| contact.leave_time = day(4)),
        ],
    );
    // Who the person is does not matter to how many take part, nor does whether the data were erased.
    let personal = ["display_name", "email", "phone", "language_code", "erase_time"];
    assert_all("Contact", used, &[OF_THE_RECORD.as_slice(), &personal].concat());

    let base = Milestone {
        create_time: day(1),
        party: Party::Provider.into(),
        due_time: day(5),
        waive_time: day(9),
        ..Milestone::default()
    };
    let used = changed(
        &base,
        &[
            ("create_time", |step| step.create_time = day(2)),
            ("delete_time", |step| step.delete_time = day(2)),
            ("title", |step| step.title = "first login".to_owned()),
            ("party", |step| step.party = Party::Customer.into()),
            ("complete_time", |step| step.complete_time = day(6)),
            ("waive_time", |step| step.waive_time = None),
        ],
    );
    let open = Milestone { waive_time: None, ..base };
    let due = changed(&open, &[("due_time", |step| step.due_time = day(6))]);
    // The state follows from the times.
    assert_all("Milestone", &used | &due, &[OF_THE_RECORD.as_slice(), &["state"]].concat());
}

#[test]
fn of_an_interaction() {
    let base = Interaction {
        happen_time: day(10),
        party: Party::Customer.into(),
        channel: InteractionChannel::Email.into(),
        purpose: Purpose::Support.into(),
        emotions: vec![Emotion { kind: EmotionKind::Joy.into(), intensity: 0.5 }],
        resolve_time: day(12),
        analysis: Some(analysis()),
        ..Interaction::default()
    };
    let used = changed(
        &base,
        &[
            ("delete_time", |contact| contact.delete_time = day(60)),
            ("happen_time", |contact| contact.happen_time = day(9)),
            ("party", |contact| contact.party = Party::Provider.into()),
            ("channel", |contact| contact.channel = InteractionChannel::Phone.into()),
            ("purpose", |contact| contact.purpose = Purpose::Ordering.into()),
            ("in_reply_to", |contact| contact.in_reply_to = "accounts/a/interactions/1".to_owned()),
            ("contact", |contact| contact.contact = "accounts/a/contacts/ana".to_owned()),
            ("subject", |contact| contact.subject = "broken".to_owned()),
            ("text", |contact| contact.text = "it does not work".to_owned()),
            ("sentiment", |contact| contact.sentiment = Some(0.0)),
            ("analysis", |contact| contact.analysis = None),
            ("emotions", |contact| contact.emotions.clear()),
            ("duration", |contact| contact.duration = Some(Duration { seconds: 600, nanos: 0 })),
            ("intent", |contact| contact.intent = "a new password".to_owned()),
            ("intent_met", |contact| contact.intent_met = Some(true)),
            ("resolve_time", |contact| contact.resolve_time = day(13)),
            ("contacts_to_resolve", |contact| contact.contacts_to_resolve = 2),
            ("escalated", |contact| contact.escalated = true),
            ("reply_delay", |contact| contact.reply_delay = Some(Duration { seconds: 600, nanos: 0 })),
        ],
    );
    let sales = Interaction { purpose: Purpose::Sales.into(), ..base.clone() };
    let thread = changed(&sales, &[("thread", |contact| contact.thread = "t-1".to_owned())]);
    let silent = [OF_THE_RECORD.as_slice(), &["create_time", "state", "erase_time"]].concat();
    assert_all("Interaction", &used | &thread, &silent);

    let used = changed(
        &base,
        &[
            ("kind", |contact| contact.emotions[0].kind = EmotionKind::Fear.into()),
            ("intensity", |contact| contact.emotions[0].intensity = 0.6),
        ],
    );
    assert_all("Emotion", used, &[]);
}

/// What a text says that is angry, and knows of a rival.
fn analysis() -> TextAnalysis {
    let span = |kind: TextSpanKind, competitor: &str, stance: Stance| TextSpan {
        kind: kind.into(),
        competitor: competitor.to_owned(),
        stance: stance.into(),
        ..TextSpan::default()
    };
    TextAnalysis {
        sentiment: Some(-0.8),
        sentiment_probability: 0.9,
        emotions: vec![PerceivedEmotion { kind: EmotionKind::Anger.into(), intensity: 0.7, probability: 0.8 }],
        spans: vec![
            span(TextSpanKind::Need, "", Stance::Unspecified),
            span(TextSpanKind::Competitor, "Globex", Stance::Favorable),
        ],
        ..TextAnalysis::default()
    }
}

#[test]
fn of_an_analysis() {
    fn of(contact: &mut Interaction) -> &mut TextAnalysis {
        contact.analysis.as_mut().unwrap()
    }
    let base = Interaction {
        happen_time: day(10),
        party: Party::Customer.into(),
        analysis: Some(analysis()),
        ..Interaction::default()
    };
    let said = AnalysisOverride { sentiment: Some(0.5), ..AnalysisOverride::default() };
    let overridden =
        Interaction { analysis: Some(TextAnalysis { r#override: Some(said), ..analysis() }), ..base.clone() };
    let used = changed(
        &base,
        &[
            ("sentiment", |contact| of(contact).sentiment = Some(-0.7)),
            ("sentiment_probability", |contact| of(contact).sentiment_probability = 0.6),
            ("emotions", |contact| of(contact).emotions.clear()),
            ("abstention", |contact| of(contact).set_abstention(Abstention::TooShort)),
            ("spans", |contact| of(contact).spans.clear()),
            ("override", |contact| of(contact).r#override = Some(AnalysisOverride::default())),
        ],
    );
    // Who read it in which language says nothing of the relationship.
    assert_all("TextAnalysis", used, &["language", "language_probability", "model"]);
    let used = changed(
        &base,
        &[
            ("kind", |contact| of(contact).emotions[0].kind = EmotionKind::Fear.into()),
            ("intensity", |contact| of(contact).emotions[0].intensity = 0.6),
            ("probability", |contact| of(contact).emotions[0].probability = 0.7),
        ],
    );
    assert_all("PerceivedEmotion", used, &[]);
    let used = changed(
        &base,
        &[
            ("kind", |contact| of(contact).spans[0].kind = TextSpanKind::Suggestion.into()),
            ("competitor", |contact| {
                let another = TextSpan { competitor: "Initech".to_owned(), ..of(contact).spans[1].clone() };
                of(contact).spans.push(another);
            }),
            ("stance", |contact| of(contact).spans[1].stance = Stance::Neutral.into()),
        ],
    );
    assert_all("TextSpan", used, &["start_byte", "end_byte"]);
    let used = changed(
        &overridden,
        &[
            ("sentiment", |contact| of(contact).r#override.as_mut().unwrap().sentiment = None),
            ("emotions", |contact| {
                let joy = Emotion { kind: EmotionKind::Joy.into(), intensity: 0.5 };
                of(contact).r#override.as_mut().unwrap().emotions = vec![joy];
            }),
        ],
    );
    assert_all("AnalysisOverride", used, &["reason", "override_time"]);
}

#[test]
fn of_a_commitment_and_an_offer() {
    let base = Commitment {
        party: Party::Provider.into(),
        make_time: day(1),
        due_time: day(5),
        settle_time: day(7),
        state: CommitmentState::Kept.into(),
        ..Commitment::default()
    };
    let used = changed(
        &base,
        &[
            ("delete_time", |promise| promise.delete_time = day(60)),
            ("party", |promise| promise.party = Party::Customer.into()),
            ("description", |promise| promise.description = "call back".to_owned()),
            ("make_time", |promise| promise.make_time = day(2)),
            ("due_time", |promise| promise.due_time = day(6)),
            ("settle_time", |promise| promise.settle_time = day(8)),
            ("state", |promise| promise.state = CommitmentState::Broken.into()),
            ("about", |promise| promise.about = "accounts/a/orders/1".to_owned()),
        ],
    );
    assert_all("Commitment", used, &[OF_THE_RECORD.as_slice(), &["create_time"]].concat());

    let base = CompetitorOffer {
        learn_time: day(1),
        counter_offer: Some(CounterOffer { make_time: day(2), description: String::new() }),
        outcome: OfferOutcome::Stayed.into(),
        resolve_time: day(9),
        ..CompetitorOffer::default()
    };
    let used = changed(
        &base,
        &[
            ("delete_time", |offer| offer.delete_time = day(60)),
            ("competitor", |offer| offer.competitor = "Globex".to_owned()),
            ("description", |offer| offer.description = "a tenth less".to_owned()),
            ("learn_time", |offer| offer.learn_time = day(0)),
            ("disclosed", |offer| offer.disclosed = Some(true)),
            ("counter_chance", |offer| offer.counter_chance = Some(true)),
            ("counter_offer", |offer| offer.counter_offer = None),
            ("outcome", |offer| offer.outcome = OfferOutcome::Left.into()),
            ("resolve_time", |offer| offer.resolve_time = day(10)),
        ],
    );
    assert_all("CompetitorOffer", used, &[OF_THE_RECORD.as_slice(), &["create_time"]].concat());
    let used = changed(
        &base,
        &[
            ("make_time", |offer| offer.counter_offer.as_mut().unwrap().make_time = day(3)),
            ("description", |offer| offer.counter_offer.as_mut().unwrap().description = "the same".to_owned()),
        ],
    );
    assert_all("CounterOffer", used, &[]);
}

#[test]
fn of_feedback() {
    let base = Feedback {
        happen_time: day(10),
        kind: FeedbackKind::Complaint.into(),
        score: Some(2.0),
        scale: Some(Scale { min: 1.0, max: 5.0 }),
        about: Some(About { subject: Subject::Order.into(), reference: String::new() }),
        resolve_time: day(12),
        analysis: Some(analysis()),
        ..Feedback::default()
    };
    let used = changed(
        &base,
        &[
            ("delete_time", |feedback| feedback.delete_time = day(60)),
            ("happen_time", |feedback| feedback.happen_time = day(9)),
            ("kind", |feedback| feedback.kind = FeedbackKind::Need.into()),
            ("score", |feedback| feedback.score = Some(3.0)),
            ("scale", |feedback| feedback.scale = None),
            ("about", |feedback| feedback.about = None),
            ("contact", |feedback| feedback.contact = "accounts/a/contacts/ana".to_owned()),
            ("text", |feedback| feedback.text = "late".to_owned()),
            ("sentiment", |feedback| feedback.sentiment = Some(-0.5)),
            ("emotions", |feedback| {
                feedback.emotions = vec![Emotion { kind: EmotionKind::Anger.into(), intensity: 0.5 }]
            }),
            ("analysis", |feedback| feedback.analysis = None),
            ("themes", |feedback| feedback.themes = vec!["themes/speed".to_owned()]),
            ("resolve_time", |feedback| feedback.resolve_time = day(13)),
            ("content_with_resolution", |feedback| feedback.content_with_resolution = Some(true)),
        ],
    );
    let silent = [OF_THE_RECORD.as_slice(), &["create_time", "state", "erase_time"]].concat();
    assert_all("Feedback", used, &silent);
    let used = changed(
        &base,
        &[
            ("min", |feedback| feedback.scale.as_mut().unwrap().min = 0.0),
            ("max", |feedback| feedback.scale.as_mut().unwrap().max = 10.0),
        ],
    );
    assert_all("Scale", used, &[]);
    let used = changed(
        &base,
        &[
            ("subject", |feedback| feedback.about.as_mut().unwrap().subject = Subject::Policy.into()),
            ("reference", |feedback| feedback.about.as_mut().unwrap().reference = "o-1".to_owned()),
        ],
    );
    assert_all("About", used, &[]);
}
