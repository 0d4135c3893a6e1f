//! The standard health service, told by the shutdown switch.

use std::collections::BTreeSet;
use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::shutdown::Shutdown;

/// The path prefix of its calls, which need no token and no place among the running calls.
pub(crate) const PATH: &str = "/grpc.health.v1.Health/";

/// Answers SERVING for every mounted service and for "" until the shutdown begins, and NOT_SERVING from that moment on.
///
/// It reads the switch itself, so health turns before anything else can, and its watches end with the shutdown
/// instead of holding their connections open through the whole grace period.
#[derive(Clone, Debug)]
pub(crate) struct SwitchHealth {
    services: BTreeSet<&'static str>,
    shutdown: Shutdown,
}

impl SwitchHealth {
    pub(crate) fn new(services: impl IntoIterator<Item = &'static str>, shutdown: Shutdown) -> SwitchHealth {
        let services = services.into_iter().chain([""]).collect();
        SwitchHealth { services, shutdown }
    }

    fn now(&self) -> ServingStatus {
        if self.shutdown.has_begun() { ServingStatus::NotServing } else { ServingStatus::Serving }
    }
}

#[tonic::async_trait]
impl Health for SwitchHealth {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.services.contains(request.get_ref().service.as_str()) {
            return Err(Status::not_found("service not served here"));
        }
        Ok(Response::new(answer(self.now())))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let known = self.services.contains(request.get_ref().service.as_str());
        // The protocol keeps the stream of an unknown service open, in case it appears.
        let first = if known { self.now() } else { ServingStatus::ServiceUnknown };
        let begun = self.shutdown.wait();
        let last = stream::once(async move {
            begun.await;
            (known && first != ServingStatus::NotServing).then_some(ServingStatus::NotServing)
        });
        let statuses = stream::iter([Some(first)]).chain(last).filter_map(std::future::ready);
        Ok(Response::new(Box::pin(statuses.map(|status| Ok(answer(status))))))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    #[tokio::test]
    async fn health_follows_the_switch() {
        let shutdown = Shutdown::new();
        let health = SwitchHealth::new(["rapport.orders.v1.OrdersService"], shutdown.clone());
        for service in ["", "rapport.orders.v1.OrdersService"] {
            let answer = health.check(ask(service)).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving);
        }
        assert_eq!(health.check(ask("other")).await.unwrap_err().code(), tonic::Code::NotFound);

        let watch = health.watch(ask("")).await.unwrap().into_inner();
        let unknown = health.watch(ask("other")).await.unwrap().into_inner();
        shutdown.begin();
        let seen: Vec<_> = watch.map(|answer| answer.unwrap().status()).collect().await;
        assert_eq!(seen, [ServingStatus::Serving, ServingStatus::NotServing]);
        let seen: Vec<_> = unknown.map(|answer| answer.unwrap().status()).collect().await;
        assert_eq!(seen, [ServingStatus::ServiceUnknown]);
        assert_eq!(health.check(ask("")).await.unwrap().into_inner().status(), ServingStatus::NotServing);
    }
}
