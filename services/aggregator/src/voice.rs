//! The voice of the customer: what is talked about and which of it grows, who asked for an improvement, and what it did.

mod askers;
mod effect;
mod figures;
mod hearing;
mod phrases;
mod rows;
mod sources;
mod stake;
mod themes;
pub(crate) mod topics;

use contracts::voice::v1::{voice_service_server::VoiceService, *};
use methods::{Collection, Violations};
use runtime::Fault;
use store::PageToken;
use tokio::runtime::Handle;
use tonic::{Request, Response, Status};

use crate::{picture::Gallery, service::page_token_fault};

#[cfg(test)]
pub(crate) use hearing::{Bounds, Hearing};
#[cfg(test)]
pub(crate) use rows::{interactions_since, words};

/// The names of themes.
const THEMES: Collection = Collection::OfTenant("themes");
/// The names of improvements.
const IMPROVEMENTS: Collection = Collection::OfTenant("improvements");
/// The days that a period has unless the caller says how many: a quarter.
const DAYS: i32 = 91;
/// The most days that a period has.
const MOST_DAYS: i32 = 730;

/// Serves the voice of the customer.
pub(crate) struct Voice {
    pub(crate) gallery: Gallery,
    /// Where long work runs, so that no connection waits behind it.
    pub(crate) workers: Handle,
}

#[tonic::async_trait]
impl VoiceService for Voice {
    async fn list_themes(&self, request: Request<ListThemesRequest>) -> Result<Response<ListThemesResponse>, Status> {
        self.listed_themes(request).await
    }

    async fn list_theme_sources(
        &self,
        request: Request<ListThemeSourcesRequest>,
    ) -> Result<Response<ListThemeSourcesResponse>, Status> {
        self.listed_sources(request).await
    }

    async fn list_askers(&self, request: Request<ListAskersRequest>) -> Result<Response<ListAskersResponse>, Status> {
        self.listed_askers(request).await
    }

    async fn get_improvement_effect(
        &self,
        request: Request<GetImprovementEffectRequest>,
    ) -> Result<Response<GetImprovementEffectResponse>, Status> {
        self.effect(request).await
    }
}

impl Voice {
    /// Does long work where no connection waits behind it.
    async fn at_work<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        self.workers.spawn(work).await.map_err(|error| Fault::log_internal(&error))?
    }
}

/// A period of so many days, and the one before it.
#[derive(Debug, Clone, Copy)]
struct Period {
    days: i64,
    end: i64,
}

impl Period {
    fn start(self) -> i64 {
        self.end.saturating_sub(self.days.saturating_mul(dynamics::DAY))
    }

    fn before(self) -> Self {
        Self { end: self.start(), ..self }
    }
}

/// Reads the days of a period, and the language that is listened to.
fn read_days(days: i32, language: &str, violations: &mut Violations) -> i64 {
    if days != 0 {
        violations.integer("days", days.into(), 1, MOST_DAYS.into());
    }
    let is_code = (2..=3).contains(&language.len()) && language.bytes().all(|letter| letter.is_ascii_lowercase());
    if !(language.is_empty() || is_code) {
        violations.add("language", "must be a code of ISO 639: two or three small letters");
    }
    i64::from(if days == 0 { DAYS } else { days })
}

/// Reads the name of something, which must be there.
fn read_name(field: &str, name: &str, collection: Collection, violations: &mut Violations) {
    if collection.parse(name).is_none() {
        violations.add(field, format!("must be a name such as `{}`", collection.pattern()));
    }
}

/// A place in a list that is made anew for each page, as of the same time.
#[derive(Debug, Clone, Copy)]
struct Page {
    end: i64,
    skipped: usize,
}

impl Page {
    /// Reads a token of a list; the first page ends as of a time.
    fn read(token: &str, list: u64, end: i64) -> Result<Self, Fault> {
        if token.is_empty() {
            return Ok(Self { end, skipped: 0 });
        }
        let after = PageToken::decode(token, list).ok().map(|token| token.after);
        let page = after
            .and_then(|after| <[String; 2]>::try_from(after).ok())
            .and_then(|[end, skipped]| Some(Self { end: end.parse().ok()?, skipped: skipped.parse().ok()? }));
        page.ok_or_else(page_token_fault)
    }

    /// Cuts this page out of all, and tells where the next one begins.
    fn cut<T>(self, all: Vec<T>, page_size: i32, list: u64) -> (Vec<T>, String) {
        let limit = methods::page_size(page_size) as usize;
        let total = all.len();
        let page: Vec<T> = all.into_iter().skip(self.skipped).take(limit).collect();
        let reached = self.skipped.saturating_add(page.len());
        let token = || PageToken { list, after: vec![self.end.to_string(), reached.to_string()] }.encode();
        let next = if reached < total { token() } else { String::new() };
        (page, next)
    }
}
