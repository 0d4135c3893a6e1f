//! Judges a model on labelled texts, beside what needs no model.
#![allow(clippy::print_stdout, reason = "it is a program")]

#[path = "../shared/files.rs"]
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use files::Fault;
use language::evaluation::{Figures, Verdict, emotion, emotion_figures};
use language::training::Example;
use language::{Analyzer, Emotion, Language};

/// Judges a model on tables of labelled texts.
///
/// A table is TSV, `.gz` or not, with a header line: `text`, `lang`, `source`, and `label` (-1, 0, 1) or `labels` and
/// `observed` (emotions between commas).
#[derive(Parser)]
struct Arguments {
    /// The tables.
    #[arg(required = true)]
    tables: Vec<PathBuf>,
    /// The model; the one that is built in unless said otherwise.
    #[arg(long)]
    model: Option<PathBuf>,
    /// The language of tables that do not say: en, hu, nl or pt.
    #[arg(long)]
    lang: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("evaluate: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Fault> {
    let read;
    let analyzer = match &arguments.model {
        None => Analyzer::embedded(),
        Some(path) => {
            let bytes = fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
            read = Analyzer::from_bytes(bytes).map_err(|fault| format!("{}: {fault}", path.display()))?;
            &read
        }
    };
    println!("model {}", analyzer.revision());
    let language = arguments
        .lang
        .as_deref()
        .map(|code| Language::of_code(code).ok_or_else(|| format!("`{code}` is not analysed")));
    let language = language.transpose()?;
    let mut sets: BTreeMap<(Language, String), Vec<Example>> = BTreeMap::new();
    let mut others = (0, 0);
    for table in &arguments.tables {
        for example in files::examples_of(table, language)? {
            match example.language {
                Some(language) => sets.entry((language, example.source.clone())).or_default().push(example),
                None => {
                    others.0 += 1;
                    others.1 += usize::from(analyzer.analyze(&example.text).sentiment.is_some());
                }
            }
        }
    }
    if others.0 > 0 {
        println!("of {} texts in other languages {} are told a sentiment", others.0, others.1);
    }
    unaided(analyzer, &sets);
    sentiments(analyzer, &sets);
    emotions(analyzer, &sets);
    Ok(())
}

/// Prints what becomes of texts whose language is not said.
fn unaided(analyzer: &Analyzer, sets: &BTreeMap<(Language, String), Vec<Example>>) {
    println!(
        "\nwhere the language is not said, in %: told a sentiment; told to be in another language; abstained, by reason"
    );
    for ((language, source), examples) in sets {
        let (mut told, mut astray) = (0, 0);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for example in examples {
            let analysis = analyzer.analyze(&example.text);
            told += usize::from(analysis.sentiment.is_some());
            astray += usize::from(analysis.language != language.code());
            if let Some(reason) = analysis.abstention {
                *reasons.entry(format!("{reason:?}")).or_default() += 1;
            }
        }
        let share = |count: usize| 100.0 * count as f64 / examples.len() as f64;
        let reasons: Vec<_> = reasons.iter().map(|(reason, count)| format!("{reason} {:.1}", share(*count))).collect();
        let (told, astray, reasons) = (share(told), share(astray), reasons.join("  "));
        println!("{:<4}{source:<18}{:>6} {told:>6.1}{astray:>6.1}   {reasons}", language.code(), examples.len());
    }
}

fn sentiments(analyzer: &Analyzer, sets: &BTreeMap<(Language, String), Vec<Example>>) {
    let mut rows: Vec<(Language, &str, [Figures; 3])> = Vec::new();
    let mut verdicts: BTreeMap<Language, Vec<Verdict>> = BTreeMap::new();
    for ((language, source), examples) in sets {
        let labelled: Vec<_> = examples.iter().filter_map(|example| Some((example, example.sentiment?))).collect();
        if labelled.is_empty() {
            continue;
        }
        let ours: Vec<Verdict> = labelled
            .iter()
            .map(|(example, label)| Verdict::of(*label, &analyzer.analyze_in(&example.text, *language)))
            .collect();
        let lists = labelled.iter().map(|(example, label)| {
            let value = analyzer.lists_alone(&example.text, *language);
            Verdict { label: *label, value, sure: value.abs(), abstained: false }
        });
        let most = (0..3).max_by_key(|class| labelled.iter().filter(|(_, label)| label == class).count()).unwrap_or(1);
        let majority = labelled.iter().map(|(_, label)| Verdict {
            label: *label,
            value: f32::from(most) - 1.0,
            sure: 1.0,
            abstained: false,
        });
        let figures =
            [Figures::of(&ours), Figures::of(&lists.collect::<Vec<_>>()), Figures::of(&majority.collect::<Vec<_>>())];
        verdicts.entry(*language).or_default().extend(&ours);
        rows.push((*language, source, figures));
    }
    if rows.is_empty() {
        return;
    }
    println!(
        "\nsentiment, in %: accuracy, macro-F1 and AUC; macro-F1 of the surest four fifths; share abstained and macro-F1 of the rest"
    );
    println!(
        "{:<4}{:<18}{:>6} {:>6}{:>6}{:>6} {:>8}{:>9}{:>6}   word lists F1  AUC  majority F1",
        "", "source", "texts", "acc", "F1", "AUC", "surest", "abstain", "rest"
    );
    let line = |language: Language, source: &str, texts: usize, columns: [f64; 9]| {
        let [accuracy, f1, auc, surest, abstained, told, lists_f1, lists_auc, majority] =
            columns.map(|share| share * 100.0);
        println!(
            "{:<4}{source:<18}{texts:>6} {accuracy:>6.1}{f1:>6.1}{auc:>6.1} {surest:>8.1}{abstained:>9.1}{told:>6.1}   {lists_f1:>13.1}{lists_auc:>5.0}{majority:>13.1}",
            language.code()
        );
    };
    for language in Language::ALL {
        let of_language: Vec<_> = rows.iter().filter(|row| row.0 == language).collect();
        let mut mean = [0.0; 9];
        for (_, source, [ours, lists, majority]) in &of_language {
            let columns = [
                ours.accuracy,
                ours.macro_f1,
                ours.auc,
                ours.surest_f1,
                ours.abstained,
                ours.told_f1,
                lists.macro_f1,
                lists.auc,
                majority.macro_f1,
            ];
            line(language, source, ours.texts, columns);
            for (mean, column) in mean.iter_mut().zip(columns) {
                *mean += column / of_language.len() as f64;
            }
        }
        if !of_language.is_empty() {
            line(language, "mean", of_language.iter().map(|row| row.2[0].texts).sum(), mean);
        }
    }
    println!("\nhow often it is right where it is so sure, in % (texts)");
    for (language, verdicts) in &verdicts {
        let bins = Figures::of(verdicts).calibration;
        let cells: Vec<_> = bins
            .iter()
            .enumerate()
            .skip(3)
            .map(|(tenth, (texts, right))| {
                format!(
                    "{}-{}: {:.0} ({texts})",
                    tenth * 10,
                    tenth * 10 + 10,
                    100.0 * *right as f64 / (*texts).max(1) as f64
                )
            })
            .collect();
        println!("{:<4}{}", language.code(), cells.join("  "));
    }
}

fn emotions(analyzer: &Analyzer, sets: &BTreeMap<(Language, String), Vec<Example>>) {
    println!("\nemotions: F1 and AUC in %, of those that the source looked for");
    for ((language, source), examples) in sets {
        let told: Vec<_> = examples
            .iter()
            .filter_map(|example| Some((analyzer.analyze_in(&example.text, *language).emotions, example.emotions?)))
            .collect();
        if told.is_empty() {
            continue;
        }
        let cells: Vec<_> = Emotion::ALL
            .into_iter()
            .enumerate()
            .filter_map(|(at, name)| {
                let (f1, auc) = emotion(&told, at)?;
                Some(format!("{} {:.0}/{:.0}", name.name(), f1 * 100.0, auc * 100.0))
            })
            .collect();
        let (f1, auc) = emotion_figures(&told);
        let (f1, auc, cells) = (f1 * 100.0, auc * 100.0, cells.join("  "));
        println!("{:<4}{source:<12}{:>6}  macro {f1:.1}/{auc:.1}  {cells}", language.code(), told.len());
    }
}
