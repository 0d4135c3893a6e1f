//! Admits callers by their token.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, Grpc, refuse};
use crate::auth::AuthTokens;
use crate::health;

/// Refuses calls whose token is unknown or does not cover their tenant. Health needs no token, as probes have none;
/// without tokens it admits everyone.
#[derive(Clone, Debug)]
pub(crate) struct AuthLayer {
    pub(crate) tokens: Option<Arc<AuthTokens>>,
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { tokens: self.tokens.clone(), inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Auth<S> {
    tokens: Option<Arc<AuthTokens>>,
    inner: S,
}

impl<S: Grpc> Service<Request<Body>> for Auth<S> {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Either<S::Future, Ready<Answer>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Some(tokens) = &self.tokens
            && !request.uri().path().starts_with(health::PATH)
            && let Err(fault) = tokens.check(request.headers())
        {
            return Either::Right(ready(Ok(refuse(fault))));
        }
        Either::Left(self.inner.call(request))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use crate::fault::reason;
    use crate::secret::Secret;
    use crate::settings::ServeSettings;
    use crate::testing::{Suite, digest, reason_of};

    #[tokio::test]
    async fn only_known_tokens_reach_their_tenants() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{} acme\n", digest("token"))).unwrap();
        let settings = ServeSettings { auth_tokens: Some(file.path().to_owned()), ..Suite::settings() };
        let suite = Suite::start(settings).await;

        let refused = suite.ask(None, "quick").await.unwrap_err();
        assert_eq!((refused.code(), reason_of(&refused)), (Code::Unauthenticated, reason::UNAUTHENTICATED.to_owned()));

        let token = Secret::new("token");
        suite.ask_for(Some(token.clone()), "acme", "quick").await.unwrap();
        for tenant in ["beta", "-"] {
            let refused = suite.ask_for(Some(token.clone()), tenant, "quick").await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            assert_eq!(reason_of(&refused), reason::TENANT_FORBIDDEN);
        }
        // The suite's own token, which its services use between them, reaches all tenants.
        suite.ask_for(suite.context.own_token.clone(), "-", "quick").await.unwrap();
        // Probes carry no token.
        suite.health().await.unwrap();
    }
}
