//! The figures that the model's header names are those that it reaches on the validation texts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/shared/files.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod files;

use std::path::Path;

use language::Analyzer;
use language::training::figures_of;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/text");

#[test]
fn the_figures_of_the_header_are_reached() {
    let folder = Path::new(DATA);
    if !folder.exists() {
        eprintln!("{DATA} is absent: nothing was compared");
        return;
    }
    let analyzer = Analyzer::embedded();
    for name in ["sentiment", "emotions"] {
        let mut examples = files::examples_of(&folder.join(name).join("valid.tsv.gz"), None).unwrap();
        for example in &mut examples {
            // One table has the sentiments, the other the emotions.
            if name == "emotions" {
                example.sentiment = None;
            }
        }
        // The largest source would take most of the time.
        examples.retain(|example| example.source != "goemotions");
        let figures = figures_of(&|text, language| analyzer.analyze_in(text, language), &examples);
        let named: Vec<_> = figures.iter().filter(|(name, _)| analyzer.header().get(name).is_some()).collect();
        assert!(named.len() >= 6, "{named:?}");
        for (name, reached) in named {
            assert_eq!(analyzer.header().get(name), Some(reached.as_str()), "{name}");
        }
    }
}

#[test]
fn no_source_without_a_settled_licence_is_in_the_model() {
    let header = Analyzer::embedded().header();
    assert_eq!(header.get("unsettled"), None);
    assert!(header.get("licences").is_some_and(|licences| licences.contains("husst") && !licences.contains("mabsa")));
    assert!(header.get("sha256 sentiment/train.tsv.gz").is_some_and(|sum| sum.len() == 64));
}
