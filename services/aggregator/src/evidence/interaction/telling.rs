//! A contact in plain words.

use contracts::common::v1::Party;
use contracts::interactions::v1::{Interaction, InteractionChannel, Purpose};

use crate::evidence::words::{counted, id, quoted, span};
use crate::evidence::{Moment, Resource, micros};

pub(super) fn tell(interaction: &Interaction, moments: &mut Vec<Moment>) {
    let happened = interaction.happened_at();
    moments.push(Moment::new(happened, interaction.party(), headline(interaction)));
    if let Some(settled) = micros(&interaction.resolve_time) {
        let after = span(settled.saturating_sub(happened));
        let contacts = match interaction.contacts_to_resolve {
            count if count > 0 => format!(" in {}", counted(i64::from(count), "contact")),
            _ => String::new(),
        };
        let met = match interaction.intent_met {
            Some(true) => ", as was wanted",
            Some(false) => ", not as was wanted",
            None => "",
        };
        moments.push(Moment::new(settled, Party::Provider, format!("settled the matter after {after}{contacts}{met}")));
    }
}

fn headline(interaction: &Interaction) -> String {
    let how = match interaction.channel() {
        InteractionChannel::Unspecified => "was in touch",
        InteractionChannel::Phone => "called",
        InteractionChannel::Email => "wrote an e-mail",
        InteractionChannel::InPerson => "came to a meeting",
        InteractionChannel::Video => "held a video call",
        InteractionChannel::Chat => "chatted",
        InteractionChannel::Letter => "wrote a letter",
        InteractionChannel::Portal => "wrote in the portal",
        InteractionChannel::Social => "wrote on a social network",
    };
    let why = match interaction.purpose() {
        Purpose::Unspecified => "",
        Purpose::Sales => " about a sale",
        Purpose::Onboarding => " about getting started",
        Purpose::Ordering => " about an order",
        Purpose::Support => " about a problem",
        Purpose::AccountManagement => " about the relationship",
    };
    let mut text = format!("{how}{why}");
    if let Some(delay) = &interaction.reply_delay {
        text.push_str(&format!(" in answer after {}", span(whole(delay))));
    } else if !interaction.in_reply_to.is_empty() {
        text.push_str(" in answer");
    }
    if let Some(duration) = &interaction.duration {
        text.push_str(&format!(" for {}", span(whole(duration))));
    }
    if !interaction.contact.is_empty() {
        text.push_str(&format!(" with {}", id(&interaction.contact)));
    }
    if interaction.escalated {
        text.push_str(", which was escalated");
    }
    text.push_str(&quoted([interaction.intent.as_str(), &interaction.subject, &interaction.text]));
    text
}

fn whole(duration: &prost_types::Duration) -> i64 {
    super::span(duration) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Source;
    use crate::evidence::tests::day;

    #[test]
    fn a_ticket_is_told_with_its_end() {
        let ticket = Interaction {
            happen_time: day(1),
            party: Party::Customer.into(),
            channel: InteractionChannel::Phone.into(),
            purpose: Purpose::Support.into(),
            contact: "accounts/acme/contacts/ana".to_owned(),
            duration: Some(prost_types::Duration { seconds: 720, nanos: 0 }),
            intent: "a new password".to_owned(),
            resolve_time: day(3),
            intent_met: Some(true),
            contacts_to_resolve: 2,
            ..Interaction::default()
        };
        let texts: Vec<_> = Source::from(ticket).moments().into_iter().map(|moment| moment.text).collect();
        let expected = [
            "called about a problem for 12 min with ana: a new password",
            "settled the matter after 2 days in 2 contacts, as was wanted",
        ];
        assert_eq!(texts, expected);
    }
}
