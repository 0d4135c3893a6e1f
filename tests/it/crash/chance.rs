//! How often a story breaks what it breaks, and by which random choices.

pub(crate) use tests::chance::Chance;

/// How often a story breaks what it breaks.
pub(super) fn rounds() -> u64 {
    number("RAPPORT_CRASH_ROUNDS").unwrap_or(4)
}

/// Begins with the seed that the environment gives, or any, and tells it to whoever looks into a failure.
pub(super) fn seeded() -> Chance {
    let seed = number("RAPPORT_CRASH_SEED").unwrap_or_else(Chance::any_seed);
    eprintln!("RAPPORT_CRASH_SEED={seed} RAPPORT_CRASH_ROUNDS={}", rounds());
    Chance::of(seed)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}
