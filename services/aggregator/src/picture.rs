//! An account's ledger, as it is now or as it was.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use contracts::assessments::v1 as wire;
use contracts::common::v1::FreshnessToken;
use dynamics::{Expectation, Facts, Ledger, Model, assess, explain};
use methods::{Violations, not_found, store_fault, to_micros};
use prost_types::Timestamp;
use runtime::{Clock, Fault};
use store::Error;
use wording::Words;

use crate::{
    apply::{decode_ledger, fold},
    cache::Ledgers,
    columns::Standings,
    fits::Fits,
    models::Models,
    predict::Ahead,
    progress::Progress,
    stated_views::StatedViews,
    store::{LedgerRow, Reader, SourceRow},
    telling,
    told::{ACCOUNT, facts, facts_as_of, merged_into, orders_currency, segment, source},
    wire::Beside,
};

/// Of which time a question is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// What we say about then.
    pub(crate) as_of: Option<i64>,
    /// From what was known then.
    pub(crate) known_at: Option<i64>,
}

/// What is needed to answer for an account at a moment.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) tenant: String,
    /// The account asked for.
    pub(crate) asked: String,
    /// The account that answers.
    pub(crate) account: String,
    pub(crate) currency: String,
    /// The model chosen for the account, or another that is to be seen with.
    pub(crate) model: Arc<Model>,
    /// Made with the model's half-lives.
    pub(crate) ledger: Ledger,
    /// The time assessed.
    pub(crate) now: i64,
    moment: Moment,
    /// The accounts that were one then, where it is not those that are one now.
    together: Option<BTreeSet<String>>,
    freshness: Vec<wire::SourceFreshness>,
}

/// A ledger, whose it is, and the model it was made for.
struct Found {
    account: String,
    currency: String,
    model: Arc<Model>,
    ledger: Ledger,
    together: Option<BTreeSet<String>>,
}

/// Finds pictures.
#[derive(Clone)]
pub(crate) struct Gallery {
    pub(crate) reader: Reader,
    pub(crate) ledgers: Ledgers,
    pub(crate) standings: Standings,
    pub(crate) progress: Progress,
    pub(crate) models: Models,
    pub(crate) fits: Fits,
    pub(crate) views: StatedViews,
    pub(crate) clock: Clock,
}

impl Moment {
    /// Reads the times of a request.
    pub(crate) fn read(as_of: Option<&Timestamp>, known_at: Option<&Timestamp>, violations: &mut Violations) -> Self {
        violations.time("as_of", as_of);
        violations.time("known_at", known_at);
        Self { as_of: as_of.map(to_micros), known_at: known_at.map(to_micros) }
    }

    /// Whether it is the present, for which ledgers are kept.
    pub(crate) fn is_now(self) -> bool {
        self.as_of.is_none() && self.known_at.is_none()
    }

    /// Whether a row was the current one at this moment.
    fn knew(self, row: &SourceRow) -> bool {
        self.known_at.is_none_or(|known_at| {
            row.recorded_at <= known_at && row.superseded_at.is_none_or(|superseded_at| superseded_at > known_at)
        })
    }

    /// Whether a row says anything at this moment.
    fn stands(self, row: &SourceRow) -> bool {
        row.deleted_at.is_none() && self.as_of.is_none_or(|time| row.happened_at <= time)
    }

    /// What a row says at this moment.
    fn facts(self, row: &SourceRow) -> Result<Facts, Error> {
        match self.as_of {
            None => facts(row),
            Some(time) => facts_as_of(row, time),
        }
    }
}

impl Picture {
    /// Whether a row, of any version, was the current one at this picture's moment, and said something then.
    pub(crate) fn knew(&self, row: &SourceRow) -> bool {
        let is_current = self.moment.known_at.is_some() || row.superseded_at.is_none();
        is_current && self.moment.knew(row) && self.moment.stands(row)
    }

    /// The same account at the same moment, if its sources said this, perhaps as another model has it.
    pub(crate) fn supposing(&self, model: Option<Arc<Model>>, facts: &[(String, Facts)]) -> Self {
        let model = model.unwrap_or_else(|| self.model.clone());
        Self { ledger: fold_facts(&model, facts), model, ..self.clone() }
    }
}

impl Gallery {
    /// Waits for what the tokens name.
    pub(crate) async fn wait(&self, tokens: &[FreshnessToken]) -> Result<(), Fault> {
        self.progress.wait(tokens).await
    }

    /// Returns the picture of an account.
    ///
    /// # Errors
    /// NOT_FOUND if nothing at all is known of it at the moment.
    pub(crate) async fn find(&self, tenant: &str, account: &str, moment: Moment) -> Result<Picture, Fault> {
        let found = self.find_all(tenant, &[account], moment).await?;
        let unknown = || not_found("assessment", &format!("accounts/{account}/assessment"));
        found.into_iter().next().flatten().ok_or_else(unknown)
    }

    /// Returns the pictures of several accounts, in their order; none where nothing is known.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn find_all(
        &self,
        tenant: &str,
        accounts: &[&str],
        moment: Moment,
    ) -> Result<Vec<Option<Picture>>, Fault> {
        // Read before the ledgers, so that the positions never promise too much.
        let seen = self.progress.seen();
        let found = match moment.is_now() {
            true => self.stored(tenant, accounts).await,
            false => self.folded(tenant, accounts, moment).await,
        };
        let now = moment.as_of.unwrap_or_else(|| self.clock.now());
        let pictures = accounts.iter().zip(found.map_err(store_fault)?).map(|(asked, found)| {
            found.map(|Found { account, currency, model, ledger, together }| Picture {
                tenant: tenant.to_owned(),
                asked: (*asked).to_owned(),
                freshness: seen.of(tenant, &account),
                account,
                currency,
                model,
                ledger,
                now,
                moment,
                together,
            })
        });
        Ok(pictures.collect())
    }

    /// Whether anything is known of an account, if only that it was merged into another.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn knows(&self, tenant: &str, account: &str) -> Result<bool, Fault> {
        let ledgers = self.reader.ledgers(tenant, &[account]).await.map_err(store_fault)?;
        Ok(!ledgers.is_empty() || self.reader.merged_into(tenant, account).await.map_err(store_fault)?.is_some())
    }

    /// The ledgers as they are kept.
    async fn stored(&self, tenant: &str, accounts: &[&str]) -> Result<Vec<Option<Found>>, Error> {
        let rows = self.ledgers.read(&self.reader, tenant, accounts).await?;
        let mut found = Vec::with_capacity(accounts.len());
        for (account, row) in accounts.iter().zip(rows) {
            let row = match row {
                Some(row) => Some(row),
                None => self.of_survivor(tenant, account).await?,
            };
            found.push(match row {
                Some(row) => Some(self.as_chosen(&row).await?),
                None => None,
            });
        }
        Ok(found)
    }

    /// The ledger in a row. Just after a choice changed it may still be one for a model with other half-lives, and while this
    /// program is updated one that another version of it made; then it is folded anew.
    async fn as_chosen(&self, row: &LedgerRow) -> Result<Found, Error> {
        let LedgerRow { tenant, account, currency, segment, .. } = row;
        let model = self.models.of(tenant, segment);
        let half_lives = model.half_lives();
        let ledger = match decode_ledger(row) {
            Ok(ledger) if ledger.half_lives() == half_lives => ledger,
            kept => {
                if let Err(error) = kept {
                    tracing::warn!(error = %error, "a ledger is not understood and folded anew");
                }
                fold(half_lives, &self.reader.sources(tenant, account, true).await?)?
            }
        };
        let (account, currency) = (account.clone(), currency.clone());
        Ok(Found { account, currency, model, ledger, together: None })
    }

    /// The ledger of the account that answers for a duplicate.
    async fn of_survivor(&self, tenant: &str, account: &str) -> Result<Option<Arc<LedgerRow>>, Error> {
        let Some(into) = self.reader.merged_into(tenant, account).await? else { return Ok(None) };
        Ok(self.ledgers.read(&self.reader, tenant, &[&into]).await?.pop().flatten())
    }

    /// The ledgers as they were, folded anew.
    async fn folded(&self, tenant: &str, accounts: &[&str], moment: Moment) -> Result<Vec<Option<Found>>, Error> {
        let mut found = Vec::with_capacity(accounts.len());
        for account in accounts {
            let (answering, rows) = self.rows(tenant, account, moment).await?;
            if !rows.iter().any(|row| moment.stands(row)) {
                found.push(None);
                continue;
            }
            let model = self.models.of(tenant, &segment(&rows, &answering)?);
            let accounts = rows.iter().map(|row| &row.account).chain([&answering]).cloned();
            found.push(Some(Found {
                together: moment.known_at.map(|_| accounts.collect()),
                account: answering,
                currency: orders_currency(&rows)?.unwrap_or_default(),
                ledger: fold_facts(&model, &told(&rows, moment)?),
                model,
            }));
        }
        Ok(found)
    }

    /// Returns what each source that stands says at the moment of a picture, and puts the ledger of just that into the picture: a
    /// change may have come since it was found, and the parts are to add up to the whole.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn sources(&self, picture: &mut Picture) -> Result<Vec<(String, Facts)>, Fault> {
        let rows = self.rows(&picture.tenant, &picture.asked, picture.moment).await;
        let (_, rows) = rows.map_err(store_fault)?;
        let facts = told(&rows, picture.moment).map_err(store_fault)?;
        picture.ledger = fold_facts(&picture.model, &facts);
        Ok(facts)
    }

    /// Shows a picture with another model.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn with_model(&self, picture: &mut Picture, model: Arc<Model>) -> Result<(), Fault> {
        let is_other_ledger = model.half_lives() != picture.ledger.half_lives();
        picture.model = model;
        if is_other_ledger {
            self.sources(picture).await?;
        }
        Ok(())
    }

    /// The account that answered for one at a moment, and the versions that were current then of all that was told of it
    /// and of those merged into it.
    async fn rows(&self, tenant: &str, asked: &str, moment: Moment) -> Result<(String, Vec<SourceRow>), Error> {
        let merged = self.reader.merged_into(tenant, asked).await?;
        let answering = merged.as_deref().unwrap_or(asked);
        let mut rows = self.reader.sources(tenant, answering, moment.known_at.is_none()).await?;
        if moment.known_at.is_none() {
            return Ok((answering.to_owned(), rows));
        }
        // Those that are merged now may have been apart then.
        rows.retain(|row| moment.knew(row));
        let mut merges = HashMap::new();
        for row in rows.iter().filter(|row| row.kind == ACCOUNT) {
            if let Some(into) = merged_into(&source(row)?) {
                merges.insert(row.account.clone(), into.to_owned());
            }
        }
        let answering_then = |account: &str| {
            let mut account = account;
            // Each account is merged once at most.
            for _ in 0..merges.len() {
                account = merges.get(account).map_or(account, String::as_str);
            }
            account.to_owned()
        };
        let answering = answering_then(asked);
        rows.retain(|row| answering_then(&row.account) == answering);
        Ok((answering, rows))
    }

    /// Assesses, looks ahead if so asked, and tells in plain words if a language was asked for.
    ///
    /// # Errors
    /// INTERNAL if what is stored cannot be read.
    pub(crate) fn assess_ahead(
        &self,
        picture: Picture,
        ahead: Option<&Ahead>,
        words: Option<&Words>,
    ) -> Result<wire::Assessment, Fault> {
        let prediction = match ahead {
            None => None,
            Some(ahead) => self.predict(&picture, ahead).map_err(store_fault)?,
        };
        let Some(words) = words else {
            return Ok(wire::Assessment { prediction, ..self.assess(picture) });
        };
        let Picture { ledger, model, now, .. } = picture.clone();
        let (explanation, assessment) = (explain(&ledger, &model, now), assess(&ledger, &model, now));
        let mut answer = wire::Assessment { prediction, ..self.assess(picture) };
        answer.summary = telling::assessment::summary(words, &assessment, &explanation, &model, &answer);
        if let Some(prediction) = &mut answer.prediction {
            telling::prediction::translate(words, prediction);
        }
        if ahead.is_some() {
            let ahead = telling::prediction::summary(words, answer.prediction.as_ref(), &answer.fit);
            answer.summary.extend(ahead);
        }
        Ok(answer)
    }

    /// The model of this name, as it was when a standing was made with it; see [`Model::made_with`].
    pub(crate) fn made_with(&self, tenant: &str, made_with: &str) -> Option<Arc<Model>> {
        let (id, fit) = made_with.split_once('/').map_or((made_with, None), |(id, fit)| (id, Some(fit)));
        let model = self.models.find(tenant, id)?;
        if model.expectation().map(Expectation::fit) == fit {
            return Some(model);
        }
        let expectation =
            fit.map(|fit| self.fits.find(tenant, fit)).map(|fitted| fitted.map(|fitted| fitted.expectation()));
        match expectation {
            None => Some(self.models.without_expectation(tenant, &model)),
            Some(expectation) => expectation.map(|expectation| Arc::new(model.expecting(Some(expectation)))),
        }
    }

    /// Assesses.
    pub(crate) fn assess(&self, picture: Picture) -> wire::Assessment {
        let assessment = assess(&picture.ledger, &picture.model, picture.now);
        let Picture { tenant, account, together, moment, now, .. } = &picture;
        let stated_views = self.views.standing(tenant, account, together.as_ref(), *now, moment.known_at);
        let merged_into = (picture.account != picture.asked).then_some(picture.account);
        let beside = Beside {
            account: picture.asked,
            currency: picture.currency,
            stated_views,
            merged_into,
            freshness: picture.freshness,
        };
        crate::wire::assessment(&assessment, &picture.ledger, beside)
    }
}

/// The ledger of these facts, for a model.
pub(crate) fn fold_facts(model: &Model, facts: &[(String, Facts)]) -> Ledger {
    Ledger::fold(model.half_lives(), facts.iter().map(|(source, facts)| (source.as_str(), facts)))
}

/// What each source that stands says.
///
/// # Errors
/// [`Error::Damaged`].
pub(crate) fn told(rows: &[SourceRow], moment: Moment) -> Result<Vec<(String, Facts)>, Error> {
    let standing = rows.iter().filter(|row| moment.stands(row));
    standing.map(|row| Ok((row.source.clone(), moment.facts(row)?))).collect()
}
