//! Fits and the choice among them as they are stored.

use contracts::predictions::v1 as told;
use methods::{Collection, Methods, from_micros};
use prost::Message as _;
use store::{Command, Draft, Error, Key, Outcome, Row, Table};

use super::{
    Choice, Fits,
    wire::{self, Stored},
};
use crate::{models::Models, store::Reader};

/// The documents.
pub(crate) const FITS: Table = Table { name: "fits" };
/// Which fit was chosen.
pub(crate) const CHOICES: Table = Table { name: "fit_choices" };

/// Their names.
pub(super) const NAMES: Collection = Collection::OfTenant("fits");

pub(super) fn key(tenant: &str, id: &str) -> Key {
    Key { table: FITS.name, tenant: tenant.to_owned(), account: String::new(), id: id.to_owned() }
}

pub(super) fn choice_key(tenant: &str) -> Key {
    Key { table: CHOICES.name, tenant: tenant.to_owned(), account: String::new(), id: String::new() }
}

/// What is written of a fit. Its times and its name are the row's.
pub(super) fn draft(stored: &Stored) -> Draft {
    let fit = &stored.fit;
    let state = match fit.state() {
        told::FitState::Unspecified | told::FitState::Pending | told::FitState::Running => "pending",
        told::FitState::Succeeded => "succeeded",
        told::FitState::Failed => "failed",
        told::FitState::Cancelled => "cancelled",
    };
    let bare = told::Fit { name: String::new(), create_time: None, is_default: false, ..fit.clone() };
    Draft {
        state: state.to_owned(),
        label: String::new(),
        happened_at: fit.end_time.as_ref().map_or(0, methods::to_micros),
        deleted: false,
        document: Stored { fit: bare, ..stored.clone() }.encode_to_vec(),
    }
}

/// The fit in a row.
///
/// # Errors
/// [`Error::Damaged`].
fn read(id: &str, created_at: i64, document: &[u8]) -> Result<Stored, Error> {
    let stored = Stored::decode(document).map_err(|error| Error::Damaged(format!("the fit `{id}`: {error}")))?;
    Ok(Stored { fit: complete(id, created_at, stored.fit), ..stored })
}

/// Adds what the row says of a fit. Its cut is when it was asked for, unless it has one of its own.
pub(super) fn complete(id: &str, created_at: i64, fit: told::Fit) -> told::Fit {
    let create_time = Some(from_micros(created_at));
    told::Fit { name: NAMES.name("", id), create_time, cut_time: fit.cut_time.or(create_time), ..fit }
}

/// The fit in a row, by the row.
///
/// # Errors
/// [`Error::Damaged`].
pub(super) fn of_row(row: &Row) -> Result<told::Fit, Error> {
    read(&row.key.id, row.created_at, &row.document).map(|stored| stored.fit)
}

/// The fit that a choice names; none if it was taken back.
pub(super) fn chosen(deleted_at: Option<i64>, document: &[u8]) -> Result<Option<String>, Error> {
    let id = String::from_utf8(document.to_vec()).map_err(|_| Error::Damaged("a chosen fit's id".to_owned()))?;
    Ok(deleted_at.is_none().then_some(id))
}

/// Writes how a fit has ended, unless it was broken off: tells which.
///
/// # Errors
/// The database's.
pub(super) async fn write_end(methods: &Methods, tenant: &str, id: &str, stored: &Stored) -> Result<bool, Error> {
    let (key, draft) = (key(tenant, id), draft(stored));
    let command = Command {
        tenant: tenant.to_owned(),
        keys: vec![key.clone()],
        request: None,
        decide: Box::new(move |rows| {
            // Whoever broke it off was told so.
            let is_ended = rows.get(&key).is_some_and(|row| row.state != "pending");
            if !is_ended {
                rows.put_unfed(key.clone(), draft);
            }
            Ok(key)
        }),
    };
    Ok(methods.store().write(command).await?.outcome == Outcome::Landed)
}

impl Fits {
    /// Reads all fits and choices that are stored. Returns those that a process before this one did not end.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn load(reader: &Reader, models: Models) -> Result<(Self, Vec<(String, String)>), Error> {
        let fits = Self::new(models);
        let mut interrupted = Vec::new();
        for row in reader.documents(&FITS).await? {
            let stored = read(&row.id, row.created_at, &row.document)?;
            let fit = &stored.fit;
            if matches!(fit.state(), told::FitState::Pending | told::FitState::Running) {
                interrupted.push((row.tenant.clone(), row.id.clone()));
            }
            let fitted = match fit.state() {
                told::FitState::Succeeded => wire::fitted(&row.id, &stored)
                    .inspect_err(|problem| {
                        // Recorded by a version of this program that knew it: the others must not suffer.
                        tracing::error!(fit.id = row.id, problem, "a recorded fit cannot be used any more");
                    })
                    .ok(),
                _ => None,
            };
            fits.hold(&row.tenant, &row.id, stored.fit, fitted);
        }
        for row in reader.documents(&CHOICES).await? {
            let fit = chosen(row.deleted_at, &row.document)?;
            fits.choose(&row.tenant, Choice { version: row.version, fit });
        }
        Ok((fits, interrupted))
    }
}
