//! What this process has used, as Linux tells it; nothing elsewhere.

use tests::process::{self, SELF};

/// The processor time of all threads so far, in seconds, to a hundredth.
pub(crate) fn cpu_seconds() -> f64 {
    process::cpu_seconds(SELF)
}

/// The memory in use, in MB.
pub(crate) fn resident_megabytes() -> f64 {
    process::resident_megabytes(SELF)
}
