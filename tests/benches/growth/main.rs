//! `cargo bench -p tests --bench growth`: what an event and a read cost as the number of accounts grows, and as an
//! account's history does; on SQLite, or on PostgreSQL where `TEST_DATABASE_URL` names a server (`tests/postgres.sh cargo
//! bench …`).
//!
//! For each size the services and the aggregator run, each in a process of its own; sizes are measured by turns, round by
//! round. An event is taken in while a gate keeps it from the aggregator, and followed afterwards, so that what each costs
//! is told apart. Figures are processor time, which depends little on what else the machine does, and medians of the rounds;
//! ratios are of the last size to the first, round by round.
//!
//! `RAPPORT_BENCH_SIZES` (10000,100000) are the numbers of accounts, `RAPPORT_BENCH_EACH` (1) the orders that each has
//! before anything is measured, `RAPPORT_BENCH_EVENTS` (50,000) those of a round and `RAPPORT_BENCH_ROUNDS` (3) the rounds;
//! `RAPPORT_BENCH_SEED` makes the same choices again. Arguments pick measures by name: `sizes`, `histories`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

mod cell;
mod disk;
mod gate;
mod histories;
mod part;
mod reads;
mod server;
mod table;
mod writes;

use runtime::ServeSettings;
use tests::{benchmark::setting, chance::Chance};

use crate::{
    cell::Cell,
    histories::{Histories, LENGTHS},
    server::Server,
    table::Table,
};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many accounts there are beside those with histories.
const ACCOUNTS_BESIDE: usize = 10_000;

fn main() {
    if part::play() {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::find().await;
        let seed = std::env::var("RAPPORT_BENCH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(Chance::any_seed);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let database = match &server {
            Some(server) => format!("PostgreSQL with {} of shared buffers", server.shared()),
            None => "SQLite".to_owned(),
        };
        println!("{database}, {cores} cores, {} rounds, seed {seed}", rounds());
        if is_wanted("sizes") {
            sizes(server.as_ref(), &mut Chance::of(seed)).await;
        }
        if is_wanted("histories") {
            histories(server.as_ref()).await;
        }
    });
}

fn rounds() -> usize {
    setting("RAPPORT_BENCH_ROUNDS", 3)
}

/// Accounts from few to many.
async fn sizes(server: Option<&Server>, chance: &mut Chance) {
    let sizes = std::env::var("RAPPORT_BENCH_SIZES").unwrap_or_else(|_| "10000,100000".to_owned());
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let events = setting("RAPPORT_BENCH_EVENTS", 50_000);
    let mut cells = Vec::new();
    let mut memory = Table::new("memory, MB", &sizes);
    for (size, accounts) in sizes.iter().enumerate() {
        let mut cell = Cell::start(*accounts, server.cloned()).await;
        writes::fill(&mut cell, setting("RAPPORT_BENCH_EACH", 1)).await;
        remember(&cell, size, "when filled", &mut memory);
        cells.push(cell);
    }

    let mut table = Table::new("accounts", &sizes);
    for _ in 0..rounds() {
        for (size, cell) in cells.iter_mut().enumerate() {
            writes::random(cell, size, events, chance, &mut table).await;
        }
        for (size, cell) in cells.iter_mut().enumerate() {
            writes::passes(cell, size, events, chance, &mut table).await;
        }
        for (size, cell) in cells.iter_mut().enumerate() {
            writes::one_partition(cell, size, events / 5, chance, &mut table).await;
        }
    }
    table.print();

    let mut table = Table::new("accounts", &sizes);
    for (size, cell) in cells.iter().enumerate() {
        remember(cell, size, "after the writes", &mut memory);
    }
    for round in 0..rounds() {
        for (size, cell) in cells.iter_mut().enumerate() {
            reads::at_hand(cell, size, chance, &mut table).await;
            reads::lists(cell, size, round, &mut table).await;
        }
    }
    for (size, cell) in cells.iter_mut().enumerate() {
        remember(cell, size, "after reads and lists", &mut memory);
        cell.aggregator.start_with(0);
    }
    for _ in 0..rounds() {
        for (size, cell) in cells.iter_mut().enumerate() {
            reads::from_database(cell, size, chance, &mut table).await;
        }
    }
    for (size, cell) in cells.iter_mut().enumerate() {
        cell.aggregator.start_with(ServeSettings::default().cache_bytes);
        reads::fit(cell, size, &mut table).await;
        remember(cell, size, "started again, after a fit", &mut memory);
    }
    table.print();
    memory.print();

    let mut table = Table::new("bytes on disk", &sizes);
    for (size, cell) in cells.iter_mut().enumerate() {
        disk::measure(cell, size, &mut table).await;
    }
    table.print();
}

fn remember(cell: &Cell, size: usize, when: &str, table: &mut Table) {
    table.add(size, &format!("services, {when}"), cell.services.megabytes());
    table.add(size, &format!("aggregator, {when}"), cell.aggregator.megabytes());
    if let Some(server) = &cell.server {
        table.add(size, &format!("database server, all sizes, without what is shared, {when}"), server.megabytes());
    }
}

/// Histories from short to long.
async fn histories(server: Option<&Server>) {
    let mut cell = Cell::start(ACCOUNTS_BESIDE, server.cloned()).await;
    writes::fill(&mut cell, 1).await;
    let mut all = Vec::new();
    for length in LENGTHS {
        all.push(Histories::fill(&mut cell, length, rounds()).await);
    }
    let mut table = Table::new("events of the account", &LENGTHS);
    for _ in 0..rounds() {
        for (size, histories) in all.iter_mut().enumerate() {
            histories.lengthen(&mut cell, size, &mut table).await;
        }
        for (size, histories) in all.iter().enumerate() {
            histories.read(&cell, "at hand", size, &mut table).await;
        }
    }
    cell.aggregator.start_with(0);
    for _ in 0..rounds() {
        for (size, histories) in all.iter().enumerate() {
            histories.read(&cell, "from the database", size, &mut table).await;
        }
    }
    table.print();
}
