//! Which calls are traced, decided before a span exists.

use http::HeaderMap;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SamplingDecision, SamplingResult, ShouldSample};

use super::extract;

/// What becomes of a call's trace.
pub(crate) enum Decision {
    /// Record a span under this context.
    Record(Context),
    /// Record nothing, but hand this context on, so that nobody further down starts a trace either.
    Carry(Context),
}

/// Follows the caller when it has decided; otherwise traces a fixed share of calls.
///
/// It is also the SDK's sampler, so that spans of background work keep to the same share.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    /// Trace ids whose low 63 bits are below this are sampled.
    bound: u64,
    ids: RandomIdGenerator,
}

impl Sampling {
    pub(crate) fn new(ratio: f64) -> Sampling {
        // 2^63, exact as a float; the cast saturates, so a ratio of 1 samples all.
        let bound = (ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64;
        Sampling { bound, ids: RandomIdGenerator::default() }
    }

    pub(crate) fn decide(&self, headers: &HeaderMap) -> Decision {
        if let Some(caller) = extract(headers) {
            let sampled = caller.span().span_context().is_sampled();
            return if sampled { Decision::Record(caller) } else { Decision::Carry(caller) };
        }
        let trace = self.ids.new_trace_id();
        if self.takes(trace) {
            return Decision::Record(Context::new());
        }
        let span = SpanContext::new(trace, self.ids.new_span_id(), TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
        Decision::Carry(Context::new().with_remote_span_context(span))
    }

    fn takes(&self, trace: TraceId) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
        (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1) < self.bound
    }
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        _name: &str,
        kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone()).filter(SpanContext::is_valid);
        let sampled = match &parent {
            Some(parent) => parent.is_sampled(),
            // The server's own spans exist only because the decision was made.
            None => *kind == SpanKind::Server || self.takes(trace),
        };
        SamplingResult {
            decision: if sampled { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: parent.map(|parent| parent.trace_state().clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(ratio: f64, traceparent: Option<&str>) -> Decision {
        let mut headers = HeaderMap::new();
        if let Some(traceparent) = traceparent {
            headers.insert("traceparent", traceparent.parse().unwrap());
        }
        Sampling::new(ratio).decide(&headers)
    }

    #[test]
    fn the_caller_decides_when_it_has() {
        let sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let dropped = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(matches!(decide(0.0, Some(sampled)), Decision::Record(_)));
        assert!(matches!(decide(1.0, Some(dropped)), Decision::Carry(_)));
    }

    #[test]
    fn the_ratio_decides_otherwise() {
        for traceparent in [None, Some("nonsense")] {
            assert!(matches!(decide(1.0, traceparent), Decision::Record(_)));
            assert!(matches!(decide(0.0, traceparent), Decision::Carry(_)));
        }
        let recorded = (0..2_000).filter(|_| matches!(decide(0.25, None), Decision::Record(_))).count();
        assert!((350..650).contains(&recorded), "{recorded}");
    }

    #[test]
    fn what_is_carried_says_not_sampled() {
        let Decision::Carry(context) = decide(0.0, None) else { panic!("a ratio of 0 records nothing") };
        let span = context.span().span_context().clone();
        assert!(span.is_valid() && !span.is_sampled());
    }
}
