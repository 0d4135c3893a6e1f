//! One PostgreSQL database for all services, and for two suites at once.

use std::sync::Arc;

use clap::ValueEnum as _;
use contracts::accounts::v1::{
    Account, CreateAccountRequest, GetAccountRequest, accounts_service_client::AccountsServiceClient,
};
use contracts::assessments::v1::{GetAssessmentRequest, assessments_service_client::AssessmentsServiceClient};
use rapport::serve::{Service, SuiteArgs};
use runtime::{Clock, Context, ServeSettings, Server};
use store::testing::administrate;
use tempfile::TempDir;
use tests::{START, ask, eventually};

/// A database of its own on the server that `TEST_DATABASE_URL` names.
struct Own {
    server: String,
    name: String,
}

impl Own {
    async fn create(name: &str) -> Option<Self> {
        let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
            eprintln!("skipped: TEST_DATABASE_URL is not set");
            return None;
        };
        let name = format!("{name}_{}", std::process::id());
        administrate(&server, format!("create database {name}")).await.unwrap();
        Some(Self { server, name })
    }

    /// The server's URL with this database in its path.
    fn url(&self) -> String {
        let (address, parameters) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (address, _) = address.rsplit_once('/').unwrap();
        format!("{address}/{}?{parameters}", self.name)
    }

    async fn drop(self) {
        administrate(&self.server, format!("drop database {} with (force)", self.name)).await.unwrap();
    }
}

/// Starts a suite as `serve --database URL` does, over a folder that stays empty.
async fn serve(url: String, folder: Arc<TempDir>) -> Context {
    let mut args = SuiteArgs::default();
    args.databases.database = Some(url);
    let settings = ServeSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: folder.path().join("data"),
        ..ServeSettings::default()
    };
    let server = Server::bind(settings, Clock::fixed(START)).await.unwrap();
    let context = server.context();
    let app = args.build(&context, Service::value_variants()).await.unwrap();
    tokio::spawn(async move { server.serve(app).await.unwrap() });
    context
}

#[tokio::test(flavor = "multi_thread")]
async fn two_suites_start_at_once_over_one_empty_database() {
    let Some(own) = Own::create("shared").await else { return };
    let folder = Arc::new(TempDir::new().unwrap());
    let start = || tokio::spawn(serve(own.url(), folder.clone()));
    let (one, other) = tokio::join!(start(), start());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(!folder.path().join("data").exists(), "a service has a database elsewhere");

    let account = Account { display_name: "Acme".to_owned(), ..Account::default() };
    let create = CreateAccountRequest { account_id: "acme".to_owned(), account: Some(account), ..Default::default() };
    let mut accounts = AccountsServiceClient::new(one.peer(None).unwrap());
    let created = accounts.create_account(ask(create)).await.unwrap().into_inner();
    let mut accounts = AccountsServiceClient::new(other.peer(None).unwrap());
    let get = GetAccountRequest { name: "accounts/acme".to_owned(), ..Default::default() };
    let found = accounts.get_account(ask(get)).await.unwrap().into_inner();
    assert_eq!(found.account, created.account);
    // Whoever assesses.
    for context in [&one, &other] {
        eventually(async || {
            let get = GetAssessmentRequest { name: "accounts/acme/assessment".to_owned(), ..Default::default() };
            AssessmentsServiceClient::new(context.peer(None).unwrap()).get_assessment(ask(get)).await.ok()
        })
        .await;
    }
    one.shutdown.begin();
    other.shutdown.begin();
    own.drop().await;
}
