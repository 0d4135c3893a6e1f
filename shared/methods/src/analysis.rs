//! Reading texts as they are written: what their words say stands in the resource beside what somebody stated, with the
//! revision of the model that read them.
//!
//! A text is read before its write is handed to the writer, so nobody else waits for it; what cannot be read is stored all
//! the same. Whoever writes a resource cannot state its analysis: only its words decide, and an override says so itself.

mod again;
mod overriding;
mod settings;
mod wire;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
};

use contracts::common::v1::{AnalysisSettings, TextAnalysis};
use language::{Analyzer, Competitors};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};
use runtime::{Clock, Tenant};
use store::Store;

use crate::Kind;

pub use again::{ReanalyzeAsk, Reread};
pub use settings::{ANALYSIS_SETTINGS, analysis_settings_migration};

/// How long the settings of a tenant are believed, in microseconds: so long may another process that serves the same
/// database have changed them unseen.
const SETTINGS_BELIEVED: i64 = 2_000_000;
/// Of how many tenants the settings are held at most.
const TENANTS_HELD: usize = 10_000;

/// Where the words of a kind of resource are, and where what they say is kept.
pub struct Reading<T: 'static> {
    /// The words of one party.
    pub text: fn(&T) -> &str,
    /// What they say.
    pub analysis: fn(&mut T) -> &mut Option<TextAnalysis>,
}

/// Empties what an analysis has of the words themselves, or of somebody's words on them. What they came to remains, as do
/// scores.
pub fn forget_words(analysis: &mut Option<TextAnalysis>) {
    if let Some(analysis) = analysis {
        analysis.spans.clear();
        if let Some(said) = &mut analysis.r#override {
            said.reason.clear();
        }
    }
}

/// Reads the texts of a service, as each tenant wants it.
#[derive(Clone)]
pub(crate) struct Readers {
    clock: Clock,
    held: Arc<RwLock<HashMap<String, Held>>>,
    /// Texts by what came of them; none where nothing is counted.
    texts: Option<Counter<u64>>,
}

#[derive(Clone)]
struct Held {
    reader: Arc<Reader>,
    since: i64,
}

/// How a tenant's texts are read.
#[derive(Default)]
pub(crate) struct Reader {
    /// The version of the settings; empty for those of everybody.
    etag: String,
    disabled: bool,
    /// The competitors' names, in the order in which `competitors` numbers them.
    names: Vec<String>,
    competitors: Option<Competitors>,
}

impl Readers {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, held: Arc::default(), texts: None }
    }

    /// Counts the texts of a service.
    pub(crate) fn counted(&self, service: &str, meter: &Meter) -> Self {
        let texts = meter
            .u64_counter(format!("rapport.{service}.texts"))
            .with_description("Texts read as they were written, by what came of it: read, abstained, failed.")
            .build();
        Self { texts: Some(texts), ..self.clone() }
    }

    /// How the tenant's texts are read now. If the settings cannot be had, what was known last holds; where nothing was, texts
    /// are left unread, as the tenant may want it: a write does not fail for them.
    pub(crate) async fn of(&self, store: &Store, tenant: &Tenant) -> Arc<Reader> {
        let known = self.held.read().unwrap_or_else(PoisonError::into_inner).get(tenant.as_str()).cloned();
        let now = self.clock.now();
        if let Some(held) = &known
            && (now - held.since).abs() < SETTINGS_BELIEVED
        {
            return Arc::clone(&held.reader);
        }
        match settings::load(store, tenant).await {
            Ok(settings) => match known.filter(|held| held.reader.etag == settings.etag) {
                Some(held) => self.hold(tenant, held.reader),
                None => self.hold(tenant, Arc::new(Reader::new(&settings))),
            },
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the settings of the analysis were not read");
                known.map_or_else(Reader::of_nobody, |held| held.reader)
            }
        }
    }

    /// As [`Readers::of`] found last, for whoever cannot wait.
    pub(crate) fn at_hand(&self, tenant: &Tenant) -> Arc<Reader> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.get(tenant.as_str()).map_or_else(Reader::of_nobody, |held| Arc::clone(&held.reader))
    }

    /// Reads as these settings say from now on.
    fn change(&self, tenant: &Tenant, settings: &AnalysisSettings) {
        self.hold(tenant, Arc::new(Reader::new(settings)));
    }

    fn hold(&self, tenant: &Tenant, reader: Arc<Reader>) -> Arc<Reader> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= TENANTS_HELD {
            held.clear();
        }
        held.insert(tenant.as_str().to_owned(), Held { reader: Arc::clone(&reader), since: self.clock.now() });
        reader
    }

    /// What the words of a resource say; nothing, if it has none.
    pub(crate) fn read<T>(&self, kind: &Kind<T>, reader: &Reader, resource: &T) -> Option<TextAnalysis> {
        self.read_text(reader, (kind.reading.as_ref()?.text)(resource))
    }

    fn read_text(&self, reader: &Reader, text: &str) -> Option<TextAnalysis> {
        if reader.disabled || text.is_empty() {
            return None;
        }
        let analysis = catch_unwind(AssertUnwindSafe(|| reader.read(text)));
        let outcome = match &analysis {
            Ok(analysis) if analysis.sentiment.is_some() => "read",
            Ok(_) => "abstained",
            Err(_) => "failed",
        };
        if let Some(texts) = &self.texts {
            texts.add(1, &[KeyValue::new("rapport.text.outcome", outcome)]);
        }
        if analysis.is_err() {
            // The panic itself is logged by its hook; the words stay out of the log.
            tracing::error!(bytes = text.len(), "a text could not be read");
        }
        analysis.ok()
    }
}

impl Reader {
    /// Leaves texts unread: nobody knows how they are to be read.
    fn of_nobody() -> Arc<Self> {
        Arc::new(Self { disabled: true, ..Self::default() })
    }

    fn new(settings: &AnalysisSettings) -> Self {
        let names = settings.competitors.iter().map(|competitor| competitor.name.clone()).collect();
        Self {
            etag: settings.etag.clone(),
            disabled: settings.disabled,
            names,
            competitors: settings::competitors(settings).ok().flatten(),
        }
    }

    fn read(&self, text: &str) -> TextAnalysis {
        let analyzer = Analyzer::embedded();
        let context = language::Context { competitors: self.competitors.as_ref(), ..language::Context::default() };
        let analysis = analyzer.analyze_with(text, &context);
        wire::message(&analysis, analyzer.revision(), &self.names)
    }
}
