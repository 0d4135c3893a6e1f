//! Reading again what was written before, with the model and the settings of today.

use std::time::Duration;

use contracts::common::v1::{FreshnessToken, TextAnalysis};
use futures_util::{Stream, stream};
use runtime::Fault;
use store::{Command, Mark, Outcome};
use tokio::time::Instant;
use tonic::Status;

use super::Reader;
use crate::{Call, Kind, ListAsk, Methods, Resource, Violations, faults::stopping, refusal, store_fault, token};

/// How many texts one transaction reads again.
const TEXTS_PER_TRANSACTION: i32 = 200;
/// How many texts a second are read again if nobody says otherwise, and at most.
const USUAL_RATE: u32 = 1_000;
const HIGHEST_RATE: u32 = 100_000;

/// What to read again, and how fast.
#[derive(Debug, Default)]
pub struct ReanalyzeAsk {
    /// `accounts/{account}`, or `accounts/-` for all.
    pub parent: String,
    /// At most so many texts a second; 0 means 1,000.
    pub max_texts_per_second: i32,
}

/// How far reading again has come.
#[derive(Debug, Default, Clone)]
pub struct Reread {
    /// How many texts were read.
    pub read_count: i64,
    /// How many of them changed.
    pub changed_count: i64,
    /// Names the writes.
    pub freshness: Option<FreshnessToken>,
}

struct Again<T: 'static> {
    methods: Methods,
    kind: &'static Kind<T>,
    call: Call,
    parent: String,
    rate: u32,
    page_token: Option<String>,
    marks: Vec<Mark>,
    so_far: Reread,
    began: Instant,
}

impl Methods {
    /// Reads the words of an account's resources again, or of all accounts', deleted ones too. What it says is written only
    /// where it changes.
    ///
    /// # Errors
    /// Every violation; in the stream UNAVAILABLE half-way: what was done remains.
    pub async fn reanalyze<T: Resource>(
        &self,
        kind: &'static Kind<T>,
        call: &Call,
        ask: ReanalyzeAsk,
    ) -> Result<impl Stream<Item = Result<Reread, Status>> + Send + 'static, Fault> {
        let mut violations = Violations::default();
        violations.integer("max_texts_per_second", ask.max_texts_per_second.into(), 0, i64::from(i32::MAX));
        if ask.parent != "accounts/-" && crate::account_id(&ask.parent).is_none() {
            violations.add("parent", "must be a name such as `accounts/{account}`, or `accounts/-`");
        }
        violations.finish()?;
        let rate = match u32::try_from(ask.max_texts_per_second).unwrap_or_default() {
            0 => USUAL_RATE,
            asked => asked.min(HIGHEST_RATE),
        };
        let again = Again {
            methods: self.clone(),
            kind,
            call: call.clone(),
            parent: ask.parent,
            rate,
            page_token: Some(String::new()),
            marks: Vec::new(),
            so_far: Reread::default(),
            began: Instant::now(),
        };
        Ok(stream::unfold(Some(again), |again| async move {
            let mut again = again?;
            match again.next().await {
                Ok(Some(so_far)) => Some((Ok(so_far), Some(again))),
                Ok(None) => None,
                Err(fault) => Some((Err(fault.into()), None)),
            }
        }))
    }
}

impl<T: Resource> Again<T> {
    /// Reads a page again, not before its time.
    async fn next(&mut self) -> Result<Option<Reread>, Fault> {
        let Some(page_token) = self.page_token.take() else {
            return Ok(None);
        };
        let due = self.began + Duration::from_secs_f64(self.so_far.read_count as f64 / f64::from(self.rate));
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            () = self.methods.shutdown.wait() => return Err(stopping("call it again, what was read stays")),
        }

        let page = ListAsk {
            parent: self.parent.clone(),
            // Slow readers go in small steps, so that a second's texts are not read at its beginning.
            page_size: TEXTS_PER_TRANSACTION.min(i32::try_from(self.rate).unwrap_or(i32::MAX)),
            page_token,
            show_deleted: true,
            ..ListAsk::default()
        };
        let (resources, next, _) = self.methods.list(self.kind, &self.call, page).await?;
        let reader = self.methods.readers.of(self.methods.store(), &self.call.tenant).await;
        let commands: Vec<Command> = resources.iter().filter_map(|resource| self.command(&reader, resource)).collect();
        for written in self.methods.store().write_batch(commands).await.map_err(store_fault)? {
            let written = written.map_err(store_fault)?;
            self.so_far.read_count += 1;
            self.so_far.changed_count += i64::from(written.outcome == Outcome::Landed);
            self.methods.add_mark(&mut self.marks, written.position);
        }
        self.so_far.freshness = Some(token(self.marks.clone()));
        self.page_token = (!next.is_empty()).then_some(next);
        Ok(Some(self.so_far.clone()))
    }

    /// Reads one text again; none if there are no words.
    fn command(&self, reader: &Reader, resource: &T) -> Option<Command> {
        let kind = self.kind;
        let reading = kind.reading.as_ref()?;
        let words = (reading.text)(resource).to_owned();
        if words.is_empty() {
            return None;
        }
        let analysis = self.methods.readers.read_text(reader, &words);
        let key = kind.key(&self.call.tenant, resource.name())?;
        Some(Command {
            tenant: key.tenant.clone(),
            keys: vec![key.clone()],
            request: None,
            decide: Box::new(move |rows| {
                let name = kind.name_of(&key);
                let row = rows.get(&key).ok_or_else(|| refusal(crate::not_found(kind.name, &name)))?;
                let deleted = row.deleted_at.is_some();
                let mut resource = kind.load(row).map_err(refusal)?;
                // Whoever wrote other words meanwhile had them read.
                if (reading.text)(&resource) == words {
                    let standing = (reading.analysis)(&mut resource);
                    *standing = keep_override(analysis, standing.take());
                    rows.put(key.clone(), kind.draft(&resource, deleted));
                }
                Ok(key)
            }),
        })
    }
}

/// What somebody said of the same words stays.
fn keep_override(new: Option<TextAnalysis>, old: Option<TextAnalysis>) -> Option<TextAnalysis> {
    match old.and_then(|old| old.r#override) {
        Some(said) => Some(TextAnalysis { r#override: Some(said), ..new.unwrap_or_default() }),
        None => new,
    }
}
