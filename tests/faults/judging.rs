//! Reads what the suite has come to, hears it all once more, and has the history judged.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use contracts::{
    accounts::v1::{ListAccountsRequest, accounts_service_client::AccountsServiceClient},
    assessments::v1::{
        BatchGetAssessmentsRequest, ListTimelineRequest, VerifyLedgersRequest,
        assessments_service_client::AssessmentsServiceClient,
    },
    common::v1::FreshnessToken,
};
use prost::Message as _;
use prost_types::Timestamp;
use runtime::Peer;
use tests::{
    history::{self, History, Ledgers, Replay},
    resources::{Clients, Kind, Row, is_cut_off},
};
use tonic::Status;

use crate::{
    cluster::{Cluster, until},
    doors::{Doors, assessments},
    recorder::{Recorder, resource, said},
    watcher::{EVERYBODY, ends, read_feed},
    writer::{ACCOUNTS, TENANTS},
};

/// How long one call may take, in seconds.
const PATIENCE: u64 = 120;
/// What was on its way when its client left arrives within this, or never.
const SETTLING: Duration = Duration::from_millis(700);

/// Adds to the history what is there now.
pub(crate) async fn read(cluster: &mut Cluster, doors: &Doors, recorder: &Recorder) -> Result<(), String> {
    let mut before = None;
    loop {
        tokio::time::sleep(SETTLING).await;
        cluster.tend()?;
        let mut now = Vec::new();
        for kind in Kind::ALL {
            let clients = Clients::of(doors.all(kind.service())[0].clone(), EVERYBODY);
            now.push(answered(async || ends(&clients, kind).await).await?);
        }
        if before.replace(now.clone()) == Some(now) {
            break;
        }
    }
    let mut tokens = Vec::new();
    for kind in Kind::ALL {
        // Every replica says the same.
        for (number, peer) in doors.all(kind.service()).iter().enumerate() {
            let clients = Clients::of(peer.clone(), EVERYBODY);
            let name = format!("the judge at {}-{number}", kind.service());
            let feed = answered(async || read_feed(&clients, kind, &name).await).await?;
            let mut history = recorder.history.borrow_mut();
            if number == 0 { &mut history.feeds } else { &mut history.watched }.push(feed);
        }
        for tenant in TENANTS {
            let peer = &doors.all(kind.service())[0];
            let (rows, token) = rows(peer, kind, tenant).await?;
            tokens.extend(token);
            recorder.history.borrow_mut().rows.extend(rows);
        }
    }
    let recorded = recorded_times(&recorder.history.borrow());
    let (Some(last), Some(midway)) = (recorded.last(), recorded.get(recorded.len() / 2)) else {
        return Err("nothing was recorded".to_owned());
    };
    let times = [(*last, None), (*last, Some(*midway))];
    let mut first: Option<Vec<(String, String)>> = None;
    let mut replays = Vec::new();
    for (number, peer) in doors.all("aggregator").iter().enumerate() {
        let mut client = assessments(peer.clone());
        let told = picture(&mut client, &tokens, times).await?;
        for tenant in TENANTS {
            let ledgers = answered(async || verify(&mut client.clone(), tenant).await).await?;
            recorder.history.borrow_mut().ledgers.push(ledgers);
        }
        match &first {
            None => first = Some(told),
            Some(first) => replays.extend(compare(&format!("replica {number}"), first, &told)),
        }
    }
    let direct: Vec<(&str, u16)> = cluster.doors.clone();
    let (mut newcomer, port) = cluster.newcomer(&direct);
    newcomer.start()?;
    let peer = runtime::peer(&format!("http://127.0.0.1:{port}"), None).map_err(|error| error.to_string())?;
    let told = picture(&mut assessments(peer), &tokens, times).await?;
    replays.extend(compare("newcomer", &first.unwrap_or_default(), &told));
    recorder.history.borrow_mut().replays = replays;
    Ok(())
}

/// All rows of a sort in a tenant, deleted ones too, and a token for all that was written.
async fn rows(
    peer: &Peer,
    kind: Kind,
    tenant: &'static str,
) -> Result<(Vec<history::Row>, Option<FreshnessToken>), String> {
    let clients = Clients::of(peer.clone(), tenant);
    let mut found = Vec::new();
    let (mut page, mut freshness) = (String::new(), None);
    loop {
        let answer = answered(async || clients.list(kind, page.clone()).await).await?;
        found.extend(answer.0);
        (page, freshness) = (answer.1, answer.2.or(freshness));
        if page.is_empty() {
            break;
        }
    }
    if kind == Kind::Milestone {
        let request = ListAccountsRequest { page_size: 1_000, show_deleted: true, ..ListAccountsRequest::default() };
        let client = AccountsServiceClient::new(peer.clone());
        let list = async || {
            let request = tests::ask_as(tenant, request.clone());
            client.clone().list_accounts(request).await
        };
        let answer = answered(list).await?.into_inner();
        found.extend(answer.accounts.into_iter().map(Row::Account));
    }
    let row = |row: Row| history::Row {
        service: kind.service().to_owned(),
        resource: resource(tenant, row.name()),
        version: row.version(),
        said: said(&row),
    };
    Ok((found.into_iter().map(row).collect(), freshness))
}

/// When changes were recorded, in order.
fn recorded_times(history: &History) -> Vec<i64> {
    let mut times: Vec<i64> =
        history.feeds.iter().flat_map(|feed| &feed.changes).map(|change| change.recorded_at).collect();
    times.sort_unstable();
    times
}

async fn verify(client: &mut AssessmentsServiceClient<Peer>, tenant: &str) -> Result<Ledgers, Status> {
    let request = ask(tenant, VerifyLedgersRequest::default());
    let mut answers = client.verify_ledgers(request).await?.into_inner();
    let accounts = ACCOUNTS.len() as i64;
    let mut ledgers = Ledgers { tenant: tenant.to_owned(), accounts, verified: 0, differing: vec![] };
    while let Some(answer) = answers.message().await? {
        ledgers.verified = answer.verified_count;
        ledgers.differing.extend(answer.differing_accounts);
    }
    Ok(ledgers)
}

/// What an aggregator makes of everything: each account's assessment of these times and its timeline, as digests of bytes.
async fn picture(
    client: &mut AssessmentsServiceClient<Peer>,
    tokens: &[FreshnessToken],
    times: [(i64, Option<i64>); 2],
) -> Result<Vec<(String, String)>, String> {
    let mut picture = Vec::new();
    for tenant in TENANTS {
        for (as_of, known_at) in times {
            let request = BatchGetAssessmentsRequest {
                names: ACCOUNTS.map(|id| format!("accounts/{id}/assessment")).to_vec(),
                at_least_as_fresh: tokens.to_vec(),
                as_of: Some(time(as_of)),
                known_at: known_at.map(time),
                ..BatchGetAssessmentsRequest::default()
            };
            let batch_get = async || {
                let request = ask(tenant, request.clone());
                client.clone().batch_get_assessments(request).await
            };
            for mut assessment in answered(batch_get).await?.into_inner().assessments {
                // How far it has heard is no part of what it makes of that.
                assessment.freshness.clear();
                let what = format!("{tenant}:{} as of {as_of}, known at {known_at:?}", assessment.name);
                picture.push((what, digest(&assessment.encode_to_vec())));
            }
        }
        for account in ACCOUNTS {
            let request = ListTimelineRequest {
                parent: format!("accounts/{account}"),
                page_size: 1_000,
                at_least_as_fresh: tokens.to_vec(),
                ..ListTimelineRequest::default()
            };
            let list = async || {
                let request = ask(tenant, request.clone());
                client.clone().list_timeline(request).await
            };
            let timeline = answered(list).await?.into_inner();
            picture.push((format!("{tenant}:accounts/{account}'s timeline"), digest(&timeline.encode_to_vec())));
        }
    }
    Ok(picture)
}

fn compare(who: &str, first: &[(String, String)], second: &[(String, String)]) -> Vec<Replay> {
    let replay = |((what, first), (_, second)): (&(String, String), &(String, String))| Replay {
        what: format!("{what}, at {who}"),
        first: first.clone(),
        second: second.clone(),
    };
    first.iter().zip(second).map(replay).collect()
}

fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{} bytes, {:016x}", bytes.len(), hasher.finish())
}

fn time(micros: i64) -> Timestamp {
    let nanos = (micros.rem_euclid(1_000_000) * 1_000) as i32;
    Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

fn ask<M>(tenant: &str, message: M) -> tonic::Request<M> {
    let mut request = tests::ask_as(tenant, message);
    request.set_timeout(Duration::from_secs(PATIENCE));
    request
}

/// Asks until there is an answer.
///
/// # Errors
/// A refusal, or if that takes too long.
async fn answered<T>(mut call: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, String> {
    let mut answer = None;
    let patience = Duration::from_secs(PATIENCE);
    let asked = until(patience, "the suite answers the judge", async || {
        match call().await {
            Err(status) if is_cut_off(&status) => answer = Some(Err(status)),
            other => {
                answer = Some(other);
                return true;
            }
        }
        false
    })
    .await;
    match answer {
        Some(Ok(value)) => Ok(value),
        Some(Err(status)) => Err(format!("{status:?} {}", asked.err().unwrap_or_default())),
        None => Err(asked.err().unwrap_or_default()),
    }
}
