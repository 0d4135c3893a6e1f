//! The shared data sets, which lie beside the checkout and do not all ship with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use dynamics::prediction::{OrderDay, Portfolio, Spend, SpendPortfolio, Summary};
use flate2::read::GzDecoder;
use time::{Date, Month};

/// What each customer spent on each order day; days are Julian day numbers.
pub(crate) struct Histories(BTreeMap<String, BTreeMap<i64, f64>>);

/// The folder of a set, or none, said on standard error, where it is absent.
pub(crate) fn folder(set: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(set);
    if !data.is_dir() {
        eprintln!("skipped: the data set {set} is not at {}", data.display());
        return None;
    }
    Some(data)
}

/// The rows of a table, gzipped or not, by the given columns.
pub(crate) fn rows<const N: usize>(path: &Path, columns: [&str; N]) -> Vec<[String; N]> {
    let file = File::open(path).unwrap();
    let plain: Box<dyn Read> = match path.extension() {
        Some(gz) if gz == "gz" => Box::new(GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut table = csv::Reader::from_reader(plain);
    let headers = table.headers().unwrap().clone();
    let places = columns.map(|column| headers.iter().position(|header| header == column).unwrap());
    table.records().map(Result::unwrap).map(|row| places.map(|place| row[place].to_owned())).collect()
}

/// The Julian day of an ISO date or time.
pub(crate) fn day(iso: &str) -> i64 {
    let number = |from: usize, to: usize| iso[from..to].parse::<u16>().unwrap();
    let month = Month::try_from(number(5, 7) as u8).unwrap();
    Date::from_calendar_date(number(0, 4).into(), month, number(8, 10) as u8).unwrap().to_julian_day().into()
}

impl Histories {
    /// From orders of a customer on a day with a value; those of one day are one.
    pub(crate) fn of(orders: impl IntoIterator<Item = (String, i64, f64)>) -> Histories {
        let mut all: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
        for (customer, day, value) in orders {
            *all.entry(customer).or_default().entry(day).or_default() += value;
        }
        Histories(all)
    }

    /// Each customer with an order up to the cut: the name, the summary at its end, and the order
    /// days within so many days after it.
    pub(crate) fn at(&self, cut: i64, horizon: i64) -> Vec<(&str, Summary, f64)> {
        let mut customers = Vec::new();
        for (name, days) in &self.0 {
            let seen: Vec<i64> = days.range(..=cut).map(|(day, _)| *day).collect();
            let (Some(first), Some(last)) = (seen.first(), seen.last()) else { continue };
            let summary = Summary::of_days(seen.len() as u64, *first, *last, cut).unwrap();
            customers.push((name.as_str(), summary, days.range(cut + 1..cut + 1 + horizon).count() as f64));
        }
        customers
    }

    /// Each customer's number and order days.
    pub(crate) fn days(&self) -> Vec<(u64, Vec<OrderDay>)> {
        let day = |(day, spend): (&i64, &f64)| OrderDay { day: *day, spend: *spend };
        self.0.iter().map(|(name, days)| (name.parse().unwrap(), days.iter().map(day).collect())).collect()
    }

    pub(crate) fn portfolio(&self, cut: i64) -> Portfolio {
        self.at(cut, 0).into_iter().map(|(_, summary, _)| summary).collect()
    }

    /// The mean spend of each customer's order days after the first, up to the cut.
    pub(crate) fn repeat_spend(&self, cut: i64) -> BTreeMap<&str, Spend> {
        let mut spends = BTreeMap::new();
        for (name, days) in &self.0 {
            let repeats: Vec<f64> = days.range(..=cut).skip(1).map(|(_, value)| *value).collect();
            let mean = repeats.iter().sum::<f64>() / repeats.len() as f64;
            if let Ok(spend) = Spend::new(repeats.len() as u32, mean) {
                spends.insert(name.as_str(), spend);
            }
        }
        spends
    }

    pub(crate) fn spend_portfolio(&self, cut: i64) -> SpendPortfolio {
        self.repeat_spend(cut).into_values().collect()
    }
}

impl Histories {
    /// The order days of each customer.
    pub(crate) fn order_days(&self) -> OrderDays {
        let of =
            |days: &BTreeMap<i64, f64>| days.iter().map(|(day, spend)| OrderDay { day: *day, spend: *spend }).collect();
        self.0.iter().map(|(name, days)| (name.clone(), of(days))).collect()
    }
}

/// The order days of each customer, by name.
pub(crate) type OrderDays = BTreeMap<String, Vec<OrderDay>>;

/// The order days of Online Retail with all lines of a customer in their spend: a line that is no
/// order, such as a return, counts on the order day before it.
pub(crate) fn online_retail_net() -> Option<OrderDays> {
    let mut customers = online_retail()?.order_days();
    let path = folder("online_retail")?.join("lines.csv.gz");
    for [invoice, quantity, price, who, at] in
        rows(&path, ["invoice", "quantity", "unit_price", "customer_id", "invoice_ts"])
    {
        let (quantity, price): (f64, f64) = (quantity.parse().unwrap(), price.parse().unwrap());
        let order = !invoice.starts_with('C') && quantity > 0.0 && price > 0.0;
        let Some(days) = customers.get_mut(&who).filter(|_| !order) else { continue };
        let before = days.partition_point(|order| order.day <= day(&at));
        if let Some(order) = before.checked_sub(1).and_then(|last| days.get_mut(last)) {
            order.spend += quantity * price;
        }
    }
    Some(customers)
}

/// The days on which each caller of the service desk opened an incident; each is worth 1.
pub(crate) fn incidents() -> Option<Histories> {
    let path = folder("incidents")?.join("events.csv.gz");
    let events = rows(&path, ["incident_id", "caller_id", "opened_at"]);
    let opened: BTreeMap<String, (String, String)> =
        events.into_iter().map(|[incident, caller, at]| (incident, (caller, at))).collect();
    Some(Histories::of(opened.into_values().map(|(caller, at)| (caller, day(&at), 1.0))))
}

/// What followed for each customer and what reference models foretold: the given columns.
pub(crate) fn references<const N: usize>(name: &str, columns: [&str; N]) -> Option<BTreeMap<u64, [f64; N]>> {
    let path = folder("reference_scores")?.join(format!("{name}.csv.gz"));
    let customers = rows(&path, ["customer_id"]);
    let values = rows(&path, columns);
    let both = customers.into_iter().zip(values);
    Some(both.map(|([who], values)| (who.parse().unwrap(), values.map(|value| value.parse().unwrap()))).collect())
}

/// The end of CDNOW's calibration, and the days held back.
pub(crate) const CDNOW_CUT: &str = "1997-09-30";
pub(crate) const CDNOW_HELD_BACK: i64 = 273;

pub(crate) fn cdnow() -> Option<Histories> {
    let path = folder("cdnow")?.join("cdnow_sample.csv");
    let orders = rows(&path, ["customer_id", "date", "usd"]);
    Some(Histories::of(orders.into_iter().map(|[who, date, usd]| (who, day(&date), usd.parse().unwrap()))))
}

/// Orders of goods, as the protocol has them: no cancellation, and quantity and price above 0.
pub(crate) fn online_retail() -> Option<Histories> {
    let path = folder("online_retail")?.join("lines.csv.gz");
    let lines = rows(&path, ["invoice", "quantity", "unit_price", "customer_id", "invoice_ts"]);
    Some(Histories::of(lines.into_iter().filter_map(|[invoice, quantity, price, who, at]| {
        let (quantity, price): (f64, f64) = (quantity.parse().unwrap(), price.parse().unwrap());
        let order = !invoice.starts_with('C') && quantity > 0.0 && price > 0.0;
        order.then(|| (who, day(&at), quantity * price))
    })))
}

/// Baskets that were paid for, as the reference counts them.
pub(crate) fn complete_journey() -> Option<Histories> {
    let path = folder("complete_journey")?.join("baskets.csv.gz");
    let baskets = rows(&path, ["household_id", "ts", "sales_value"]);
    let orders = baskets.into_iter().map(|[who, at, value]| (who, day(&at), value.parse().unwrap()));
    Some(Histories::of(orders.filter(|(.., value)| *value > 0.0)))
}

/// The last day of the simulated portfolios' calibration.
pub(crate) const SIMULATED_CUT: &str = "2024-12-29";

/// A simulated portfolio, and whether each customer was in truth active at the cut.
pub(crate) fn simulated(set: &str) -> Option<(Histories, BTreeMap<String, bool>)> {
    let folder = folder(set)?;
    let orders = ["orders_to_2024-12-29.csv", "orders_after_2024-12-29.csv"]
        .map(|name| rows(&folder.join(name), ["customer_id", "date", "value"]));
    let histories =
        Histories::of(orders.into_iter().flatten().map(|[who, date, value]| (who, day(&date), value.parse().unwrap())));
    let truth = rows(&folder.join("truth.csv"), ["customer_id", "alive_at_cutoff"]);
    Some((histories, truth.into_iter().map(|[who, alive]| (who, alive == "1")).collect()))
}
