//! What `rapport improvements` takes.

use super::tell::TellArgs;
use crate::commands::Format;

const EXAMPLES: &str = "\
An improvement answers themes and single pieces of feedback. It is proposed, planned, shipped and measured, or declined.
Those who asked for it are listed when it ships; `tell` records an interaction with each of them, whose thread is the
improvement's name. The effect compares how the facets of those who asked moved with how those of comparable accounts
did that had not asked; where too little is known to say, it says so.

Examples:
  rapport improvements create --id returns-60 --kind policy --title 'Returns within 60 days' --theme themes/returns
  rapport improvements plan returns-60
  rapport improvements ship returns-60
  # One interaction for each who asked and has not been told yet; repeating it tells nobody twice
  rapport improvements tell returns-60 --text 'You asked for it: you can now return goods within 60 days.'
  # A quarter later
  rapport improvements effect returns-60
  rapport improvements measure returns-60";

/// What `improvements` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ImprovementsArgs {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the improvements.
    List(ListArgs),
    /// Tell all that is recorded of an improvement.
    Show(NameArgs),
    /// Propose an improvement.
    Create(CreateArgs),
    /// Record that an improvement was decided.
    Plan(StepArgs),
    /// Record that an improvement is in effect, and list those who asked for it.
    Ship(StepArgs),
    /// Turn an improvement down.
    Decline(DeclineArgs),
    /// Record what an improvement did, as `effect` tells it or in words of your own.
    Measure(MeasureArgs),
    /// Tell what an improvement did to the relationships with those who asked for it.
    Effect(EffectArgs),
    /// List those who asked for an improvement, and whether they have been told that it is there.
    Askers(AskersArgs),
    /// Record with each who asked that they were told.
    Tell(TellArgs),
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only those in this state.
    #[arg(long)]
    pub(super) state: Option<State>,
    /// How to print it; json is proto JSON, an improvement a line.
    #[arg(long, default_value = "table")]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum State {
    Proposed = 1,
    Planned = 2,
    Shipped = 3,
    Measured = 4,
    Declined = 5,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Kind {
    Product = 1,
    NewProduct = 2,
    Policy = 3,
    Procedure = 4,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct NameArgs {
    /// The improvement, by id or full name.
    #[arg(value_name = "IMPROVEMENT")]
    pub(super) name: String,
    /// How to print it.
    #[arg(long, default_value = "table")]
    pub(super) format: Format,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// What is to change.
    #[arg(long)]
    pub(super) kind: Kind,
    /// The improvement in a few words.
    #[arg(long)]
    pub(super) title: String,
    /// In more words.
    #[arg(long, default_value = "")]
    pub(super) description: String,
    /// A theme that it answers, by id or full name; may be repeated.
    #[arg(long = "theme", value_name = "THEME")]
    pub(super) themes: Vec<String>,
    /// A piece of feedback that it answers, by full name; may be repeated.
    #[arg(long = "feedback", value_name = "FEEDBACK")]
    pub(super) feedback: Vec<String>,
    /// The id of the improvement, so that creating it again changes nothing; chosen by the server if left out.
    #[arg(long, default_value = "")]
    pub(super) id: String,
    /// How to print the answer.
    #[arg(long, default_value = "table")]
    pub(super) format: Format,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct StepArgs {
    #[command(flatten)]
    pub(super) named: NameArgs,
    /// When: a time in RFC 3339, or a date; now if left out.
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct DeclineArgs {
    #[command(flatten)]
    pub(super) named: NameArgs,
    /// Why.
    #[arg(long)]
    pub(super) reason: String,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct EffectArgs {
    #[command(flatten)]
    pub(super) named: NameArgs,
    /// How many days after it was shipped.
    #[arg(long, value_name = "N", default_value_t = 91, value_parser = clap::value_parser!(i32).range(7..=365))]
    pub(super) days: i32,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct MeasureArgs {
    #[command(flatten)]
    pub(super) effect: EffectArgs,
    /// What it did, in words of your own; in those of `effect` if left out. The figures are recorded with both.
    #[arg(long, value_name = "TEXT")]
    pub(super) text: Option<String>,
    /// When it was measured: a time in RFC 3339, or a date; now if left out.
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct AskersArgs {
    #[command(flatten)]
    pub(super) named: NameArgs,
    /// Only those who have not been told.
    #[arg(long)]
    pub(super) untold: bool,
}
