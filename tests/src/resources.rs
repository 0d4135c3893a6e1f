//! The four services that own something, called alike: one sort of resource of each, with notes by which they are told apart.

mod samples;

use std::{pin::Pin, time::Duration};

use contracts::{
    accounts::v1::{accounts_service_client::AccountsServiceClient, *},
    common::v1::{ChangeStamp, FeedPosition, FeedStart, FreshnessToken},
    feedback::v1::{feedback_service_client::FeedbackServiceClient, *},
    interactions::v1::{interactions_service_client::InteractionsServiceClient, *},
    orders::v1::{orders_service_client::OrdersServiceClient, *},
};
use prost_types::FieldMask;
use runtime::Peer;
use tokio_stream::{Stream, StreamExt as _, iter};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::{TENANT, ask_as, eventually};

/// What a stream answers.
pub type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>>>>;

/// A change that a feed tells of.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it stands.
    pub stamp: ChangeStamp,
    /// The resource after it.
    pub row: Row,
}

/// A message of a feed: changes, and how far it has come.
pub type Message = (Vec<Change>, Vec<FeedPosition>);

/// The answer to a batch: how many rows landed, were unchanged, were refused.
pub type Counts = (usize, usize, usize);

/// A unary write.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are those of the requests")]
pub enum Write {
    /// Makes a new resource.
    Create { account: &'static str, id: String, row: Row, request_id: String },
    /// Changes one.
    Update { row: Row, request_id: String },
    /// Deletes one.
    Delete { row: Row, request_id: String },
}

/// Clients of the services, for a tenant.
#[derive(Clone, Debug)]
pub struct Clients {
    peer: Peer,
    tenant: &'static str,
}

impl Clients {
    /// For the tenant that tests use.
    pub fn new(peer: Peer) -> Self {
        Self::of(peer, TENANT)
    }

    /// For any tenant; `-` watches all of them.
    pub fn of(peer: Peer, tenant: &'static str) -> Self {
        Self { peer, tenant }
    }

    fn ask<M>(&self, message: M, within: Option<Duration>) -> Request<M> {
        let mut request = ask_as(self.tenant, message);
        if let Some(within) = within {
            request.set_timeout(within);
        }
        request
    }

    fn without_end<M>(&self, message: M) -> Request<M> {
        without_end(self.tenant, message)
    }
}

/// A request that may take as long as it takes.
pub fn without_end<M>(tenant: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("rapport-tenant", tenant.parse().unwrap());
    request
}

macro_rules! resources {
    ($($Resource:ident as $field:ident of $client:ident {
        $create:ident($CreateRequest:ident { $id:ident }),
        $update:ident($UpdateRequest:ident { $($path:literal)* }),
        $delete:ident($DeleteRequest:ident),
        $list:ident($ListRequest:ident) -> $listed:ident,
        $import:ident($ImportRequest:ident of $ImportRow:ident in $row:ident),
        $get:ident($GetRequest:ident),
        $watch:ident($WatchRequest:ident) of $change:ident $(beside $Beside:ident)? $(,)?
    })*) => {
        /// Which resource.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "they are called after the resources")]
        pub enum Kind {
            $($Resource),*
        }

        /// A resource.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "they are called after the resources")]
        pub enum Row {
            $($Resource($Resource),)*
            // In the feed of accounts, beside the milestones.
            Account(Account),
        }

        impl Kind {
            /// Each of them.
            pub const ALL: [Self; 4] = [$(Self::$Resource),*];
        }

        impl Row {
            /// Its resource name.
            pub fn name(&self) -> &str {
                match self { $(Self::$Resource(row) => &row.name,)* Self::Account(row) => &row.name }
            }

            /// Its version.
            pub fn version(&self) -> i64 {
                match self { $(Self::$Resource(row) => row.version,)* Self::Account(row) => row.version }
            }

            /// Whether it is deleted.
            pub fn is_deleted(&self) -> bool {
                match self { $(Self::$Resource(row) => row.delete_time.is_some(),)* Self::Account(row) => row.delete_time.is_some() }
            }

            /// When this version was recorded.
            pub fn update_time(&self) -> Option<prost_types::Timestamp> {
                match self { $(Self::$Resource(row) => row.update_time,)* Self::Account(row) => row.update_time }
            }

            /// The same, whoever changed it meanwhile.
            pub fn without_etag(self) -> Self {
                match self {
                    $(Self::$Resource(row) => Self::$Resource($Resource { etag: String::new(), ..row }),)*
                    Self::Account(row) => Self::Account(Account { etag: String::new(), ..row }),
                }
            }

            /// The same by another name.
            pub fn with_name(self, name: String) -> Self {
                match self {
                    $(Self::$Resource(row) => Self::$Resource($Resource { name, ..row }),)*
                    Self::Account(row) => Self::Account(Account { name, ..row }),
                }
            }
        }

        impl Clients {
            /// Writes, within so much time; answers with the row as it is then.
            ///
            /// # Errors
            /// What the call fails with.
            pub async fn write(&self, write: &Write, within: Option<Duration>) -> Result<Row, Status> {
                self.write_freshly(write, within).await.map(|(row, _)| row)
            }

            /// As [`Clients::write`], with the token that names the write.
            ///
            /// # Errors
            /// What the call fails with.
            pub async fn write_freshly(
                &self,
                write: &Write,
                within: Option<Duration>,
            ) -> Result<(Row, FreshnessToken), Status> {
                let (row, freshness) = match write.clone() {
                    $(Write::Create { account, id, row: Row::$Resource(row), request_id } => {
                        let request = $CreateRequest {
                            parent: format!("accounts/{account}"),
                            $id: id,
                            $field: Some(row),
                            request_id,
                        };
                        let answer = $client::new(self.peer.clone()).$create(self.ask(request, within)).await?;
                        let answer = answer.into_inner();
                        (Row::$Resource(answer.$field.unwrap()), answer.freshness)
                    })*
                    $(Write::Update { row: Row::$Resource(row), request_id } => {
                        let paths = vec![$($path.to_owned()),*];
                        let request = $UpdateRequest {
                            $field: Some(row),
                            update_mask: Some(FieldMask { paths }),
                            request_id,
                        };
                        let answer = $client::new(self.peer.clone()).$update(self.ask(request, within)).await?;
                        let answer = answer.into_inner();
                        (Row::$Resource(answer.$field.unwrap()), answer.freshness)
                    })*
                    $(Write::Delete { row: Row::$Resource(row), request_id } => {
                        let request = $DeleteRequest { name: row.name, etag: row.etag, request_id };
                        let answer = $client::new(self.peer.clone()).$delete(self.ask(request, within)).await?;
                        let answer = answer.into_inner();
                        (Row::$Resource(answer.$field.unwrap()), answer.freshness)
                    })*
                    Write::Create { row: Row::Account(_), .. }
                    | Write::Update { row: Row::Account(_), .. }
                    | Write::Delete { row: Row::Account(_), .. } => panic!("accounts are written otherwise"),
                };
                let freshness = freshness.filter(|token| !token.value.is_empty());
                Ok((row, freshness.expect("each write has a token")))
            }

            /// Reads one.
            ///
            /// # Errors
            /// What the call fails with.
            pub async fn get(&self, kind: Kind, name: String, within: Option<Duration>) -> Result<Row, Status> {
                match kind {
                    $(Kind::$Resource => {
                        let request = $GetRequest { name, ..Default::default() };
                        let answer = $client::new(self.peer.clone()).$get(self.ask(request, within)).await?;
                        Ok(Row::$Resource(answer.into_inner().$field.unwrap()))
                    })*
                }
            }

            /// A page of all rows, deleted ones too; the token of the next; and a token for all that was written.
            ///
            /// # Errors
            /// What the call fails with.
            pub async fn list(
                &self,
                kind: Kind,
                page_token: String,
            ) -> Result<(Vec<Row>, String, Option<FreshnessToken>), Status> {
                let (parent, page_size, show_deleted) = ("accounts/-".to_owned(), 1_000, true);
                match kind {
                    $(Kind::$Resource => {
                        let request = $ListRequest { parent, page_size, page_token, show_deleted, ..Default::default() };
                        let answer = $client::new(self.peer.clone()).$list(self.ask(request, None)).await?.into_inner();
                        let rows = answer.$listed.into_iter().map(Row::$Resource).collect();
                        Ok((rows, answer.next_page_token, answer.freshness))
                    })*
                }
            }

            /// Imports batches of rows, which are all of this kind.
            ///
            /// # Errors
            /// What the call fails with.
            pub async fn import(&self, kind: Kind, batches: &[Vec<Row>]) -> Result<Answers<Counts>, Status> {
                match kind {
                    $(Kind::$Resource => {
                        let batches = batches.iter().map(|rows| $ImportRequest {
                            rows: rows.iter().map(|row| {
                                let Row::$Resource(row) = row.clone() else { panic!("another kind: {row:?}") };
                                $ImportRow { resource: Some($row::Resource::$Resource(row)) }
                            }).collect(),
                            ..Default::default()
                        });
                        let batches: Vec<$ImportRequest> = batches.collect();
                        let answers = $client::new(self.peer.clone()).$import(self.without_end(iter(batches))).await?;
                        Ok(Box::pin(answers.into_inner().map(|answer| answer.map(|answer| {
                            let counts = (answer.landed_count, answer.unchanged_count);
                            (counts.0 as usize, counts.1 as usize, answer.refusals.len())
                        }))))
                    })*
                }
            }

            /// Follows a feed.
            ///
            /// # Errors
            /// What the call fails with.
            pub async fn watch(
                &self,
                kind: Kind,
                start: FeedStart,
                positions: Vec<FeedPosition>,
            ) -> Result<Answers<Message>, Status> {
                match kind {
                    $(Kind::$Resource => {
                        let request = $WatchRequest { partitions: vec![], start: start.into(), positions };
                        let answers = $client::new(self.peer.clone()).$watch(self.without_end(request)).await?;
                        Ok(Box::pin(answers.into_inner().map(|answer| answer.map(|answer| {
                            let changes = answer.changes.into_iter().map(|change| {
                                let row = match change.resource.unwrap() {
                                    $change::Resource::$Resource(row) => Row::$Resource(row),
                                    $($change::Resource::$Beside(row) => Row::$Beside(row),)?
                                    #[allow(unreachable_patterns, reason = "some feeds tell of one resource only")]
                                    other => panic!("nobody wrote {other:?}"),
                                };
                                Change { stamp: change.stamp.unwrap(), row }
                            });
                            (changes.collect(), answer.changes_through)
                        }))))
                    })*
                }
            }
        }
    };
}

resources! {
    Milestone as milestone of AccountsServiceClient {
        create_milestone(CreateMilestoneRequest { milestone_id }),
        update_milestone(UpdateMilestoneRequest { "title" "due_time" }),
        delete_milestone(DeleteMilestoneRequest),
        list_milestones(ListMilestonesRequest) -> milestones,
        import_accounts(ImportAccountsRequest of AccountsRow in accounts_row),
        get_milestone(GetMilestoneRequest),
        watch_accounts(WatchAccountsRequest) of accounts_change beside Account,
    }
    Order as order of OrdersServiceClient {
        create_order(CreateOrderRequest { order_id }),
        update_order(UpdateOrderRequest { "total" "lines" }),
        delete_order(DeleteOrderRequest),
        list_orders(ListOrdersRequest) -> orders,
        import_orders(ImportOrdersRequest of OrdersRow in orders_row),
        get_order(GetOrderRequest),
        watch_orders(WatchOrdersRequest) of orders_change,
    }
    Interaction as interaction of InteractionsServiceClient {
        create_interaction(CreateInteractionRequest { interaction_id }),
        update_interaction(UpdateInteractionRequest { "text" "sentiment" }),
        delete_interaction(DeleteInteractionRequest),
        list_interactions(ListInteractionsRequest) -> interactions,
        import_interactions(ImportInteractionsRequest of InteractionsRow in interactions_row),
        get_interaction(GetInteractionRequest),
        watch_interactions(WatchInteractionsRequest) of interactions_change,
    }
    Feedback as feedback of FeedbackServiceClient {
        create_feedback(CreateFeedbackRequest { feedback_id }),
        update_feedback(UpdateFeedbackRequest { "text" "sentiment" }),
        delete_feedback(DeleteFeedbackRequest),
        list_feedback(ListFeedbackRequest) -> feedback_list,
        import_feedback(ImportFeedbackRequest of FeedbackRow in feedback_row),
        get_feedback(GetFeedbackRequest),
        watch_feedback(WatchFeedbackRequest) of feedback_change,
    }
}

impl Kind {
    /// The name of the collection.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Milestone => "milestones",
            Self::Order => "orders",
            Self::Interaction => "interactions",
            Self::Feedback => "feedback",
        }
    }

    /// The service that owns them.
    pub fn service(self) -> &'static str {
        match self {
            Self::Milestone => "accounts",
            other => other.collection(),
        }
    }
}

/// Whether the call was cut off, by the suite's end or by its own deadline, as against answered.
pub fn is_cut_off(status: &Status) -> bool {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    matches!(
        reason,
        None | Some("ERROR_REASON_UNAVAILABLE" | "ERROR_REASON_DEADLINE_EXCEEDED" | "ERROR_REASON_OVERLOADED")
    )
}

/// Asks again and again until it is answered.
pub async fn until_answered<T>(call: impl AsyncFn() -> Result<T, Status>) -> T {
    eventually(async || match call().await {
        Ok(answer) => Some(answer),
        Err(status) if is_cut_off(&status) => None,
        Err(status) => panic!("refused: {status:?}"),
    })
    .await
}
