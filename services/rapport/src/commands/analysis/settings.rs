//! How texts are read, in both services that read them.

use contracts::{
    common::v1::{AnalysisSettings, Competitor},
    feedback::v1 as feedback,
    interactions::v1 as interactions,
};

use super::super::Format;
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output::{self, Grid},
};

const FULL_NAME: &str = "rapport.common.v1.AnalysisSettings";

#[derive(Clone, Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// How to print it; json is proto JSON, a service a line.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").multiple(true).required(true))]
pub(super) struct SetArgs {
    /// Read what is written from now on.
    #[arg(long, group = "what", conflicts_with = "off")]
    on: bool,
    /// Leave unread what is written from now on. What was read stays until `analysis again`.
    #[arg(long, group = "what")]
    off: bool,
    /// A competitor to look for, with what it is called otherwise; may be repeated. Those named before are forgotten.
    #[arg(long, group = "what", value_name = "NAME[=ALIAS,…]")]
    competitor: Vec<String>,
    /// Look for no competitor any more.
    #[arg(long, group = "what", conflicts_with = "competitor")]
    no_competitors: bool,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) async fn show(connect: &ConnectArgs, args: ShowArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    print(&standing(&connection).await?, args.format)
}

pub(super) async fn set(connect: &ConnectArgs, args: SetArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let [(_, mut interactions), (_, mut feedback)] = standing(&connection).await?;
    args.change(&mut interactions);
    args.change(&mut feedback);
    let ask = interactions::UpdateAnalysisSettingsRequest { settings: Some(interactions), ..Default::default() };
    let interactions =
        connection.interactions().update_analysis_settings(connection.request(ask)).await?.into_inner().settings;
    let ask = feedback::UpdateAnalysisSettingsRequest { settings: Some(feedback), ..Default::default() };
    let feedback = connection.feedback().update_analysis_settings(connection.request(ask)).await?.into_inner().settings;
    let changed = [("interactions", interactions.unwrap_or_default()), ("feedback", feedback.unwrap_or_default())];
    print(&changed, args.format)
}

impl SetArgs {
    fn change(&self, settings: &mut AnalysisSettings) {
        if self.on || self.off {
            settings.disabled = self.off;
        }
        if !self.competitor.is_empty() || self.no_competitors {
            settings.competitors = self.competitor.iter().map(|argument| competitor(argument)).collect();
        }
    }
}

fn competitor(argument: &str) -> Competitor {
    let (name, aliases) = argument.split_once('=').unwrap_or((argument, ""));
    let aliases = aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty());
    Competitor { name: name.trim().to_owned(), aliases: aliases.map(str::to_owned).collect() }
}

async fn standing(connection: &Connection) -> Result<[(&'static str, AnalysisSettings); 2], Error> {
    let ask = connection.request(interactions::GetAnalysisSettingsRequest {});
    let interactions = connection.interactions().get_analysis_settings(ask).await?.into_inner().settings;
    let ask = connection.request(feedback::GetAnalysisSettingsRequest {});
    let feedback = connection.feedback().get_analysis_settings(ask).await?.into_inner().settings;
    Ok([("interactions", interactions.unwrap_or_default()), ("feedback", feedback.unwrap_or_default())])
}

fn print(settings: &[(&str, AnalysisSettings)], format: Format) -> Result<Exit, Error> {
    let is_read = |settings: &AnalysisSettings| if settings.disabled { "off" } else { "on" };
    match format {
        Format::Table => {
            let mut table = Grid::titled(&["service", "reading", "competitors"]);
            for (service, settings) in settings {
                table.row([(*service).to_owned(), is_read(settings).to_owned(), competitors(settings, ", ")]);
            }
            output::line(&table.to_string())?;
        }
        Format::Json => {
            for (service, settings) in settings {
                let mut told = contract::to_json(FULL_NAME, settings)?;
                told["service"] = (*service).into();
                output::line(&told.to_string())?;
            }
        }
        Format::Csv => {
            let mut rows = csv::Writer::from_writer(output::stdout());
            rows.write_record(["service", "reading", "competitors"])?;
            for (service, settings) in settings {
                rows.write_record([*service, is_read(settings), &competitors(settings, ";")])?;
            }
            rows.flush()?;
        }
    }
    Ok(Exit::Ok)
}

fn competitors(settings: &AnalysisSettings, between: &str) -> String {
    let told = settings.competitors.iter().map(|one| match one.aliases.as_slice() {
        [] => one.name.clone(),
        aliases => format!("{} ({})", one.name, aliases.join(", ")),
    });
    told.collect::<Vec<_>>().join(between)
}
