//! ListThemes: what is talked about, own themes and phrases that stand out, ranked.

use std::{cmp::Ordering, collections::BTreeSet};

use contracts::feedback::v1::Theme;
use contracts::voice::v1::*;
use methods::{Call, Violations, from_micros, list_fingerprint, store_fault, to_micros};
use runtime::Fault;
use store::Error;
use tonic::{Request, Response, Status};

use super::{
    Page, Period, Voice,
    figures::{Everything, Ranked},
    hearing::Hearing,
    phrases::taxonomy,
    read_days,
    stake::{Stakes, Sum, amount_in},
};
use crate::{
    filter::{self, Order},
    predict::read_horizon,
    store::Reader,
};

/// What a list is ordered by.
const FIELDS: [&str; 4] = ["account_count", "value", "feeling", "trend"];
/// The longest segment, in characters.
const LONGEST_SEGMENT: usize = 128;

impl Voice {
    pub(super) async fn listed_themes(
        &self,
        request: Request<ListThemesRequest>,
    ) -> Result<Response<ListThemesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let days = read_days(ask.days, &ask.language, &mut violations);
        violations.time("as_of", ask.as_of.as_ref());
        violations.known_enum::<ThemeOrigin>("origin", ask.origin);
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        violations.text("segment", ask.segment.as_deref().unwrap_or_default(), 0, LONGEST_SEGMENT);
        let horizon = read_horizon(ask.horizon_days, &mut violations);
        if horizon.is_some() && ask.as_of.is_some() {
            violations.add("horizon_days", "looks ahead of now: leave `as_of` unset");
        }
        violations.finish()?;
        let order = read_order(&ask.order_by)?;
        let tenant = call.tenant.as_str().to_owned();
        let as_of = ask.as_of.as_ref().map(to_micros);
        let of = (&ask.language, ask.origin, &ask.order_by, horizon, &ask.segment);
        let list = list_fingerprint(&(&tenant, "themes", of, (days, as_of)));
        let now = as_of.unwrap_or_else(|| self.gallery.clock.now());
        let page = Page::read(&ask.page_token, list, now.saturating_add(1))?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let period = Period { days, end: page.end };
        let (gallery, origin) = (self.gallery.clone(), ask.origin());
        let ranked = self.at_work(async move {
            let reader = &gallery.reader;
            let themes = reader.themes(&tenant).await.map_err(store_fault)?;
            let mut hearings = match &ask.segment {
                None => beside_before(reader, &tenant, period).await,
                Some(segment) => beside_elsewhere(reader, &tenant, period, segment).await,
            }
            .map_err(store_fault)?;
            hearings.iter_mut().for_each(|hearing| hearing.only(&ask.language));
            let heard = hearings.each_ref().map(Hearing::told);
            let ranking = tokio::task::spawn_blocking(move || Ranking::of(&hearings, &themes, origin));
            let ranking = ranking.await.map_err(|error| Fault::log_internal(&error))?;
            let stakes = Stakes::of(&gallery, &tenant, &ranking.accounts(), period.end, horizon).await;
            let stakes = stakes.map_err(store_fault)?;
            let fit = stakes.fit.as_ref().map_or(String::new(), |fit| format!("fits/{fit}"));
            Ok::<_, Fault>((ranking.finish(&stakes, &order), heard, fit))
        });
        let (themes, heard, fit) = ranked.await?;
        let [heard, compared] = heard;
        let summary = summary(&themes, &heard, days);
        let (themes, next_page_token) = page.cut(themes, ask.page_size, list);
        Ok(Response::new(ListThemesResponse {
            themes,
            next_page_token,
            start_time: Some(from_micros(period.start())),
            end_time: Some(from_micros(period.end.saturating_sub(1))),
            heard: Some(heard),
            heard_before: Some(compared),
            fit,
            summary,
        }))
    }
}

/// What was said in a period, and what was said before.
async fn beside_before(reader: &Reader, tenant: &str, period: Period) -> Result<[Hearing; 2], Error> {
    let now = Hearing::of(reader, tenant, period.start(), period.end).await?;
    let before = period.before();
    Ok([now, Hearing::of(reader, tenant, before.start(), before.end).await?])
}

/// What the accounts of a segment said in a period, and what all others did.
async fn beside_elsewhere(reader: &Reader, tenant: &str, period: Period, segment: &str) -> Result<[Hearing; 2], Error> {
    let all = Hearing::of(reader, tenant, period.start(), period.end).await?;
    let here = reader.of_segment(tenant, &all.accounts(), segment).await?;
    Ok(all.split(&here))
}

fn read_order(order_by: &str) -> Result<Order, Fault> {
    let known = || format!("known are {}", FIELDS.join(", "));
    let order = filter::read_order(order_by, |field| FIELDS.contains(&field), known)?;
    Ok(match order.column {
        None => Order { column: Some(FIELDS[0].to_owned()), descending: true },
        Some(_) => order,
    })
}

/// The themes that were heard, without what is at stake.
struct Ranking(Vec<Ranked>);

impl Ranking {
    /// Of what was said in the period and in the one before, in this order.
    fn of(hearings: &[Hearing; 2], themes: &[Theme], origin: ThemeOrigin) -> Self {
        let heard = Everything::of(hearings);
        let own = taxonomy(themes);
        let mut ranked = Vec::new();
        if origin != ThemeOrigin::Discovered {
            ranked.extend(heard.own(themes, &own));
        }
        if origin != ThemeOrigin::Own {
            ranked.extend(heard.discovered(&own));
        }
        Self(ranked)
    }

    fn accounts(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|ranked| ranked.accounts.iter().map(String::as_str)).collect()
    }

    /// Adds what is at stake, and ranks.
    fn finish(self, stakes: &Stakes, order: &Order) -> Vec<HeardTheme> {
        let currency = stakes.main_currency().to_owned();
        let themes = self.0.into_iter().map(|ranked| {
            let Sum { spend, expected, lifetime } = stakes.sum(ranked.accounts.iter().map(String::as_str));
            HeardTheme { spend, expected_spend: expected, lifetime_value: lifetime, ..ranked.theme }
        });
        let mut themes: Vec<HeardTheme> = themes.collect();
        let key = |theme: &HeardTheme| match order.column.as_deref() {
            Some("value") => amount_in(&theme.lifetime_value, &currency).or_else(|| amount_in(&theme.spend, &currency)),
            Some("feeling") => sentiment(theme).map(f64::abs),
            Some("trend") => theme.trend.as_ref().and_then(|trend| trend.ratio.as_ref()).map(|ratio| ratio.value),
            _ => Some(theme.account_count as f64),
        };
        themes.sort_by(|one, other| {
            let by_key = match (key(one), key(other)) {
                (Some(one), Some(other)) if order.descending => other.total_cmp(&one),
                (Some(one), Some(other)) => one.total_cmp(&other),
                // What is not known comes last.
                (one, other) => other.is_some().cmp(&one.is_some()),
            };
            by_key.then_with(|| by_accounts(one, other))
        });
        themes
    }
}

/// Most accounts first; equal ones by name.
fn by_accounts(one: &HeardTheme, other: &HeardTheme) -> Ordering {
    let counts = |theme: &HeardTheme| (theme.account_count, theme.source_count);
    let name = |theme: &HeardTheme| (theme.display_name.clone(), theme.theme.clone(), theme.language.clone());
    counts(other).cmp(&counts(one)).then_with(|| name(one).cmp(&name(other)))
}

fn sentiment(theme: &HeardTheme) -> Option<f64> {
    theme.feeling.as_ref()?.sentiment.as_ref().map(|sentiment| sentiment.value)
}

/// What a list comes to, in plain words.
fn summary(themes: &[HeardTheme], heard: &Heard, days: i64) -> String {
    let of = |count: i64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let listened = format!(
        "{} of {} in {}{}",
        of(heard.source_count, "text", "texts"),
        of(heard.account_count, "account", "accounts"),
        of(days, "day", "days"),
        if heard.is_bounded { ", the newest there are" } else { "" }
    );
    if themes.is_empty() {
        return format!("nothing stands out of {listened}");
    }
    let rising =
        |theme: &&HeardTheme| theme.trend.as_ref().is_some_and(|trend| trend.direction() == TrendDirection::Up);
    let names: Vec<String> = themes.iter().filter(rising).map(|theme| format!("\"{}\"", theme.display_name)).collect();
    let rising = match names.as_slice() {
        [] => "none of them is clearly rising".to_owned(),
        [only] => format!("{only} is rising"),
        several => format!("{} are rising, {} among them", several.len(), several[..several.len().min(3)].join(", ")),
    };
    format!("{} in {listened}; {rising}", of(themes.len() as i64, "theme", "themes"))
}
