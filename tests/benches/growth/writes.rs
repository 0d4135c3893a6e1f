//! What an event costs to take in and to follow: of all accounts in no order, and of as many accounts in each transaction
//! at every size.

use contracts::orders::v1::Order;
use store::partition;
use tests::{
    TENANT,
    bulk::{account, order},
    chance::Chance,
    day,
};

use crate::{
    cell::{Cell, Spent},
    table::Table,
};

/// How many accounts a transaction of the aggregator has at most where that is to be the same at every size: as many as
/// the smallest size has.
const DISTINCT: usize = 10_000;
/// What an event at the last size may cost, in parts of what it costs at the first.
const WANTED: f64 = 1.2;

/// Gives each account so many orders.
pub(crate) async fn fill(cell: &mut Cell, each: usize) {
    let (accounts, count) = (cell.accounts, cell.accounts * each);
    let spent = cell.import((0..count).map(move |number| one(number % accounts, number))).await;
    println!(
        "{accounts} accounts with {each} orders each: {:.0} s, {:.0} orders/s, us an order: services {:.1}, aggregator {:.1}, \
         database server {:.1}",
        spent.elapsed,
        count as f64 / spent.elapsed,
        spent.services * 1e6 / count as f64,
        spent.aggregator * 1e6 / count as f64,
        spent.servers * 1e6 / count as f64,
    );
}

/// Orders of all accounts in no order: at a small size, some of the same account come into one transaction.
pub(crate) async fn random(cell: &mut Cell, place: usize, count: usize, chance: &mut Chance, table: &mut Table) {
    let first = cell.orders;
    let accounts = cell.accounts as u64;
    let orders = (first..first + count).map(|number| one(chance.below(accounts) as usize, number)).collect();
    let (ingested, tokens) = cell.ingest(orders).await;
    let followed = cell.follow(tokens).await;
    report("random", place, count, ingested, followed, table);
}

/// Passes over some of the accounts, others each time, each of them once: followed before the next begins.
pub(crate) async fn passes(cell: &mut Cell, place: usize, count: usize, chance: &mut Chance, table: &mut Table) {
    let passes = (count / DISTINCT).max(1);
    let (mut ingested, mut followed, mut done) = (Spent::default(), Spent::default(), 0);
    for _ in 0..passes {
        let first = cell.orders;
        let accounts = cell.some(DISTINCT, chance);
        let orders: Vec<Order> = (first..).zip(accounts).map(|(number, account)| one(account, number)).collect();
        done += orders.len();
        let (spent, tokens) = cell.ingest(orders).await;
        ingested = ingested.and(spent);
        followed = followed.and(cell.follow(tokens).await);
    }
    report("by passes", place, done, ingested, followed, table);
}

/// Orders of the accounts of one partition, which is followed in order by one process.
pub(crate) async fn one_partition(cell: &mut Cell, size: usize, count: usize, chance: &mut Chance, table: &mut Table) {
    let first = cell.orders;
    let accounts = (0..cell.accounts).filter(|number| partition(TENANT, &account(*number)) == 0);
    let accounts: Vec<usize> = accounts.collect();
    let orders = (first..first + count).map(|number| one(chance.one_of(&accounts), number)).collect();
    let (_, tokens) = cell.ingest(orders).await;
    let followed = cell.follow(tokens).await;
    table.add(size, "of one partition: follow, events/s", count as f64 / followed.elapsed);
}

fn one(of: usize, number: usize) -> Order {
    order(&account(of), number, day(-364.0 + (number % 360) as f64))
}

fn report(how: &str, size: usize, count: usize, ingested: Spent, followed: Spent, table: &mut Table) {
    let micros = |seconds: f64| seconds * 1e6 / count as f64;
    let mut row = |name: &str, figure: f64| table.add(size, &format!("{how}: {name}"), figure);
    row("ingest, services, us/event", micros(ingested.services));
    if ingested.servers > 0.0 {
        row("ingest, database server, us/event", micros(ingested.servers));
    }
    row("ingest, events/s", count as f64 / ingested.elapsed);
    row("follow, aggregator, us/event", micros(followed.aggregator));
    row("follow, the services telling it, us/event", micros(followed.services));
    if followed.servers > 0.0 {
        row("follow, database server, us/event", micros(followed.servers));
    }
    row("follow, events/s", count as f64 / followed.elapsed);
    row("feed, bytes/event", followed.bytes / count as f64);
    let all = micros(ingested.and(followed).cpu());
    table.add_wanted(size, &format!("{how}: **all CPU, us/event**"), all, WANTED);
}
