//! `rapport improvements tell`: records with each who asked that they were told.

use std::fmt::Write as _;

use contracts::{
    common::v1::Party,
    interactions::v1::{CreateInteractionRequest, Interaction, InteractionChannel, Purpose},
    voice::v1::Asker,
};
use prost_types::Timestamp;
use runtime::Clock;
use sha2::{Digest as _, Sha256};
use tonic::Code;

use super::{askers, get, page};
use crate::{
    client::Connection,
    commands::figures::counted,
    exit::{Error, Exit},
    output,
};

/// How many bytes of the hash an id shows: enough that no two askers are called alike.
const SHOWN_BYTES: usize = 12;

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
An interaction is recorded for each who asked and has not been told since it was shipped: by the provider, with the
improvement's name as its thread. Nothing is sent to anybody: the telling itself is yours. Repeating the command tells
nobody twice.")]
pub(super) struct TellArgs {
    /// The improvement, by id or full name.
    #[arg(value_name = "IMPROVEMENT")]
    name: String,
    /// What they were told.
    #[arg(long)]
    text: String,
    /// What it was called.
    #[arg(long, default_value = "")]
    subject: String,
    /// How they were told.
    #[arg(long, default_value = "email")]
    channel: Channel,
    /// Only list those who would be told.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Channel {
    Phone = 1,
    Email = 2,
    InPerson = 3,
    Video = 4,
    Chat = 5,
    Letter = 6,
    Portal = 7,
    Social = 8,
}

pub(super) async fn run(connection: &Connection, args: TellArgs) -> Result<Exit, Error> {
    let improvement = get(connection, &args.name).await?;
    let Some(shipped) = improvement.ship_time else {
        return Err(Error::Usage(format!("{} has not been shipped: there is nothing to tell yet", improvement.name)));
    };
    let (untold, counts) = askers(connection, &improvement.name, true, None).await?;
    if args.dry_run {
        output::line(&page::askers(&untold, counts))?;
        return Ok(Exit::Ok);
    }
    // The clock here may be behind that of the service.
    let happen_time = later(methods::from_micros(Clock::system().now()), shipped);
    let (mut told, mut refused) = (0, 0);
    for asker in &untold {
        let request = CreateInteractionRequest {
            parent: asker.account.clone(),
            interaction_id: telling_id(&improvement.name, asker),
            interaction: Some(Interaction {
                happen_time: Some(happen_time),
                party: Party::Provider.into(),
                channel: InteractionChannel::try_from(args.channel as i32).unwrap_or_default().into(),
                purpose: Purpose::AccountManagement.into(),
                thread: improvement.name.clone(),
                contact: own_contact(asker),
                subject: args.subject.clone(),
                text: args.text.clone(),
                ..Interaction::default()
            }),
            request_id: String::new(),
        };
        match connection.interactions().create_interaction(connection.request(request)).await {
            Ok(_) => told += 1,
            // Somebody else told them just now, or an earlier run of this did.
            Err(status) if status.code() == Code::AlreadyExists => {}
            Err(status) if matches!(status.code(), Code::FailedPrecondition | Code::InvalidArgument) => {
                output::note(&format!("rapport: {}: {}", asker.account, status.message()));
                refused += 1;
            }
            Err(status) => return Err(status.into()),
        }
    }
    let mut text = format!("{} told", counted(told, "person or account", "persons or accounts"));
    if counts.told > 0 {
        let _ = write!(text, ", {} before", counts.told);
    }
    if refused > 0 {
        let _ = write!(text, ", {refused} refused");
    }
    output::line(&text)?;
    Ok(if refused > 0 { Exit::Differs } else { Exit::Ok })
}

fn later(one: Timestamp, other: Timestamp) -> Timestamp {
    if (one.seconds, one.nanos) < (other.seconds, other.nanos) { other } else { one }
}

/// The person to name; nobody if it is one of an account that was merged away, where the other account is told.
fn own_contact(asker: &Asker) -> String {
    let own = format!("{}/", asker.account);
    if asker.contact.starts_with(&own) { asker.contact.clone() } else { String::new() }
}

/// The id of the interaction in which an asker is told, the same whenever it is made.
fn telling_id(improvement: &str, asker: &Asker) -> String {
    let mut hash = Sha256::new();
    for part in [improvement, &asker.account, &asker.contact] {
        hash.update(Sha256::digest(part));
    }
    let mut id = "told-".to_owned();
    for byte in hash.finalize().iter().take(SHOWN_BYTES) {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_asker_is_told_with_an_id_of_its_own_that_stays_the_same() {
        let asker = |account: &str, contact: &str| Asker {
            account: account.to_owned(),
            contact: contact.to_owned(),
            ..Asker::default()
        };
        let ids = [
            telling_id("improvements/a", &asker("accounts/a", "")),
            telling_id("improvements/b", &asker("accounts/a", "")),
            telling_id("improvements/a", &asker("accounts/b", "")),
            telling_id("improvements/a", &asker("accounts/a", "accounts/a/contacts/c")),
        ];
        assert!((1..4).all(|at| !ids[..at].contains(&ids[at])), "{ids:?}");
        assert_eq!(ids[0], telling_id("improvements/a", &asker("accounts/a", "")));
        assert_eq!(own_contact(&asker("accounts/a", "accounts/a/contacts/c")), "accounts/a/contacts/c");
        assert_eq!(own_contact(&asker("accounts/ab", "accounts/a/contacts/c")), "");
        assert_eq!(own_contact(&asker("accounts/a", "accounts/ab/contacts/c")), "");
    }

    #[test]
    fn the_later_of_two_times_counts() {
        let time = |seconds, nanos| Timestamp { seconds, nanos };
        assert_eq!(later(time(1, 5), time(1, 4)), time(1, 5));
        assert_eq!(later(time(1, 5), time(2, 4)), time(2, 4));
    }

    #[test]
    fn channels_are_those_of_the_contract() {
        assert_eq!(Channel::InPerson as i32, InteractionChannel::InPerson as i32);
        assert_eq!(Channel::Social as i32, InteractionChannel::Social as i32);
    }
}
