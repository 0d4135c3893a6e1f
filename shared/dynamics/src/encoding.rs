//! The binary forms of [`Facts`] and [`Ledger`], for storage. Fields follow each other in the
//! order written here, in the manner of [`crate::codec`]; the first byte is the version. A topic
//! is 0 and the signal's number, or 1, the view's and the emotion's.

use crate::activity::OrderDays;
use crate::codec::{DecodeError, Reader, Writer};
use crate::decay::HalfLives;
use crate::evidence::{Evidence, Pending};
use crate::facts::{AccountFact, Facts, Interactions, OrderFact, Worth};
use crate::ledger::{Ledger, Sums};
use crate::signal::{Signal, Topic};
use crate::vocabulary::{Emotion, View};

const FACTS_VERSION: u8 = 1;
const LEDGER_VERSION: u8 = 3;

impl Facts {
    /// The compact binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(FACTS_VERSION);
        out.unsigned(self.evidence.len() as u128);
        for evidence in &self.evidence {
            write_topic(&mut out, evidence.topic());
            out.signed(evidence.at().into());
            out.float(evidence.value());
            out.float(evidence.weight());
        }
        out.unsigned(self.pending.len() as u128);
        for pending in &self.pending {
            write_pending(&mut out, pending);
        }
        out.option(self.order, |out, order| {
            out.signed(order.at.into());
            out.byte(order.cancelled.into());
        });
        write_worth(&mut out, self.worth);
        out.option(self.account, write_account);
        write_interactions(&mut out, self.interactions);
        out.finish()
    }

    /// The facts that [`Facts::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are of another version, cut, too long or out of range.
    pub fn decode(bytes: &[u8]) -> Result<Facts, DecodeError> {
        let mut input = Reader::new(bytes, FACTS_VERSION)?;
        let mut facts = Facts::default();
        for _ in 0..input.unsigned()? {
            let topic = read_topic(&mut input)?;
            let at = input.integer("a time")?;
            let (value, weight) = (input.float()?, input.float()?);
            let evidence = Evidence::new(topic, at, value, weight);
            facts.evidence.push(evidence.ok_or(DecodeError::OutOfRange("evidence"))?);
        }
        for _ in 0..input.unsigned()? {
            facts.pending.push(read_pending(&mut input)?);
        }
        facts.order =
            input.option(|input| Ok(OrderFact { at: input.integer("a time")?, cancelled: read_flag(input)? }))?;
        facts.worth = read_worth(&mut input)?;
        facts.account = input.option(read_account)?;
        facts.interactions = read_interactions(&mut input)?;
        input.finish()?;
        Ok(facts)
    }
}

impl Ledger {
    /// The compact binary form. Equal ledgers have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(LEDGER_VERSION);
        out.unsigned(self.half_lives.slow_days().into());
        out.unsigned(self.half_lives.fast_days().into());
        out.unsigned(self.sums.len() as u128);
        for ((topic, bucket), sums) in &self.sums {
            write_topic(&mut out, *topic);
            out.signed((*bucket).into());
            out.signed(sums.count.into());
            for sum in [sums.slow_weight, sums.slow_value, sums.slow_square] {
                out.signed(sum);
            }
            out.signed(sums.fast_weight);
            out.signed(sums.fast_value);
        }
        out.unsigned(self.pending.len() as u128);
        for ((source, ordinal), pending) in &self.pending {
            out.text(source);
            out.unsigned((*ordinal).into());
            write_pending(&mut out, pending);
        }
        out.unsigned(self.accounts.len() as u128);
        for (source, account) in &self.accounts {
            out.text(source);
            write_account(&mut out, *account);
        }
        self.order_days.write(&mut out);
        write_worth(&mut out, self.worth);
        write_interactions(&mut out, self.interactions);
        out.finish()
    }

    /// The ledger that [`Ledger::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are of another version, cut, too long or out of range.
    pub fn decode(bytes: &[u8]) -> Result<Ledger, DecodeError> {
        let mut input = Reader::new(bytes, LEDGER_VERSION)?;
        let (slow, fast) = (input.count("a half-life")?, input.count("a half-life")?);
        let half_lives = HalfLives::new(slow, fast).ok_or(DecodeError::OutOfRange("a half-life"))?;
        let mut ledger = Ledger::new(half_lives);
        let length: usize = input.count("a count")?;
        // One takes nine bytes or more.
        ledger.sums.reserve_exact(length.min(input.left() / 9));
        for _ in 0..length {
            let topic = read_topic(&mut input)?;
            let bucket = input.integer("a bucket")?;
            let sums = Sums {
                count: input.integer("a count")?,
                slow_weight: input.signed()?,
                slow_value: input.signed()?,
                slow_square: input.signed()?,
                fast_weight: input.signed()?,
                fast_value: input.signed()?,
            };
            if ledger.sums.last().is_some_and(|(last, _)| *last >= (topic, bucket)) {
                return Err(DecodeError::OutOfRange("the order of sums"));
            }
            ledger.sums.push(((topic, bucket), sums));
        }
        for _ in 0..input.unsigned()? {
            let source = input.text()?.to_owned();
            let ordinal = input.count("a place")?;
            ledger.pending.insert((source, ordinal), read_pending(&mut input)?);
        }
        for _ in 0..input.unsigned()? {
            let source = input.text()?.to_owned();
            ledger.accounts.insert(source, read_account(&mut input)?);
        }
        ledger.order_days = OrderDays::read(&mut input)?;
        ledger.worth = read_worth(&mut input)?;
        ledger.interactions = read_interactions(&mut input)?;
        input.finish()?;
        Ok(ledger)
    }
}

fn write_topic(out: &mut Writer, topic: Topic) {
    match topic {
        Topic::Signal(signal) => {
            out.byte(0);
            out.unsigned(signal.index() as u128);
        }
        Topic::Emotion(view, emotion) => {
            out.byte(1);
            out.unsigned(view.index() as u128);
            out.unsigned(emotion.index() as u128);
        }
    }
}

fn read_topic(input: &mut Reader<'_>) -> Result<Topic, DecodeError> {
    match input.byte()? {
        0 => Ok(Topic::Signal(read_word(input, &Signal::ALL)?)),
        1 => Ok(Topic::Emotion(read_word(input, &View::ALL)?, read_word(input, &Emotion::ALL)?)),
        _ => Err(DecodeError::OutOfRange("a topic")),
    }
}

fn read_word<T: Copy>(input: &mut Reader<'_>, all: &[T]) -> Result<T, DecodeError> {
    let position: usize = input.count("a topic")?;
    all.get(position).copied().ok_or(DecodeError::OutOfRange("a topic"))
}

fn write_pending(out: &mut Writer, pending: &Pending) {
    out.unsigned(pending.topic().index() as u128);
    out.signed(pending.since().into());
    out.signed(pending.full_after().into());
    out.float(pending.value());
    out.float(pending.weight());
}

fn read_pending(input: &mut Reader<'_>) -> Result<Pending, DecodeError> {
    let topic = read_word(input, &Signal::ALL)?;
    let (since, full_after) = (input.integer("a time")?, input.integer("a span")?);
    let (value, weight) = (input.float()?, input.float()?);
    Pending::new(topic, since, full_after, value, weight).ok_or(DecodeError::OutOfRange("a pending matter"))
}

fn write_worth(out: &mut Writer, worth: Worth) {
    out.signed(worth.orders.into());
    for amount in [worth.spend, worth.cost_known_spend, worth.margin, worth.savings, worth.returned] {
        out.signed(amount);
    }
}

fn read_worth(input: &mut Reader<'_>) -> Result<Worth, DecodeError> {
    Ok(Worth {
        orders: input.integer("a count")?,
        spend: input.signed()?,
        cost_known_spend: input.signed()?,
        margin: input.signed()?,
        savings: input.signed()?,
        returned: input.signed()?,
    })
}

fn write_account(out: &mut Writer, account: AccountFact) {
    out.signed(account.opened_at.into());
    out.option(account.first_contact_at, |out, at| out.signed(at.into()));
    out.option(account.closed_at, |out, at| out.signed(at.into()));
}

fn read_account(input: &mut Reader<'_>) -> Result<AccountFact, DecodeError> {
    Ok(AccountFact {
        opened_at: input.integer("a time")?,
        first_contact_at: input.option(|input| input.integer("a time"))?,
        closed_at: input.option(|input| input.integer("a time"))?,
    })
}

fn write_interactions(out: &mut Writer, interactions: Interactions) {
    out.signed(interactions.customer.into());
    out.signed(interactions.provider.into());
}

fn read_interactions(input: &mut Reader<'_>) -> Result<Interactions, DecodeError> {
    Ok(Interactions { customer: input.integer("a count")?, provider: input.integer("a count")? })
}

fn read_flag(input: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match input.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::OutOfRange("a flag")),
    }
}
