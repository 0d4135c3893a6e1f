//! Those who read: rows where they are owned, and the aggregator, by the tokens of what was just written.

use std::{rc::Rc, time::Duration};

use contracts::assessments::v1::{GetAssessmentRequest, ListTimelineRequest};
use tests::{
    ask_as,
    chance::Chance,
    history::{Fresh, Get, Moment, Shown},
    resources::is_cut_off,
};
use tonic::{Code, Status};

use crate::{
    doors::{Doors, PATIENCE},
    recorder::{Acknowledged, Recorder, places, resource, said},
    writer::{attempt, refused},
};

const REST: Duration = Duration::from_millis(80);
/// As many as an answer may have. What is longer is not read: its pages are of different moments.
const PAGE: i32 = 1_000;

/// Reads one thing after the other.
pub(crate) struct Reader {
    /// Whether it reads rows where they are owned, and not the aggregator.
    pub(crate) is_of_rows: bool,
    pub(crate) doors: Doors,
    pub(crate) chance: Chance,
    pub(crate) recorder: Rc<Recorder>,
}

impl Reader {
    /// Reads until the recorder is closed.
    pub(crate) async fn run(mut self) {
        while !self.recorder.is_closed() {
            self.chance.pause(REST).await;
            let recent = self.recorder.recent();
            if recent.is_empty() {
                continue;
            }
            // The very latest as often as any other.
            let first = if self.chance.one_in(2) { recent.len().saturating_sub(3) } else { 0 };
            let written = self.chance.one_of(&recent[first..]);
            let invoked = self.recorder.now();
            let answer = match self.chance.below(3) {
                _ if self.is_of_rows => self.get(&written, invoked).await,
                0 => self.assessment(&written, invoked).await,
                _ => self.timeline(&written, invoked).await,
            };
            match answer {
                Ok(()) => {}
                Err(status) if is_cut_off(&status) => self.recorder.count_cut_off(),
                Err(status) => self.recorder.fail(format!("{} cannot be read: {:?}", written.name, refused(&status))),
            }
        }
    }

    async fn get(&mut self, written: &Acknowledged, invoked: Moment) -> Result<(), Status> {
        let Acknowledged { tenant, kind, name, .. } = written;
        let clients = self.doors.clients(kind.service(), tenant, &mut self.chance);
        let shown = match attempt(PATIENCE, clients.get(*kind, name.clone(), Some(PATIENCE))).await {
            Ok(row) => Some((row.version(), said(&row))),
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => return Err(status),
        };
        self.recorder.got(Get { invoked, at: self.recorder.now(), resource: resource(tenant, name), shown });
        Ok(())
    }

    async fn timeline(&mut self, written: &Acknowledged, invoked: Moment) -> Result<(), Status> {
        let request = ListTimelineRequest {
            parent: account(written),
            page_size: PAGE,
            at_least_as_fresh: vec![written.token.clone()],
            ..ListTimelineRequest::default()
        };
        let mut client = self.doors.assessments(&mut self.chance);
        let mut request = ask_as(written.tenant, request);
        request.set_timeout(PATIENCE);
        let answer = attempt(PATIENCE, client.list_timeline(request)).await?.into_inner();
        if answer.next_page_token.is_empty() {
            // The account itself is no event of its own timeline.
            let events = answer.entries.iter().filter(|entry| entry.source.matches('/').count() > 1);
            let shown = events.map(|entry| (resource(written.tenant, &entry.source), entry.version)).collect();
            self.keep(written, invoked, vec![], Shown::Timeline(shown));
        }
        Ok(())
    }

    async fn assessment(&mut self, written: &Acknowledged, invoked: Moment) -> Result<(), Status> {
        let request = GetAssessmentRequest {
            name: format!("{}/assessment", account(written)),
            at_least_as_fresh: vec![written.token.clone()],
            ..GetAssessmentRequest::default()
        };
        let mut client = self.doors.assessments(&mut self.chance);
        let mut request = ask_as(written.tenant, request);
        request.set_timeout(PATIENCE);
        let answer = attempt(PATIENCE, client.get_assessment(request)).await?.into_inner();
        let assessment = answer.assessment.unwrap_or_default();
        let named = assessment.freshness.iter().filter_map(|source| source.token.as_ref()).flat_map(places).collect();
        let orders = assessment.activity.unwrap_or_default().order_count;
        self.keep(written, invoked, named, Shown::Orders(orders));
        Ok(())
    }

    fn keep(&self, written: &Acknowledged, invoked: Moment, named: Vec<tests::history::Place>, shown: Shown) {
        let account = resource(written.tenant, &account(written));
        let (at, asked) = (self.recorder.now(), places(&written.token));
        self.recorder.refreshed(Fresh { invoked, at, account, asked, named, shown });
    }
}

/// The account that a resource is of.
fn account(written: &Acknowledged) -> String {
    written.name.split('/').take(2).collect::<Vec<_>>().join("/")
}
