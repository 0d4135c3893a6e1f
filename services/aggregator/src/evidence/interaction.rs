//! What a contact between the two parties says: how it sounded, who sought it, how soon it was answered, and what
//! became of its matter.

mod matter;
mod telling;

use contracts::common::v1::{Party, TextSpanKind};
use contracts::interactions::v1::{Interaction, InteractionChannel, InteractionState, Purpose};
use dynamics::{DAY, Signal, View};
use prost::Message;
use prost_types::Duration;

use super::draft::{Draft, view_of};
use super::scale::{HOUR, promptness, saturation};
use super::voice::Words;
use super::{Moment, Resource, Source, forget, micros};

/// The length of a meeting or a call at which it counts three quarters, in microseconds: half an hour.
const HALF_LENGTH: f64 = HOUR as f64 / 2.0;
/// To meet by video is to meet, with less given for it than the way to each other.
const VIDEO_WEIGHT: f64 = 0.7;
/// In a thread, a contact that answers nothing by name may still have been asked for.
const IN_THREAD_WEIGHT: f64 = 0.5;
/// What the provider achieved in a first contact tells less of the customer's trust than what the customer did.
const PROVIDER_INTENT_WEIGHT: f64 = 0.5;

/// A need that is told in passing is one that nothing has met so far; an idea is worth as much as one that was given as
/// such (see `feedback.rs`). Both were found by rules in the words, and weigh half of what somebody recorded.
const NEED_IN_PASSING: f64 = -0.3;
const IDEA_IN_PASSING: f64 = 0.5;
const WISH_WEIGHT: f64 = 0.5;

/// A matter that was raised to a higher level: a conflict, but milder than a complaint (see `feedback.rs`).
const ESCALATED_VALUE: f64 = -0.4;

impl Resource for Interaction {
    fn name(&self) -> &str {
        &self.name
    }

    fn document(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    fn happened_at(&self) -> i64 {
        micros(&self.happen_time).unwrap_or(0)
    }

    fn as_of(&self, time: i64) -> Source {
        let mut then = self.clone();
        if forget(&mut then.resolve_time, time) {
            then.intent_met = None;
            then.contacts_to_resolve = 0;
            let state = if is_matter(self) { InteractionState::Open } else { InteractionState::Noted };
            then.set_state(state);
        }
        then.into()
    }

    fn actor(&self) -> Party {
        self.party()
    }

    fn draw(&self, draft: &mut Draft) {
        let Some(view) = view_of(self.party()) else {
            return;
        };
        let at = self.happened_at();
        draft.contact_by(self.party());
        let words = words(self, view);
        words.draw(draft);
        if view == View::Customer {
            words.rivals(draft);
            wishes(self, &words, draft);
        }
        reply(self, view, draft);
        initiative(self, view, draft);
        meeting(self, draft);
        first_contact(self, view, draft);
        if self.escalated {
            draft.say(Signal::Conflict, at, ESCALATED_VALUE, 1.0);
        }
        if is_matter(self) {
            matter::draw(self, draft);
        }
        matter::repeats(self, draft);
    }

    fn tell(&self, moments: &mut Vec<Moment>) {
        telling::tell(self, moments);
    }
}

fn words(interaction: &Interaction, view: View) -> Words<'_> {
    Words {
        view,
        at: interaction.happened_at(),
        sentiment: interaction.sentiment,
        emotions: &interaction.emotions,
        analysis: interaction.analysis.as_ref(),
    }
}

/// What the customer's words ask for beside the matter itself.
fn wishes(interaction: &Interaction, words: &Words<'_>, draft: &mut Draft) {
    let at = interaction.happened_at();
    if words.tell_of(TextSpanKind::Need) {
        draft.say(Signal::NeedMet, at, NEED_IN_PASSING, WISH_WEIGHT);
    }
    if words.tell_of(TextSpanKind::Suggestion) {
        draft.say(Signal::IdeaGiven, at, IDEA_IN_PASSING, WISH_WEIGHT);
    }
}

/// Whether the customer wants something settled: a support or ordering contact in which it acted.
fn is_matter(interaction: &Interaction) -> bool {
    let is_customer = interaction.party() == Party::Customer;
    is_customer && matches!(interaction.purpose(), Purpose::Support | Purpose::Ordering)
}

/// When it is known what became of the matter.
fn settled_at(interaction: &Interaction) -> i64 {
    micros(&interaction.resolve_time).unwrap_or(interaction.happened_at())
}

/// How soon one party answered the other, against what is usual on that channel.
fn reply(interaction: &Interaction, view: View, draft: &mut Draft) {
    let Some(delay) = &interaction.reply_delay else {
        return;
    };
    let signal = match view {
        View::Customer => Signal::CustomerReplySpeed,
        View::Provider => Signal::ProviderResponseTime,
    };
    let usual = usual_delay(interaction.channel());
    draft.say(signal, interaction.happened_at(), promptness(span(delay), usual as f64), 1.0);
}

/// The delay that is neither quick nor slow: an hour where people talk, a day where they write, longer where they
/// travel or use the post. Judgement.
fn usual_delay(channel: InteractionChannel) -> i64 {
    match channel {
        InteractionChannel::Phone | InteractionChannel::Chat => HOUR,
        InteractionChannel::Email
        | InteractionChannel::Portal
        | InteractionChannel::Social
        | InteractionChannel::Unspecified => DAY,
        InteractionChannel::InPerson | InteractionChannel::Video => 3 * DAY,
        InteractionChannel::Letter => 7 * DAY,
    }
}

/// Who made the first move. A customer with a problem or an order acts from need; a provider that comes with help before
/// it was asked is proactive.
fn initiative(interaction: &Interaction, view: View, draft: &mut Draft) {
    if !interaction.in_reply_to.is_empty() || interaction.reply_delay.is_some() {
        return;
    }
    let at = interaction.happened_at();
    let weight = if interaction.thread.is_empty() { 1.0 } else { IN_THREAD_WEIGHT };
    match (view, interaction.purpose()) {
        (View::Customer, Purpose::Support | Purpose::Ordering) => {}
        (View::Customer, _) => draft.say(Signal::CustomerInitiative, at, 1.0, weight),
        (View::Provider, Purpose::Support | Purpose::AccountManagement) => {
            draft.say(Signal::ProviderInitiative, at, 1.0, weight);
            draft.say(Signal::ProactiveContact, at, 1.0, weight);
        }
        (View::Provider, _) => draft.say(Signal::ProviderInitiative, at, 1.0, weight),
    }
}

/// They met. The longer, the more both gave to it.
fn meeting(interaction: &Interaction, draft: &mut Draft) {
    let weight = match interaction.channel() {
        InteractionChannel::InPerson => 1.0,
        InteractionChannel::Video => VIDEO_WEIGHT,
        _ => return,
    };
    draft.say(Signal::CustomerMeeting, interaction.happened_at(), 1.0, weight * length_weight(interaction));
}

/// From 0.5 for a contact of no or unknown length towards 1 for a long one.
fn length_weight(interaction: &Interaction) -> f64 {
    0.5 + 0.5 * saturation(interaction.duration.as_ref().map_or(0.0, span), HALF_LENGTH)
}

/// Whether the first contacts, in sales and onboarding, brought what was wanted of them.
fn first_contact(interaction: &Interaction, view: View, draft: &mut Draft) {
    let (Purpose::Sales | Purpose::Onboarding, Some(met)) = (interaction.purpose(), interaction.intent_met) else {
        return;
    };
    let weight = match view {
        View::Customer => 1.0,
        View::Provider => PROVIDER_INTENT_WEIGHT,
    };
    draft.say(Signal::FirstContact, settled_at(interaction), if met { 1.0 } else { -1.0 }, weight);
}

/// A duration in microseconds.
fn span(duration: &Duration) -> f64 {
    duration.seconds as f64 * 1e6 + f64::from(duration.nanos) / 1e3
}

#[cfg(test)]
mod tests {
    use contracts::common::v1::{Emotion as StatedEmotion, EmotionKind};
    use dynamics::{Emotion, Topic};

    use super::*;
    use crate::evidence::tests::{day, said, value};

    fn contact(party: Party, channel: InteractionChannel, purpose: Purpose) -> Interaction {
        Interaction {
            happen_time: day(10),
            party: party.into(),
            channel: channel.into(),
            purpose: purpose.into(),
            ..Interaction::default()
        }
    }

    fn seconds(seconds: i64) -> Option<Duration> {
        Some(Duration { seconds, nanos: 0 })
    }

    #[test]
    fn tone_and_emotions_are_of_the_party_that_acted() {
        let angry = StatedEmotion { kind: EmotionKind::Anger.into(), intensity: 0.8 };
        let said_so = |party| {
            let contact = contact(party, InteractionChannel::Phone, Purpose::Sales);
            Source::from(Interaction { sentiment: Some(-0.6), emotions: vec![angry], ..contact })
        };
        let tones: Vec<_> = said(&said_so(Party::Customer), Signal::CustomerTone);
        assert_eq!((tones[0].value(), tones[1].value(), tones[1].weight()), (-0.6, -1.0, 0.4));
        assert_eq!(value(&said_so(Party::Provider), Signal::ProviderTone), -0.6);
        let topic = Topic::Emotion(View::Provider, Emotion::Anger);
        let facts = said_so(Party::Provider).facts();
        assert_eq!(facts.evidence.iter().find(|fact| fact.topic() == topic).map(|fact| fact.value()), Some(0.8));
        assert_eq!((facts.interactions.customer, facts.interactions.provider), (0, 1));
    }

    #[test]
    fn a_slower_answer_is_worth_less_and_a_channel_has_its_own_pace() {
        let after = |channel, delay| {
            let contact = contact(Party::Provider, channel, Purpose::Support);
            Source::from(Interaction { reply_delay: seconds(delay), ..contact })
        };
        let email = |delay| value(&after(InteractionChannel::Email, delay), Signal::ProviderResponseTime);
        assert_eq!(email(0), 1.0);
        assert_eq!(email(86_400), 0.0);
        assert!(email(3_600) > email(7_200));
        assert!(value(&after(InteractionChannel::Chat, 7_200), Signal::ProviderResponseTime) < 0.0);
        assert!(said(&after(InteractionChannel::Email, 5), Signal::ProviderInitiative).is_empty());
    }

    #[test]
    fn the_first_move_is_initiative_unless_need_drove_it() {
        let by = |party, purpose| Source::from(contact(party, InteractionChannel::Email, purpose));
        assert_eq!(value(&by(Party::Customer, Purpose::AccountManagement), Signal::CustomerInitiative), 1.0);
        assert!(said(&by(Party::Customer, Purpose::Support), Signal::CustomerInitiative).is_empty());
        assert_eq!(value(&by(Party::Provider, Purpose::Support), Signal::ProactiveContact), 1.0);
        assert!(said(&by(Party::Provider, Purpose::Sales), Signal::ProactiveContact).is_empty());
        let sales = contact(Party::Provider, InteractionChannel::Email, Purpose::Sales);
        let answer = Interaction { in_reply_to: "accounts/a/interactions/1".to_owned(), ..sales };
        assert!(said(&answer.into(), Signal::ProviderInitiative).is_empty());
    }

    #[test]
    fn a_longer_meeting_weighs_more() {
        let met = |channel, minutes: i64| {
            let contact = contact(Party::Provider, channel, Purpose::Sales);
            let source = Source::from(Interaction { duration: seconds(60 * minutes), ..contact });
            said(&source, Signal::CustomerMeeting)[0].weight()
        };
        assert!(met(InteractionChannel::InPerson, 60) > met(InteractionChannel::InPerson, 10));
        assert!(met(InteractionChannel::InPerson, 60) > met(InteractionChannel::Video, 60));
    }

    #[test]
    fn first_contacts_are_judged_by_what_came_of_them() {
        let sales = |party, met| {
            let contact = contact(party, InteractionChannel::Phone, Purpose::Sales);
            Source::from(Interaction { intent_met: met, ..contact })
        };
        assert_eq!(value(&sales(Party::Customer, Some(true)), Signal::FirstContact), 1.0);
        assert_eq!(value(&sales(Party::Provider, Some(false)), Signal::FirstContact), -1.0);
        assert!(said(&sales(Party::Customer, None), Signal::FirstContact).is_empty());
    }
}
