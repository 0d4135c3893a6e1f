//! A service that keeps notes, and what the stream was told of them.

use std::{collections::BTreeMap, sync::Arc};

use contracts::accounts::v1::{Account, AccountsChange, WatchAccountsResponse, accounts_change::Resource};
use methods::{Methods, Watched};
use prost::Message as _;
use relay::{Bus, Kind};
use runtime::{App, Clock, Context, Fault, FeedSettings, Secret, ServeSettings, Shutdown, telemetry::Telemetry};
use store::{Command, Database, Draft, Key, Migration, PARTITIONS, Position, Table, partition};

static NOTES: Table = Table { name: "notes" };
static TABLES: [&Table; 1] = [&NOTES];
const MIGRATION: Migration = Migration {
    version: 1,
    name: "notes",
    sql: "create table notes (
        tenant text not null, account text not null, id text not null, version bigint not null, state text not null,
        label text not null, happened_at bigint not null, created_at bigint not null, recorded_at bigint not null,
        deleted_at bigint, document bytea not null, constraint notes_key primary key (tenant, account, id)
    );",
};
pub(crate) const FEED: &str = "notes";

/// A replica of the service.
pub(crate) struct Service {
    pub(crate) methods: Methods,
    settings: FeedSettings,
}

/// Relays while it is there. Dropping it is what a kill is to a process.
pub(crate) struct Relaying {
    _app: App,
}

/// A message of the stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) sequence: u64,
    pub(crate) id: Option<String>,
    pub(crate) kind: &'static str,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Positions and texts.
    pub(crate) changes: Vec<(i64, String)>,
}

impl Service {
    pub(crate) async fn open(url: &str, servers: &str) -> Self {
        let database = Database::open(url, &[MIGRATION]).await.unwrap();
        let methods = Methods::new(FEED, database, &TABLES, Clock::fixed(0), Shutdown::new());
        let settings = FeedSettings { servers: Some(Secret::new(servers)), ..FeedSettings::default() };
        Self { methods, settings }
    }

    pub(crate) async fn relay(&self) -> Relaying {
        let mut app = App::new();
        let context = Context {
            settings: Arc::new(ServeSettings { feed: self.settings.clone(), ..ServeSettings::default() }),
            clock: Clock::fixed(0),
            address: ([127, 0, 0, 1], 0).into(),
            shutdown: Shutdown::new(),
            own_token: None,
            peer_token: None,
            telemetry: Telemetry::off(),
        };
        relay::start(&mut app, &context, &self.methods, told).await.unwrap();
        Relaying { _app: app }
    }

    pub(crate) async fn bus(&self) -> Bus {
        Bus::connect(&self.settings, "test").await.unwrap().unwrap()
    }

    /// Writes a note of an account.
    pub(crate) async fn write(&self, account: &str, text: &str) {
        let key = key(account);
        let document = text.as_bytes().to_vec();
        let decide = move |rows: &mut store::Rows<'_>| {
            rows.put(key.clone(), draft(document));
            Ok(key)
        };
        self.command(account, Box::new(decide)).await;
    }

    /// Erases the past of an account's note.
    pub(crate) async fn erase(&self, account: &str) {
        let key = key(account);
        let decide = move |rows: &mut store::Rows<'_>| {
            rows.put(key.clone(), draft(b"erased".to_vec()));
            rows.redact_past(key.clone(), |_| b"redacted".to_vec());
            Ok(key)
        };
        self.command(account, Box::new(decide)).await;
    }

    async fn command(&self, account: &str, decide: store::Decision) {
        let command = Command { tenant: "t".to_owned(), keys: vec![key(account)], request: None, decide };
        self.methods.store().write(command).await.unwrap();
    }

    /// All that the feed tells: positions and texts by partition.
    pub(crate) async fn feed(&self) -> BTreeMap<u32, Vec<(i64, String)>> {
        let mut feed = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let mut changes = Vec::new();
            loop {
                let position = changes.last().map_or(0, |(position, _)| *position);
                let groups = self.methods.store().changes_after(Position { partition, position }).await.unwrap();
                if groups.is_empty() {
                    break;
                }
                let told = groups.into_iter().flat_map(|group| group.changes);
                changes.extend(told.map(|change| (change.position, text(&change.row.document))));
            }
            if !changes.is_empty() {
                feed.insert(partition, changes);
            }
        }
        feed
    }

    /// All that is in the stream, by partition; none while it cannot be reached.
    pub(crate) async fn stream(&self) -> Option<BTreeMap<u32, Vec<Told>>> {
        let client = async_nats::connect(self.settings.servers.as_ref().unwrap().expose()).await.ok()?;
        let stream = async_nats::jetstream::new(client).get_stream("RAPPORT").await.ok()?;
        let state = stream.cached_info().state.clone();
        let mut told: BTreeMap<u32, Vec<Told>> = BTreeMap::new();
        for sequence in state.first_sequence..=state.last_sequence {
            // What was removed is not there.
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            let partition: u32 = message.subject.strip_prefix("rapport.feeds.notes.").unwrap().parse().unwrap();
            let header = |name| message.headers.get(name).unwrap().as_str().to_owned();
            let (first, last) = header("Rapport-Positions").split_once('-').map(parse).unwrap();
            let kinds = [Kind::Changes, Kind::Elsewhere, Kind::Anew].into_iter().zip(["changes", "elsewhere", "anew"]);
            let (_, kind) = kinds.into_iter().find(|(_, name)| *name == header("Rapport-Kind")).unwrap();
            let response = WatchAccountsResponse::decode(message.payload).unwrap();
            assert!(
                response
                    .changes_through
                    .iter()
                    .all(|through| (through.partition, through.position) == (partition, last))
            );
            let changes = response.changes.into_iter().map(|change| {
                let Some(Resource::Account(account)) = change.resource else { panic!("{change:?}") };
                (change.stamp.unwrap().position, account.display_name)
            });
            let changes = changes.collect();
            let id = message.headers.get("Nats-Msg-Id").map(|id| id.as_str().to_owned());
            told.entry(partition).or_default().push(Told { sequence, id, kind, first, last, changes });
        }
        Some(told)
    }
}

/// An account of a partition, by its number there.
pub(crate) fn account(wanted: u32, number: usize) -> String {
    let names = (0..).map(|name: u32| format!("a{name}"));
    names.filter(|name| partition("t", name) == wanted).nth(number).unwrap()
}

fn told(watched: Watched) -> Result<WatchAccountsResponse, Fault> {
    let changes = watched.changes.into_iter().map(|change| {
        let account = Account { display_name: text(&change.row.document), ..Account::default() };
        AccountsChange { stamp: Some(change.stamp), resource: Some(Resource::Account(account)) }
    });
    Ok(WatchAccountsResponse { changes: changes.collect(), changes_through: watched.changes_through })
}

fn parse((first, last): (&str, &str)) -> (i64, i64) {
    (first.parse().unwrap(), last.parse().unwrap())
}

fn key(account: &str) -> Key {
    Key { table: NOTES.name, tenant: "t".to_owned(), account: account.to_owned(), id: "1".to_owned() }
}

fn draft(document: Vec<u8>) -> Draft {
    Draft { state: String::new(), label: String::new(), happened_at: 0, deleted: false, document }
}

fn text(document: &[u8]) -> String {
    String::from_utf8(document.to_vec()).unwrap()
}
