//! Those who write: rows of their own, and rows that all share; again under the same request id when they are cut off.

use std::{rc::Rc, time::Duration};

use contracts::{
    accounts::v1::{Account, CreateAccountRequest, accounts_service_client::AccountsServiceClient},
    common::v1::FreshnessToken,
};
use tests::{
    ask_as,
    chance::Chance,
    day,
    history::{self, Outcome},
    resources::{Kind, Row, Write, is_cut_off},
};
use tokio::task::JoinSet;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{
    doors::{Doors, PATIENCE},
    recorder::{Acknowledged, Recorder, places, resource, said},
};

/// Few, so that the writers meet.
pub(crate) const ACCOUNTS: [&str; 12] =
    ["amber", "birch", "cedar", "dover", "elgin", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "lodge"];
pub(crate) const TENANTS: [&str; 2] = ["north", "south"];
/// How often somebody patient tries. With its pauses that takes longer than any fault.
const ATTEMPTS: u32 = 400;
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How long an impatient client waits at most.
const IMPATIENCE: Duration = Duration::from_millis(25);
/// What a writer rests between two writes at most: the suite is to be hit, not to be measured.
const REST: Duration = Duration::from_millis(120);

/// Writes one thing after the other.
pub(crate) struct Writer {
    name: String,
    tenant: &'static str,
    doors: Doors,
    chance: Chance,
    recorder: Rc<Recorder>,
    /// Its rows as they were last acknowledged.
    own: Vec<Row>,
    /// The rows that all writers of the tenant change, as they were created.
    shared: Rc<Vec<Row>>,
    count: u32,
}

impl Writer {
    /// Makes accounts and the rows that are shared in a tenant, and so many writers.
    pub(crate) async fn many(
        count: usize,
        tenant: &'static str,
        doors: &Doors,
        chance: &mut Chance,
        recorder: &Rc<Recorder>,
    ) -> Result<Vec<Self>, String> {
        let mut writer = |name: String, shared: &Rc<Vec<Row>>| Self {
            name,
            tenant,
            doors: doors.clone(),
            chance: chance.split(),
            recorder: recorder.clone(),
            own: Vec::new(),
            shared: shared.clone(),
            count: 0,
        };
        let mut founding = JoinSet::new();
        for account in ACCOUNTS {
            let founder = writer(format!("{tenant}-founder-of-{account}"), &Rc::default());
            founding.spawn_local(founder.found(account));
        }
        let shared: Vec<Row> = founding.join_all().await.into_iter().flatten().collect();
        if shared.len() < ACCOUNTS.len() * Kind::ALL.len() {
            return Err("the first rows could not be written".to_owned());
        }
        let shared = Rc::new(shared);
        Ok((0..count).map(|number| writer(format!("{tenant}-{number}"), &shared)).collect())
    }

    /// Makes an account, and rows of it that are shared.
    async fn found(mut self, account: &'static str) -> Vec<Row> {
        self.create_account(account).await;
        let mut shared = Vec::new();
        for kind in Kind::ALL {
            let row = Row::new(kind, format!("shared-{account}-{kind:?}-{}", self.tenant), &mut self.chance);
            let request_id = format!("request-{}", row.note());
            let write = Write::Create { account, id: "shared".to_owned(), row, request_id };
            shared.extend(self.write(write).await.map(Row::without_etag));
        }
        shared
    }

    /// Writes until the recorder is closed.
    pub(crate) async fn run(mut self) {
        while !self.recorder.is_closed() {
            let write = self.choose();
            let row = self.write(write).await;
            self.keep(row);
            self.chance.pause(REST).await;
        }
    }

    /// Writes, patiently or not; answers with the row as it was acknowledged.
    async fn write(&mut self, write: Write) -> Option<Row> {
        let (Write::Create { row, .. } | Write::Update { row, .. } | Write::Delete { row, .. }) = &write;
        let service = kind_of(row).service();
        let mut said = said(row);
        said.deleted = matches!(write, Write::Delete { .. });
        self.leave(&write);

        let is_impatient = self.chance.one_in(10) && !self.shared.is_empty();
        let most = if is_impatient { 1 + self.chance.below(3) as u32 } else { ATTEMPTS };
        let invoked = self.recorder.now();
        self.recorder.depart();
        let (mut attempts, mut acknowledged) = (0, None);
        let mut outcome = Outcome::Unknown;
        while attempts < most {
            attempts += 1;
            let clients = self.doors.clients(service, self.tenant, &mut self.chance);
            let patience = if is_impatient { self.chance.up_to(IMPATIENCE) } else { PATIENCE };
            match attempt(patience, clients.write_freshly(&write, Some(patience))).await {
                Ok((row, token)) => {
                    outcome = self.acknowledge(&row, &token);
                    acknowledged = Some(row);
                    break;
                }
                Err(status) if is_cut_off(&status) => self.recorder.count_cut_off(),
                Err(status) => {
                    outcome = refused(&status);
                    break;
                }
            }
            self.chance.pause(LONGEST_PAUSE.min(Duration::from_millis(10 << attempts.min(8)))).await;
        }
        if attempts >= ATTEMPTS {
            self.recorder.fail(format!("{service} did not take {write:?} in {attempts} attempts"));
        }
        let client = self.name.clone();
        let service = service.to_owned();
        self.recorder.arrive(history::Write { service, client, said, batch: None, invoked, attempts, outcome });
        acknowledged
    }

    fn acknowledge(&self, row: &Row, token: &FreshnessToken) -> Outcome {
        let (tenant, name, token) = (self.tenant, row.name().to_owned(), token.clone());
        let outcome = Outcome::Acknowledged {
            at: self.recorder.now(),
            resource: resource(tenant, &name),
            version: Some(row.version()),
            token: places(&token).pop(),
        };
        self.recorder.offer(Acknowledged { tenant, kind: kind_of(row), name, token });
        outcome
    }

    /// What to write next.
    fn choose(&mut self) -> Write {
        self.count += 1;
        let note = format!("{}-{}", self.name, self.count);
        let request_id = format!("request-{note}");
        let die = self.chance.below(10);
        if die >= 4 && !self.own.is_empty() {
            let row = self.chance.one_of(&self.own);
            if die == 9 {
                return Write::Delete { row, request_id };
            }
            if die >= 7 {
                // Every other time only if it is still as it was acknowledged.
                let row = if self.chance.one_in(2) { row } else { row.without_etag() };
                return Write::Update { row: row.rewritten(note, &mut self.chance), request_id };
            }
        }
        if die >= 4 {
            let row = self.chance.one_of(&self.shared);
            return Write::Update { row: row.rewritten(note, &mut self.chance), request_id };
        }
        let kind = self.chance.one_of(&Kind::ALL);
        let row = Row::new(kind, note.clone(), &mut self.chance);
        // Either id is enough to send it again safely.
        let (id, request_id) = match self.chance.below(3) {
            0 => (note, String::new()),
            1 => (String::new(), request_id),
            _ => (note, request_id),
        };
        Write::Create { account: self.chance.one_of(&ACCOUNTS), id, row, request_id }
    }

    /// Nobody knows how a row stands while it is being written.
    fn leave(&mut self, write: &Write) {
        if let Write::Update { row, .. } | Write::Delete { row, .. } = write {
            self.own.retain(|own| own.name() != row.name());
        }
    }

    fn keep(&mut self, row: Option<Row>) {
        let is_shared = |row: &Row| self.shared.iter().any(|shared| shared.name() == row.name());
        self.own.extend(row.filter(|row| !row.is_deleted() && !is_shared(row)));
    }

    async fn create_account(&mut self, id: &'static str) {
        let account = Account {
            display_name: format!("{id} of {}", self.tenant),
            open_time: day(-300.0),
            currency_code: "EUR".to_owned(),
            ..Account::default()
        };
        let said = said(&Row::Account(account.clone()));
        let request_id = format!("account-{id}");
        let request = CreateAccountRequest { account_id: id.to_owned(), account: Some(account), request_id };
        let invoked = self.recorder.now();
        self.recorder.depart();
        let (mut attempts, mut outcome) = (0, Outcome::Unknown);
        while outcome == Outcome::Unknown && attempts < ATTEMPTS {
            attempts += 1;
            let mut client = AccountsServiceClient::new(self.doors.any("accounts", &mut self.chance));
            match client.create_account(ask_as(self.tenant, request.clone())).await.map(tonic::Response::into_inner) {
                Ok(answer) => {
                    let row = Row::Account(answer.account.unwrap_or_default());
                    let place = answer.freshness.iter().flat_map(places).next();
                    let (at, resource) = (self.recorder.now(), resource(self.tenant, row.name()));
                    outcome = Outcome::Acknowledged { at, resource, version: Some(row.version()), token: place };
                }
                Err(status) if is_cut_off(&status) => self.chance.pause(LONGEST_PAUSE).await,
                Err(status) => outcome = refused(&status),
            }
        }
        let (service, client) = ("accounts".to_owned(), self.name.clone());
        self.recorder.arrive(history::Write { service, client, said, batch: None, invoked, attempts, outcome });
    }
}

/// What a refusal that nobody asked for is recorded as.
pub(crate) fn refused(status: &Status) -> Outcome {
    let reason = status.get_details_error_info().map_or_else(|| format!("{status:?}"), |info| info.reason);
    Outcome::Refused { reason: format!("{reason} ({})", status.message()), expected: false }
}

/// A call that is given up a little after its deadline, whatever keeps it.
pub(crate) async fn attempt<T>(patience: Duration, call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let given_up = |_| Err(Status::deadline_exceeded("given up"));
    tokio::time::timeout(patience + PATIENCE / 10, call).await.unwrap_or_else(given_up)
}

/// Which sort of resource a row is.
pub(crate) fn kind_of(row: &Row) -> Kind {
    match row {
        Row::Account(_) | Row::Milestone(_) => Kind::Milestone,
        Row::Order(_) => Kind::Order,
        Row::Interaction(_) => Kind::Interaction,
        Row::Feedback(_) => Kind::Feedback,
    }
}
