//! How a tenant wants its texts read: a row of the service's own database that the feed does not tell of.

use contracts::common::v1::{AnalysisSettings, FreshnessToken};
use language::{CompetitorError, Competitors};
use prost::Message as _;
use runtime::{Fault, Tenant};
use store::{Command, Draft, Key, Migration, Row, Store, Table};

use crate::{Call, Meta, Methods, Violations, from_micros, refusal, store_fault, write::check_stale};

/// The table of the settings. Each service that reads texts has one of its own.
pub static ANALYSIS_SETTINGS: Table = Table { name: "analysis_settings" };

const MOST_COMPETITORS: usize = 200;
const MOST_ALIASES: usize = 20;

/// The migration that makes the table, under the number that a service gives it.
pub const fn analysis_settings_migration(version: i64) -> Migration {
    Migration { version, name: "analysis settings", sql: include_str!("../../migrations/analysis_settings.sql") }
}

impl Methods {
    /// Returns how the tenant's texts are read.
    ///
    /// # Errors
    /// UNAVAILABLE if the database is.
    pub async fn analysis_settings(&self, call: &Call) -> Result<(AnalysisSettings, Option<FreshnessToken>), Fault> {
        let freshness = self.read_mark(&[store::partition(call.tenant.as_str(), "")]).await?;
        let settings = load(self.store(), &call.tenant).await.map_err(store_fault)?;
        Ok((settings, Some(freshness)))
    }

    /// Changes how the tenant's texts are read.
    ///
    /// # Errors
    /// Every violation, and ABORTED for another etag.
    pub async fn set_analysis_settings(
        &self,
        call: &Call,
        settings: Option<AnalysisSettings>,
        request_id: &str,
    ) -> Result<(AnalysisSettings, Option<FreshnessToken>), Fault> {
        let mut violations = Violations::default();
        let mut settings = settings.unwrap_or_else(|| {
            violations.add("settings", "is required");
            AnalysisSettings::default()
        });
        violations.within("settings", |violations| check(&settings, violations));
        violations.text("request_id", request_id, 0, 64);
        violations.finish()?;

        let etag = std::mem::take(&mut settings.etag);
        settings.update_time = None;
        let key = key(&call.tenant);
        let command = Command {
            tenant: call.tenant.as_str().to_owned(),
            keys: vec![key.clone()],
            request: call.request(request_id),
            decide: Box::new(move |rows| {
                let standing = rows.get(&key).map(stamped).transpose().map_err(refusal)?.unwrap_or_default();
                check_stale("settings", "analysisSettings", &etag, &standing.etag).map_err(refusal)?;
                rows.put_unfed(key.clone(), draft(&settings));
                Ok(key)
            }),
        };
        let written = self.store().write(command).await.map_err(store_fault)?;
        let settings = stamped(&written.row)?;
        self.readers.change(&call.tenant, &settings);
        Ok((settings, Some(self.mark(&written))))
    }
}

/// Reads the settings of a tenant; what holds for everybody, if it made none.
pub(super) async fn load(store: &Store, tenant: &Tenant) -> Result<AnalysisSettings, store::Error> {
    // A service without the table reads no texts.
    if !store.has(&ANALYSIS_SETTINGS) {
        return Ok(AnalysisSettings { disabled: true, ..AnalysisSettings::default() });
    }
    match store.get(&key(tenant)).await? {
        Some(row) => stamped(&row).map_err(|_| damaged()),
        None => Ok(AnalysisSettings::default()),
    }
}

fn damaged() -> store::Error {
    store::Error::Damaged("the settings of an analysis cannot be understood".to_owned())
}

fn key(tenant: &Tenant) -> Key {
    Key { table: ANALYSIS_SETTINGS.name, tenant: tenant.as_str().to_owned(), account: String::new(), id: String::new() }
}

fn draft(settings: &AnalysisSettings) -> Draft {
    Draft {
        state: String::new(),
        label: String::new(),
        happened_at: 0,
        deleted: false,
        document: settings.encode_to_vec(),
    }
}

fn stamped(row: &Row) -> Result<AnalysisSettings, Fault> {
    let settings = AnalysisSettings::decode(row.document.as_slice()).map_err(|error| Fault::log_internal(&error))?;
    let meta = Meta::of(row, String::new());
    Ok(AnalysisSettings { etag: meta.etag(), update_time: Some(from_micros(meta.recorded_at)), ..settings })
}

fn check(settings: &AnalysisSettings, violations: &mut Violations) {
    violations.at_most("competitors", settings.competitors.len(), MOST_COMPETITORS);
    for (index, competitor) in settings.competitors.iter().enumerate() {
        violations.within(format!("competitors[{index}]"), |violations| {
            violations.text("name", &competitor.name, 1, 128);
            violations.at_most("aliases", competitor.aliases.len(), MOST_ALIASES);
            for (index, alias) in competitor.aliases.iter().enumerate() {
                violations.text(&format!("aliases[{index}]"), alias, 1, 128);
            }
        });
        let earlier = settings.competitors.iter().take(index);
        if earlier.into_iter().any(|earlier| earlier.name == competitor.name) {
            violations.add(&format!("competitors[{index}].name"), "stands there already");
        }
    }
    if violations.is_empty()
        && let Err(error) = competitors(settings)
    {
        violations.add(&field(&error), error.to_string());
    }
}

/// Which field an error speaks of.
fn field(error: &CompetitorError) -> String {
    let (CompetitorError::TooShort { competitor, alias }
    | CompetitorError::TooLong { competitor, alias }
    | CompetitorError::Taken { competitor, alias, .. }) = error
    else {
        return "competitors".to_owned();
    };
    match alias {
        Some(alias) => format!("competitors[{competitor}].aliases[{alias}]"),
        None => format!("competitors[{competitor}].name"),
    }
}

/// The competitors to look for; none if the tenant names none.
pub(super) fn competitors(settings: &AnalysisSettings) -> Result<Option<Competitors>, CompetitorError> {
    if settings.competitors.is_empty() {
        return Ok(None);
    }
    Competitors::new(settings.competitors.iter().map(|one| (&one.name, &one.aliases))).map(Some)
}
