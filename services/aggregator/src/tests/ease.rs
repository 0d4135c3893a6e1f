//! How easy it is to receive, against what buyers said of it: orders of a marketplace (Olist, 2016 to 2018), each with
//! the buyer's review, of which the suite is told nothing. The model is the default one, as it is built in.
//!
//! The data lie beside the checkout, in `../shared/data/olist_subset`, and do not ship with it: their licence is for no
//! commercial use. Where they are absent, the test that reads them says so on standard error and passes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use contracts::common::v1::Money;
use contracts::orders::v1::{Fulfilment, Order, OrderLine};
use dynamics::prediction::evaluation::{Case, Estimate, Followed, Predicted, evaluate};
use dynamics::{DAY, Facet, Facts, Ledger, Model, View, assess};
use flate2::read::GzDecoder;
use methods::{from_micros, to_micros};
use prost_types::Timestamp;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::evidence::Source;

/// The mean stars of the reviews on all orders of the marketplace that came in time, came late, did not come.
const STARS: [f64; 3] = [4.3, 2.4, 1.7];
/// A review of so many stars or fewer is a bad one.
const BAD_STARS: u32 = 2;

/// How an order came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    InTime,
    Late,
    /// It had not arrived when the data end.
    Not,
}

/// What a buyer said of one order.
struct Review {
    /// The account of the buyer.
    buyer: String,
    came: Came,
    /// Whether the marketplace counts the order as delivered, and says when.
    delivered: bool,
    /// When the order arrived; when it should have, if it did not.
    settled_at: i64,
    /// When the marketplace asked.
    asked_at: i64,
    /// 1 to 5.
    stars: u32,
}

/// The orders of each account, and what was said of them.
struct Marketplace {
    accounts: BTreeMap<String, Vec<Source>>,
    reviews: Vec<Review>,
}

/// The folder of the data, or none, said on standard error, where it is absent.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/olist_subset");
    if !folder.is_dir() {
        eprintln!("skipped: the data set olist_subset is not at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The rows of a table, by the given columns.
fn rows<const N: usize>(folder: &Path, table: &str, columns: [&str; N]) -> Vec<[String; N]> {
    let file = File::open(folder.join(table).with_extension("csv.gz")).unwrap();
    let mut table = csv::Reader::from_reader(GzDecoder::new(file));
    let headers = table.headers().unwrap().clone();
    let places = columns.map(|column| headers.iter().position(|header| header == column).unwrap());
    table.records().map(Result::unwrap).map(|row| places.map(|place| row[place].to_owned())).collect()
}

/// A time, if one is said. The data name no zone; all of them are read in the same one.
fn time(text: &str) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let at: OffsetDateTime = PrimitiveDateTime::parse(text, format).unwrap().assume_utc();
    Some(from_micros(at.unix_timestamp() * 1_000_000))
}

fn reais(cents: i64) -> Option<Money> {
    let nanos = (cents % 100 * 10_000_000) as i32;
    Some(Money { currency_code: "BRL".to_owned(), units: cents / 100, nanos })
}

fn cents(text: &str) -> i64 {
    (text.parse::<f64>().unwrap() * 100.0).round() as i64
}

impl Marketplace {
    /// Each row of the orders as the contract has it. When and by whom an order was cancelled is not in the data: to its
    /// buyer it is one that did not arrive.
    fn read() -> Option<Self> {
        let folder = folder()?;
        let customers = rows(&folder, "customers", ["customer_id", "customer_unique_id"]);
        let persons: BTreeMap<_, _> = customers.into_iter().map(|[id, person]| (id, person)).collect();
        let mut lines: BTreeMap<_, Vec<OrderLine>> = BTreeMap::new();
        for [order, product, price] in rows(&folder, "order_items", ["order_id", "product_id", "price"]) {
            let line = OrderLine { product, quantity: 1, unit_price: reais(cents(&price)), ..OrderLine::default() };
            lines.entry(order).or_default().push(line);
        }
        let mut totals: BTreeMap<_, i64> = BTreeMap::new();
        for [order, value] in rows(&folder, "order_payments", ["order_id", "payment_value"]) {
            *totals.entry(order).or_default() += cents(&value);
        }

        let (mut accounts, mut placed) = (BTreeMap::<_, Vec<Source>>::new(), BTreeMap::new());
        let columns = [
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        ];
        for [id, customer, status, purchased, shipped, delivered, estimated] in rows(&folder, "orders", columns) {
            let buyer = persons[&customer].clone();
            let fulfilment = Fulfilment {
                promise_time: time(&estimated),
                ship_time: time(&shipped),
                deliver_time: time(&delivered),
                ..Fulfilment::default()
            };
            let order = Order {
                name: format!("accounts/{buyer}/orders/{id}"),
                place_time: time(&purchased),
                total: reais(totals.get(&id).copied().unwrap_or_default()),
                lines: lines.remove(&id).unwrap_or_default(),
                fulfilment: Some(fulfilment),
                ..Order::default()
            };
            accounts.entry(buyer.clone()).or_default().push(order.into());
            placed.insert(id, (buyer, status == "delivered", fulfilment));
        }

        // A few orders were asked about more than once: the last answer stands.
        let columns = ["order_id", "review_answer_timestamp", "review_score", "review_creation_date"];
        let mut answers = rows(&folder, "order_reviews", columns);
        answers.sort_unstable();
        let last: BTreeMap<_, _> =
            answers.into_iter().map(|[order, _, score, asked]| (order, (score, asked))).collect();
        let reviews = last.into_iter().filter_map(|(order, (score, asked))| {
            let (buyer, delivered, fulfilment) = placed[&order].clone();
            let promised = fulfilment.promise_time.as_ref().map(to_micros)?;
            let arrived = fulfilment.deliver_time.as_ref().map(to_micros);
            let came = match arrived {
                Some(at) if at <= promised => Came::InTime,
                Some(_) => Came::Late,
                // Said to be delivered, and not when: there is no telling how it came.
                None if delivered => return None,
                None => Came::Not,
            };
            Some(Review {
                buyer,
                came,
                delivered: delivered && arrived.is_some(),
                settled_at: arrived.unwrap_or(promised),
                asked_at: to_micros(&time(&asked)?),
                stars: score.parse().unwrap(),
            })
        });
        Some(Self { reviews: reviews.collect(), accounts })
    }

    /// How easy the buyer had it, by what had happened by then.
    fn ease(&self, review: &Review, now: i64) -> f64 {
        ease(&self.accounts[&review.buyer], now)
    }

    /// The ease of each review's buyer at a time of the review.
    fn at(&self, time: impl Fn(&Review) -> i64) -> Vec<(&Review, f64)> {
        self.reviews.iter().map(|review| (review, self.ease(review, time(review)))).collect()
    }
}

/// The customer's ease at a time, by the default model.
fn ease(orders: &[Source], now: i64) -> f64 {
    let model = Model::default();
    let facts: Vec<(&str, Facts)> =
        orders.iter().filter_map(|order| Some((order.name(), order.as_of(now)?.facts()))).collect();
    let ledger = Ledger::fold(model.half_lives(), facts.iter().map(|(name, facts)| (*name, facts)));
    assess(&ledger, &model, now).view(View::Customer).facet(Facet::Ease).score
}

/// How often, of two delivered orders with a bad and a better review, the buyer of the first had it less easy.
fn area(judged: &[(&Review, f64)]) -> Estimate {
    let delivered = judged.iter().filter(|(review, _)| review.delivered);
    let cases: Vec<Case> = delivered
        .map(|(review, ease)| {
            let predicted = Predicted { any_order: 1.0 - ease / 100.0, orders: 0.0, spend: None };
            let bad = u32::from(review.stars <= BAD_STARS);
            Case::new(predicted, Followed { orders: bad, spend: 0.0 }).unwrap()
        })
        .collect();
    evaluate(&cases).unwrap().any_order.auc.unwrap()
}

/// The means of orders that came in time, came late and did not come.
fn means<'a>(values: impl Iterator<Item = (&'a Review, f64)> + Clone) -> [f64; 3] {
    [Came::InTime, Came::Late, Came::Not].map(|came| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (_, value) in values.clone().filter(|(review, _)| review.came == came) {
            (sum, count) = (sum + value, count + 1.0);
        }
        sum / count
    })
}

/// The step from in time to late as a share of that from in time to never.
fn late_share([in_time, late, never]: [f64; 3]) -> f64 {
    (in_time - late) / (in_time - never)
}

/// That the three lie in their order, and as far apart, in proportion, as the stars do: within a tenth of the whole.
fn assert_like_stars(ease: [f64; 3], stars: [f64; 3]) {
    assert!(ease.is_sorted_by(|better, worse| better > worse), "{ease:?}");
    let (of_ease, of_stars) = (late_share(ease), late_share(stars));
    assert!((of_ease - of_stars).abs() < 0.1, "{of_ease:.3} against {of_stars:.3}");
}

#[test]
fn ease_ranks_the_reviews_of_delivered_orders() {
    let Some(marketplace) = Marketplace::read() else { return };
    let stars = means(marketplace.reviews.iter().map(|review| (review, f64::from(review.stars))));
    eprintln!("in time, late, never: stars {stars:.2?}, late {:.2} of the way to never", late_share(stars));
    for (mean, published) in stars.into_iter().zip(STARS) {
        assert!((mean - published).abs() < 0.1, "{stars:?}");
    }

    // Some days after the arrival; after the date, where nothing arrived.
    for days in [3, 7, 14, 30] {
        let judged = marketplace.at(|review| review.settled_at + days * DAY);
        assert_told(&format!("{days} days after"), &judged, stars);
    }
    // When the marketplace asked: soon after the arrival, or some two days after the date. Some arrived only later.
    assert_told("when asked", &marketplace.at(|review| review.asked_at), stars);
}

/// That the ease told the reviews: which were bad, and how far apart they are by how the orders came.
fn assert_told(when: &str, judged: &[(&Review, f64)], stars: [f64; 3]) {
    let Estimate { value, lower, upper } = area(judged);
    let ease = means(judged.iter().copied());
    let share = late_share(ease);
    eprintln!(
        "{when}: area {value:.4} ({lower:.4} to {upper:.4}), ease {ease:.1?}, late {share:.2} of the way to never"
    );
    assert!(value >= 0.70, "{value}");
    assert_like_stars(ease, stars);
}

#[test]
fn a_late_and_a_missing_order_move_the_ease_as_buyers_would_have_it() {
    let order = |delivered: Option<i64>| -> Source {
        let fulfilment = Fulfilment {
            ordered_quantity: 1,
            promise_time: Some(from_micros(24 * DAY)),
            deliver_time: delivered.map(|day| from_micros(day * DAY)),
            ..Fulfilment::default()
        };
        Order { place_time: Some(from_micros(0)), fulfilment: Some(fulfilment), ..Order::default() }.into()
    };
    // Some three weeks are promised there, half of what is late is so by six days, and most is in time by many.
    for now in 31..60 {
        let at = |order: Source| ease(&[order], now * DAY);
        assert_like_stars([at(order(Some(12))), at(order(Some(30))), at(order(None))], STARS);
    }
}
