//! Measures analyses against the raw cost of hashing the n-grams that they look at.
//!
//! `cargo bench -p language` prints the time of each part by turns, as medians, and ratios. Without `--bench` it does
//! what each line of the standard input says, for `tests/benches/language/compare.py`:
//!
//! ```text
//! load FILE        reads texts, one a line             how many
//! analyze TIMES    analyses each of them so often      the sum of the sentiments
//! feel TIMES       the same of feelings in English     the sum of the sentiments
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::time::Instant;

use flate2::read::MultiGzDecoder;
use language::{Analyzer, Language, clean, find_spans};

const ROUNDS: usize = 15;
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/text/sentiment/valid.tsv.gz");

fn main() {
    if std::env::args().any(|argument| argument == "--bench") { compare() } else { serve() }
}

fn serve() {
    let analyzer = Analyzer::embedded();
    let mut texts: Vec<String> = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let sum = |times: &str, value: &dyn Fn(&str) -> f32| {
            let mut sum = 0.0;
            for _ in 0..times.parse::<u32>().unwrap() {
                sum += texts.iter().map(|text| f64::from(value(black_box(text)))).sum::<f64>();
            }
            sum.to_string()
        };
        let answer = match words.as_slice() {
            ["load", file] => {
                texts = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
                texts.len().to_string()
            }
            ["analyze", times] => sum(times, &|text| analyzer.analyze(text).sentiment.map_or(0.0, |it| it.value)),
            ["feel", times] => sum(times, &|text| analyzer.analyze_in(text, Language::English).sentiment.value),
            _ => panic!("no such command: {line}"),
        };
        println!("{answer}");
        io::stdout().flush().unwrap();
    }
}

/// Prints how long each part takes beside the hashing of the same n-grams.
fn compare() {
    if !Path::new(DATA).exists() {
        println!("{DATA} is absent: nothing to measure");
        return;
    }
    let mut table = String::new();
    MultiGzDecoder::new(File::open(DATA).unwrap()).read_to_string(&mut table).unwrap();
    // Every fourth text of each language.
    let texts: Vec<(Language, &str)> = table
        .lines()
        .skip(1)
        .step_by(4)
        .filter_map(|line| Some((Language::of_code(line.split('\t').next()?)?, line.split('\t').next_back()?)))
        .collect();
    let words: Vec<Vec<Word>> = texts.iter().map(|(_, text)| words_of(text)).collect();
    let feelings_grams: usize = words.iter().map(|words| hashed(words, 3, true).1).sum();
    let language_grams: usize = words.iter().map(|words| hashed(words, 2, false).1).sum();
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    println!(
        "{} texts of {} bytes in the mean; n-grams of a text: {} for feelings, {} for the language",
        texts.len(),
        bytes / texts.len(),
        feelings_grams / texts.len(),
        language_grams / texts.len()
    );
    let analyzer = Analyzer::embedded();
    let parts: [(&str, &dyn Fn()); 8] = [
        ("hash, feelings", &|| words.iter().for_each(|words| seen(hashed(words, 3, true)))),
        ("hash, language", &|| words.iter().for_each(|words| seen(hashed(words, 2, false)))),
        ("feelings", &|| each(&texts, |language, text| seen(analyzer.analyze_in(text, language)))),
        ("clean", &|| each(&texts, |_, text| seen(clean(text)))),
        ("language", &|| each(&texts, |_, text| seen(analyzer.identifier().identify(text)))),
        ("places", &|| each(&texts, |language, text| seen(find_spans(text, language)))),
        ("all", &|| each(&texts, |_, text| seen(analyzer.analyze(text)))),
        ("hash, both", &|| words.iter().for_each(|words| seen((hashed(words, 3, true), hashed(words, 2, false))))),
    ];
    let mut times = vec![Vec::new(); parts.len()];
    for _ in 0..ROUNDS {
        for ((_, part), times) in parts.iter().zip(&mut times) {
            let start = Instant::now();
            part();
            times.push(start.elapsed().as_secs_f64() / texts.len() as f64);
        }
    }
    let median = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    for ((name, _), times) in parts.iter().zip(&times) {
        println!("{name:<16}{:>8.0} ns a text", median(times) * 1e9);
    }
    let ratio = |part: usize, of: usize| {
        let mut ratios: Vec<f64> = times[part].iter().zip(&times[of]).map(|(part, of)| part / of).collect();
        ratios.sort_by(f64::total_cmp);
        format!("{:.2} ({:.2}-{:.2})", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1])
    };
    println!("feelings against the hashing of their n-grams: {}", ratio(2, 0));
    println!("language against the hashing of its n-grams: {}", ratio(4, 1));
    println!("all against the hashing of both: {}", ratio(6, 7));
}

/// Keeps a result from being left out as of no use.
fn seen<T>(result: T) {
    black_box(result);
}

fn each(texts: &[(Language, &str)], mut part: impl FnMut(Language, &str)) {
    texts.iter().for_each(|(language, text)| part(*language, black_box(text)));
}

/// A word between `<` and `>`, lowered, and where its characters begin.
struct Word {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

fn words_of(text: &str) -> Vec<Word> {
    text.split(|character: char| !character.is_alphanumeric() && character != '\'')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let word = format!("<{}>", word.to_lowercase());
            let starts = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
            Word { bytes: word.into_bytes(), starts }
        })
        .collect()
}

/// Hashes each word, each pair of neighbours if asked for, and the n-grams of characters of this length up to 5, each
/// by FNV-1a from its first byte on. Returns the hashes' exclusive or and how many there were.
fn hashed(words: &[Word], shortest: usize, pairs: bool) -> (u64, usize) {
    let (mut all, mut count) = (0, 0);
    let mut add = |hash: u64| {
        all ^= hash;
        count += 1;
    };
    for (at, word) in words.iter().enumerate() {
        let hash = fnv(BASIS, &word.bytes);
        add(hash);
        if pairs && let Some(next) = words.get(at + 1) {
            add(fnv(hash, &next.bytes));
        }
        for length in shortest..=5 {
            for start in 0..(word.starts.len()).saturating_sub(length) {
                add(fnv(BASIS, &word.bytes[word.starts[start]..word.starts[start + length]]));
            }
        }
    }
    (all, count)
}

const BASIS: u64 = 0xCBF2_9CE4_8422_2325;

/// FNV-1a of 64 bits (Fowler, Noll and Vo).
fn fnv(basis: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(basis, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
