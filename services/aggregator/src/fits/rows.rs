//! Fits and the choice among them as they are stored.

use contracts::predictions::v1 as told;
use methods::{Collection, Methods, from_micros};
use prost::Message as _;
use sqlx::Row as _;
use store::{Command, Draft, Error, Key, Outcome, Row, Rows, Table};

use super::{
    Choice, Fits,
    wire::{self, Stored},
};
use crate::{
    models::Models,
    store::{DocumentRow, Reader},
};

/// The documents.
pub(crate) const FITS: Table = Table { name: "fits" };
/// Which fit was chosen.
pub(crate) const CHOICES: Table = Table { name: "fit_choices" };

/// The id of the note beside the choice.
const NOTE: &str = "making";

/// Their names.
pub(super) const NAMES: Collection = Collection::OfTenant("fits");

pub(super) fn key(tenant: &str, id: &str) -> Key {
    Key { table: FITS.name, tenant: tenant.to_owned(), account: String::new(), id: id.to_owned() }
}

pub(super) fn choice_key(tenant: &str) -> Key {
    Key { table: CHOICES.name, tenant: tenant.to_owned(), account: String::new(), id: String::new() }
}

/// A note that names the fit that a tenant has in the making, deleted once it has ended: there is one at a time, whichever
/// process makes it. The feed tells of the note; a fit itself is large, and is read where it is named.
pub(super) fn note_key(tenant: &str) -> Key {
    Key { table: CHOICES.name, tenant: tenant.to_owned(), account: String::new(), id: NOTE.to_owned() }
}

/// Notes that a fit is in the making.
pub(super) fn note_begin(rows: &mut Rows<'_>, tenant: &str, id: &str) {
    rows.put(note_key(tenant), note(id, false));
}

/// Notes that a fit is in the making no more.
pub(super) fn note_end(rows: &mut Rows<'_>, tenant: &str, id: &str) {
    // Those of a program that left no notes have none.
    rows.put(note_key(tenant), note(id, true));
}

/// The fit that the note says is in the making.
pub(super) fn noted(rows: &Rows<'_>, tenant: &str) -> Option<String> {
    let row = rows.get(&note_key(tenant)).filter(|row| row.deleted_at.is_none())?;
    String::from_utf8(row.document.clone()).ok()
}

fn note(id: &str, deleted: bool) -> Draft {
    let (state, label) = (String::new(), String::new());
    Draft { state, label, happened_at: 0, deleted, document: id.as_bytes().to_vec() }
}

/// What is written of a fit that this process makes or has made. Its times and its name are the row's.
pub(super) fn draft(stored: &Stored, maker: &str) -> Draft {
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
        label: maker.to_owned(),
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
    let (key, draft) = (key(tenant, id), draft(stored, ""));
    let (of, ended) = (tenant.to_owned(), id.to_owned());
    let command = Command {
        tenant: tenant.to_owned(),
        keys: vec![key.clone(), note_key(tenant)],
        request: None,
        decide: Box::new(move |rows| {
            // Whoever broke it off was told so.
            let is_ended = rows.get(&key).is_some_and(|row| row.state != "pending");
            if !is_ended {
                rows.put_unfed(key.clone(), draft);
                note_end(rows, &of, &ended);
            }
            Ok(key)
        }),
    };
    Ok(methods.store().write(command).await?.outcome == Outcome::Landed)
}

impl Fits {
    /// Reads all fits and choices that are stored. Returns those that have not ended.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn load(reader: &Reader, models: Models) -> Result<Self, Error> {
        let fits = Self::new(models);
        for row in reader.documents(&FITS).await? {
            fits.take(&row)?;
        }
        for row in reader.documents(&CHOICES).await? {
            fits.take_choice(&row)?;
        }
        Ok(fits)
    }

    /// Holds the fit in a row.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    fn take(&self, row: &DocumentRow) -> Result<(), Error> {
        let stored = read(&row.id, row.created_at, &row.document)?;
        let state = stored.fit.state();
        let fitted = match state {
            told::FitState::Succeeded => wire::fitted(&row.id, &stored)
                .inspect_err(|problem| {
                    // Recorded by a version of this program that knew it: the others must not suffer.
                    tracing::error!(fit.id = row.id, problem, "a recorded fit cannot be used any more");
                })
                .ok(),
            _ => None,
        };
        self.hold(&row.tenant, &row.id, stored.fit, fitted);
        if state == told::FitState::Cancelled
            && let Some(making) = self.making(&row.tenant).filter(|making| making.id == row.id)
        {
            making.cancel();
            self.end(&row.tenant, &row.id);
        }
        Ok(())
    }

    fn take_choice(&self, row: &DocumentRow) -> Result<(), Error> {
        if row.id != NOTE {
            let fit = chosen(row.deleted_at, &row.document)?;
            self.choose(&row.tenant, Choice { version: row.version, fit });
        }
        Ok(())
    }

    /// Takes in what another process has written: a choice, or a note that names the fit that was written with it.
    ///
    /// # Errors
    /// The database's, or [`Error::Damaged`].
    pub(crate) async fn take_written(&self, methods: &Methods, row: &DocumentRow) -> Result<(), Error> {
        self.take_choice(row)?;
        let named = std::str::from_utf8(&row.document).ok().filter(|_| row.id == NOTE);
        let Some(id) = named else { return Ok(()) };
        match methods.store().get(&key(&row.tenant, id)).await? {
            Some(fit) => self.take(&fit.into()),
            None => Ok(()),
        }
    }
}

/// The fits that are in the making, with who makes them: tenant, id and maker.
///
/// # Errors
/// The database's.
pub(super) async fn unended(reader: &Reader) -> Result<Vec<(String, String, String)>, Error> {
    let select = sqlx::query("select tenant, id, label from fits where state = 'pending'");
    let rows = select.fetch_all(&reader.database.reader).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}
