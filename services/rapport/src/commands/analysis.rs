//! `rapport analysis`: how the suite reads the texts that are written to it, and what it read.

mod again;
mod overriding;
mod settings;

use crate::{
    client::ConnectArgs,
    exit::{Error, Exit},
};

const EXAMPLES: &str = "\
What is written to interactions and feedback is read at once, and what it says stands in the resource as `analysis`. Both
services are told the same by these commands.

Examples:
  rapport analysis set --competitor 'Globex=Globex Corporation,GBX' --competitor Initech
  rapport analysis set --off
  rapport analysis override accounts/acme/interactions/42 --sentiment -0.8 --emotion anger=0.7 --reason 'it was irony'
  # After an update of the program, or of the settings
  rapport analysis again --rate 500";

/// What `analysis` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AnalysisArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Show how texts are read.
    Show(settings::ShowArgs),
    /// Switch the reading on or off, or name the competitors to look for.
    Set(settings::SetArgs),
    /// Say what the analysis of one text should have been, and why; or take that back.
    Override(overriding::OverrideArgs),
    /// Read again what was written before, with the model and the settings of today.
    Again(again::AgainArgs),
}

pub(crate) async fn run(connect: &ConnectArgs, args: AnalysisArgs) -> Result<Exit, Error> {
    match args.command {
        Command::Show(args) => settings::show(connect, args).await,
        Command::Set(args) => settings::set(connect, args).await,
        Command::Override(args) => overriding::run(connect, args).await,
        Command::Again(args) => again::run(connect, args).await,
    }
}
