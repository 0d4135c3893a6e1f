//! What an order more costs, and a read, where an account has a history of this length.
//!
//! Each transaction has the same number of accounts, whatever their histories; and no history grows by more than a tenth.

use std::time::Instant;

use contracts::assessments::v1::ListTimelineRequest;
use tests::{ask, benchmark::median, bulk::order, day};

use crate::{
    cell::{Cell, Spent},
    reads::{get, name},
    table::Table,
};

pub(crate) const LENGTHS: [usize; 4] = [10, 100, 1_000, 10_000];
/// How many accounts a transaction has.
const TOGETHER: usize = 5;
/// How many transactions a round has.
const STEPS: usize = 100;
const READS: usize = 4_000;
/// Entries of a page of a timeline: as many as the shortest history has.
const PAGE: i32 = 10;
const PAGES: usize = 1_000;
const WANTED: f64 = 1.1;

/// The accounts that have histories of one length.
pub(crate) struct Histories {
    length: usize,
    /// How many transactions have other accounts each before it begins anew.
    groups: usize,
    /// How many orders have been added.
    steps: usize,
}

impl Histories {
    /// Gives accounts histories of this length, over a year.
    pub(crate) async fn fill(cell: &mut Cell, length: usize, rounds: usize) -> Self {
        let groups = (rounds * STEPS).div_ceil(length / 10);
        let this = Self { length, groups, steps: 0 };
        let count = groups * TOGETHER * length;
        let accounts = groups * TOGETHER;
        let orders = (0..count).map(move |number| {
            let (account, place) = (number % accounts, number / accounts);
            order(&id(length, account), place, day(-365.0 + 364.0 * place as f64 / length as f64))
        });
        cell.import(orders).await;
        this
    }

    /// An order more for each of a few accounts, again and again.
    pub(crate) async fn lengthen(&mut self, cell: &mut Cell, size: usize, table: &mut Table) {
        let mut spent = Spent::default();
        for _ in 0..STEPS {
            let first = self.steps % self.groups * TOGETHER;
            let (length, number) = (self.length, self.length + self.steps);
            let orders = (first..first + TOGETHER).map(move |account| order(&id(length, account), number, day(0.0)));
            spent = spent.and(cell.import(orders).await);
            self.steps += 1;
        }
        let micros = |seconds: f64| seconds * 1e6 / (STEPS * TOGETHER) as f64;
        table.add(size, "an order more, services, us", micros(spent.services));
        table.add(size, "an order more, aggregator, us", micros(spent.aggregator));
        if spent.servers > 0.0 {
            table.add(size, "an order more, database server, us", micros(spent.servers));
        }
        table.add(size, "an order more, all CPU, us", micros(spent.cpu()));
    }

    /// Assessments and pages of timelines, one after another.
    pub(crate) async fn read(&self, cell: &Cell, from: &str, size: usize, table: &mut Table) {
        let accounts: Vec<String> = (0..TOGETHER).map(|account| id(self.length, account)).collect();
        let client = cell.assessments();
        let mut latencies = Vec::new();
        let (spent, ()) = cell
            .measure(async {
                for call in 0..READS {
                    let began = Instant::now();
                    get(client.clone(), &name(&accounts[call % TOGETHER])).await;
                    latencies.push(began.elapsed().as_secs_f64() * 1e6);
                }
            })
            .await;
        table.add_wanted(size, &format!("GetAssessment {from}, CPU, us"), spent.cpu() * 1e6 / READS as f64, WANTED);
        table.add_wanted(size, &format!("GetAssessment {from}, us"), median(latencies.into_iter()), WANTED);

        let mut latencies = Vec::new();
        let (spent, ()) = cell
            .measure(async {
                for call in 0..PAGES {
                    let parent = format!("accounts/{}", accounts[call % TOGETHER]);
                    let request = ListTimelineRequest { parent, page_size: PAGE, ..Default::default() };
                    let began = Instant::now();
                    let page = client.clone().list_timeline(ask(request)).await.unwrap().into_inner();
                    latencies.push(began.elapsed().as_secs_f64() * 1e6);
                    assert_eq!(page.entries.len(), PAGE as usize);
                }
            })
            .await;
        table.add(size, &format!("ListTimeline {from}, a page of {PAGE}, CPU, us"), spent.cpu() * 1e6 / PAGES as f64);
        table.add(size, &format!("ListTimeline {from}, a page of {PAGE}, us"), median(latencies.into_iter()));
    }
}

fn id(length: usize, account: usize) -> String {
    format!("h{length}-{account}")
}
