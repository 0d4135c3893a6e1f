//! Fits: made of what is kept, kept themselves, and made again when enough has changed.

use contracts::interactions::v1::CompetitorOffer;
use contracts::orders::v1::{Cancellation, Order};
use contracts::{common::v1::Money, predictions::v1::FitState};
use dynamics::DAY;
use methods::from_micros;
use runtime::Shutdown;
use tokio::sync::mpsc;

use super::Place;
use crate::{
    apply::{Applier, Heard},
    evidence::Source,
    fits::{Changes, Fits, Maker, Scope},
    told::Told,
};

const TENANT: &str = "three";
/// Today, in days since 1970.
const TODAY: i64 = 1_000;

/// An order of an account as it was recorded in a version.
fn order(account: &str, day: i64, version: i64, recorded: i64, cancelled: bool) -> Told {
    let order = Order {
        name: format!("accounts/{account}/orders/{day}"),
        place_time: Some(from_micros(day * DAY)),
        total: Some(Money { currency_code: "EUR".to_owned(), units: 10 + day % 7, nanos: 0 }),
        cancellation: cancelled
            .then(|| Cancellation { cancel_time: Some(from_micros(recorded)), ..Cancellation::default() }),
        ..Order::default()
    };
    Told {
        tenant: TENANT.to_owned(),
        account: account.to_owned(),
        version,
        recorded_at: recorded,
        source: Source::from(order),
    }
}

/// Customers who order every so many days, each at its own pace, recorded as it happened.
fn customers(count: i64) -> Vec<Told> {
    let mut told = Vec::new();
    for number in 0..count {
        let pace = 9 + number * 7 % 40;
        let (first, last) = (300 + number * 13 % 600, 400 + number * 31 % 600);
        for day in (first..=last.max(first)).step_by(pace as usize) {
            told.push(order(&format!("c{number:03}"), day, 1, day * DAY + 1, false));
        }
    }
    told
}

impl Place {
    fn scope(&self, cut: i64) -> Scope {
        Scope::new(self.gallery(), TENANT, cut)
    }

    /// A maker, and the fits that it makes.
    fn maker(&self, changes: &Changes) -> (Maker, Fits) {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let gallery = self.gallery();
        let fits = gallery.fits.clone();
        let methods = self.methods.clone();
        let (changes, instruments) = (changes.clone(), self.instruments());
        let (leases, shutdown) = (self.leases.clone(), Shutdown::new());
        (Maker { gallery, methods, changes, instruments, leases, jobs, waiting, shutdown }, fits)
    }
}

impl Place {
    /// The ids of the fits that are in the making.
    async fn unended(&self) -> Vec<String> {
        let rows = self.rows("select id from fits where state = 'pending'").await;
        rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
    }
}

async fn places() -> impl Iterator<Item = Place> {
    [Some(Place::sqlite().await), Place::postgres().await].into_iter().flatten()
}

#[tokio::test]
async fn a_fit_is_made_kept_and_found_again_and_another_when_enough_has_changed() {
    for place in places().await {
        place.clock.set(TODAY * DAY);
        let told = customers(120);
        place.apply(&told).await;
        let changes = Changes::default();
        let (mut maker, fits) = place.maker(&changes);
        // Nothing changed since the start; then too few accounts.
        maker.check().await;
        assert!(maker.waiting.try_recv().is_err());
        changes.add(TENANT, told.len() as u64);
        maker.check().await;
        assert!(maker.waiting.try_recv().is_err(), "a portfolio of 120 is not fitted without being asked");
        place.apply(&customers(220)).await;
        maker.check().await;
        let job = maker.waiting.try_recv().unwrap();
        maker.check().await;
        assert!(maker.waiting.try_recv().is_err(), "one is in the making");
        let id = job.making.id.clone();
        maker.make(job).await;
        let fitted = fits.in_use(TENANT).unwrap();
        assert_eq!(fitted.id, id);
        assert!(fits.in_use("one").is_none(), "another tenant has nothing of it");

        // As the next process finds it.
        let again = Fits::load(&place.reader(), place.models.clone()).await.unwrap();
        let found = again.in_use(TENANT).unwrap();
        assert!(
            place.unended().await.is_empty() && found.predictor == fitted.predictor && found.scales == fitted.scales
        );
        let model = place.models.of(TENANT, "");
        assert_eq!(model.expectation().map(|expectation| expectation.fit().to_owned()), Some(id.clone()));
        assert!(place.models.of("two", "").expectation().is_none());

        // Too soon, then too little, then enough.
        let order_days = told.len() as u64;
        changes.add(TENANT, order_days);
        maker.check().await;
        assert!(maker.waiting.try_recv().is_err(), "the last one has just been made");
        place.clock.set(TODAY * DAY + 2 * 3_600_000_000);
        maker.check().await;
        let second = maker.waiting.try_recv().unwrap();
        // A process that ends now leaves it half made.
        let fits = Fits::load(&place.reader(), place.models.clone()).await.unwrap();
        assert_eq!(place.unended().await, std::slice::from_ref(&second.making.id));
        assert_eq!(fits.in_use(TENANT).unwrap().id, id);
        let (mut maker, _) = place.maker(&Changes::default());
        maker.gallery.fits = fits.clone();
        maker.shutdown.begin();
        maker.run().await;
        let fits = Fits::load(&place.reader(), place.models.clone()).await.unwrap();
        assert!(place.unended().await.is_empty());
        let ended = fits.told_before(TENANT, None, 10);
        let states: Vec<FitState> = ended.iter().map(|fit| fit.state()).collect();
        assert_eq!(states, [FitState::Failed, FitState::Succeeded]);
        assert!(ended[0].status.contains("stopped") && ended[0].automatic);
        place.close().await;
    }
}

#[tokio::test]
async fn what_was_learned_from_is_what_was_known() {
    for place in places().await {
        place.clock.set(TODAY * DAY);
        let mut told = customers(30);
        // Placed before the cut and cancelled after it; placed before and entered long after.
        told.push(order("c000", 777, 1, 777 * DAY + 1, false));
        told.push(order("c000", 777, 2, 900 * DAY, true));
        told.push(order("c000", 778, 1, 950 * DAY, false));
        place.apply(&told).await;
        let cut = 800 * DAY;
        let scope = place.scope(TODAY * DAY);
        assert!(scope.was_known(cut, 30).await.unwrap());
        let making = crate::fits::Making::new("");
        let page = scope.customers().await.unwrap().next(&making, "").await.unwrap().unwrap();
        let first = &page[0];
        assert_eq!(first.row.account, "c000");
        let scales = scope.survey(&making, "").await.unwrap().scales();
        let days = async |as_known| -> Vec<i64> {
            let then = scope.then(&[first], &[cut], &scales, as_known).await.unwrap();
            then[0][0].as_ref().unwrap().days.iter().map(|day| day.day).collect()
        };
        let has = |days: &[i64]| [777, 778].map(|day| days.contains(&day));
        assert_eq!(has(&days(true).await), [true, false]);
        assert_eq!(has(&days(false).await), [true, true], "it was cancelled only later");
        let today: Vec<i64> = first.ledger.order_days().iter().map(|day| day.day).collect();
        assert_eq!(has(&today), [false, true]);

        // What was imported in one go was not known before.
        let imported: Vec<Told> = told.iter().map(|told| Told { recorded_at: 990 * DAY, ..told.clone() }).collect();
        let other = Place::sqlite().await;
        other.clock.set(TODAY * DAY);
        other.apply(&imported[..imported.len() - 2]).await;
        assert!(!other.scope(TODAY * DAY).was_known(cut, 30).await.unwrap());
        let changed: Vec<Told> = imported[..imported.len() - 3]
            .iter()
            .map(|told| Told { version: 2, recorded_at: 995 * DAY, ..told.clone() })
            .collect();
        other.apply(&changed).await;
        assert!(!other.scope(TODAY * DAY).was_known(cut, 30).await.unwrap(), "a later version says nothing of then");
        other.close().await;
        place.close().await;
    }
}

#[tokio::test]
async fn offers_are_found_by_the_account_that_answers() {
    for place in places().await {
        let offer = |account: &str, id: &str, version: i64| Told {
            tenant: TENANT.to_owned(),
            account: account.to_owned(),
            version,
            recorded_at: version,
            source: Source::from(CompetitorOffer {
                name: format!("accounts/{account}/competitorOffers/{id}"),
                competitor: "Rival".to_owned(),
                learn_time: Some(from_micros(5)),
                ..CompetitorOffer::default()
            }),
        };
        let merged = super::rules::told(TENANT, "b", 1, super::rules::merged("b", "a"));
        let changes = Changes::default();
        let applier = Applier { changes: changes.clone(), ..place.applier() };
        let told = vec![offer("a", "1", 1), offer("a", "1", 2), offer("b", "2", 1), offer("c", "3", 1), merged];
        applier.apply(&[Heard { told, topics: vec![], through: vec![] }]).await.unwrap();
        assert_eq!(changes.all(), [(TENANT.to_owned(), 4)], "fits learn from offers, and not from merges");
        let reader = place.reader();
        let found = reader.offers_of(TENANT, &["a", "d"]).await.unwrap();
        let mut names: Vec<(String, i64)> = found["a"].iter().map(|row| (row.source.clone(), row.version)).collect();
        names.sort();
        assert_eq!(
            names,
            [
                ("accounts/a/competitorOffers/1".to_owned(), 1),
                ("accounts/a/competitorOffers/1".to_owned(), 2),
                ("accounts/b/competitorOffers/2".to_owned(), 1)
            ]
        );
        assert_eq!(found.len(), 1);
        assert_eq!(reader.accounts_with_offers(TENANT).await.unwrap(), ["a", "b", "c"]);
        assert!(reader.accounts_with_offers("one").await.unwrap().is_empty());
        place.close().await;
    }
}
