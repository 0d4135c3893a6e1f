//! What benchmarks share.

use std::time::{Duration, Instant};

use contracts::assessments::v1::{ListAssessmentsRequest, assessments_service_client::AssessmentsServiceClient};
use runtime::Peer;

use crate::ask_as;

/// A number from the environment.
pub fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The middle value.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median time of a page of 50 assessments, in microseconds, over so many that follow each other, from the beginning again
/// at the end.
pub async fn pages(
    mut client: AssessmentsServiceClient<Peer>,
    tenant: &str,
    order_by: &str,
    filter: &str,
    count: usize,
) -> f64 {
    let mut latencies = Vec::with_capacity(count);
    let mut page_token = String::new();
    for _ in 0..count {
        let mut request = ask_as(
            tenant,
            ListAssessmentsRequest {
                order_by: order_by.to_owned(),
                filter: filter.to_owned(),
                page_size: 50,
                page_token,
                ..Default::default()
            },
        );
        // The first page of an order may load what it needs of all accounts.
        request.set_timeout(Duration::from_secs(120));
        let began = Instant::now();
        let page = client.list_assessments(request).await.unwrap().into_inner();
        latencies.push(began.elapsed().as_secs_f64() * 1e6);
        page_token = page.next_page_token;
    }
    median(latencies.into_iter())
}
