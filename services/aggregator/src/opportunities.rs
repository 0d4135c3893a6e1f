//! ListOpportunities: what would strengthen the ties, by counterfactuals on the same pure function.

use std::{cmp::Ordering, sync::Arc};

use contracts::{
    assessments::v1::{Estimate, FacetChange, Supposition, WithoutSignal},
    predictions::v1::*,
};
use dynamics::{
    DAY, Facts, Ledger, Model,
    contest::{Record, Standing},
    levers::{self, Change},
    prediction::{DAYS_PER_WEEK, Past},
};
use methods::{Call, Violations, account_id, account_name, from_micros, page_size, store_fault};
use runtime::Fault;
use store::PageToken;
use tonic::{Request, Response, Status};

use crate::{
    filter::{self, Order},
    fits::{Fitted, Predictions, in_units, known, until},
    picture::{Gallery, Moment, Picture, fold_facts},
    predict::{estimate, lifetime_value, read_horizon},
    service::page_token_fault,
    telling,
    tongue::Tongue,
    wire::{facet, party},
};

/// How many accounts of a portfolio are looked at.
const MOST_ACCOUNTS: i64 = 10_000;
/// How many of them are read at once.
const ACCOUNTS_AT_ONCE: usize = 64;
/// In place of an account's id, all of them.
const ALL: &str = "accounts/-";

impl Predictions {
    pub(crate) async fn listed_opportunities(
        &self,
        request: Request<ListOpportunitiesRequest>,
    ) -> Result<Response<ListOpportunitiesResponse>, Status> {
        let tongue = Tongue::of(&request);
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let moment = Moment::read(ask.as_of.as_ref(), ask.known_at.as_ref(), &mut violations);
        let account = account_id(&ask.parent);
        if account.is_none() && ask.parent != ALL {
            violations.add("parent", "must be a name such as `accounts/{account}`, or `accounts/-` for all");
        }
        let is_portfolio = ask.parent == ALL;
        for (field, is_set) in [("as_of", moment.as_of.is_some()), ("known_at", moment.known_at.is_some())] {
            if is_portfolio && is_set {
                violations.add(field, "needs an account as `parent`");
            }
        }
        for (field, text) in [("filter", &ask.filter), ("order_by", &ask.order_by)] {
            if !is_portfolio && !text.is_empty() {
                violations.add(field, "needs `accounts/-` as `parent`");
            }
        }
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        violations.finish()?;
        let comparisons = filter::parse(&ask.filter)?;
        let order = filter::parse_order(&ask.order_by)?;
        let tenant = call.tenant.as_str();
        let of = (&ask.parent, &ask.filter, &ask.order_by, horizon, (moment.as_of, moment.known_at));
        let list = methods::list_fingerprint(&(tenant, "opportunities", of));
        let skipped = match ask.page_token.as_str() {
            "" => 0,
            token => place(token, list)?,
        };
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let gallery = self.gallery.clone();
        let fitted = gallery.fits.in_use(tenant);
        let days = horizon.or(fitted.as_ref().map(|fitted| fitted.predictor.horizon_days()));
        let seeker = Seeker { gallery, fitted, days: days.unwrap_or(crate::fits::HORIZON_DAYS), tongue };
        let (tenant, account) = (tenant.to_owned(), account.map(str::to_owned));
        // It may take long, and no connection is to wait behind it.
        let sought = self.workers.spawn(async move {
            let found = match account {
                Some(account) => {
                    let picture = seeker.gallery.find(&tenant, &account, moment).await?;
                    (seeker.seek(vec![picture]).await?, 1)
                }
                None => seeker.seek_all(&tenant, &comparisons, &order).await?,
            };
            Ok::<_, Fault>((found, seeker.fitted))
        });
        let ((mut found, account_count), fitted) = sought.await.map_err(|error| Fault::log_internal(&error))??;
        found.sort_by(by_gain);
        let total = found.len();
        let mut page: Vec<Opportunity> = found.into_iter().skip(skipped).collect();
        let limit = page_size(ask.page_size) as usize;
        let is_more = page.len() > limit;
        page.truncate(limit);
        let next = (skipped + page.len()).to_string();
        Ok(tongue.answer(ListOpportunitiesResponse {
            opportunities: page,
            account_count,
            summary: telling::opportunity::found(tongue.words, total, account_count),
            fit: fitted.map_or(String::new(), |fitted| format!("fits/{}", fitted.id)),
            next_page_token: if is_more { PageToken { list, after: vec![next] }.encode() } else { String::new() },
        }))
    }
}

fn place(token: &str, list: u64) -> Result<usize, Fault> {
    let after = PageToken::decode(token, list).ok().map(|token| token.after);
    let place = after.and_then(|after| <[String; 1]>::try_from(after).ok()).and_then(|[place]| place.parse().ok());
    place.ok_or_else(page_token_fault)
}

/// Looks for opportunities.
struct Seeker {
    gallery: Gallery,
    fitted: Option<Arc<Fitted>>,
    days: u32,
    tongue: Tongue,
}

impl Seeker {
    /// Of the accounts of a portfolio that pass. Returns also how many were looked at.
    async fn seek_all(
        &self,
        tenant: &str,
        comparisons: &[filter::Comparison],
        order: &Order,
    ) -> Result<(Vec<Opportunity>, i64), Fault> {
        let Gallery { reader, standings, .. } = &self.gallery;
        let is_chosen = !comparisons.is_empty() || *order != Order::default();
        let places = match is_chosen {
            true => standings.page(reader, tenant, comparisons, order, None, MOST_ACCOUNTS).await,
            false => reader.standings(tenant, None, MOST_ACCOUNTS).await,
        };
        let places = places.map_err(store_fault)?;
        let mut found = Vec::new();
        for set in places.chunks(ACCOUNTS_AT_ONCE) {
            let accounts: Vec<&str> = set.iter().map(|standing| standing.place.account.as_str()).collect();
            let now = Moment { as_of: None, known_at: None };
            let pictures = self.gallery.find_all(tenant, &accounts, now).await?;
            found.extend(self.seek(pictures.into_iter().flatten().collect()).await?);
            tokio::task::yield_now().await;
        }
        Ok((found, places.len() as i64))
    }

    /// Of these accounts.
    async fn seek(&self, pictures: Vec<Picture>) -> Result<Vec<Opportunity>, Fault> {
        let Some(first) = pictures.first() else { return Ok(Vec::new()) };
        let ahead = self.gallery.ahead(&first.tenant, Some(self.days), &pictures).await?;
        let mut found = Vec::new();
        for mut picture in pictures {
            let facts = self.gallery.sources(&mut picture).await?;
            let sought = levers::opportunities(&facts, &picture.model, picture.now);
            if sought.is_empty() {
                continue;
            }
            let plain = self.gallery.models.without_expectation(&picture.tenant, &picture.model);
            let record = match &ahead {
                Some(ahead) => ahead.record(&picture).map_err(store_fault)?,
                None => Record::default(),
            };
            let stake = Stake { seeker: self, picture: &picture, plain: &plain, record };
            found.extend(sought.into_iter().map(|opportunity| stake.told(opportunity, &facts)));
        }
        Ok(found)
    }
}

/// An account, and what is needed to reckon what it would bring.
struct Stake<'a> {
    seeker: &'a Seeker,
    picture: &'a Picture,
    /// The model without a fit's expectation.
    plain: &'a Model,
    record: Record,
}

/// What a change would bring.
#[derive(Default)]
struct Gains {
    order_days: Option<Estimate>,
    spend: Option<Estimate>,
    kept_value: Option<Estimate>,
}

impl Stake<'_> {
    fn told(&self, opportunity: levers::Opportunity, facts: &[(String, Facts)]) -> Opportunity {
        let bond_after = opportunity.after.relationship.bond;
        let Gains { order_days, spend, kept_value } = self.gains(&opportunity.change, facts);
        let levers::Opportunity { lever, finding, evidence, change, aims, bond_before, facets, .. } = opportunity;
        let tongue = self.seeker.tongue;
        let mut told = Opportunity {
            account: account_name(&self.picture.account),
            lever: lever.name().to_owned(),
            text: telling::opportunity::asks(tongue.words, lever, finding),
            facets: facets
                .iter()
                .map(|change| FacetChange {
                    party: party(change.view).into(),
                    facet: facet(change.facet).into(),
                    before: change.before,
                    after: change.after,
                })
                .collect(),
            bond_before,
            bond_after,
            aims: aims
                .iter()
                .map(|aim| Aim {
                    signal: aim.signal.name().to_owned(),
                    now: aim.now,
                    goal: aim.value,
                    start_time: aim.quarter.map(|(start, _)| from_micros(start)),
                    end_time: aim.quarter.map(|(_, end)| from_micros(end)),
                })
                .collect(),
            order_day_gain: order_days,
            spend_gain: spend,
            kept_value_gain: kept_value,
            currency_code: self.picture.currency.clone(),
            sources: evidence,
            suppositions: change
                .suppositions
                .iter()
                .map(|supposed| Supposition {
                    signal: supposed.signal.name().to_owned(),
                    value: Some(supposed.value),
                    weight: Some(supposed.weight),
                    happen_time: Some(from_micros(supposed.at)),
                    count: i32::try_from(supposed.count).unwrap_or(i32::MAX),
                })
                .collect(),
            without_signals: change
                .without
                .iter()
                .map(|without| WithoutSignal {
                    source: without.source.clone(),
                    signal: without.signal.name().to_owned(),
                })
                .collect(),
            summary: Vec::new(),
        };
        if let Some(words) = tongue.if_asked() {
            told.summary = telling::opportunity::summary(words, &told, &aims, self.seeker.days);
        }
        told
    }

    /// What the change would bring; nothing is known of that while no fit is in use, or before the first order.
    fn gains(&self, change: &Change, facts: &[(String, Facts)]) -> Gains {
        let Some(fitted) = &self.seeker.fitted else { return Gains::default() };
        let after = fold_facts(self.plain, &change.apply(facts));
        let before = fold_facts(self.plain, facts);
        let (now, currency) = (self.picture.now, self.picture.currency.as_str());
        let today = now.div_euclid(DAY);
        let days = in_units(until(before.order_days(), today), currency, &fitted.scales);
        let past = |ledger: &Ledger| Past::new(&days, today, known(ledger, self.plain, now)).ok();
        let (Some(was), Some(is)) = (past(&before), past(&after)) else { return Gains::default() };
        let weeks = f64::from(self.seeker.days) / DAYS_PER_WEEK;
        let gain = fitted.predictor.gain(&was, &is, weeks);
        let per_unit = fitted.scales.of(currency).map(|scale| 1.0 / scale);
        Gains {
            order_days: gain.map(|gain| estimate(gain.orders, 1.0)),
            spend: gain.and_then(|gain| gain.spend).zip(per_unit).map(|(gain, per_unit)| estimate(gain, per_unit)),
            kept_value: per_unit.map(|per_unit| {
                let worth = lifetime_value(fitted, &was, fitted.predictor.predict(&was, weeks).spend);
                let stay =
                    |ledger: &Ledger| fitted.contest.contest(&Standing::at(ledger, self.plain, now, self.record)).stay;
                let (was, is) = (stay(&before), stay(&after));
                let gains = [is.chance - was.chance, is.low - was.low, is.high - was.high];
                let (low, high) =
                    gains.iter().fold((f64::MAX, f64::MIN), |(low, high), gain| (low.min(*gain), high.max(*gain)));
                let [value, low, high] = [gains[0] * worth.value, low * worth.value, high * worth.value];
                Estimate { value: value * per_unit, low: low * per_unit, high: high * per_unit }
            }),
        }
    }
}

/// Largest gain first: by the value kept and the spend gained, then by the bond. Equal ones by account and lever.
fn by_gain(one: &Opportunity, other: &Opportunity) -> Ordering {
    let amount = |of: &Opportunity| {
        let value = |estimate: &Option<Estimate>| estimate.as_ref().map(|estimate| estimate.value);
        match (value(&of.kept_value_gain), value(&of.spend_gain)) {
            (None, None) => None,
            (kept, spend) => Some(kept.unwrap_or_default() + spend.unwrap_or_default()),
        }
    };
    let bond = |of: &Opportunity| of.bond_after - of.bond_before;
    let gains = match (amount(one), amount(other)) {
        (Some(one), Some(other)) => other.total_cmp(&one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    };
    let name = |of: &Opportunity| (of.account.clone(), of.lever.clone());
    gains.then_with(|| bond(other).total_cmp(&bond(one))).then_with(|| name(one).cmp(&name(other)))
}
