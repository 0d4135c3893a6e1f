//! Imports against a server of the contract's shape that refuses what it is told to.

use std::{convert::Infallible, io::Write as _, pin::Pin, task, time::Duration};

use contracts::common::v1::FieldViolation;
use contracts::orders::v1::{OrdersRow, orders_row};
use prost::Message;
use tokio::net::TcpListener;
use tokio_stream::{StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Request, Response, Streaming,
    body::Body,
    codegen::{BoxStream, Service, http},
    server::{Grpc, NamedService, StreamingService},
    transport::Endpoint,
};
use tonic_prost::ProstCodec;

use super::*;
use crate::import::send::Rows;

/// Refuses each row whose name ends in `-bad`, and breaks the stream at one that ends in `-stop`.
#[derive(Clone)]
struct Orders;

impl NamedService for Orders {
    const NAME: &'static str = "rapport.orders.v1.OrdersService";
}

impl Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), Infallible>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Answer, Rows>::default());
            Ok(grpc.streaming(Import, request).await)
        })
    }
}

struct Import;

impl StreamingService<Rows> for Import {
    type Response = Answer;
    type ResponseStream = BoxStream<Answer>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<Streaming<Rows>>) -> Self::Future {
        Box::pin(async move {
            if request.metadata().get("rapport-tenant").is_none_or(|tenant| tenant != "shop") {
                return Err(Status::invalid_argument("no tenant"));
            }
            let mut index = 0;
            let answers = request.into_inner().map(move |rows| answer(&rows?.rows, &mut index));
            Ok(Response::new(Box::pin(answers) as Self::ResponseStream))
        })
    }
}

fn answer(rows: &[Vec<u8>], index: &mut i64) -> Result<Answer, Status> {
    let mut answer = Answer::default();
    assert!((1..=1000).contains(&rows.len()));
    for row in rows {
        let row = OrdersRow::decode(row.as_slice()).map_err(|error| Status::internal(error.to_string()))?;
        let Some(orders_row::Resource::Order(order)) = row.resource else { panic!("an order") };
        if order.name.ends_with("-stop") {
            return Err(Status::unavailable("stopping"));
        }
        match order.name.ends_with("-bad") {
            false => answer.landed_count += 1,
            true => answer.refusals.push(ImportRefusal {
                index: *index,
                name: order.name,
                reason: "ERROR_REASON_CURRENCY_MISMATCH".to_owned(),
                message: "not in this currency".to_owned(),
                violations: vec![FieldViolation {
                    field: "order.total.currency_code".to_owned(),
                    description: "is EUR here".to_owned(),
                }],
            }),
        }
        *index += 1;
    }
    answer.freshness = Some(FreshnessToken { value: format!("up to {index}") });
    Ok(answer)
}

async fn connection() -> Connection {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tonic::transport::Server::builder().add_service(Orders);
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).expect("a URL").connect_lazy();
    Connection::over(channel, "shop").expect("a tenant")
}

fn csv(ids: impl Iterator<Item = String>) -> String {
    let rows = ids.map(|id| format!("{id},acme,2026-03-01,1.50,GBP\n"));
    format!("order_id,account_id,placed_at,total,currency\n{}", rows.collect::<String>())
}

fn job(name: &'static str, content: impl Into<Vec<u8>>) -> Job {
    Job {
        show: Show::Nothing,
        rows: 3,
        keep_tokens: true,
        ..Job::new(Kind::Orders, Source::Bytes(name, content.into().leak()))
    }
}

#[tokio::test]
async fn refused_rows_are_told_by_line_and_the_rest_lands() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = folder.path().join("refused.csv");
    let name = |at: u32| if at.is_multiple_of(10) { format!("o{at}-bad") } else { format!("o{at}") };
    let mut text = csv((1..=30).map(name));
    text.push_str("o 31,acme,soon,1.50,GBP\no32,acme\n");
    let job = Job { refused: Some(refused.clone()), ..job("orders.csv", text) };
    let summary = run(&connection().await, job).await.expect("an import");
    assert_eq!((summary.lines, summary.landed, summary.unchanged, summary.refused), (32, 27, 0, 5));
    assert_eq!(summary.tokens.last().map(|token| token.value.as_str()), Some("up to 30"));
    assert_eq!(summary.tokens.len(), 10, "a token for each batch");

    let mut lines: Vec<u64> = summary.refusals.iter().map(|refusal| refusal.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [11, 21, 31, 32, 33]);
    let by_line = |line: u64| summary.refusals.iter().find(|refusal| refusal.line == line).expect("it");
    let far = by_line(21);
    assert_eq!(
        (far.name.as_str(), far.reason.as_str()),
        ("accounts/acme/orders/o20-bad", "ERROR_REASON_CURRENCY_MISMATCH")
    );
    assert_eq!(far.message, "not in this currency; order.total.currency_code: is EUR here");
    assert!(by_line(32).message.contains("order_id: `o 31`") && by_line(32).message.contains("placed_at: `soon`"));
    assert!(by_line(33).message.contains("2 cells, but the header names 5"));

    let kept = std::fs::read_to_string(refused).expect("the refused rows");
    assert!(kept.starts_with("order_id,account_id,placed_at,total,currency,line,reason,message\n"), "{kept}");
    assert!(kept.contains("o20-bad,acme,2026-03-01,1.50,GBP,21,ERROR_REASON_CURRENCY_MISMATCH,"), "{kept}");
    assert!(kept.contains("o32,acme,,,,33,ERROR_REASON_INVALID_FIELDS,"), "{kept}");
}

#[tokio::test]
async fn json_lines_and_packed_files_are_imported_alike() {
    let line = |id: u32| {
        format!(
            r#"{{"name":"accounts/acme/orders/o{id}","placeTime":"2026-03-01T00:00:00Z","total":{{"currencyCode":"GBP","units":"1"}}}}"#
        )
    };
    let text = format!("{}\n\n{}\nnonsense\n", line(1), line(2));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).expect("packed");
    let packed = packed.finish().expect("packed");
    let connection = connection().await;
    for job in [job("orders.jsonl", text), job("orders.jsonl.gz", packed)] {
        let summary = run(&connection, job).await.expect("an import");
        assert_eq!((summary.landed, summary.refused, summary.skipped), (2, 1, 1));
        assert_eq!(summary.refusals[0].line, 4);
    }
}

#[tokio::test]
async fn a_packed_file_that_was_cut_off_lands_what_was_read_and_says_where_it_ends() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(csv((1..=1000).map(|at| format!("o{at}"))).as_bytes()).expect("packed");
    let mut packed = packed.finish().expect("packed");
    packed.truncate(20_000);
    let outcome = run(&connection().await, job("orders.csv.gz", packed)).await;
    let Err(Error::Broken { line, problem, summary, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(problem.contains("too early"), "{problem}");
    assert!(summary.landed > 100 && line >= summary.landed, "{line} {summary:?}");
}

#[tokio::test]
async fn an_interrupted_import_says_how_far_it_came() {
    let text = csv((1..=9).map(|at| format!("o{at}")).chain(["o10-stop".to_owned()]));
    let outcome = run(&connection().await, job("orders.csv", text)).await;
    let Err(error @ Error::Interrupted { .. }) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("stopping"), "{error}");
    assert_eq!(crate::exit::Error::from(error).exit(), crate::exit::Exit::Unavailable);
}

#[tokio::test]
async fn what_cannot_be_imported_at_all_is_told_before_anything_is_sent() {
    let connection = connection().await;
    let outcome = run(&connection, job("orders.csv", "order_id,total\n")).await;
    assert!(matches!(&outcome, Err(Error::Unusable { problems, .. }) if problems.len() == 3), "{outcome:?}");
    let absent = Job::new(Kind::Orders, Source::from_argument("/no/such/file.csv"));
    assert!(matches!(run(&connection, absent).await, Err(Error::CannotOpen { .. })));
    assert!(matches!(run(&connection, job("orders.txt", "")).await, Err(Error::FormatUnknown(_))));
}

#[tokio::test]
async fn a_suite_that_is_not_there_is_unavailable() {
    let channel = Endpoint::from_static("http://127.0.0.1:1").connect_timeout(Duration::from_secs(1)).connect_lazy();
    let connection = Connection::over(channel, "shop").expect("a tenant");
    let outcome = run(&connection, job("orders.csv", csv(["o1".to_owned()].into_iter()))).await;
    let error = crate::exit::Error::from(outcome.expect_err("nobody answers"));
    assert_eq!(error.exit(), crate::exit::Exit::Unavailable, "{error}");
}

#[tokio::test]
async fn a_mapped_file_streams_through_to_its_last_line() {
    let step = crate::shipped::SAAS.steps[1];
    let job = Job { show: Show::Nothing, keep_tokens: true, ..step.job().expect("a good mapping") };
    let summary = run(&connection().await, job).await.expect("an import");
    assert_eq!((summary.lines, summary.landed, summary.refused), (5_000, 5_000, 0));
    assert_eq!(summary.tokens.len(), 10);
}

#[tokio::test]
async fn a_refused_row_at_the_end_is_told_also_when_its_lines_were_told_before() {
    let mapping = r#"
        group = "id"
        [fields]
        order_id = "id"
        account_id = { constant = "acme" }
        placed_at = "day"
        total = { sum = "price" }
        currency = { constant = "GBP" }
    "#;
    // The third row is whole, and the batch full, as the line of the fourth is read.
    let text = "id,day,price\no1,2026-03-01,1\no2,2026-03-01,1\no3,2026-03-01,1\no4,soon,1\n";
    let mapping = Some(Mapping::parse(Kind::Orders, mapping).expect("a good mapping"));
    let summary = run(&connection().await, Job { mapping, ..job("orders.csv", text) }).await.expect("an import");
    assert_eq!((summary.lines, summary.landed, summary.refused), (4, 3, 1));
    assert_eq!(summary.refusals[0].line, 5);
}
