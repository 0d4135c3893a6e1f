//! Foreign text, without a fuzzer: every target of `tests/fuzz` with its seeds, and with what is close to them.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use tests::foreign::TARGETS;

use crate::crash::chance::Chance;

/// How often each seed is altered.
const ALTERED: u64 = 60;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().display().to_string())
        .collect()
}

/// A seed with some bytes changed, taken out, put in or repeated.
fn altered(seed: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + chance.below(4) {
        let at = chance.below(bytes.len() as u64 + 1) as usize;
        let some = chance.below(9) as usize;
        match chance.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..bytes.len().min(at + some))),
            2 => drop(bytes.splice(at..at, std::iter::repeat_n(chance.below(256) as u8, some))),
            _ => bytes[at..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << (some % 8)),
        }
    }
    bytes
}

fn try_target(name: &str, target: fn(&[u8]), input: &[u8], what: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    assert!(outcome.is_ok(), "{name} fails with {what}: {:?}", String::from_utf8_lossy(input));
}

#[test]
fn what_is_read_keeps_its_promises_with_every_seed_and_what_is_close_to_it() {
    for (name, target) in TARGETS {
        let mut chance = Chance::of(1);
        try_target(name, target, &[], "nothing");
        let seeds = fs::read_dir(folder("seeds").join(name)).unwrap();
        let mut seeds: Vec<PathBuf> = seeds.map(|entry| entry.unwrap().path()).collect();
        seeds.sort();
        for path in seeds {
            let seed = fs::read(&path).unwrap();
            try_target(name, target, &seed, &path.display().to_string());
            for _ in 0..ALTERED {
                try_target(name, target, &altered(&seed, &mut chance), &format!("{} altered", path.display()));
            }
        }
    }
}

#[test]
fn every_target_has_a_fuzzer_and_seeds() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("seeds")), targets);
    assert_eq!(names(&folder("fuzz_targets")), targets);
}
