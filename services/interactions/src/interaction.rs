//! What an interaction is: something said or done between the two parties.

use contracts::{
    common::v1::Party,
    interactions::v1::{Interaction, InteractionChannel, InteractionState, Purpose},
};
use methods::{Collection, Erasure, Guard, Index, Kind, Reading, Violations, from_micros, state_conflict, to_micros};
use prost::Message as _;
use prost_types::{Duration, Timestamp};
use runtime::Fault;
use store::{Key, Table};

pub(crate) static TABLE: Table = Table { name: "interactions" };
const COLLECTION: Collection = Collection::OfAccount("interactions");

/// What an interaction is. NOTED, or OPEN → RESOLVED → OPEN.
pub(crate) static INTERACTION: Kind<Interaction> = Kind {
    name: "interaction",
    table: &TABLE,
    collection: COLLECTION,
    updatable: &[
        "happen_time",
        "party",
        "channel",
        "purpose",
        "thread",
        "in_reply_to",
        "contact",
        "subject",
        "text",
        "sentiment",
        "emotions",
        "duration",
        "intent",
        "intent_met",
        "resolve_time",
        "contacts_to_resolve",
        "escalated",
    ],
    check,
    as_new: |interaction| {
        interaction.reply_delay = None;
        as_row(interaction);
    },
    as_row,
    derive,
    reading: Some(Reading { text: |interaction| &interaction.text, analysis: |interaction| &mut interaction.analysis }),
    index: |interaction| Index {
        state: interaction.state().as_str_name(),
        label: interaction.thread.clone(),
        happened_at: interaction.happen_time.as_ref().map_or(0, to_micros),
    },
    related: |_, key, interaction| answered_key(key, interaction).into_iter().collect(),
    rules,
};

/// How an interaction loses its words.
pub(crate) static ERASURE: Erasure<Interaction> = Erasure {
    contact: |interaction| &interaction.contact,
    erase_time: |interaction| &mut interaction.erase_time,
    empty: empty_words,
    redact: |document| {
        let mut interaction = Interaction::decode(document).unwrap_or_default();
        empty_words(&mut interaction);
        interaction.encode_to_vec()
    },
};

fn check(interaction: &Interaction, violations: &mut Violations) {
    let name = &interaction.name;
    let happen_time = interaction.happen_time.as_ref();
    violations.required_time("happen_time", happen_time);
    violations.party("party", interaction.party);
    violations.required_enum::<InteractionChannel>("channel", interaction.channel);
    violations.required_enum::<Purpose>("purpose", interaction.purpose);
    violations.text("thread", &interaction.thread, 0, 128);
    violations.reference_within("in_reply_to", &interaction.in_reply_to, COLLECTION, name);
    if !name.is_empty() && interaction.in_reply_to == *name {
        violations.add("in_reply_to", "must be another interaction");
    }
    violations.reference_within("contact", &interaction.contact, Collection::OfAccount("contacts"), name);
    violations.text("subject", &interaction.subject, 0, 512);
    violations.text("text", &interaction.text, 0, 65_536);
    violations.number("sentiment", interaction.sentiment, -1.0, 1.0);
    violations.emotions("emotions", &interaction.emotions);
    violations.duration("duration", interaction.duration.as_ref());
    violations.text("intent", &interaction.intent, 0, 256);
    let resolve_time = interaction.resolve_time.as_ref();
    violations.time("resolve_time", resolve_time);
    violations.in_order("resolve_time", resolve_time, "happen_time", happen_time);
    if resolve_time.is_some() && !is_a_matter(interaction) {
        violations.add("resolve_time", "is only for support and ordering");
    }
    violations.integer("contacts_to_resolve", interaction.contacts_to_resolve.into(), 0, 10_000);
    violations.duration("reply_delay", interaction.reply_delay.as_ref());
}

/// Whether the interaction is about something that can be settled.
fn is_a_matter(interaction: &Interaction) -> bool {
    matches!(interaction.purpose(), Purpose::Support | Purpose::Ordering)
}

fn as_row(interaction: &mut Interaction) {
    if !interaction.in_reply_to.is_empty() {
        interaction.reply_delay = None;
    }
    interaction.state = 0;
    interaction.erase_time = None;
}

fn derive(interaction: &mut Interaction) {
    let state = match interaction.resolve_time {
        Some(_) => InteractionState::Resolved,
        None if is_a_matter(interaction) && interaction.party() == Party::Customer => InteractionState::Open,
        None => InteractionState::Noted,
    };
    interaction.set_state(state);
}

/// The key of the interaction that this one, whose key is given, answers. The checks see to it that the account is the same.
fn answered_key(key: &Key, interaction: &Interaction) -> Option<Key> {
    let answered = COLLECTION.parse(&interaction.in_reply_to).filter(|(account, _)| *account == key.account);
    answered.map(|(_, id)| Key { id: id.to_owned(), ..key.clone() })
}

fn rules(guard: &mut Guard<'_, '_, Interaction>) -> Result<(), Fault> {
    // Words that were erased do not come back, not even when the rows of an import are sent again.
    if let Some(erase_time) = guard.old.and_then(|old| old.erase_time) {
        empty_words(guard.new);
        guard.new.analysis = guard.old.and_then(|old| old.analysis.clone());
        guard.new.erase_time = Some(erase_time);
    }
    guard.new.reply_delay = reply_delay(guard)?;
    Ok(())
}

/// How long the answered party had to wait, as far as it is known now.
fn reply_delay(guard: &Guard<'_, '_, Interaction>) -> Result<Option<Duration>, Fault> {
    let (old, new) = (guard.old, &*guard.new);
    if new.in_reply_to.is_empty() {
        // What an import stated stays; what was computed goes with the reference it was computed from.
        let computed = old.is_some_and(|old| !old.in_reply_to.is_empty() && old.reply_delay == new.reply_delay);
        return Ok(new.reply_delay.filter(|_| !computed));
    }
    match answered_key(guard.key, new).and_then(|answered| guard.rows.get(&answered)) {
        Some(row) if row.deleted_at.is_some() => Ok(None),
        Some(row) => Ok(delay_between(&INTERACTION.load(row)?, new)),
        // Not there, or another write was faster and the row was not read: then what stands is as good as it gets.
        None => Ok(old.filter(|old| old.in_reply_to == new.in_reply_to).and_then(|old| old.reply_delay)),
    }
}

/// The time from one interaction to its answer, if the other party gave it, and gave it afterwards.
fn delay_between(answered: &Interaction, answer: &Interaction) -> Option<Duration> {
    let micros = to_micros(answer.happen_time.as_ref()?) - to_micros(answered.happen_time.as_ref()?);
    if answer.party == answered.party || micros < 0 {
        return None;
    }
    let Timestamp { seconds, nanos } = from_micros(micros);
    Some(Duration { seconds, nanos })
}

/// Records that the matter was settled.
pub(crate) fn resolve(
    interaction: &mut Interaction,
    at: Option<Timestamp>,
    intent_met: Option<bool>,
    contacts_to_resolve: i32,
    now: i64,
) -> Result<(), Fault> {
    expect(interaction, InteractionState::Open, "resolved")?;
    interaction.resolve_time = Some(at.unwrap_or_else(|| from_micros(now)));
    interaction.intent_met = intent_met.or(interaction.intent_met);
    if contacts_to_resolve != 0 {
        interaction.contacts_to_resolve = contacts_to_resolve;
    }
    Ok(())
}

/// Takes a settled matter up again: whether the intent is met, and after how many contacts, is not known any more.
pub(crate) fn reopen(interaction: &mut Interaction) -> Result<(), Fault> {
    expect(interaction, InteractionState::Resolved, "reopened")?;
    interaction.resolve_time = None;
    interaction.intent_met = None;
    interaction.contacts_to_resolve = 0;
    Ok(())
}

fn expect(interaction: &Interaction, state: InteractionState, wanted: &'static str) -> Result<(), Fault> {
    if interaction.state() == state {
        return Ok(());
    }
    Err(state_conflict(&interaction.name, interaction.state().as_str_name(), wanted))
}

fn empty_words(interaction: &mut Interaction) {
    interaction.subject.clear();
    interaction.text.clear();
    interaction.intent.clear();
    methods::forget_words(&mut interaction.analysis);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(party: Party, purpose: Purpose) -> Interaction {
        let mut interaction = Interaction {
            happen_time: Some(from_micros(60_000_000)),
            party: party.into(),
            channel: InteractionChannel::Email.into(),
            purpose: purpose.into(),
            ..Interaction::default()
        };
        derive(&mut interaction);
        interaction
    }

    #[test]
    fn only_a_customers_support_and_ordering_are_open_until_settled() {
        use InteractionState::{Noted, Open};
        for (party, purpose, state) in [
            (Party::Customer, Purpose::Support, Open),
            (Party::Customer, Purpose::Ordering, Open),
            (Party::Customer, Purpose::Sales, Noted),
            (Party::Provider, Purpose::Support, Noted),
        ] {
            assert_eq!(matter(party, purpose).state(), state, "{party:?} {purpose:?}");
        }
    }

    #[test]
    fn a_matter_is_settled_and_taken_up_again() {
        let mut matter = matter(Party::Customer, Purpose::Support);
        assert!(reopen(&mut matter).is_err());
        resolve(&mut matter, None, Some(true), 3, 90_000_000).unwrap();
        derive(&mut matter);
        assert_eq!((matter.state(), matter.contacts_to_resolve), (InteractionState::Resolved, 3));
        assert_eq!(matter.resolve_time, Some(from_micros(90_000_000)));
        assert!(resolve(&mut matter, None, None, 0, 95_000_000).is_err());
        reopen(&mut matter).unwrap();
        derive(&mut matter);
        assert_eq!((matter.state(), matter.intent_met), (InteractionState::Open, None));
    }

    #[test]
    fn a_delay_is_from_one_party_to_the_other_and_never_negative() {
        let question = matter(Party::Customer, Purpose::Support);
        let mut answer = matter(Party::Provider, Purpose::Support);
        answer.happen_time = Some(from_micros(61_500_000));
        assert_eq!(delay_between(&question, &answer), Some(Duration { seconds: 1, nanos: 500_000_000 }));
        assert_eq!(delay_between(&answer, &question), None);
        assert_eq!(delay_between(&answer, &answer), None);
    }

    #[test]
    fn erasing_leaves_no_words_now_or_in_the_past() {
        let mut interaction = matter(Party::Customer, Purpose::Support);
        interaction.subject = "my invoice".to_owned();
        interaction.text = "it is wrong".to_owned();
        interaction.intent = "a new one".to_owned();
        let past = Interaction::decode((ERASURE.redact)(&interaction.encode_to_vec()).as_slice()).unwrap();
        assert_eq!(past, matter(Party::Customer, Purpose::Support));
        let mut violations = Violations::default();
        check(&past, &mut violations);
        assert!(violations.is_empty());
    }
}
