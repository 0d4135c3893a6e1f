//! The side of `tests/benches/fit/compare.py` that is ours: does what each line of the standard input
//! says and answers with one line, so that the other side can measure the time in between.
//!
//! ```text
//! load FILE                            reads customers            customers, distinct
//! fit KIND                             counts them and fits       log-likelihood, distinct, evaluations, parameters
//! value KIND PARAMETERS                the log-likelihood there   log-likelihood
//! score TIMES KIND WEEKS PARAMETERS    forecasts all, so often    sums of orders, of being active, of any order
//! stream KIND FILE                     counts and fits as it reads   as for fit
//! ```
//!
//! A file has the columns `x,t_x,T`, in weeks.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

use std::hint::black_box;
use std::io::{self, BufRead, Write};

use dynamics::prediction::{ActivityModel, Fit, Forecaster, Kind, Portfolio, Summary, Tally, fit};

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        println!("tests/benches/fit/run runs this beside its peer");
        return;
    }
    let mut customers: Vec<Summary> = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["load", file] => {
                customers = read(file).collect();
                let portfolio: Portfolio = customers.iter().copied().collect();
                format!("{} {}", customers.len(), portfolio.rows().len())
            }
            ["fit", kind] => fitted(kind, customers.iter().copied()),
            ["stream", kind, file] => fitted(kind, read(file)),
            ["value", kind, parameters @ ..] => {
                let portfolio = customers.iter().copied().collect();
                model(kind, parameters).ln_likelihood_with_gradient(&portfolio).0.to_string()
            }
            ["score", times, kind, weeks, parameters @ ..] => {
                let (model, weeks) = (model(kind, parameters), weeks.parse().unwrap());
                (1..times.parse::<u32>().unwrap()).for_each(|_| {
                    black_box(scored(&model, weeks, black_box(&customers)));
                });
                let [orders, alive, any_order] = scored(&model, weeks, &customers);
                format!("{orders} {alive} {any_order}")
            }
            _ => panic!("no such command: {line}"),
        };
        println!("{answer}");
        io::stdout().flush().unwrap();
    }
}

/// The sums of the orders expected, of the chances of being active, and of those of any order.
fn scored(model: &ActivityModel, weeks: f64, customers: &[Summary]) -> [f64; 3] {
    let mut forecaster = Forecaster::new(*model, weeks);
    let mut sums = [0.0; 3];
    for customer in customers {
        let forecast = forecaster.forecast(customer);
        sums[0] += forecast.orders;
        sums[1] += forecast.alive;
        sums[2] += forecast.any_order;
    }
    sums
}

fn read(file: &str) -> impl Iterator<Item = Summary> {
    let table = csv::Reader::from_path(file).unwrap();
    table.into_records().map(|row| {
        let row = row.unwrap();
        Summary::new(row[0].parse().unwrap(), row[1].parse().unwrap(), row[2].parse().unwrap()).unwrap()
    })
}

fn model(kind: &str, parameters: &[&str]) -> ActivityModel {
    let parameters: Vec<f64> = parameters.iter().map(|parameter| parameter.parse().unwrap()).collect();
    ActivityModel::new(Kind::parse(kind).unwrap(), &parameters).unwrap()
}

fn fitted(kind: &str, customers: impl Iterator<Item = Summary>) -> String {
    let mut tally = Tally::default();
    customers.for_each(|customer| tally.add(customer, 1));
    let portfolio = tally.finish();
    let Fit { model, ln_likelihood, evaluations, .. } = fit(Kind::parse(kind).unwrap(), &portfolio).unwrap();
    let parameters: Vec<String> = model.parameters().iter().map(f64::to_string).collect();
    format!("{ln_likelihood} {} {evaluations} {}", portfolio.rows().len(), parameters.join(" "))
}
