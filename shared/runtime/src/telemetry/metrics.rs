//! The instruments of the server.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use tonic::Code;

use super::names;

/// Bounds in seconds, as the conventions advise for RPC durations.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

#[derive(Debug)]
pub(crate) struct Instruments {
    duration: Histogram<f64>,
    calls: Counter<u64>,
    in_flight: UpDownCounter<i64>,
    panics: Counter<u64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter) -> Instruments {
        Instruments {
            duration: meter
                .f64_histogram(names::SERVER_CALL_DURATION)
                .with_unit("s")
                .with_description("How long calls take, from their first header to the end of the answer.")
                .with_boundaries(BOUNDS.to_vec())
                .build(),
            calls: meter.u64_counter(names::SERVER_CALLS).with_description("Calls by method and code.").build(),
            in_flight: meter
                .i64_up_down_counter(names::SERVER_CALLS_IN_FLIGHT)
                .with_description("Calls not yet answered in full.")
                .build(),
            panics: meter.u64_counter(names::SERVER_PANICS).with_description("Handlers that panicked.").build(),
        }
    }

    pub(crate) fn call_begins(&self) {
        self.in_flight.add(1, &[]);
    }

    /// Labels are the method and the code, never an id. A method that nobody vouched for, by serving it or by knowing
    /// its caller, goes unnamed: strangers must not be able to invent series.
    pub(crate) fn call_ends(&self, method: &str, code: Code, duration: Duration) {
        let vouched = !matches!(code, Code::Unimplemented | Code::Unauthenticated);
        let method = if vouched { method.to_owned() } else { names::OTHER_METHOD.to_owned() };
        let labels = [
            KeyValue::new(names::RPC_SYSTEM_NAME, names::GRPC),
            KeyValue::new(names::RPC_METHOD, method),
            KeyValue::new(names::RPC_RESPONSE_STATUS_CODE, names::code(code)),
        ];
        self.in_flight.add(-1, &[]);
        self.calls.add(1, &labels);
        self.duration.record(duration.as_secs_f64(), &labels);
    }

    pub(crate) fn panicked(&self, method: &str) {
        self.panics.add(1, &[KeyValue::new(names::RPC_METHOD, method.to_owned())]);
    }
}
