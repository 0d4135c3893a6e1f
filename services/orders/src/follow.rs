//! Follows the accounts service's feed, to know what currency each account is in.

use std::collections::BTreeMap;

use contracts::{
    accounts::v1::{
        WatchAccountsRequest, WatchAccountsResponse, accounts_change::Resource,
        accounts_service_client::AccountsServiceClient,
    },
    common::v1::{FeedPosition, FeedStart},
};
use futures_util::StreamExt as _;
use methods::store_fault;
use prost::Message as _;
use runtime::{Pause, Peer, Shutdown, Tenant};
use store::{Command, Draft, Key, ListQuery, PARTITIONS, Store, Table};
use tonic::{Code, Request, Status, metadata::MetadataValue};

use crate::currency;

pub(crate) static TABLE: Table = Table { name: "followed" };

/// How many messages that wait are recorded together.
const MESSAGES_PER_WRITE: usize = 64;

/// How far each partition has been followed.
type Positions = BTreeMap<u32, i64>;

/// Follows the feed until the shutdown begins.
pub(crate) async fn run(store: Store, accounts: AccountsServiceClient<Peer>, shutdown: Shutdown) {
    let mut start = FeedStart::Positions;
    let mut pause = Pause::default();
    loop {
        let ended = tokio::select! {
            () = shutdown.wait() => return,
            ended = follow(&store, accounts.clone(), start, &mut pause) => ended,
        };
        if shutdown.has_begun() {
            return;
        }
        start = FeedStart::Positions;
        match ended.code() {
            Code::OutOfRange => {
                tracing::warn!(reason = ended.message(), "the accounts feed does not continue here, starting over");
                start = FeedStart::Beginning;
            }
            _ if pause.is_short() => {
                tracing::warn!(code = ?ended.code(), reason = ended.message(), "lost the accounts feed, trying again");
            }
            _ => tracing::debug!(code = ?ended.code(), reason = ended.message(), "no accounts feed yet"),
        }
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(pause.grow()) => {}
        }
    }
}

/// Follows the feed until it ends, and says why. `pause` is put back once it flows.
async fn follow(
    store: &Store,
    mut accounts: AccountsServiceClient<Peer>,
    start: FeedStart,
    pause: &mut Pause,
) -> Status {
    let mut positions = match (start, positions(store).await) {
        (FeedStart::Beginning, _) => Positions::new(),
        (_, Ok(positions)) => positions,
        (_, Err(error)) => return store_fault(error).into(),
    };
    let known =
        positions.iter().map(|(partition, position)| FeedPosition { partition: *partition, position: *position });
    let ask = WatchAccountsRequest { partitions: vec![], start: start.into(), positions: known.collect() };
    let mut request = Request::new(ask);
    request.metadata_mut().insert("rapport-tenant", MetadataValue::from_static("-"));
    let messages = match accounts.watch_accounts(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => return status,
    };
    // During an import many messages wait; together they cost one commit.
    let mut messages = messages.ready_chunks(MESSAGES_PER_WRITE);
    while let Some(ready) = messages.next().await {
        let mut heard = Vec::with_capacity(ready.len());
        let mut ended = None;
        for message in ready {
            match message {
                Ok(message) => heard.push(message),
                Err(status) => ended = Some(status),
            }
        }
        if let Err(error) = record(store, &mut positions, heard).await {
            return store_fault(error).into();
        }
        match ended {
            Some(status) => return status,
            None => pause.reset(),
        }
    }
    Status::unavailable("the feed ended")
}

/// Reads how far the feed has been followed.
async fn positions(store: &Store) -> Result<Positions, store::Error> {
    let all = ListQuery { account: Some(String::new()), limit: PARTITIONS, ..ListQuery::default() };
    let rows = store.list(&TABLE, &all).await?.rows;
    let read = rows.iter().map(|row| FeedPosition::decode(row.document.as_slice()));
    let read = read.map(|entry| entry.map(|entry| (entry.partition, entry.position)));
    read.collect::<Result<_, _>>().map_err(|error| store::Error::Damaged(format!("a followed position: {error}")))
}

/// Records what was heard and how far it goes, in one transaction: either both or neither are known after a crash.
async fn record(
    store: &Store,
    positions: &mut Positions,
    heard: Vec<WatchAccountsResponse>,
) -> Result<(), store::Error> {
    let mut learned: Vec<(Key, String)> = Vec::new();
    let mut moved = Positions::new();
    for message in heard {
        for change in message.changes {
            let (Some(stamp), Some(Resource::Account(account))) = (change.stamp, change.resource) else { continue };
            if let Some(tenant) = Tenant::parse(&stamp.tenant).filter(|_| !account.currency_code.is_empty()) {
                learned.push((currency::key(&tenant, &stamp.account_id), account.currency_code));
            }
        }
        moved.extend(message.changes_through.iter().map(|through| (through.partition, through.position)));
    }
    // A checkpoint mostly tells what is known.
    moved.retain(|partition, position| positions.get(partition) != Some(position));
    let places: Vec<(Key, Draft)> = moved.iter().map(|(partition, position)| place(*partition, *position)).collect();
    let Some((last, _)) = places.last().cloned() else { return Ok(()) };

    let keys = learned.iter().map(|(key, _)| key).chain(places.iter().map(|(key, _)| key)).cloned().collect();
    let decide = move |rows: &mut store::Rows<'_>| {
        for (key, currency_code) in learned {
            currency::learn(rows, key, &currency_code);
        }
        for (key, draft) in places {
            rows.put_unfed(key, draft);
        }
        Ok(last)
    };
    store.write(Command { tenant: String::new(), keys, request: None, decide: Box::new(decide) }).await?;
    positions.extend(moved);
    Ok(())
}

/// The row that says how far a partition has been followed.
fn place(partition: u32, position: i64) -> (Key, Draft) {
    let key = Key { table: TABLE.name, tenant: String::new(), account: String::new(), id: partition.to_string() };
    let draft = Draft {
        state: String::new(),
        label: String::new(),
        happened_at: 0,
        deleted: false,
        document: FeedPosition { partition, position }.encode_to_vec(),
    };
    (key, draft)
}
