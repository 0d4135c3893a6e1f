//! Imports taken back: what they added is gone, what they changed says again what it said before, and nobody can tell from
//! the assessments that they ever were.

mod interrupted;
mod others;

use std::collections::BTreeMap;

use contracts::{
    accounts::v1::*,
    assessments::v1::{Assessment, ListAssessmentsRequest, VerifyLedgersRequest, VerifyLedgersResponse},
    common::v1::FreshnessToken,
    feedback::v1::*,
    interactions::v1::*,
    orders::v1::*,
};
use prost::Message as _;
use rapport::{
    client::{ConnectArgs, Connection},
    import::{self, Job, Kind, Show, Source, Summary, undo::Undone},
};
use tests::{Suite, TENANT, ask, ask_as};
use tonic::Code;

use crate::{
    feed::all_answers,
    standard::{assert_invalid, assert_refused},
};

/// A suite, and the tokens of all that was imported and taken back.
struct Story {
    suite: Suite,
    connection: Connection,
    written: Vec<FreshnessToken>,
}

/// A resource as it stands: its version, whether it is deleted, and what it says.
#[derive(Clone, Debug, PartialEq)]
struct Standing {
    version: i64,
    deleted: bool,
    says: String,
}

/// All pages of a list, deleted ones too.
macro_rules! list {
    ($all:ident, $client:expr, $resource:ident: $method:ident($request:ident $(, $parent:literal)?) -> $field:ident) => {
        let mut page_token = String::new();
        loop {
            let request = $request {
                $(parent: $parent.to_owned(),)?
                page_size: 1_000,
                page_token,
                show_deleted: true,
                ..$request::default()
            };
            let page = $client.$method(ask(request)).await.unwrap().into_inner();
            for row in page.$field {
                let (name, version, deleted) = (row.name.clone(), row.version, row.delete_time.is_some());
                let bare = $resource {
                    create_time: None,
                    update_time: None,
                    delete_time: None,
                    etag: String::new(),
                    version: 0,
                    ..row
                };
                $all.insert(name, Standing { version, deleted, says: format!("{bare:?}") });
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
    };
}

impl Story {
    async fn begin() -> Self {
        let suite = Suite::start().await;
        let connect = ConnectArgs {
            endpoint: suite.context.own_uri(),
            tenant: TENANT.to_owned(),
            token_file: None,
            timeout: 20,
            lang: None,
        };
        let connection = Connection::open(&connect).unwrap();
        Self { suite, connection, written: Vec::new() }
    }

    /// A story in which some is known of an account.
    async fn with_acme() -> Self {
        let mut story = Self::begin().await;
        for (kind, lines) in BEFORE {
            let summary = story.import(kind, lines, "").await;
            assert_eq!((summary.landed, summary.refused), (lines.lines().count() as u64, 0), "{summary:?}");
        }
        let gone = "accounts/acme/orders/gone".to_owned();
        let delete = DeleteOrderRequest { name: gone, ..DeleteOrderRequest::default() };
        story.note(story.suite.orders().delete_order(ask(delete)).await.unwrap().into_inner().freshness);
        story
    }

    fn note(&mut self, freshness: Option<FreshnessToken>) {
        self.written.extend(freshness);
    }

    /// Imports JSON lines, in messages of three rows.
    async fn import(&mut self, kind: Kind, lines: &str, batch_id: &str) -> Summary {
        let source = Source::Bytes("lines.jsonl", lines.to_owned().into_bytes().leak());
        let (batch_id, show) = (batch_id.to_owned(), Show::Nothing);
        let job = Job { batch_id, rows: 3, keep_tokens: true, show, ..Job::new(kind, source) };
        let summary = import::run(&self.connection, job).await.unwrap();
        self.written.extend(summary.tokens.clone());
        summary
    }

    async fn import_all(&mut self, all: &[(Kind, &str)], batch_id: &str) {
        for (kind, lines) in all {
            let summary = self.import(*kind, lines, batch_id).await;
            assert_eq!(summary.refused, 0, "{summary:?}");
        }
    }

    async fn undo_kind(&mut self, kind: Kind, batch_id: &str) -> Undone {
        let undone = import::undo::undo(&self.connection, kind, batch_id, Show::Nothing).await.unwrap();
        self.written.extend(undone.tokens.clone());
        undone
    }

    /// Takes a batch back everywhere.
    async fn undo(&mut self, batch_id: &str) -> Undone {
        let mut all = Undone::default();
        for kind in import::undo::ORDER {
            all.add(self.undo_kind(kind, batch_id).await);
        }
        all
    }

    /// All resources, deleted ones too.
    #[allow(clippy::needless_update, reason = "some lists can be asked for less than others")]
    async fn resources(&self) -> BTreeMap<String, Standing> {
        let mut all = BTreeMap::new();
        let (mut accounts, mut orders) = (self.suite.accounts(), self.suite.orders());
        let (mut interactions, mut feedback) = (self.suite.interactions(), self.suite.feedback());
        list!(all, accounts, Account: list_accounts(ListAccountsRequest) -> accounts);
        list!(all, accounts, Contact: list_contacts(ListContactsRequest, "accounts/-") -> contacts);
        list!(all, accounts, Milestone: list_milestones(ListMilestonesRequest, "accounts/-") -> milestones);
        list!(all, orders, Order: list_orders(ListOrdersRequest, "accounts/-") -> orders);
        list!(all, interactions, Interaction: list_interactions(ListInteractionsRequest, "accounts/-") -> interactions);
        list!(all, interactions, Commitment: list_commitments(ListCommitmentsRequest, "accounts/-") -> commitments);
        list!(
            all,
            interactions,
            CompetitorOffer: list_competitor_offers(ListCompetitorOffersRequest, "accounts/-") -> competitor_offers
        );
        list!(all, feedback, Feedback: list_feedback(ListFeedbackRequest, "accounts/-") -> feedback_list);
        list!(all, feedback, Theme: list_themes(ListThemesRequest) -> themes);
        list!(all, feedback, Improvement: list_improvements(ListImprovementsRequest) -> improvements);
        all
    }

    /// What the resources say that stand.
    async fn said(&self) -> BTreeMap<String, String> {
        let standing = self.resources().await.into_iter().filter(|(_, standing)| !standing.deleted);
        standing.map(|(name, standing)| (name, standing.says)).collect()
    }

    /// The assessments of all accounts, to the byte, without how far the feeds have been seen.
    async fn assessments(&self) -> Vec<(String, Vec<u8>)> {
        let request = ListAssessmentsRequest {
            page_size: 1_000,
            at_least_as_fresh: self.written.clone(),
            ..ListAssessmentsRequest::default()
        };
        let page = self.suite.assessments().list_assessments(ask(request)).await.unwrap().into_inner();
        assert_eq!(page.next_page_token, "");
        let assessments = page.assessments.into_iter();
        let strip = |assessment: Assessment| Assessment { freshness: Vec::new(), ..assessment };
        assessments.map(|assessment| (assessment.name.clone(), strip(assessment).encode_to_vec())).collect()
    }

    /// Checks all ledgers, which have heard of all that was written.
    async fn assert_ledgers_are_clean(&self) {
        self.assessments().await;
        let request = ask(VerifyLedgersRequest::default());
        let answers: Vec<VerifyLedgersResponse> =
            all_answers(self.suite.assessments().verify_ledgers(request).await).await.unwrap();
        for answer in answers {
            assert_eq!(answer.differing_accounts, Vec::<String>::new());
        }
    }
}

/// What is known before any import that is taken back.
const BEFORE: [(Kind, &str); 4] = [
    (
        Kind::Accounts,
        r#"{"account":{"name":"accounts/acme","display_name":"Acme","currency_code":"EUR","open_time":"2025-10-01T00:00:00Z"}}
{"contact":{"name":"accounts/acme/contacts/ann","display_name":"Ann","met_time":"2025-10-02T00:00:00Z"}}
{"milestone":{"name":"accounts/acme/milestones/m1","title":"Data loaded","party":"PARTY_PROVIDER","due_time":"2025-10-20T00:00:00Z"}}"#,
    ),
    (
        Kind::Orders,
        r#"{"name":"accounts/acme/orders/o1","place_time":"2025-11-01T00:00:00Z","total":{"currency_code":"EUR","units":"50"},"fulfilment":{"promise_time":"2025-11-03T00:00:00Z","deliver_time":"2025-11-02T00:00:00Z"}}
{"name":"accounts/acme/orders/gone","place_time":"2025-11-05T00:00:00Z","total":{"currency_code":"EUR","units":"20"}}"#,
    ),
    (
        Kind::Interactions,
        r#"{"name":"accounts/acme/interactions/i1","happen_time":"2025-11-10T08:00:00Z","party":"PARTY_CUSTOMER","channel":"INTERACTION_CHANNEL_EMAIL","purpose":"PURPOSE_SUPPORT","text":"where is it?","sentiment":-0.2}
{"commitment":{"name":"accounts/acme/commitments/c1","description":"call back","party":"PARTY_PROVIDER","make_time":"2025-11-10T09:00:00Z","due_time":"2025-11-11T09:00:00Z"}}
{"competitorOffer":{"name":"accounts/acme/competitorOffers/x1","competitor":"Zenith","learn_time":"2025-11-12T00:00:00Z"}}"#,
    ),
    (
        Kind::Feedback,
        r#"{"theme":{"name":"themes/speed","display_name":"Speed"}}
{"improvement":{"name":"improvements/faster","kind":"IMPROVEMENT_KIND_PRODUCT","title":"Faster"}}
{"feedback":{"name":"accounts/acme/feedback/f1","happen_time":"2025-11-20T00:00:00Z","kind":"FEEDBACK_KIND_NPS","score":8,"themes":["themes/speed"]}}"#,
    ),
];

/// An import that adds resources of all kinds, changes some of all kinds, one of them twice, and brings one back.
const IMPORT: [(Kind, &str); 4] = [
    (
        Kind::Accounts,
        r#"{"account":{"name":"accounts/acme","display_name":"Acme Ltd","currency_code":"EUR","open_time":"2025-09-01T00:00:00Z","segment":"gold"}}
{"account":{"name":"accounts/nova","display_name":"Nova","currency_code":"USD","open_time":"2025-09-01T00:00:00Z"}}
{"contact":{"name":"accounts/acme/contacts/ann","display_name":"Ann Bell","role":"buyer"}}
{"contact":{"name":"accounts/nova/contacts/bob","display_name":"Bob"}}
{"milestone":{"name":"accounts/acme/milestones/m1","title":"Data loaded","party":"PARTY_PROVIDER","complete_time":"2025-12-20T00:00:00Z","due_time":"2025-10-20T00:00:00Z"}}
{"milestone":{"name":"accounts/nova/milestones/m1","title":"Trained","party":"PARTY_CUSTOMER"}}"#,
    ),
    (
        Kind::Orders,
        r#"{"name":"accounts/acme/orders/o1","place_time":"2025-11-01T00:00:00Z","total":{"currency_code":"EUR","units":"70"}}
{"name":"accounts/acme/orders/o1","place_time":"2025-11-01T00:00:00Z","total":{"currency_code":"EUR","units":"80"}}
{"name":"accounts/acme/orders/gone","place_time":"2025-11-05T00:00:00Z","total":{"currency_code":"EUR","units":"25"}}
{"name":"accounts/acme/orders/o2","place_time":"2025-12-05T00:00:00Z","total":{"currency_code":"EUR","units":"90"}}
{"name":"accounts/acme/orders/o1","place_time":"2025-11-01T00:00:00Z","total":{"currency_code":"EUR","units":"85"},"fulfilment":{"promise_time":"2025-11-03T00:00:00Z","deliver_time":"2025-11-30T00:00:00Z"}}
{"name":"accounts/nova/orders/o1","place_time":"2025-12-01T00:00:00Z","total":{"currency_code":"USD","units":"10"}}
{"name":"accounts/lone/orders/o1","place_time":"2025-12-01T00:00:00Z","total":{"currency_code":"USD","units":"10"}}"#,
    ),
    (
        Kind::Interactions,
        r#"{"name":"accounts/acme/interactions/i1","happen_time":"2025-11-10T08:00:00Z","party":"PARTY_CUSTOMER","channel":"INTERACTION_CHANNEL_PHONE","purpose":"PURPOSE_SUPPORT","text":"where on earth is it?","sentiment":-0.9,"escalated":true}
{"name":"accounts/acme/interactions/i2","happen_time":"2025-11-12T08:00:00Z","party":"PARTY_PROVIDER","channel":"INTERACTION_CHANNEL_PHONE","purpose":"PURPOSE_SUPPORT","in_reply_to":"accounts/acme/interactions/i1"}
{"commitment":{"name":"accounts/acme/commitments/c1","description":"call back","party":"PARTY_PROVIDER","make_time":"2025-11-10T09:00:00Z","due_time":"2025-11-11T09:00:00Z","state":"COMMITMENT_STATE_BROKEN","settle_time":"2025-11-15T00:00:00Z"}}
{"commitment":{"name":"accounts/nova/commitments/c1","description":"send it","party":"PARTY_PROVIDER","make_time":"2025-11-10T09:00:00Z"}}
{"competitorOffer":{"name":"accounts/acme/competitorOffers/x1","competitor":"Zenith","learn_time":"2025-11-12T00:00:00Z","outcome":"OFFER_OUTCOME_LEFT","resolve_time":"2025-12-12T00:00:00Z"}}
{"competitorOffer":{"name":"accounts/acme/competitorOffers/x2","competitor":"Apex","learn_time":"2025-12-12T00:00:00Z"}}"#,
    ),
    (
        Kind::Feedback,
        r#"{"theme":{"name":"themes/speed","display_name":"Speed","description":"how fast it is"}}
{"theme":{"name":"themes/price","display_name":"Price"}}
{"improvement":{"name":"improvements/faster","kind":"IMPROVEMENT_KIND_PRODUCT","title":"Faster still"}}
{"improvement":{"name":"improvements/cheaper","kind":"IMPROVEMENT_KIND_POLICY","title":"Cheaper"}}
{"feedback":{"name":"accounts/acme/feedback/f1","happen_time":"2025-11-20T00:00:00Z","kind":"FEEDBACK_KIND_NPS","score":1,"themes":["themes/price"]}}
{"feedback":{"name":"accounts/acme/feedback/f2","happen_time":"2025-11-21T00:00:00Z","kind":"FEEDBACK_KIND_COMPLAINT","text":"too dear"}}"#,
    ),
];

#[tokio::test]
async fn an_import_of_everything_is_taken_back_and_leaves_no_trace() {
    let mut story = Story::with_acme().await;
    let (said, assessments) = (story.said().await, story.assessments().await);
    story.import_all(&IMPORT, "b").await;
    let imported = story.said().await;
    assert_eq!(imported.keys().filter(|name| !said.contains_key(*name)).count(), 13, "{imported:#?}");
    assert_ne!(story.assessments().await, assessments);

    let undone = story.undo("b").await;
    // Thirteen were not there, of which one was deleted; ten were changed.
    assert_eq!((undone.deleted, undone.restored, undone.refusals), (13, 10, vec![]));
    assert_eq!(story.said().await, said);
    assert_eq!(story.assessments().await, assessments);
    story.assert_ledgers_are_clean().await;

    // Each took one step, whatever the import did to it.
    let resources = story.resources().await;
    let version = |name: &str| (resources[name].version, resources[name].deleted);
    assert_eq!(version("accounts/acme"), (3, false));
    assert_eq!(version("accounts/acme/orders/o1"), (5, false), "changed three times, taken back once");
    assert_eq!(version("accounts/acme/orders/gone"), (4, true));
    assert_eq!(version("accounts/nova"), (2, true));

    // Once more changes nothing.
    assert_eq!(story.undo("b").await.deleted, 0);
    assert_eq!(story.resources().await, resources);
}

#[tokio::test]
async fn what_was_taken_back_can_be_imported_and_taken_back_again() {
    let mut story = Story::with_acme().await;
    let (said, assessments) = (story.said().await, story.assessments().await);
    story.import_all(&IMPORT, "b").await;
    let (imported, assessed) = (story.said().await, story.assessments().await);
    for _ in 0..2 {
        let undone = story.undo("b").await;
        assert_eq!((undone.deleted, undone.restored, undone.kept), (13, 10, 0));
        assert_eq!((story.said().await, story.assessments().await), (said.clone(), assessments.clone()));
        story.import_all(&IMPORT, "b").await;
        assert_eq!((story.said().await, story.assessments().await), (imported.clone(), assessed.clone()));
    }
    story.assert_ledgers_are_clean().await;
}

#[tokio::test]
async fn imports_are_taken_back_one_after_the_other() {
    let mut story = Story::with_acme().await;
    let said = story.said().await;
    story.import_all(&IMPORT, "first").await;
    let after_first = story.said().await;
    let second = r#"{"name":"accounts/acme/orders/o1","place_time":"2025-11-01T00:00:00Z","total":{"currency_code":"EUR","units":"1"}}
{"name":"accounts/acme/orders/o2","place_time":"2025-12-05T00:00:00Z","total":{"currency_code":"EUR","units":"1"}}"#;
    story.import(Kind::Orders, second, "second").await;

    assert_eq!(story.undo_kind(Kind::Orders, "second").await.restored, 2);
    assert_eq!(story.said().await, after_first);
    // Both have other versions by now, but say what the first import left.
    assert_eq!(story.undo("first").await.kept, 0);
    assert_eq!(story.said().await, said);
}

#[tokio::test]
async fn a_wrong_currency_is_taken_back_with_the_import() {
    let mut story = Story::with_acme().await;
    let in_euros = |account: &str, currency: &str| {
        format!(
            r#"{{"name":"accounts/{account}/orders/o1","place_time":"2025-12-01T00:00:00Z","total":{{"currency_code":"{currency}","units":"10"}}}}"#
        )
    };
    story.import(Kind::Orders, &in_euros("lone", "EUR"), "wrong").await;
    let refused = story.import(Kind::Orders, &in_euros("lone", "USD"), "right").await;
    assert_eq!(refused.refusals[0].reason, "ERROR_REASON_CURRENCY_MISMATCH");
    story.undo_kind(Kind::Orders, "wrong").await;
    assert_eq!(story.import(Kind::Orders, &in_euros("lone", "USD"), "right").await.landed, 1);
    // What stands in dollars now does not go with what was in euros.
    story.undo_kind(Kind::Orders, "right").await;
    assert_eq!(story.import(Kind::Orders, &in_euros("lone", "EUR"), "wrong").await.landed, 1);
    let dollars = story.import(Kind::Orders, &in_euros("lone", "USD").replace("/o1", "/o2"), "right").await;
    assert_eq!(dollars.refused, 1);
    let name = "accounts/lone/orders/o1".to_owned();
    story.undo_kind(Kind::Orders, "wrong").await;
    story.import(Kind::Orders, &in_euros("lone", "USD").replace("/o1", "/o2"), "right").await;
    let undelete = UndeleteOrderRequest { name, ..UndeleteOrderRequest::default() };
    let undeleted = story.suite.orders().undelete_order(ask(undelete)).await;
    assert_refused(undeleted, Code::FailedPrecondition, "CURRENCY_MISMATCH", &[]);

    // An account that has other orders stays in their currency, and one that has none is in what its account says.
    let of_acme = in_euros("acme", "EUR").replace("/o1", "/o9");
    story.import(Kind::Orders, &of_acme, "more").await;
    story.undo_kind(Kind::Orders, "more").await;
    assert_eq!(story.import(Kind::Orders, &of_acme.replace("EUR", "USD"), "wrong").await.refused, 1);
    let other = r#"{"name":"accounts/other","display_name":"Other","currency_code":"EUR"}"#;
    story.import(Kind::Accounts, other, "").await;
    // The orders service follows the accounts service in its own time. What lands before it has heard is taken back:
    // an order that stays would settle the currency.
    let of_other = in_euros("other", "USD");
    tests::eventually(async || {
        if story.import(Kind::Orders, &of_other, "early").await.refused == 1 {
            return Some(());
        }
        story.undo_kind(Kind::Orders, "early").await;
        None
    })
    .await;
    story.import(Kind::Orders, &in_euros("other", "EUR"), "other").await;
    story.undo_kind(Kind::Orders, "other").await;
    assert_eq!(story.import(Kind::Orders, &of_other, "").await.refused, 1, "the account is in euros");
}

#[tokio::test]
async fn a_batch_belongs_to_its_tenant_and_has_a_name() {
    let mut story = Story::with_acme().await;
    story.import_all(&IMPORT, "b").await;
    let mut orders = story.suite.orders();
    let undo = |batch_id: &str| UndoOrdersImportRequest { batch_id: batch_id.to_owned() };
    for (tenant, batch_id) in [("stranger", "b"), (TENANT, "another"), (TENANT, "B")] {
        let unknown = orders.undo_orders_import(ask_as(tenant, undo(batch_id))).await.map(drop);
        assert_refused(unknown, Code::NotFound, "NOT_FOUND", &[]);
    }
    assert_invalid(orders.undo_orders_import(ask(undo(""))).await.map(drop), &["batch_id"]);
    assert_invalid(orders.undo_orders_import(ask(undo(&"b".repeat(65)))).await.map(drop), &["batch_id"]);
    for wrong in ["b".repeat(65), "a\0b".to_owned()] {
        let message = ImportOrdersRequest { rows: vec![OrdersRow::default()], batch_id: wrong };
        let answers = all_answers(orders.import_orders(ask(tokio_stream::iter([message]))).await).await;
        assert_invalid(answers, &["batch_id"]);
    }

    // One of which nothing landed is known too, whatever its name.
    let name = "straße 1/ö,😀'";
    story.import(Kind::Orders, "{\"name\":\"accounts/acme/orders/wrong\"}", name).await;
    assert_eq!(
        story.undo_kind(Kind::Orders, name).await,
        Undone { tokens: story.written[story.written.len() - 1..].to_vec(), ..Undone::default() }
    );
    // What is in no batch cannot be taken back.
    let none = import::undo::undo(&story.connection, Kind::Feedback, name, Show::Nothing).await.unwrap_err();
    assert_eq!(none.0.code(), Code::NotFound);
}
