//! `rapport simulate`: what an account's assessment would be with hypothetical evidence, or another model.

use std::fmt::Write as _;

use contracts::assessments::v1::{SimulateAssessmentRequest, SimulateAssessmentResponse, Supposition, WithoutSignal};

use super::{Format, account_id, account_name, compare, days_ahead, prediction, timestamp, told};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output,
};

const EXAMPLES: &str = "\
Signals are named as in the model's document, under [signals], and as `rapport assess` prints them. A VALUE lies between
-1 and 1: `delivery_promise=-1` is a promised date missed by far, `delivery_promise=1` one that was kept.

Examples:
  # Three late deliveries, now
  rapport simulate 12748 --suppose delivery_promise=-1*3
  # A complaint settled well last week, and the order that it was about never placed
  rapport simulate 12748 --suppose settlement=1@2026-03-01 --without orders/o-1
  # The order delivered a little late instead of not yet, and what is to be expected of the next quarter then
  rapport simulate 12748 --without-signal orders/o-1=delivery_promise --suppose delivery_promise=-0.3 --horizon-days 91
  # Another model, on the last day of last year
  rapport simulate 12748 --model cautious-2 --at 2025-12-31";

/// What `simulate` takes.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SimulateArgs {
    /// The account, by id or full name.
    account: String,
    /// What is supposed to have happened, how many times, with which weight and when; once, with a weight of 1, at the
    /// time of the assessment, if left out.
    #[arg(long = "suppose", value_name = "SIGNAL=VALUE[*COUNT][^WEIGHT][@TIME]", value_parser = supposition)]
    suppositions: Vec<Supposition>,
    /// A resource that is supposed never to have been, such as orders/o-1, or by full name.
    #[arg(long, value_name = "SOURCE")]
    without: Vec<String>,
    /// What a resource is supposed not to say, such as orders/o-1=delivery_promise of an order that is overdue; what
    /// else it says still stands.
    #[arg(long = "without-signal", alias = "settled", value_name = "SOURCE=SIGNAL", value_parser = without_signal)]
    without_signals: Vec<WithoutSignal>,
    /// Another model, by id or full name.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Suppose it of then: a time in RFC 3339, or a date.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Tell what would change in the prediction of so many days.
    #[arg(long, alias = "horizon", value_name = "N", value_parser = days_ahead())]
    horizon_days: Option<i32>,
    /// How to print it; csv has a row for each reason, without the prediction.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: SimulateArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let account = account_name(&args.account);
    let request = SimulateAssessmentRequest {
        name: format!("{account}/assessment"),
        suppositions: args.suppositions,
        without: args.without.iter().map(|source| source_name(&account, source)).collect(),
        without_signals: args.without_signals.into_iter().map(|without| full(&account, without)).collect(),
        model: args.model.as_deref().map(model_name).unwrap_or_default(),
        horizon_days: args.horizon_days,
        as_of: timestamp(args.at.as_deref())?,
        ..Default::default()
    };
    let answer = connection.assessments().simulate_assessment(connection.request(request)).await?.into_inner();
    match args.format {
        Format::Table => output::line(&page(&answer))?,
        Format::Json => {
            let json = contract::to_json("rapport.assessments.v1.SimulateAssessmentResponse", &answer)?;
            output::line(&serde_json::to_string_pretty(&json)?)?;
        }
        Format::Csv => compare::csv_rows(&answer.terms)?,
    }
    Ok(Exit::Ok)
}

/// The full name of a model that is given by id or by full name.
pub(super) fn model_name(argument: &str) -> String {
    format!("models/{}", argument.strip_prefix("models/").unwrap_or(argument))
}

/// The full name of a source, which may be given as it is called within its account.
fn source_name(account: &str, argument: &str) -> String {
    match argument {
        full if full.starts_with("accounts/") || full.starts_with("referrals/") => full.to_owned(),
        within => format!("{account}/{within}"),
    }
}

/// What is left out, with the full name of its source.
fn full(account: &str, without: WithoutSignal) -> WithoutSignal {
    WithoutSignal { source: source_name(account, &without.source), ..without }
}

/// Reads `SOURCE=SIGNAL`.
fn without_signal(text: &str) -> Result<WithoutSignal, String> {
    match text.rsplit_once('=').map(|(source, signal)| (source.trim(), signal.trim())) {
        Some((source, signal)) if !source.is_empty() && !signal.is_empty() => {
            Ok(WithoutSignal { source: source.to_owned(), signal: signal.to_owned() })
        }
        _ => Err("expected SOURCE=SIGNAL, such as orders/o-1=delivery_promise".to_owned()),
    }
}

/// Reads `SIGNAL=VALUE[*COUNT][^WEIGHT][@TIME]`.
fn supposition(text: &str) -> Result<Supposition, String> {
    let (signal, rest) = text.split_once('=').ok_or("expected SIGNAL=VALUE, such as delivery_promise=-1")?;
    let (rest, time) = match rest.split_once('@') {
        Some((rest, time)) => (rest, Some(time)),
        None => (rest, None),
    };
    let (rest, weight) = match rest.split_once('^') {
        Some((rest, weight)) => (rest, Some(weight)),
        None => (rest, None),
    };
    let (value, count) = match rest.split_once('*') {
        Some((value, count)) => (value, Some(count)),
        None => (rest, None),
    };
    let count = match count.map(str::parse) {
        Some(Ok(count)) if count > 0 => count,
        Some(_) => return Err("COUNT is a whole number above 0".to_owned()),
        None => 0,
    };
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a number"));
    Ok(Supposition {
        signal: signal.trim().to_owned(),
        value: Some(number(value)?),
        weight: weight.map(number).transpose()?,
        happen_time: timestamp(time).map_err(|_| "TIME is in RFC 3339, or a date")?,
        count,
    })
}

fn page(answer: &SimulateAssessmentResponse) -> String {
    let mut page = String::new();
    if let Some(after) = &answer.after {
        let account = account_id(&after.name);
        let _ = writeln!(page, "{account}, as it would be at {}, by {}", told(after.assess_time), after.model);
    }
    for sentence in &answer.summary {
        let _ = writeln!(page, "- {sentence}");
    }
    let _ = write!(page, "\n{}", compare::scores(&answer.facets));
    let predictions = [&answer.before, &answer.after].map(|of| of.as_ref()?.prediction.as_ref());
    if let Some(compared) = prediction::compared(predictions[0], predictions[1]) {
        let _ = write!(page, "\n\n{compared}");
    }
    if !answer.terms.is_empty() {
        let _ = write!(page, "\n\nwhat would move the bond most\n{}", compare::reasons(&answer.terms));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supposition_says_what_how_often_and_when() {
        let told = supposition("delivery_promise=-0.5*3@2026-03-01").expect("a supposition");
        assert_eq!((told.signal.as_str(), told.value, told.count), ("delivery_promise", Some(-0.5), 3));
        assert_eq!(super::told(told.happen_time), "2026-03-01T00:00:00Z");
        let short = supposition("advocacy=1").expect("a supposition");
        assert_eq!((short.value, short.count, short.happen_time), (Some(1.0), 0, None));
        let weighed = supposition("advocacy=1*2^0.5").expect("a supposition");
        assert_eq!((weighed.value, weighed.count, weighed.weight), (Some(1.0), 2, Some(0.5)));
        for wrong in [
            "advocacy",
            "advocacy=",
            "advocacy=high",
            "advocacy=1*",
            "advocacy=1*0",
            "advocacy=1*x",
            "advocacy=1^",
            "advocacy=1^x",
            "advocacy=1@soon",
        ] {
            assert!(supposition(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_left_out_names_its_source_and_signal() {
        let told = full("accounts/acme", without_signal("orders/o=1=delivery_promise").expect("a signal of a source"));
        assert_eq!((told.source.as_str(), told.signal.as_str()), ("accounts/acme/orders/o=1", "delivery_promise"));
        for wrong in ["orders/o-1", "orders/o-1=", "=delivery_promise", ""] {
            assert!(without_signal(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_tells_what_the_prediction_would_be() {
        let assessment = prediction::tests::predicted();
        let mut answer = SimulateAssessmentResponse {
            before: Some(assessment.clone()),
            after: Some(assessment),
            ..SimulateAssessmentResponse::default()
        };
        assert!(page(&answer).contains("within 91 days"), "{}", page(&answer));
        answer.before.as_mut().expect("an assessment").prediction = None;
        assert!(!page(&answer).contains("within"), "{}", page(&answer));
    }

    #[test]
    fn sources_and_models_are_given_in_short_or_in_full() {
        assert_eq!(source_name("accounts/acme", "orders/o-1"), "accounts/acme/orders/o-1");
        assert_eq!(source_name("accounts/acme", "accounts/old/orders/o-1"), "accounts/old/orders/o-1");
        assert_eq!(source_name("accounts/acme", "referrals/zenith"), "referrals/zenith");
        assert_eq!(
            (model_name("calm-1"), model_name("models/calm-1")),
            ("models/calm-1".into(), "models/calm-1".into())
        );
    }
}
