//! `rapport watch`: tells what moves in the assessments, as it moves.

use std::{io::Write, time::Duration};

use contracts::assessments::v1::{WatchAssessmentsRequest, WatchAssessmentsResponse};
use tokio::time::sleep;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{Format, account_id, facets, told};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::value::short_name,
    output,
};

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What `watch` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
It goes on by itself where it was when it is cut off or the suite restarts. Ctrl-C ends it, and tells the position from
which `--from` goes on, with the same filter and threshold.")]
pub struct WatchArgs {
    /// Only accounts that pass, before or after a change, such as 'bond < 40 AND stage = "commitment"'.
    #[arg(long, default_value = "")]
    filter: String,
    /// The least movement of the bond or a facet that is told, in points, from 0.1 to 100.
    #[arg(long, default_value_t = 1.0, value_name = "POINTS")]
    threshold: f64,
    /// Go on after this position; if left out, with the next change.
    #[arg(long, default_value = "", value_name = "POSITION")]
    from: String,
    /// How to print it, a line for each change; json is proto JSON.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: WatchArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let request = WatchAssessmentsRequest { filter: args.filter, threshold: Some(args.threshold), position: args.from };
    let mut watch = Watch { connection, request, format: args.format, is_connected: false, is_titled: false };
    tokio::select! {
        ended = watch.go_on() => ended?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    if !watch.request.position.is_empty() {
        output::note(&format!("rapport: go on with --from {}", watch.request.position));
    }
    Ok(Exit::Ok)
}

struct Watch {
    connection: Connection,
    /// Its position is that of the last message.
    request: WatchAssessmentsRequest,
    format: Format,
    /// Whether anything was heard since the last try.
    is_connected: bool,
    /// Whether the titles are printed.
    is_titled: bool,
}

impl Watch {
    /// Watches, again and again, until something stands in the way that will not pass.
    async fn go_on(&mut self) -> Result<(), Error> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let has_begun = !self.request.position.is_empty();
            let status = match self.watch().await {
                // A server that ends a watch without a word has gone.
                Ok(()) => Status::unavailable("the watch has ended"),
                Err(Error::Status(status)) => *status,
                Err(other) => return Err(other),
            };
            // Where it has not begun, nobody knows whether there is anything to wait for.
            if !(is_passing(&status) && (has_begun || self.is_connected)) {
                return Err(status.into());
            }
            if std::mem::take(&mut self.is_connected) {
                output::note(&format!("rapport: {}; going on where it was", status.message()));
                pause = SHORTEST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn watch(&mut self) -> Result<(), Error> {
        // Without a deadline: it lasts as long as it lasts.
        let answers = self.connection.assessments().watch_assessments(Request::new(self.request.clone())).await;
        let mut answers = answers?.into_inner();
        while let Some(message) = answers.message().await? {
            self.is_connected = true;
            if !std::mem::replace(&mut self.is_titled, true) {
                match self.format {
                    Format::Table => output::line(&row("time", "account", "bond", "moved", "stage", "what and why"))?,
                    Format::Csv => output::line(COLUMNS)?,
                    Format::Json => {}
                }
            }
            if message.assessment.is_some() {
                write(&mut output::stdout(), &message, self.format)?;
            }
            self.request.position = message.position;
        }
        Ok(())
    }
}

/// Whether it may go on: the server was away or stopped, or this program did not keep up.
fn is_passing(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Aborted => true,
        // A connection that broke has no words of ours.
        Code::Unknown | Code::Internal | Code::Cancelled => status.get_details_error_info().is_none(),
        _ => false,
    }
}

const COLUMNS: &str = "time,account,bond_before,bond_after,stage_before,stage_after,causes,sources,position";

fn row(time: &str, account: &str, bond: &str, moved: &str, stage: &str, why: &str) -> String {
    format!("{time:<19}  {account:<16}  {bond:>5}  {moved:>6}  {stage:<12}  {why}")
}

fn write(out: &mut impl Write, message: &WatchAssessmentsResponse, format: Format) -> Result<(), Error> {
    let account = message.assessment.as_ref().map_or("", |assessment| account_id(&assessment.name));
    let time = told(message.move_time);
    let stage = facets::stage(message.stage_after());
    match format {
        Format::Table => {
            let bond = format!("{:.1}", message.bond_after);
            let moved = format!("{:+.1}", message.bond_after - message.bond_before);
            // The first sentence says what the columns say.
            let why = message.summary.get(1..).unwrap_or_default().join(" ");
            // The seconds are enough for a person.
            let time = time.get(..19).unwrap_or_default();
            writeln!(out, "{}", row(time, account, &bond, &moved, &stage, &why))?;
        }
        Format::Json => {
            writeln!(out, "{}", contract::to_json("rapport.assessments.v1.WatchAssessmentsResponse", message)?)?;
        }
        Format::Csv => {
            let causes: Vec<String> = message.causes().map(|cause| short_name("Cause", cause.as_str_name())).collect();
            let mut writer = csv::Writer::from_writer(out);
            writer.write_record([
                &time,
                account,
                &message.bond_before.to_string(),
                &message.bond_after.to_string(),
                &facets::stage(message.stage_before()),
                &stage,
                &causes.join(" "),
                &message.sources.join(" "),
                &message.position,
            ])?;
            writer.flush()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::assessments::v1::{Assessment, Cause, Stage};
    use prost_types::Timestamp;

    use super::*;

    fn written(format: Format) -> String {
        let message = WatchAssessmentsResponse {
            assessment: Some(Assessment { name: "accounts/acme/assessment".to_owned(), ..Assessment::default() }),
            position: "p".to_owned(),
            move_time: Some(Timestamp { seconds: 1_767_614_400, nanos: 5_000 }),
            bond_before: 50.0,
            bond_after: 47.5,
            stage_before: Stage::Expansion.into(),
            stage_after: Stage::Dissolution.into(),
            causes: vec![Cause::New.into(), Cause::Time.into()],
            sources: vec!["accounts/acme/feedback/f_1".to_owned()],
            summary: vec!["The bond fell by 2.5 points, from 50.0 to 47.5.".to_owned(), "It ends.".to_owned()],
            ..WatchAssessmentsResponse::default()
        };
        let mut out = Vec::new();
        write(&mut out, &message, format).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_change_is_a_line() {
        let line = "2026-01-05T12:00:00  acme               47.5    -2.5  dissolution   It ends.\n";
        assert_eq!(written(Format::Table), line);
        let line = "2026-01-05T12:00:00Z,acme,50,47.5,expansion,dissolution,new time,accounts/acme/feedback/f_1,p\n";
        assert_eq!(written(Format::Csv), line);
        assert_eq!(COLUMNS.split(',').count(), line.split(',').count());
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json)).expect("json");
        assert_eq!((&json["bondAfter"], &json["position"]), (&47.5.into(), &"p".into()));
        assert_eq!(written(Format::Json).lines().count(), 1);
    }

    #[test]
    fn it_goes_on_after_what_passes() {
        assert!(is_passing(&Status::aborted("too slow")) && is_passing(&Status::unavailable("stops")));
        assert!(is_passing(&Status::unknown("transport error")));
        assert!(!is_passing(&Status::invalid_argument("filter")) && !is_passing(&Status::out_of_range("expired")));
    }
}
