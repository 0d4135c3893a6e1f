//! `rapport improvements`: from feedback to what was improved, to its effect, to those who asked.

mod args;
mod page;
mod tell;

use contracts::{
    common::v1::FreshnessToken,
    feedback::v1::{
        CreateImprovementRequest, DeclineImprovementRequest, FacetEffect, GetImprovementRequest, Improvement,
        ListImprovementsRequest, MeasureImprovementRequest, PlanImprovementRequest, ShipImprovementRequest,
    },
    voice::v1::{Asker, GetImprovementEffectRequest, ImprovementEffect, ListAskersRequest, MovedFacet},
};

use self::args::{Command, CreateArgs, DeclineArgs, EffectArgs, ListArgs, MeasureArgs, StepArgs};
use super::{Format, themes::print_json, timestamp};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    import::value::short_name,
    output,
};

pub use args::ImprovementsArgs;

const FULL_NAME: &str = "rapport.feedback.v1.Improvement";

pub(crate) async fn run(connect: &ConnectArgs, args: ImprovementsArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    match args.command {
        Command::List(args) => list(&connection, args).await?,
        Command::Show(args) => print(&get(&connection, &args.name).await?, args.format)?,
        Command::Create(args) => create(&connection, args).await?,
        Command::Plan(args) => plan(&connection, args).await?,
        Command::Ship(args) => ship(&connection, args).await?,
        Command::Decline(args) => decline(&connection, args).await?,
        Command::Measure(args) => measure(&connection, args).await?,
        Command::Effect(args) => effect(&connection, args).await?,
        Command::Askers(args) => {
            let (askers, counts) = askers(&connection, &args.named.name, args.untold, None).await?;
            print_askers(&askers, counts, args.named.format)?;
        }
        Command::Tell(args) => return tell::run(&connection, args).await,
    }
    Ok(Exit::Ok)
}

async fn list(connection: &Connection, args: ListArgs) -> Result<(), Error> {
    let mut improvements = Vec::new();
    let mut request =
        ListImprovementsRequest { state: args.state.map_or(0, |state| state as i32), ..Default::default() };
    loop {
        let page = connection.feedback().list_improvements(connection.request(request.clone())).await?.into_inner();
        improvements.extend(page.improvements);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    match args.format {
        Format::Table if improvements.is_empty() => output::line("no improvements")?,
        Format::Table => output::line(&page::table(&improvements).to_string())?,
        Format::Json => {
            for improvement in &improvements {
                output::line(&contract::to_json(FULL_NAME, improvement)?.to_string())?;
            }
        }
        Format::Csv => page::csv_rows(&mut output::stdout(), &improvements)?,
    }
    Ok(())
}

async fn get(connection: &Connection, name: &str) -> Result<Improvement, Error> {
    let request = GetImprovementRequest { name: full_name(name), ..GetImprovementRequest::default() };
    let answer = connection.feedback().get_improvement(connection.request(request)).await?.into_inner();
    Ok(answer.improvement.unwrap_or_default())
}

async fn create(connection: &Connection, args: CreateArgs) -> Result<(), Error> {
    let theme = |theme: String| match theme.strip_prefix("themes/") {
        Some(_) => theme,
        None => format!("themes/{theme}"),
    };
    let improvement = Improvement {
        kind: args.kind as i32,
        title: args.title,
        description: args.description,
        themes: args.themes.into_iter().map(theme).collect(),
        feedback: args.feedback,
        ..Improvement::default()
    };
    let request = CreateImprovementRequest {
        improvement_id: args.id,
        improvement: Some(improvement),
        ..CreateImprovementRequest::default()
    };
    let answer = connection.feedback().create_improvement(connection.request(request)).await?.into_inner();
    print(&answer.improvement.unwrap_or_default(), args.format)
}

async fn plan(connection: &Connection, args: StepArgs) -> Result<(), Error> {
    let plan_time = timestamp(args.at.as_deref())?;
    let request = PlanImprovementRequest { name: full_name(&args.named.name), plan_time, ..Default::default() };
    let answer = connection.feedback().plan_improvement(connection.request(request)).await?.into_inner();
    print(&answer.improvement.unwrap_or_default(), args.named.format)
}

async fn ship(connection: &Connection, args: StepArgs) -> Result<(), Error> {
    let ship_time = timestamp(args.at.as_deref())?;
    let request = ShipImprovementRequest { name: full_name(&args.named.name), ship_time, ..Default::default() };
    let answer = connection.feedback().ship_improvement(connection.request(request)).await?.into_inner();
    let improvement = answer.improvement.unwrap_or_default();
    print(&improvement, args.named.format)?;
    // For programs an answer is of one kind; they ask for the askers.
    if args.named.format == Format::Table {
        let (askers, counts) = askers(connection, &improvement.name, true, answer.freshness).await?;
        output::line("")?;
        print_askers(&askers, counts, Format::Table)?;
    }
    Ok(())
}

async fn decline(connection: &Connection, args: DeclineArgs) -> Result<(), Error> {
    let request = DeclineImprovementRequest {
        name: full_name(&args.named.name),
        decline_reason: args.reason,
        ..DeclineImprovementRequest::default()
    };
    let answer = connection.feedback().decline_improvement(connection.request(request)).await?.into_inner();
    print(&answer.improvement.unwrap_or_default(), args.named.format)
}

async fn measured(connection: &Connection, args: &EffectArgs) -> Result<ImprovementEffect, Error> {
    let request = GetImprovementEffectRequest {
        name: full_name(&args.named.name),
        days: args.days,
        ..GetImprovementEffectRequest::default()
    };
    let answer = connection.voice().get_improvement_effect(connection.request(request)).await?.into_inner();
    Ok(answer.effect.unwrap_or_default())
}

async fn effect(connection: &Connection, args: EffectArgs) -> Result<(), Error> {
    let effect = measured(connection, &args).await?;
    match args.named.format {
        Format::Table => output::line(&page::effect(&effect))?,
        Format::Json => print_json("rapport.voice.v1.ImprovementEffect", &effect)?,
        Format::Csv => page::effect_csv(&mut output::stdout(), &effect.facets)?,
    }
    Ok(())
}

async fn measure(connection: &Connection, args: MeasureArgs) -> Result<(), Error> {
    let measure_time = timestamp(args.at.as_deref())?;
    let effect = measured(connection, &args.effect).await?;
    if effect.end_time.is_none() && args.text.is_none() {
        let days = args.effect.days;
        let why = format!("{}: --days takes fewer than {days}, --text words of your own", effect.summary);
        return Err(Error::Usage(why));
    }
    let request = MeasureImprovementRequest {
        name: full_name(&args.effect.named.name),
        measure_time,
        effect: args.text.unwrap_or(effect.summary),
        facet_effects: effect.facets.iter().filter_map(figures).collect(),
        ..MeasureImprovementRequest::default()
    };
    let answer = connection.feedback().measure_improvement(connection.request(request)).await?.into_inner();
    print(&answer.improvement.unwrap_or_default(), args.effect.named.format)
}

/// The figures of a facet as they are recorded; none where there are too few.
fn figures(of: &MovedFacet) -> Option<FacetEffect> {
    let change = of.change.as_ref()?;
    let points = |points: f64| points.clamp(-100.0, 100.0);
    Some(FacetEffect {
        party: of.party,
        facet: short_name("Facet", of.facet().as_str_name()),
        change: points(change.value),
        low: points(change.low),
        high: points(change.high),
        p_value: of.adjusted_p_value,
        account_count: of.account_count,
        comparable_account_count: of.comparable_account_count,
    })
}

/// How many asked, how many of them have been told, and whether there was more than is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    total: i64,
    told: i64,
    is_bounded: bool,
}

/// All who asked for an improvement.
async fn askers(
    connection: &Connection,
    name: &str,
    untold_only: bool,
    freshness: Option<FreshnessToken>,
) -> Result<(Vec<Asker>, Counts), Error> {
    let mut request = ListAskersRequest {
        improvement: full_name(name),
        untold_only,
        page_size: 1_000,
        at_least_as_fresh: freshness.into_iter().collect(),
        ..ListAskersRequest::default()
    };
    let mut askers = Vec::new();
    loop {
        let page = connection.voice().list_askers(connection.request(request.clone())).await?.into_inner();
        askers.extend(page.askers);
        if page.next_page_token.is_empty() {
            let counts = Counts { total: page.total_count, told: page.told_count, is_bounded: page.is_bounded };
            return Ok((askers, counts));
        }
        request.page_token = page.next_page_token;
    }
}

fn print_askers(askers: &[Asker], counts: Counts, format: Format) -> Result<(), Error> {
    match format {
        Format::Table => output::line(&page::askers(askers, counts))?,
        Format::Json => {
            for asker in askers {
                output::line(&contract::to_json("rapport.voice.v1.Asker", asker)?.to_string())?;
            }
        }
        Format::Csv => page::askers_csv(&mut output::stdout(), askers)?,
    }
    Ok(())
}

fn print(improvement: &Improvement, format: Format) -> Result<(), Error> {
    match format {
        Format::Table => output::line(&page::one(improvement))?,
        Format::Json => print_json(FULL_NAME, improvement)?,
        Format::Csv => page::csv_rows(&mut output::stdout(), std::slice::from_ref(improvement))?,
    }
    Ok(())
}

/// The full name of an improvement that is given by id or by full name.
fn full_name(argument: &str) -> String {
    format!("improvements/{}", argument.strip_prefix("improvements/").unwrap_or(argument))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use contracts::{assessments::v1::Estimate, feedback::v1 as feedback, voice::v1::EffectVerdict};

    use super::*;

    #[test]
    fn commands_are_read() {
        let read = |line: &str| crate::cli::Cli::try_parse_from(line.split(' ')).map(|_| ());
        for good in [
            "list --state shipped",
            "show a",
            "create --kind new-product --title t --theme a --theme themes/b --feedback accounts/a/feedback/b",
            "plan a --at 2026-01-01",
            "ship a",
            "decline a --reason dear",
            "measure a --days 30 --text fine",
            "effect improvements/a --format csv",
            "askers a --untold",
            "tell a --text there --channel phone --subject s --dry-run",
        ] {
            assert!(read(&format!("rapport improvements {good}")).is_ok(), "{good}");
        }
        for wrong in ["create --title t", "decline a", "effect a --days 6", "tell a", "list --state lost"] {
            assert!(read(&format!("rapport improvements {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_words_of_the_command_line_are_those_of_the_contract() {
        assert_eq!(args::State::Declined as i32, feedback::ImprovementState::Declined as i32);
        assert_eq!(args::State::Proposed as i32, feedback::ImprovementState::Proposed as i32);
        assert_eq!(args::Kind::NewProduct as i32, feedback::ImprovementKind::NewProduct as i32);
        assert_eq!(args::Kind::Procedure as i32, feedback::ImprovementKind::Procedure as i32);
    }

    #[test]
    fn figures_are_recorded_as_they_were_measured() {
        let facet = MovedFacet {
            facet: contracts::assessments::v1::Facet::Trust.into(),
            change: Some(Estimate { value: 4.0, low: -150.0, high: 6.0 }),
            adjusted_p_value: Some(0.04),
            verdict: EffectVerdict::Better.into(),
            ..MovedFacet::default()
        };
        let told = figures(&facet).expect("figures");
        assert_eq!((told.facet.as_str(), told.low, told.high, told.p_value), ("trust", -100.0, 6.0, Some(0.04)));
        assert_eq!(figures(&MovedFacet { change: None, ..facet }), None);
    }
}
