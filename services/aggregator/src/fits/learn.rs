//! Learns from a portfolio up to a cut, and judges what was learned by what followed.

use contracts::{common::v1::ErrorReason, predictions::v1 as told};
use dynamics::{
    DAY, Ledger, contest,
    prediction::{FitError, PastError, Plan, PlanError, Portfolio, Summary, Tally, Trained, Trainer},
};
use methods::store_fault;
use runtime::Fault;
use store::Error;
use tonic::Code;

use super::{
    Making, Scales, judge,
    portfolio::{Customer, Scope, Survey, end_of, in_units},
};
use crate::{
    evidence::Source,
    picture::{Moment, fold_facts},
    predict::read_offer,
    told as rows,
};

/// What was learned up to a cut.
pub(crate) struct Learned {
    pub(crate) survey: Survey,
    pub(crate) scales: Scales,
    pub(crate) trained: Trained,
    /// How many customers were looked at closely.
    pub(crate) sampled: u64,
    /// Whether only what was known at earlier cuts was learned from.
    pub(crate) known_at_cuts: bool,
    /// The orders of all customers, for the plain models that it is judged beside.
    pub(crate) portfolio: Portfolio,
}

/// A fit that was made.
pub(crate) struct Made {
    pub(crate) learned: Learned,
    pub(crate) offers: Offers,
    pub(crate) backtest: Option<told::Backtest>,
}

/// What was learned from rivals' offers.
pub(crate) struct Offers {
    pub(crate) posterior: contest::Posterior,
    pub(crate) calibration: contest::Calibration,
}

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("no account that was open then had ordered up to the cut: there is nothing to learn from")]
    NoCustomers,
    #[error("the orders cannot be learned from: {0}")]
    Plan(#[from] PlanError),
    #[error("the orders cannot be learned from: {0}")]
    Fit(#[from] FitError),
    #[error("the portfolio could not be read: {0}")]
    Store(#[from] Error),
    #[error("the computation failed; the log has the details")]
    Failed(#[from] tokio::task::JoinError),
}

impl Problem {
    /// What the client reads of it.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Store(error) => store_fault(error),
            Self::Failed(error) => Fault::log_internal(&error),
            Self::NoCustomers | Self::Plan(_) | Self::Fit(_) => {
                let reason = ErrorReason::TooLittleHistory.as_str_name();
                Fault::new(Code::FailedPrecondition, reason, self.to_string())
            }
        }
    }
}

/// Fits to all that is known at the scope's cut, after judging a fit to what was known one horizon before.
pub(crate) async fn fit(scope: &Scope, horizon_days: u32, making: &Making) -> Result<Made, Problem> {
    let before = scope.before(horizon_days);
    let backtest = match backtest(&before, horizon_days, making).await {
        Ok(backtest) => Some(backtest),
        // There is too little history to judge by.
        Err(Problem::NoCustomers | Problem::Plan(_) | Problem::Fit(_)) => None,
        Err(problem) => return Err(problem),
    };
    let learned = learn(scope, horizon_days, making).await?;
    making.reach("learns from the offers of rivals", 0.0);
    let offers = learn_of_offers(scope).await?;
    Ok(Made { learned, offers, backtest })
}

/// Learns up to the scope's cut, and judges that by the horizon that follows it.
pub(crate) async fn backtest(scope: &Scope, horizon_days: u32, making: &Making) -> Result<told::Backtest, Problem> {
    let learned = learn(scope, horizon_days, making).await?;
    judge::judge(scope, learned, horizon_days, making).await
}

/// Learns up to the scope's cut.
async fn learn(scope: &Scope, horizon_days: u32, making: &Making) -> Result<Learned, Problem> {
    let survey = scope.survey(making, "counts the customers").await?;
    let first_day = survey.first_day.ok_or(Problem::NoCustomers)?;
    let cut_day = scope.cut.div_euclid(DAY);
    let scales = survey.scales();
    let plan = Plan::new(first_day, cut_day, horizon_days)?;
    let cuts: Vec<i64> = plan.cuts().iter().map(|day| end_of(*day)).collect();
    let known_at_cuts = match cuts.last() {
        Some(earliest) => scope.was_known(*earliest, survey.customers).await?,
        None => scope.was_known(scope.cut, survey.customers).await?,
    };

    let mut trainer = Trainer::new(plan);
    let mut tally = Tally::default();
    let mut sampled = 0;
    let mut walk = scope.customers().await?;
    while let Some(page) = walk.next(making, "reads their histories").await? {
        let mut close: Vec<&Customer> = Vec::new();
        for customer in &page {
            let Some(days) = customer.days_until(scope.cut) else { continue };
            if let Some(summary) = summary(days, cut_day) {
                tally.add(summary, 1);
            }
            if scope.samples(&customer.row.account, survey.customers) {
                close.push(customer);
            } else {
                skip_odd(trainer.count(&in_units(days, &customer.row.currency, &scales)));
            }
        }
        sampled += close.len() as u64;
        let then = scope.then(&close, &cuts, &scales, known_at_cuts).await?;
        for (customer, then) in close.into_iter().zip(then) {
            let days = customer.days_until(scope.cut).unwrap_or_default();
            let then: Vec<_> =
                then.iter().map(|then| then.as_ref().map(|then| (then.days.as_slice(), then.known))).collect();
            skip_odd(trainer.add_as_known(&in_units(days, &customer.row.currency, &scales), &then));
        }
    }

    let watched = making.clone();
    let computed = tokio::task::spawn_blocking(move || {
        let trained = trainer.train(&mut |progress| {
            watched.reach("fits the models", f64::from(progress.done) / f64::from(progress.of.max(1)));
        })?;
        Ok::<_, FitError>((tally.finish(), trained))
    });
    let (portfolio, trained) = computed.await??;
    if making.is_cancelled() {
        return Err(Error::Closed.into());
    }
    Ok(Learned { survey, scales, trained, sampled, known_at_cuts, portfolio })
}

/// What orders come down to at the end of a day; none if they span more than any history.
pub(super) fn summary(days: &[dynamics::OrderDay], cut_day: i64) -> Option<Summary> {
    let (first, last) = (days.first()?.day, days.last()?.day);
    Summary::of_days(days.len() as u64, first, last, cut_day).ok()
}

/// A history that no model can take, as one that spans thousands of years, is left out.
fn skip_odd(taken: Result<(), PastError>) {
    if let Err(problem) = taken {
        tracing::debug!(%problem, "a history is left out of a fit");
    }
}

/// Learns from the offers that were known of up to the scope's cut, each beside where the account stood just before.
async fn learn_of_offers(scope: &Scope) -> Result<Offers, Problem> {
    let gallery = &scope.gallery;
    let mut cases = Vec::new();
    for account in gallery.reader.accounts_with_offers(&scope.tenant).await? {
        // Those of a duplicate are told by the account that answers for it.
        if gallery.reader.merged_into(&scope.tenant, &account).await?.is_some() {
            continue;
        }
        let told = gallery.reader.sources(&scope.tenant, &account, true).await?;
        let segment = rows::segment(&told, &account)?;
        let model = gallery.models.plain(&scope.tenant, &segment);
        let mut offers = Vec::new();
        for row in told.iter().filter(|row| row.kind == rows::OFFER && row.deleted_at.is_none()) {
            if let Some(Source::CompetitorOffer(offer)) = rows::source(row)?.as_of(scope.cut) {
                offers.push(read_offer(&offer));
            }
        }
        for offer in &offers {
            let before = offer.learned_at.saturating_sub(1);
            let facts = crate::picture::told(&told, Moment { as_of: Some(before), known_at: None })?;
            let ledger: Ledger = fold_facts(&model, &facts);
            let record = contest::Record::before(&offers, offer.learned_at);
            cases.push(contest::Case::new(offer, contest::Standing::at(&ledger, &model, before, record)));
        }
        tokio::task::yield_now().await;
    }
    let prior = contest::Prior::default();
    let learned = tokio::task::spawn_blocking(move || Offers {
        posterior: contest::fit(&prior, &cases),
        calibration: contest::calibrate(&prior, &cases),
    });
    Ok(learned.await?)
}
