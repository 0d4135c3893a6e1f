//! `rapport themes`: what customers talk about, and which of it grows.

mod page;

use contracts::voice::v1::{ListThemeSourcesRequest, ListThemesRequest, ThemeOrigin};

use super::{Format, days_ahead, timestamp};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output,
};

const HELP: &str = "\
Themes are the tenant's own, by the phrases that point to them and by what was stated with feedback, and new ones:
phrases that are said by a larger share of the accounts than in as many days before. Only the customers' own words
count, from interactions and feedback. `moves` is how many times as often as before a theme is heard, with its 95%
interval; where that holds 1 it is `unclear`. A new phrase is told only if at most one in ten of those like it would
be chance. Of each period the newest 20,000 interactions and pieces of feedback are looked at; it says so if there
were more.

Examples:
  rapport themes
  # New phrases of the last month
  rapport themes --discovered --days 30
  # What is heard in Dutch, by what those who say it spend
  rapport themes --language nl --order-by 'value desc'
  # What one segment speaks of more than all others do
  rapport themes --segment retail --order-by 'trend desc'
  # All that was said of a theme, or with a phrase
  rapport themes --sources themes/delivery --top 1000
  rapport themes --sources 'parking permit'";

/// What `themes` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct ThemesArgs {
    /// How many days to look at, compared with as many before.
    #[arg(long, value_name = "N", default_value_t = 91, value_parser = clap::value_parser!(i32).range(1..=730))]
    days: i32,
    /// The end of these days: a time in RFC 3339, or a date; now if left out.
    #[arg(long, value_name = "TIME", conflicts_with = "horizon_days")]
    at: Option<String>,
    /// Only what was said in this language, such as nl; und for what has no known language.
    #[arg(long, value_name = "CODE", default_value = "")]
    language: String,
    /// Only what accounts of this segment say, compared with all others in the same days.
    #[arg(long, value_name = "SEGMENT")]
    segment: Option<String>,
    /// Only new phrases that stand out.
    #[arg(long, conflicts_with = "own")]
    discovered: bool,
    /// Only the tenant's own themes.
    #[arg(long)]
    own: bool,
    /// List what was said of a theme, by its full name `themes/…`, or with any other phrase.
    #[arg(long, value_name = "THEME", conflicts_with_all = ["own", "discovered", "order_by", "horizon_days", "segment"])]
    sources: Option<String>,
    /// account_count, value, feeling or trend, with ` desc` for the largest first; account_count desc if left out.
    #[arg(long, value_name = "FIELD", default_value = "")]
    order_by: String,
    /// Tell also what those who say it will probably spend in so many days, and be worth; needs a fit.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = days_ahead())]
    horizon_days: Option<i32>,
    /// At most this many, up to 1,000.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    top: i32,
    /// How to print it.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: ThemesArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    match &args.sources {
        Some(theme) => list_sources(&connection, theme, &args).await?,
        None => list(&connection, &args).await?,
    }
    Ok(Exit::Ok)
}

async fn list(connection: &Connection, args: &ThemesArgs) -> Result<(), Error> {
    let request = ListThemesRequest {
        days: args.days,
        as_of: timestamp(args.at.as_deref())?,
        language: args.language.clone(),
        origin: match (args.own, args.discovered) {
            (true, _) => ThemeOrigin::Own,
            (_, true) => ThemeOrigin::Discovered,
            _ => ThemeOrigin::Unspecified,
        }
        .into(),
        order_by: args.order_by.clone(),
        page_size: args.top,
        horizon_days: args.horizon_days,
        segment: args.segment.clone(),
        ..ListThemesRequest::default()
    };
    let answer = connection.voice().list_themes(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&page::page(&answer))?,
        Format::Json => print_json("rapport.voice.v1.ListThemesResponse", &answer)?,
        Format::Csv => page::csv_rows(&mut output::stdout(), &answer.themes)?,
    }
    Ok(())
}

async fn list_sources(connection: &Connection, theme: &str, args: &ThemesArgs) -> Result<(), Error> {
    let is_theme = theme.starts_with("themes/");
    let request = ListThemeSourcesRequest {
        theme: if is_theme { theme.to_owned() } else { String::new() },
        phrase: if is_theme { String::new() } else { theme.to_owned() },
        language: args.language.clone(),
        days: args.days,
        as_of: timestamp(args.at.as_deref())?,
        page_size: args.top,
        ..ListThemeSourcesRequest::default()
    };
    let answer = connection.voice().list_theme_sources(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&page::sources_page(&answer))?,
        Format::Json => print_json("rapport.voice.v1.ListThemeSourcesResponse", &answer)?,
        Format::Csv => page::sources_csv(&mut output::stdout(), &answer.sources)?,
    }
    Ok(())
}

/// Prints a message as proto JSON, for a person's eyes too.
pub(super) fn print_json(full_name: &str, message: &impl prost::Message) -> Result<(), Error> {
    Ok(output::line(&serde_json::to_string_pretty(&contract::to_json(full_name, message)?)?)?)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    #[test]
    fn what_does_not_go_together_is_refused() {
        let read = |line: &str| crate::cli::Cli::try_parse_from(line.split(' ')).map(|_| ());
        for good in ["", " --own --days 30", " --discovered --language nl", " --sources themes/a --top 1000"] {
            assert!(read(&format!("rapport themes{good}")).is_ok(), "{good}");
        }
        for wrong in ["--own --discovered", "--days 731", "--sources a --own", "--at 2026-01-01 --horizon-days 9"] {
            assert!(read(&format!("rapport themes {wrong}")).is_err(), "{wrong}");
        }
    }
}
