//! Changes are told to those who watch.

use std::collections::BTreeMap;

use runtime::Peer;
use tests::{TENANT, ask, ask_as, day, eventually, refusal};
use tonic::{Code, Request, Streaming, transport::Endpoint};
use tonic_types::StatusExt as _;

use super::*;

type Message = WatchAssessmentsResponse;

/// One who watches.
struct Watcher {
    stream: Streaming<Message>,
    position: String,
}

impl Watcher {
    async fn begin(client: AssessmentsServiceClient<Peer>, request: WatchAssessmentsRequest) -> Self {
        Self::begin_as(client, TENANT, request).await
    }

    async fn begin_as(
        mut client: AssessmentsServiceClient<Peer>,
        tenant: &str,
        request: WatchAssessmentsRequest,
    ) -> Self {
        let mut stream = client.watch_assessments(without_end(tenant, request)).await.unwrap().into_inner();
        let first = stream.message().await.unwrap().unwrap();
        assert_eq!(first, Message { position: first.position.clone(), ..Message::default() });
        Self { stream, position: first.position }
    }

    /// The next change.
    async fn next(&mut self) -> Result<Message, Status> {
        loop {
            let message = self.stream.message().await?.unwrap();
            self.position.clone_from(&message.position);
            if message.assessment.is_some() {
                return Ok(message);
            }
        }
    }

    /// Waits until it is told that there is nothing more to tell, and that nothing was.
    async fn nothing(&mut self) {
        let message = self.stream.message().await.unwrap().unwrap();
        assert_eq!(message.assessment, None, "{:?}", message.summary);
        self.position = message.position;
    }
}

fn without_end<M>(tenant: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("rapport-tenant", tenant.parse().unwrap());
    request
}

fn watch(filter: &str, threshold: f64) -> WatchAssessmentsRequest {
    let filter = filter.to_owned();
    WatchAssessmentsRequest { filter, threshold: Some(threshold), position: String::new() }
}

fn resume(request: &WatchAssessmentsRequest, position: &str) -> WatchAssessmentsRequest {
    WatchAssessmentsRequest { position: position.to_owned(), ..request.clone() }
}

fn account_of(message: &Message) -> &str {
    message.assessment.as_ref().unwrap().name.split('/').nth(1).unwrap()
}

fn said(message: Message) -> Message {
    Message { assessment: None, ..message }
}

#[tokio::test]
async fn a_change_is_told_with_what_moved_and_why() {
    let mut story = Story::begin().await;
    let mut all = Watcher::begin(story.client(), watch("", 0.1)).await;
    let mut strange = Watcher::begin_as(story.client(), "stranger", watch("", 0.1)).await;
    story.customer("acme").await;
    story.assess("acme").await;
    let mut lost = Watcher::begin(story.client(), watch("customer_rapport < 50", 0.1)).await;
    let mut large = Watcher::begin(story.client(), watch("", 60.0)).await;

    let order = story.order("acme", "o_1", -9.0).await;
    let told = all.next().await.unwrap();
    // An account of which nothing was known moves from what is thought of all.
    assert_eq!(
        (account_of(&told), told.stage_before(), told.stage_after()),
        ("acme", Stage::Awareness, Stage::Exploration)
    );
    assert_eq!((told.causes().next(), &told.sources), (Some(Cause::New), &vec![order.clone()]));
    assert_eq!(told.move_time, day(0.0));
    let now = story.assess("acme").await;
    assert_eq!(told.assessment.as_ref().map(said_of), Some(said_of(&now)));
    assert!((told.bond_after - now.bond.unwrap().value).abs() < 1e-4);
    // The stage is told however little the scores moved.
    assert_eq!(said(large.next().await.unwrap()).stage_after(), Stage::Exploration);

    let complaint = story.complain("acme", "f_1", -1.0).await;
    let next = all.next().await.unwrap();
    assert_eq!((next.bond_before, next.stage_before), (told.bond_after, told.stage_after));
    assert_eq!(next.sources, std::slice::from_ref(&complaint));
    assert!(next.bond_after < next.bond_before);
    let rapport =
        next.facets.iter().find(|change| (change.party(), change.facet()) == (Party::Customer, Facet::Rapport));
    let rapport = rapport.unwrap();
    assert!(rapport.after < rapport.before - 0.1);
    assert!(next.summary[0].starts_with("The bond fell by "), "{:?}", next.summary);
    assert_eq!(next.summary.last().unwrap(), &format!("It comes from something new: {complaint}."));

    // Who asked for those that pass a filter hears of those that come in and that go out.
    let came = lost.next().await.unwrap();
    assert_eq!(came.sources.last(), Some(&complaint));
    for day in 0..6 {
        story.say("acme", &format!("i_{day}"), Party::Customer, -0.5).await;
    }
    let mut last = came;
    while value(&last.assessment.as_ref().unwrap().customer_view.as_ref().unwrap().rapport) < 50.0 {
        let next = lost.next().await.unwrap();
        assert_eq!(next.bond_before, last.bond_after);
        last = next;
    }
    large.nothing().await;
    strange.nothing().await;
}

/// Without how far the feeds have been seen.
fn said_of(assessment: &Assessment) -> Assessment {
    super::said(assessment.clone())
}

#[tokio::test]
async fn each_field_that_is_wrong_is_named() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    let position = Watcher::begin(story.client(), watch("", 1.0)).await.position;
    let refused = async |tenant: &str, request: WatchAssessmentsRequest| {
        let refused = story.client().watch_assessments(ask_as(tenant, request)).await.map(drop);
        refusal(&refused.unwrap_err())
    };
    let invalid = |fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        (Code::InvalidArgument, "ERROR_REASON_INVALID_FIELDS".to_owned(), fields)
    };
    for threshold in [0.0, 0.099, -1.0, 100.5, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(TENANT, watch("", threshold)).await, invalid(&["threshold"]), "{threshold}");
    }
    let wrong = WatchAssessmentsRequest { position: "somewhere".to_owned(), ..watch("", 0.0) };
    assert_eq!(refused(TENANT, wrong).await, invalid(&["threshold", "position"]));
    let of_another = WatchAssessmentsRequest { position: position.clone(), ..watch("", 1.0) };
    assert_eq!(refused("stranger", of_another).await, invalid(&["position"]));
    let (code, reason, fields) = refused(TENANT, watch("bond <", 1.0)).await;
    assert_eq!(
        (code, reason.as_str(), fields),
        (Code::InvalidArgument, "ERROR_REASON_FILTER_INVALID", vec!["filter".to_owned()])
    );
    let nobody = refused("-", watch("", 1.0)).await;
    assert_eq!(nobody.1, "ERROR_REASON_TENANT_INVALID");

    // A service that lost its database has another log, even if that has come as far.
    let suite = story.suite.restart_without("aggregator").await;
    let resumed = suite.assessments().watch_assessments(ask(resume(&watch("", 1.0), &position))).await.map(drop);
    let (code, reason, _) = refusal(&resumed.unwrap_err());
    assert_eq!((code, reason.as_str()), (Code::OutOfRange, "ERROR_REASON_FEED_POSITION_EXPIRED"));
}

/// How far each score is from where it was before the first of these changes, at most.
fn largest_move(changes: &[Message]) -> f64 {
    let mut moves = BTreeMap::new();
    for change in changes {
        let scores = change.facets.iter().map(|facet| ((facet.party, facet.facet), facet.before, facet.after));
        for (key, before, after) in scores.chain([((0, 0), change.bond_before, change.bond_after)]) {
            moves.entry(key).or_insert((before, after)).1 = after;
        }
    }
    moves.into_values().map(|(before, after)| (after - before).abs()).fold(0.0, f64::max)
}

#[tokio::test]
async fn a_watch_goes_on_after_a_restart_and_goes_on_counting() {
    let mut story = Story::begin().await;
    for account in ["acme", "twin"] {
        story.customer(account).await;
        for day in [-50.0, -40.0, -30.0, -20.0, -10.0] {
            let order = story.order(account, &format!("o_{}", -day), day).await;
            story.deliver(&order, day + 1.0).await;
        }
    }
    let before = story.assess("acme").await.bond.unwrap().value;
    // How far two complaints move such a customer.
    story.assess("twin").await;
    let mut all = Watcher::begin(story.client(), watch("", 0.1)).await;
    let mut of_twin = Vec::new();
    for id in ["f_1", "f_2"] {
        story.complain("twin", id, -1.0).await;
        of_twin.push(all.next().await.unwrap());
    }
    let (one, both) = (largest_move(&of_twin[..1]), largest_move(&of_twin));
    assert!(one + 0.2 < both && of_twin[0].stage_before == of_twin[1].stage_after, "{one} {both}");

    // The first one is too little, before the restart; with the second one, after it, it is enough.
    let request = watch("", (one + both) / 2.0);
    let mut watcher = Watcher::begin(story.client(), request.clone()).await;
    let first = story.complain("acme", "f_1", -1.0).await;
    story.assess("acme").await;
    watcher.nothing().await;
    story.suite.context.shutdown.begin();
    let goodbye = refusal(&watcher.next().await.unwrap_err());
    assert_eq!(goodbye, (Code::Unavailable, "ERROR_REASON_UNAVAILABLE".to_owned(), vec![]));
    story.suite = story.suite.restart().await;
    let mut again = Watcher::begin(story.client(), resume(&request, &watcher.position)).await;
    let second = story.complain("acme", "f_2", -1.0).await;
    let told = again.next().await.unwrap();
    assert!((told.bond_before - before).abs() < 1e-4, "{before} {told:?}");
    assert_eq!((account_of(&told), told.sources.as_slice()), ("acme", [first, second].as_slice()));
    // With another threshold it is another watch, which counts from where it begins.
    let mut other = Watcher::begin(story.client(), resume(&watch("", 0.1), &watcher.position)).await;
    let last = other.next().await.unwrap();
    assert_eq!((last.bond_after, last.sources.len()), (told.bond_after, 1));
    assert!((last.bond_before - told.bond_before).abs() > 0.01);
}

/// Gives each of so many customers an order.
async fn import(story: &mut Story, count: usize) {
    let rows = (0..count).map(|index| {
        let name = format!("accounts/c{index}/orders/1");
        let order = Order { name, place_time: day(-3.0), total: euros(50), ..Order::default() };
        OrdersRow { resource: Some(orders_row::Resource::Order(order)) }
    });
    let request = ImportOrdersRequest { rows: rows.collect(), ..ImportOrdersRequest::default() };
    let requests = tokio_stream::iter([request]);
    let answers = story.suite.orders().import_orders(ask(requests)).await;
    for answer in crate::feed::all_answers(answers).await.unwrap() {
        assert_eq!(answer.refusals, []);
        story.written.extend(answer.freshness);
    }
}

#[tokio::test]
async fn one_who_does_not_read_holds_up_nobody_and_misses_nothing() {
    const COUNT: usize = 600;
    let mut story = Story::begin().await;
    let request = watch("", 0.1);
    let mut steady = Watcher::begin(story.client(), request.clone()).await;
    // A small window, so that little is under way.
    let endpoint = Endpoint::from_shared(story.suite.context.own_uri()).unwrap();
    let channel = endpoint.initial_stream_window_size(65_535).connect().await.unwrap();
    let mut lazy = AssessmentsServiceClient::new(channel);
    let mut unread = lazy.watch_assessments(without_end(TENANT, request.clone())).await.unwrap().into_inner();

    import(&mut story, COUNT).await;
    let mut told = Vec::new();
    while told.len() < COUNT {
        told.push(said(steady.next().await.unwrap()));
    }
    // Everybody else goes on meanwhile, for longer than it takes for a watcher to be given up.
    for step in 0..4 {
        story.suite.clock.advance(std::time::Duration::from_secs(90));
        story.order("c1", &format!("again_{step}"), -1.0).await;
        story.assess("c1").await;
    }
    let mut heard: Vec<Message> = Vec::new();
    let mut position = String::new();
    // Cut off or not: what it reads in the end is what the other one was told.
    while heard.len() < COUNT {
        match unread.message().await {
            Ok(message) => {
                let message = message.unwrap();
                position.clone_from(&message.position);
                heard.extend(message.assessment.is_some().then(|| said(message)));
            }
            Err(status) => {
                let info = status.get_details_error_info().unwrap();
                assert_eq!((status.code(), info.reason.as_str()), (Code::Aborted, "ERROR_REASON_WATCHER_TOO_SLOW"));
                assert_eq!(info.metadata["position"], position);
                unread = lazy
                    .watch_assessments(without_end(TENANT, resume(&request, &position)))
                    .await
                    .unwrap()
                    .into_inner();
            }
        }
    }
    for message in told.iter_mut().chain(&mut heard) {
        // The two began at different times, which their positions remember.
        message.position.clear();
    }
    assert_eq!(heard, told);
}

#[tokio::test]
async fn days_that_pass_are_told_when_they_have_moved_something() {
    let mut story = Story::begin().await;
    story.customer("acme").await;
    story.complain("acme", "f_1", -1.0).await;
    let before = story.assess("acme").await;
    let mut watcher = Watcher::begin(story.client(), watch("", 0.5)).await;
    story.on_day(40.0);
    // Standings are brought up to date with the next change at the latest.
    story.say("acme", "i_1", Party::Provider, 39.0).await;
    let told = watcher.next().await.unwrap();
    let causes: Vec<Cause> = told.causes().collect();
    assert!(causes.contains(&Cause::Time) && causes.contains(&Cause::New), "{causes:?}");
    assert!((told.bond_before - before.bond.unwrap().value).abs() < 1e-4);
    let now = story.assess("acme").await.bond.unwrap().value;
    eventually(async || ((told.bond_after - now).abs() < 0.1).then_some(())).await;
}
