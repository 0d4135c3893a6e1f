//! From a kept row to what it says, now or as of a time.

use contracts::accounts::v1::AccountState;
use dynamics::Facts;
use store::Error;

use crate::{
    evidence::{self, Source},
    store::SourceRow,
};

/// Names the way in which documents become evidence. Raised with every change to it: ledgers made in another way are
/// made again as the service starts.
pub(crate) const EVIDENCE_REVISION: u32 = 5;

/// The kind of the rows that tell of a referral; all others are kinds of [`Source`].
pub(crate) const REFERRAL: &str = "referral";
/// The kind of the rows of accounts.
pub(crate) const ACCOUNT: &str = "account";
/// The kind of the rows of rivals' offers.
pub(crate) const OFFER: &str = "competitor_offer";
/// The kind of the rows of orders.
pub(crate) const ORDER: &str = "order";

/// A resource as a feed told it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account that the resource names.
    pub(crate) account: String,
    /// The resource's version.
    pub(crate) version: i64,
    /// When that version was recorded, in microseconds since 1970.
    pub(crate) recorded_at: i64,
    /// The resource.
    pub(crate) source: Source,
}

impl Told {
    /// The row that keeps it.
    pub(crate) fn row(&self) -> SourceRow {
        SourceRow {
            tenant: self.tenant.clone(),
            account: self.account.clone(),
            source: self.source.name().to_owned(),
            version: self.version,
            kind: self.source.kind().to_owned(),
            happened_at: self.source.happened_at(),
            recorded_at: self.recorded_at,
            superseded_at: None,
            deleted_at: self.source.is_deleted().then_some(self.recorded_at),
            document: self.source.encode(),
        }
    }

    /// What it says; as [`facts`] of the row that keeps it.
    pub(crate) fn facts(&self) -> Facts {
        if self.source.is_deleted() { Facts::default() } else { self.source.facts() }
    }

    /// The row that tells the referring account of the referral, if the resource is an account that was referred.
    pub(crate) fn referral(&self) -> Option<SourceRow> {
        let (referrer, at) = self.source.referral()?;
        Some(SourceRow {
            tenant: self.tenant.clone(),
            account: referrer.to_owned(),
            source: referral_source(&self.account),
            version: self.version,
            kind: REFERRAL.to_owned(),
            happened_at: at,
            recorded_at: self.recorded_at,
            superseded_at: None,
            deleted_at: None,
            document: Vec::new(),
        })
    }

    /// Whether words or persons were erased: then no earlier version may be kept either.
    pub(crate) fn is_erased(&self) -> bool {
        match &self.source {
            Source::Account(account) => account.state() == AccountState::Erased,
            Source::Contact(contact) => contact.erase_time.is_some(),
            Source::Interaction(interaction) => interaction.erase_time.is_some(),
            Source::Feedback(feedback) => feedback.erase_time.is_some(),
            _ => false,
        }
    }

    /// Whether an account was erased as a whole.
    pub(crate) fn is_erased_account(&self) -> bool {
        matches!(self.source, Source::Account(_)) && self.is_erased()
    }

    /// The currency of the order's amounts, if it is an order. All orders of an account are in one.
    pub(crate) fn currency(&self) -> Option<&str> {
        currency(&self.source)
    }
}

/// The account that answers for this one, if it is a duplicate; an erased one still is.
pub(crate) fn merged_into(source: &Source) -> Option<&str> {
    match source {
        Source::Account(account) => methods::account_id(&account.merged_into),
        _ => None,
    }
}

/// The account that referred the account of a kept row, if it is an account that was referred.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn referrer(row: &SourceRow) -> Result<Option<String>, Error> {
    if row.kind != ACCOUNT {
        return Ok(None);
    }
    Ok(source(row)?.referral().map(|(referrer, _)| referrer.to_owned()))
}

/// The segment of an account, as its own resource among the rows says; empty if there is none that stands.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn segment<'a>(rows: impl IntoIterator<Item = &'a SourceRow>, account: &str) -> Result<String, Error> {
    let own = rows.into_iter().find(|row| row.kind == ACCOUNT && row.account == account);
    own.map_or(Ok(String::new()), own_segment)
}

/// The segment that the row of an account says; empty once it stands no more.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn own_segment(row: &SourceRow) -> Result<String, Error> {
    if row.deleted_at.is_some() {
        return Ok(String::new());
    }
    Ok(match source(row)? {
        Source::Account(account) => account.segment,
        _ => String::new(),
    })
}

/// The currency of the orders among the rows.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn orders_currency(rows: &[SourceRow]) -> Result<Option<String>, Error> {
    // Duplicates that were merged could be in two, though no service lets them: which one is said must not hang on the
    // order of the rows.
    let order = rows.iter().filter(|row| row.kind == ORDER).min_by_key(|row| (&row.account, &row.source));
    let order = order.map(source).transpose()?;
    Ok(order.as_ref().and_then(currency).map(str::to_owned))
}

fn currency(source: &Source) -> Option<&str> {
    match source {
        Source::Order(order) => order.total.as_ref().map(|total| total.currency_code.as_str()),
        _ => None,
    }
}

/// The source under which a referring account keeps the referral of another.
pub(crate) fn referral_source(account: &str) -> String {
    format!("referrals/{account}")
}

/// What a kept row says.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn facts(row: &SourceRow) -> Result<Facts, Error> {
    if row.deleted_at.is_some() {
        return Ok(Facts::default());
    }
    if row.kind == REFERRAL {
        return Ok(evidence::referred(row.happened_at));
    }
    Ok(source(row)?.facts())
}

/// What a kept row said as of a time.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn facts_as_of(row: &SourceRow, time: i64) -> Result<Facts, Error> {
    if row.deleted_at.is_some() || row.happened_at > time {
        return Ok(Facts::default());
    }
    if row.kind == REFERRAL {
        return Ok(evidence::referred(row.happened_at));
    }
    Ok(source(row)?.as_of(time).map_or_else(Facts::default, |source| source.facts()))
}

/// The resource in a kept row.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn source(row: &SourceRow) -> Result<Source, Error> {
    Source::decode(&row.kind, &row.document).map_err(|error| Error::Damaged(format!("`{}`: {error}", row.source)))
}
