//! Trains the model of feelings from the data folder; the same data give the same bytes.
#![allow(clippy::print_stdout, reason = "it is a program")]

#[path = "../shared/files.rs"]
mod files;
mod languages;
mod sources;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use language::Language;
use language::training::{Settings, train};

/// Trains the model of feelings. The same data and settings give the same bytes.
#[derive(Parser)]
struct Arguments {
    /// The folder with the texts and its README, whose checksums are compared.
    #[arg(long, default_value = "../shared/data/text")]
    data: PathBuf,
    /// Where the model is written.
    #[arg(long, default_value = "shared/language/model/language.model")]
    out: PathBuf,
    /// Learns also from sources whose licence is not settled. For comparison; such a model must not be shipped.
    #[arg(long)]
    with_unsettled: bool,
    /// Leaves out a source of a language, such as `hu:husst`, to see how well texts of a kind that was never seen are
    /// told.
    #[arg(long, value_name = "LANG:SOURCE")]
    leave_out: Vec<String>,
    /// How much a text that was translated word by word counts; 0 leaves them out.
    #[arg(long, default_value_t = 0.3)]
    translated: f32,
    /// There are 2 to the power of this many rows.
    #[arg(long, default_value_t = Settings::default().bits, value_parser = clap::value_parser!(u32).range(8..=22))]
    bits: u32,
    /// So often each example is learned from.
    #[arg(long, default_value_t = Settings::default().epochs)]
    epochs: usize,
    /// The first step of AdaGrad.
    #[arg(long, default_value_t = Settings::default().rate)]
    rate: f32,
    /// What each step takes from a weight, of its size.
    #[arg(long, default_value_t = Settings::default().decay)]
    decay: f32,
    /// So many models, each from another order of the examples, are averaged.
    #[arg(long, default_value_t = Settings::default().seeds)]
    seeds: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("train: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), files::Fault> {
    let bar = ProgressBar::new(1000).with_style(
        ProgressStyle::with_template("{elapsed} {bar:40} {percent}% {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut data = sources::read(&arguments.data, arguments.with_unsettled)?;
    data.examples.retain(|example| {
        let code = example.language.map_or("", Language::code);
        !arguments.leave_out.contains(&format!("{code}:{}", example.source))
    });
    sources::translate(&mut data, arguments.translated)?;
    let settings = Settings {
        bits: arguments.bits,
        epochs: arguments.epochs,
        rate: arguments.rate,
        decay: arguments.decay,
        seeds: arguments.seeds,
    };
    let progress = |done: &str, share: f64| {
        bar.set_position((share * 1000.0) as u64);
        bar.set_message(done.to_owned());
    };
    let identifier = languages::identifier(&arguments.data, &mut data.header, arguments.with_unsettled, &bar)?;
    let sections: &[(&[u8; 4], &[u8])] = &[(b"IDEN", &identifier)];
    let model = train(&data.examples, &data.validation, &data.lexicons, &settings, data.header, sections, &progress)
        .map_err(|fault| fault.to_string())?;
    bar.finish();
    fs::write(&arguments.out, &model).map_err(|fault| format!("{}: {fault}", arguments.out.display()))?;
    println!("{}: {} bytes", arguments.out.display(), model.len());
    Ok(())
}
