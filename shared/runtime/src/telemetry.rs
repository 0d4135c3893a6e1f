//! Logs on stderr and, with a collector, traces and metrics over OTLP.
//!
//! A call is traced only when someone wants it: the decision is made before a span exists, from the caller's
//! `traceparent` or else from the sampling ratio, because even a span that the sampler drops costs a third of a call.

mod metrics;
pub mod names;
mod sampling;

use std::io::IsTerminal as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::metrics::{Meter, MeterProvider, NoopMeterProvider};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub(crate) use self::metrics::Instruments;
pub(crate) use self::sampling::{Decision, Sampling};
use crate::settings::{LogFormat, ServeSettings};

/// What a server records its calls with. Clones are cheap; the default records nothing.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    pub(crate) recorder: Option<Arc<Recorder>>,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) tracer: SdkTracer,
    pub(crate) sampling: Sampling,
    pub(crate) instruments: Instruments,
    meter: Meter,
}

/// Holds what still has to be exported. [`Guard::shutdown`] sends it.
#[derive(Debug)]
#[must_use = "without its shutdown the last spans and metrics are lost"]
pub struct Guard {
    providers: Option<(SdkTracerProvider, SdkMeterProvider)>,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is malformed.
    #[error("the log filter is malformed: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter refuses its settings. A collector that is merely away is no error.
    #[error("cannot export to the collector: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// This process already logs through something else.
    #[error("logging is already set up in this process: {0}")]
    Taken(#[from] TryInitError),
}

impl Telemetry {
    /// Records nothing, and forwards the trace of a caller that has one.
    pub fn off() -> Telemetry {
        Telemetry::default()
    }

    /// Makes the instruments that a service records its own figures with; they do nothing without a collector. Names begin
    /// with `rapport.` and the service's name, units are UCUM's, labels are few and never an id.
    pub fn meter(&self) -> Meter {
        match &self.recorder {
            Some(recorder) => recorder.meter.clone(),
            None => NoopMeterProvider::new().meter(names::SCOPE),
        }
    }
}

/// Sets up logging for the whole process, and exporting when a collector is configured. Once per process, on a Tokio
/// runtime with at least two threads: the exporters need one of them while another waits for their flush.
///
/// # Errors
/// When the filter or the endpoint is malformed, or logging was set up before.
pub fn init(settings: &ServeSettings) -> Result<(Telemetry, Guard), TelemetryError> {
    let (telemetry, guard) = export(settings)?;
    subscriber(settings, &telemetry)?.try_init()?;
    Ok((telemetry, guard))
}

/// What hears of the process's spans and events.
fn subscriber(
    settings: &ServeSettings,
    telemetry: &Telemetry,
) -> Result<impl Subscriber + Send + Sync, TelemetryError> {
    // Boxed so that text and JSON are one type; a log line is far from the hot path.
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match settings.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    // Events carry their own ids, so lines need no spans; that keeps spans free of cost when nobody traces.
    let events = filter_fn(|metadata| metadata.is_event()).with_max_level_hint(LevelFilter::TRACE);
    let lines = lines.with_filter(EnvFilter::builder().parse(&settings.log)?.and(events));
    // An absent layer is not the same as none: beside it nothing is ever found to be of no interest to anybody, and the
    // transport's spans, some dozens for each call, are made only to be dropped.
    let mut layers = vec![lines.boxed()];
    layers.extend(telemetry.recorder.as_ref().map(|recorder| span_layer(recorder.tracer.clone()).boxed()));
    Ok(tracing_subscriber::registry().with(layers))
}

/// The exporting half of [`init`], without touching anything global.
///
/// # Errors
/// When the endpoint is malformed.
pub fn export(settings: &ServeSettings) -> Result<(Telemetry, Guard), TelemetryError> {
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok((Telemetry::off(), Guard { providers: None }));
    };
    let version = opentelemetry::KeyValue::new(names::SERVICE_VERSION, env!("CARGO_PKG_VERSION"));
    // The builder reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; ours is only the default.
    let mut resource = Resource::builder().with_attribute(version);
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("rapport");
    }
    let resource = resource.build();

    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let sampling = Sampling::new(settings.trace_sample);
    let tracers = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_sampler(sampling.clone())
        .with_batch_exporter(exporter)
        .build();

    let exporter = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let meters = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(exporter).build();

    let meter = meters.meter(names::SCOPE);
    let recorder =
        Recorder { tracer: tracers.tracer(names::SCOPE), sampling, instruments: Instruments::new(&meter), meter };
    Ok((Telemetry { recorder: Some(Arc::new(recorder)) }, Guard { providers: Some((tracers, meters)) }))
}

impl Guard {
    /// Exports what is left and stops. A collector that is away costs at most a few seconds and no error.
    pub async fn shutdown(self) {
        let Some((tracers, meters)) = self.providers else { return };
        // The shutdown blocks while other threads of the runtime send.
        let flushed = tokio::task::spawn_blocking(move || {
            let wait = std::time::Duration::from_secs(5);
            (tracers.shutdown_with_timeout(wait), meters.shutdown_with_timeout(wait))
        });
        if let Ok((traces, metrics)) = flushed.await {
            for error in [traces.err(), metrics.err()].into_iter().flatten() {
                tracing::warn!(%error, "the last telemetry was not exported");
            }
        }
    }
}

/// Spans of our own code, as children of the call they belong to.
fn span_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(
            dynamic_filter_fn(|metadata, _| is_ours(metadata) && (metadata.is_event() || is_wanted_here()))
                .with_callsite_filter(
                    |metadata| if is_ours(metadata) { Interest::sometimes() } else { Interest::never() },
                )
                .with_max_level_hint(LevelFilter::INFO),
        )
}

/// The transport's own spans live as long as connections, and exporting them would cause more of them.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    const FOREIGN: [&str; 7] = ["h2", "hyper", "hyper_util", "tonic", "tower", "opentelemetry", "sqlx"];
    let target = metadata.target();
    let root = target.split("::").next().unwrap_or(target);
    *metadata.level() <= Level::INFO && !FOREIGN.iter().any(|name| root == *name || root.starts_with("opentelemetry"))
}

/// False inside a call that was decided not to be traced.
fn is_wanted_here() -> bool {
    Context::map_current(|context| !context.has_active_span() || context.span().span_context().is_sampled())
}

/// Adds the current trace to the headers of an outgoing request, also when that trace is not recorded, so that the
/// decision holds all the way down. A [`Peer`](crate::Peer) does this by itself.
pub fn propagate(headers: &mut HeaderMap) {
    Context::map_current(|context| {
        if context.has_active_span() {
            TraceContextPropagator::new().inject_context(context, &mut Outgoing(headers));
        }
    });
}

/// The trace of the caller, when its headers name one.
pub(crate) fn extract(headers: &HeaderMap) -> Option<Context> {
    headers.get("traceparent")?;
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Incoming(headers));
    context.span().span_context().is_valid().then_some(context)
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        let Ok(key) = HeaderName::from_bytes(key.as_bytes()) else { return };
        let Ok(value) = HeaderValue::try_from(value) else { return };
        // An empty tracestate says nothing.
        if !value.is_empty() {
            self.0.insert(key, value);
        }
    }
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
