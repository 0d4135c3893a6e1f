//! Times: `google.protobuf.Timestamp` outside, microseconds since 1970 inside.

use prost_types::Timestamp;

/// The time in microseconds since 1970; what is finer is cut off.
pub fn to_micros(time: &Timestamp) -> i64 {
    time.seconds.saturating_mul(1_000_000).saturating_add(i64::from(time.nanos) / 1_000)
}

/// The time as a message.
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        // At most 999,999,000.
        nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back() {
        for micros in [0, 1, -1, 1_700_000_000_123_456, -62_135_596_800_000_000] {
            assert_eq!(to_micros(&from_micros(micros)), micros);
        }
    }
}
