//! One who watches assessments and is cut off all the time.

use std::{rc::Rc, time::Duration};

use contracts::assessments::v1::{
    WatchAssessmentsRequest, WatchAssessmentsResponse, assessments_service_client::AssessmentsServiceClient,
};
use runtime::Peer;
use tests::TENANT;
use tests::resources::{is_cut_off, until_answered, without_end};
use tokio::time::timeout;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use super::{chance::Chance, writer::Book};

/// What is told of a change, without the assessment as it was when that was told.
pub(super) type Told = WatchAssessmentsResponse;

/// Keeps what it is told.
pub(super) struct Watcher {
    client: AssessmentsServiceClient<Peer>,
    chance: Chance,
    /// As it began; its position is where the log ended then.
    request: WatchAssessmentsRequest,
    position: String,
    told: Vec<Told>,
    cuts: u64,
}

impl Watcher {
    /// One who watches with this filter and threshold from now on.
    pub(super) async fn begin(peer: &Peer, chance: &mut Chance, filter: &str, threshold: f64) -> Self {
        let client = AssessmentsServiceClient::new(peer.clone());
        let mut request =
            WatchAssessmentsRequest { filter: filter.to_owned(), threshold: Some(threshold), position: String::new() };
        let first = until_answered(async || {
            let mut stream = watch(&client, &request).await?;
            Ok(stream.message().await?.unwrap())
        });
        request.position = first.await.position;
        let position = request.position.clone();
        Self { client, chance: chance.split(), request, position, told: Vec::new(), cuts: 0 }
    }

    /// Watches until the book is closed; answers with how it asked, what it was told until then, and how often it was cut
    /// off.
    pub(super) async fn run(mut self, book: Rc<Book>) -> Self {
        while !book.is_closed() {
            self.watch_a_while().await;
            self.cuts += 1;
        }
        self
    }

    /// How often it was cut off.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts
    }

    /// The least movement that it is told, in points.
    pub(super) fn threshold(&self) -> f64 {
        self.request.threshold()
    }

    /// Whether it is told of all accounts.
    pub(super) fn is_unfiltered(&self) -> bool {
        self.request.filter.is_empty()
    }

    /// What it was told, once it was told everything that there is.
    pub(super) async fn told_in_the_end(&mut self) -> Vec<Told> {
        let rest = read_on(&self.client, &self.resumed()).await;
        self.told.extend(rest);
        self.told.clone()
    }

    /// What one is told who asked the same and reads it all at once.
    pub(super) async fn told_without_cuts(&self) -> Vec<Told> {
        read_on(&self.client, &self.request).await
    }

    fn resumed(&self) -> WatchAssessmentsRequest {
        WatchAssessmentsRequest { position: self.position.clone(), ..self.request.clone() }
    }

    /// Resumes where it was, and leaves or loses the stream somewhere.
    async fn watch_a_while(&mut self) {
        let request = self.resumed();
        let mut stream = until_answered(async || watch(&self.client, &request).await).await;
        for _ in 0..self.chance.below(60) {
            match timeout(self.chance.up_to(Duration::from_millis(400)), stream.message()).await {
                Ok(Ok(Some(message))) => {
                    self.position.clone_from(&message.position);
                    self.told.extend(change(message));
                }
                Ok(Err(status)) => {
                    let reason = status.get_details_error_info().map(|info| info.reason);
                    let is_slow = reason.as_deref() == Some("ERROR_REASON_WATCHER_TOO_SLOW");
                    assert!(is_slow || is_cut_off(&status), "refused: {status:?}");
                    return;
                }
                Ok(Ok(None)) | Err(_) => return,
            }
        }
    }
}

async fn watch(
    client: &AssessmentsServiceClient<Peer>,
    request: &WatchAssessmentsRequest,
) -> Result<Streaming<WatchAssessmentsResponse>, Status> {
    Ok(client.clone().watch_assessments(without_end(TENANT, request.clone())).await?.into_inner())
}

/// Reads until there is nothing more: a watcher is told where it stands when it has nothing else to be told.
async fn read_on(client: &AssessmentsServiceClient<Peer>, request: &WatchAssessmentsRequest) -> Vec<Told> {
    let mut stream = watch(client, request).await.unwrap();
    stream.message().await.unwrap().unwrap();
    let mut all = Vec::new();
    while let Some(told) = change(stream.message().await.unwrap().unwrap()) {
        all.push(told);
    }
    all
}

fn change(message: WatchAssessmentsResponse) -> Option<Told> {
    let assessment = message.assessment?;
    // Of the assessment, which may be later than the change, only whose it is.
    let assessment = contracts::assessments::v1::Assessment { name: assessment.name, ..Default::default() };
    Some(WatchAssessmentsResponse { assessment: Some(assessment), ..message })
}
