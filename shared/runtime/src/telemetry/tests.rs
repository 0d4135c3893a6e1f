use std::sync::Mutex;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tonic::{Request, Response, Status};

use super::*;
use crate::testing::{ScriptClient, Suite};
use crate::{App, Clock, Server};

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const DROPPED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const PARENT: u64 = 0xb7ad_6b71_6920_3331;

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<Vec<Metric>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        self.metrics.lock().unwrap().extend(scopes.flat_map(|scope| scope.metrics));
        Ok(Response::new(Default::default()))
    }
}

/// A suite that exports to a collector of its own.
struct Observed {
    suite: Suite,
    guard: Guard,
    collector: Collector,
}

impl Observed {
    async fn start(trace_sample: f64) -> Observed {
        let collector = Collector::default();
        // The collector is served by the stack too, which must not record it.
        let server = Server::bind(Suite::settings(), Clock::system()).await.unwrap();
        let settings =
            ServeSettings { otlp_endpoint: Some(server.context().own_uri()), trace_sample, ..Suite::settings() };
        let mut app = App::new();
        app.mount(TraceServiceServer::new(collector.clone())).mount(MetricsServiceServer::new(collector.clone()));
        tokio::spawn(server.serve(app));

        let (telemetry, guard) = export(&settings).unwrap();
        let server = Server::bind(settings, Clock::system()).await.unwrap().with_telemetry(telemetry);
        Observed { suite: Suite::serve(server, App::new()), guard, collector }
    }

    async fn ask(&self, command: &str, traceparent: Option<&str>) -> Result<i32, Status> {
        let mut client: ScriptClient = self.suite.client(None);
        let Some(traceparent) = traceparent else { return client.run("acme", command, None).await };
        let caller = extract(&HeaderMap::from_iter([(
            http::HeaderName::from_static("traceparent"),
            traceparent.parse().unwrap(),
        )]));
        opentelemetry::context::FutureExt::with_context(client.run("acme", command, None), caller.unwrap()).await
    }

    /// Ends the suite, flushes, and hands out what reached the collector.
    async fn stop(self) -> (Vec<Span>, Vec<Metric>) {
        self.suite.stop().await.unwrap();
        self.guard.shutdown().await;
        let spans = std::mem::take(&mut *self.collector.spans.lock().unwrap());
        let metrics = std::mem::take(&mut *self.collector.metrics.lock().unwrap());
        (spans, metrics)
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let value = span.attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    match value.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_reach_the_collector_under_their_callers() {
    let observed = Observed::start(0.0).await;
    observed.ask("relay", Some(SAMPLED)).await.unwrap();
    observed.ask("relay", Some(DROPPED)).await.unwrap();
    observed.ask("relay", None).await.unwrap();
    observed.suite.health().await.unwrap();
    let (spans, _) = observed.stop().await;

    // One call was sampled by its caller; it relayed to itself, so there are two spans, one below the other.
    assert_eq!(spans.len(), 2, "{spans:#?}");
    let outer = spans.iter().find(|span| span.parent_span_id == PARENT.to_be_bytes()).unwrap();
    let inner = spans.iter().find(|span| span.parent_span_id == outer.span_id).unwrap();
    for span in [outer, inner] {
        assert_eq!(span.trace_id, TRACE.to_be_bytes());
        assert_eq!(span.name, "test.v1.Script/Run");
        assert_eq!(attribute(span, names::RPC_SYSTEM_NAME), Some("grpc"));
        assert_eq!(attribute(span, names::RPC_METHOD), Some("test.v1.Script/Run"));
        assert_eq!(attribute(span, names::RPC_RESPONSE_STATUS_CODE), Some("OK"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_and_measures_reach_the_collector() {
    let observed = Observed::start(1.0).await;
    observed.ask("quick", None).await.unwrap();
    observed.ask("panic", None).await.unwrap_err();
    observed.ask("out of range", None).await.unwrap_err();
    observed.suite.context.telemetry.meter().u64_counter("rapport.test.things").build().add(2, &[]);
    let (spans, metrics) = observed.stop().await;

    let status = |code: &str| {
        let span = spans.iter().find(|span| attribute(span, names::RPC_RESPONSE_STATUS_CODE) == Some(code)).unwrap();
        span.status.clone().unwrap_or_default().code()
    };
    assert_eq!(status("OK"), StatusCode::Unset);
    assert_eq!(status("INTERNAL"), StatusCode::Error);
    assert_eq!(status("OUT_OF_RANGE"), StatusCode::Unset);

    let data = |name: &str| metrics.iter().find(|metric| metric.name == name).and_then(|metric| metric.data.clone());
    let Some(Data::Histogram(durations)) = data(names::SERVER_CALL_DURATION) else { panic!("no durations") };
    assert_eq!(durations.data_points.len(), 3);
    assert_eq!(durations.data_points.iter().map(|point| point.count).sum::<u64>(), 3);
    let Some(Data::Sum(calls)) = data(names::SERVER_CALLS) else { panic!("no calls") };
    assert_eq!(calls.data_points.len(), 3);
    let Some(Data::Sum(in_flight)) = data(names::SERVER_CALLS_IN_FLIGHT) else { panic!("nothing in flight") };
    let rest = opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsInt(0);
    assert_eq!(in_flight.data_points[0].value, Some(rest));
    assert!(data(names::SERVER_PANICS).is_some());
    let Some(Data::Sum(things)) = data("rapport.test.things") else { panic!("a service's own figures are lost") };
    let two = opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsInt(2);
    assert_eq!(things.data_points[0].value, Some(two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_hurts_no_call_and_little_of_the_shutdown() {
    let settings = ServeSettings { otlp_endpoint: Some("http://127.0.0.1:9".to_owned()), ..Suite::settings() };
    let (telemetry, guard) = export(&settings).unwrap();
    let server = Server::bind(settings, Clock::system()).await.unwrap().with_telemetry(telemetry);
    let suite = Suite::serve(server, App::new());
    suite.ask(None, "quick").await.unwrap();
    suite.stop().await.unwrap();
    let begun = tokio::time::Instant::now();
    guard.shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_spans_hang_below_their_call_and_others_are_left_out() {
    let observed = Observed::start(1.0).await;
    let Decision::Carry(dropped) = Sampling::new(0.0).decide(&HeaderMap::new()) else { panic!("a ratio of 0 drops") };
    let (telemetry, guard) = export(&observed.suite.context.settings).unwrap();
    let tracer = telemetry.recorder.as_ref().unwrap().tracer.clone();
    let subscriber = tracing_subscriber::registry().with(span_layer(tracer));
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("orders.place").in_scope(|| tracing::info_span!("store.write").in_scope(|| ()));
        tracing::info_span!(target: "h2::codec", "foreign").in_scope(|| ());
        let _entered = dropped.attach();
        tracing::info_span!("unwanted").in_scope(|| ());
    });
    guard.shutdown().await;
    let (spans, _) = observed.stop().await;
    let named = |name: &str| spans.iter().find(|span| span.name == name);
    assert_eq!(named("store.write").unwrap().parent_span_id, named("orders.place").unwrap().span_id);
    assert_eq!(spans.len(), 2, "{spans:#?}");
}

/// Whether anybody wants a span of ours, of the transport, and an event, as `settings` have it.
fn wanted(settings: &ServeSettings) -> [bool; 3] {
    let (telemetry, _guard) = export(settings).unwrap();
    tracing::subscriber::with_default(subscriber(settings, &telemetry).unwrap(), || {
        [
            !tracing::info_span!("ours").is_disabled(),
            !tracing::trace_span!(target: "h2::proto", "of the transport").is_disabled(),
            tracing::event_enabled!(Level::INFO),
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_nobody_wants_are_not_made() {
    let settings = Suite::settings();
    assert_eq!(wanted(&settings), [false, false, true]);
    let traced = ServeSettings { otlp_endpoint: Some("http://127.0.0.1:1".to_owned()), ..settings };
    assert_eq!(wanted(&traced), [true, false, true]);
}
