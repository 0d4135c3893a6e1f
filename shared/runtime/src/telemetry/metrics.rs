//! The instruments of the server.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};
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
    calls_refused: Counter<u64>,
    calls_limit: Gauge<u64>,
    connections: UpDownCounter<i64>,
    connections_refused: Counter<u64>,
    connections_cut_off: Counter<u64>,
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
            calls_refused: meter
                .u64_counter(names::SERVER_CALLS_REFUSED)
                .with_description("Calls refused because there were too many, by reason.")
                .build(),
            calls_limit: meter
                .u64_gauge(names::SERVER_CALLS_LIMIT)
                .with_description("How many calls may run at once.")
                .build(),
            connections: meter
                .i64_up_down_counter(names::SERVER_CONNECTIONS)
                .with_description("Open connections.")
                .build(),
            connections_refused: meter
                .u64_counter(names::SERVER_CONNECTIONS_REFUSED)
                .with_description("Connections refused because there were too many, by reason.")
                .build(),
            connections_cut_off: meter
                .u64_counter(names::SERVER_CONNECTIONS_CUT_OFF)
                .with_description("Connections that the server ended, by reason.")
                .build(),
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

    pub(crate) fn call_refused(&self, reason: &'static str) {
        self.calls_refused.add(1, &[KeyValue::new(names::REFUSED_REASON, reason)]);
    }

    pub(crate) fn calls_limited(&self, limit: usize) {
        self.calls_limit.record(limit as u64, &[]);
    }

    pub(crate) fn connection_begins(&self) {
        self.connections.add(1, &[]);
    }

    pub(crate) fn connection_ends(&self) {
        self.connections.add(-1, &[]);
    }

    pub(crate) fn connection_refused(&self, reason: &'static str) {
        self.connections_refused.add(1, &[KeyValue::new(names::REFUSED_REASON, reason)]);
    }

    pub(crate) fn connection_cut_off(&self, reason: &'static str) {
        self.connections_cut_off.add(1, &[KeyValue::new(names::REFUSED_REASON, reason)]);
    }

    pub(crate) fn panicked(&self, method: &str) {
        self.panics.add(1, &[KeyValue::new(names::RPC_METHOD, method.to_owned())]);
    }
}
