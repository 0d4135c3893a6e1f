"""A customer's story, told to the real program by a client that was generated from proto/ and nothing else.

    python tests/python/story.py target/debug/rapport
"""

import sys
import time
import uuid
from datetime import datetime, timedelta, timezone

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from rapport.accounts.v1 import accounts_pb2 as accounts, accounts_pb2_grpc
from rapport.assessments.v1 import assessments_pb2 as assessments, assessments_pb2_grpc
from rapport.common.v1 import feed_pb2 as feed, money_pb2, party_pb2 as party
from rapport.feedback.v1 import feedback_pb2 as feedback, feedback_pb2_grpc
from rapport.interactions.v1 import interactions_pb2 as interactions, interactions_pb2_grpc
from rapport.orders.v1 import orders_pb2 as orders, orders_pb2_grpc
from rapport.predictions.v1 import predictions_pb2 as predictions, predictions_pb2_grpc
from suite import PATIENCE, Refusal, refused, running

SERVICES = {
    "rapport.accounts.v1.AccountsService",
    "rapport.orders.v1.OrdersService",
    "rapport.interactions.v1.InteractionsService",
    "rapport.feedback.v1.FeedbackService",
    "rapport.assessments.v1.AssessmentsService",
    "rapport.predictions.v1.PredictionsService",
    "rapport.voice.v1.VoiceService",
}
ACCOUNT = "accounts/acme"
ORDER = "accounts/acme/orders/o-1"
ASSESSMENT = "accounts/acme/assessment"
COMPLAINT = "accounts/acme/feedback/f-1"
CALL = "accounts/acme/interactions/i-1"
NOW = datetime.now(timezone.utc)

IN_STORY = {"metadata": (("rapport-tenant", "story"),), "timeout": PATIENCE}
IN_OTHER = {"metadata": (("rapport-tenant", "other"),), "timeout": PATIENCE}


def days_ago(days):
    moment = Timestamp()
    moment.FromDatetime(NOW - timedelta(days=days))
    return moment


def euros(units, cents=0):
    return money_pb2.Money(currency_code="EUR", units=units, nanos=cents * 10_000_000)


def new_order(units, placed, promised):
    return orders.Order(
        place_time=days_ago(placed),
        total=euros(units, 50),
        fulfilment=orders.Fulfilment(promise_time=days_ago(promised), ordered_quantity=10),
        payment=orders.Payment(due_time=days_ago(1)),
    )


class Told:
    """What the chapters share: a stub of each service, and the tokens of all writes so far."""

    def __init__(self, suite):
        self.suite = suite
        self.accounts = accounts_pb2_grpc.AccountsServiceStub(suite.channel)
        self.orders = orders_pb2_grpc.OrdersServiceStub(suite.channel)
        self.interactions = interactions_pb2_grpc.InteractionsServiceStub(suite.channel)
        self.feedback = feedback_pb2_grpc.FeedbackServiceStub(suite.channel)
        self.assessments = assessments_pb2_grpc.AssessmentsServiceStub(suite.channel)
        self.predictions = predictions_pb2_grpc.PredictionsServiceStub(suite.channel)
        self.writes = []

    def write(self, call, request):
        """Makes a write and keeps its token."""
        answer = call(request, **IN_STORY)
        assert answer.freshness.value, answer
        self.writes.append(answer.freshness)
        return answer


def health_and_reflection(told):
    """The suite is healthy, and reflection lists its services."""
    health = health_pb2_grpc.HealthStub(told.suite.channel)
    for service in ["", *SERVICES]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
    listed = ProtoReflectionDescriptorDatabase(told.suite.channel).get_services()
    assert {name for name in listed if name.startswith("rapport.")} == SERVICES, listed


def an_account_is_created(told):
    """An account is created."""
    account = accounts.Account(display_name="Acme", currency_code="EUR", open_time=days_ago(40))
    request = accounts.CreateAccountRequest(account_id="acme", account=account)
    created = told.write(told.accounts.CreateAccount, request).account
    assert (created.name, created.version) == (ACCOUNT, 1) and created.etag, created
    assert created.state == accounts.ACCOUNT_STATE_ACTIVE, created
    assert told.accounts.GetAccount(accounts.GetAccountRequest(name=ACCOUNT), **IN_STORY).account == created


def an_order_is_late(told):
    """An order is placed, shipped, delivered five days late, and paid."""
    order = new_order(1200, placed=20, promised=10)
    request = orders.CreateOrderRequest(parent=ACCOUNT, order_id="o-1", order=order)
    assert told.write(told.orders.CreateOrder, request).order.state == orders.ORDER_STATE_PLACED
    request = orders.ShipOrderRequest(name=ORDER, ship_time=days_ago(8))
    assert told.write(told.orders.ShipOrder, request).order.state == orders.ORDER_STATE_SHIPPED
    request = orders.DeliverOrderRequest(name=ORDER, deliver_time=days_ago(5))
    assert told.write(told.orders.DeliverOrder, request).order.state == orders.ORDER_STATE_DELIVERED
    request = orders.PayOrderRequest(name=ORDER, pay_time=days_ago(2))
    paid = told.write(told.orders.PayOrder, request).order
    assert paid.version == 4 and paid.payment.paid == euros(1200, 50), paid


def the_customer_complains(told):
    """The customer calls, none too friendly, and complains of the order."""
    call = interactions.Interaction(
        happen_time=days_ago(6),
        party=party.PARTY_CUSTOMER,
        channel=interactions.INTERACTION_CHANNEL_PHONE,
        purpose=interactions.PURPOSE_SUPPORT,
        subject="where is our order?",
        sentiment=-0.7,
    )
    request = interactions.CreateInteractionRequest(parent=ACCOUNT, interaction_id="i-1", interaction=call)
    assert told.write(told.interactions.CreateInteraction, request).interaction.name == CALL
    complaint = feedback.Feedback(
        happen_time=days_ago(4),
        kind=feedback.FEEDBACK_KIND_COMPLAINT,
        about=feedback.About(subject=feedback.SUBJECT_ORDER, reference=ORDER),
        text="Five days late, and nobody told us.",
    )
    request = feedback.CreateFeedbackRequest(parent=ACCOUNT, feedback_id="f-1", feedback=complaint)
    created = told.write(told.feedback.CreateFeedback, request).feedback
    assert (created.name, created.state) == (COMPLAINT, feedback.FEEDBACK_STATE_OPEN), created
    # The words were read as they were written.
    assert created.analysis.language == "en" and created.analysis.model, created


def rows_are_imported(told):
    """Orders are imported over a stream; a refused row does not hold up the rest; sent again, nothing changes."""
    good = [new_order(100 + index, placed=30 + index, promised=25 + index) for index in range(3)]
    for index, order in enumerate(good):
        order.name = f"{ACCOUNT}/orders/old-{index}"
        order.fulfilment.deliver_time.CopyFrom(order.fulfilment.promise_time)
    bad = new_order(7, placed=30, promised=25)
    bad.name, bad.total.currency_code = f"{ACCOUNT}/orders/bad", "GBP"
    batches = [
        orders.ImportOrdersRequest(rows=[orders.OrdersRow(order=order) for order in batch])
        for batch in ([good[0], bad], good[1:])
    ]
    first, second = list(told.orders.ImportOrders(iter(batches), **IN_STORY))
    assert (first.landed_count, second.landed_count) == (1, 2), (first, second)
    [refusal] = first.refusals
    assert (refusal.index, refusal.name) == (1, bad.name), refusal
    assert refusal.reason == "ERROR_REASON_CURRENCY_MISMATCH" and refusal.message, refusal
    told.writes += [first.freshness, second.freshness]
    again = list(told.orders.ImportOrders(iter(batches), **IN_STORY))
    assert [answer.unchanged_count for answer in again] == [1, 2], again
    assert not any(answer.landed_count for answer in again), again


def trust_has_suffered(told):
    """The assessment includes every write; trust is below the prior, and its reasons add up to the score."""
    request = assessments.GetAssessmentRequest(name=ASSESSMENT, at_least_as_fresh=told.writes)
    assessment = told.assessments.GetAssessment(request, **IN_STORY).assessment
    trust = assessment.customer_view.trust.score
    assert trust.value < 50 and trust.low < trust.value < trust.high and not trust.prior_only, trust
    assert {entry.feed for entry in assessment.freshness} == {"accounts", "orders", "interactions", "feedback"}
    assert assessment.activity.order_count == 4, assessment.activity
    assert assessment.worth.spend == euros(1200 + 303 + 2), assessment.worth
    assert not any(map(assessment.worth.HasField, ["savings", "margin", "returned"])), "nobody stated them"

    request = assessments.ExplainAssessmentRequest(name=ASSESSMENT, by_source=True, at_least_as_fresh=told.writes)
    answer = told.assessments.ExplainAssessment(request, **IN_STORY)
    assert len(answer.facets) == 10 and answer.summary, answer
    for facet in answer.facets:
        points = sum(contribution.points for contribution in facet.contributions)
        assert abs(facet.base + points - facet.score) < 1e-9, facet
        for contribution in facet.contributions:
            points = sum(source.points for source in contribution.sources)
            assert abs(points - contribution.points) < 1e-9, contribution
    [trust] = [
        facet
        for facet in answer.facets
        if (facet.party, facet.facet) == (party.PARTY_CUSTOMER, assessments.FACET_TRUST)
    ]
    assert trust.score < trust.base, trust
    sources = [source for contribution in trust.contributions for source in contribution.sources]
    blamed = {source.source for source in sources if source.points < 0}
    assert {ORDER, COMPLAINT} <= blamed, blamed


def everything_is_on_the_timeline(told):
    """The timeline holds all that passed between the two, latest first, over its pages."""
    entries, page_token = [], ""
    while True:
        request = assessments.ListTimelineRequest(
            parent=ACCOUNT, page_size=3, page_token=page_token, at_least_as_fresh=told.writes
        )
        page = told.assessments.ListTimeline(request, **IN_STORY)
        entries += page.entries
        page_token = page.next_page_token
        if not page_token:
            break
    times = [entry.happen_time.ToNanoseconds() for entry in entries]
    assert times == sorted(times, reverse=True), times
    imported = [f"{ACCOUNT}/orders/old-{index}" for index in range(3)]
    assert [entry.source for entry in entries] == [COMPLAINT, CALL, ORDER, *imported, ACCOUNT], entries
    [order] = [entry for entry in entries if entry.source == ORDER]
    moments = [moment.happen_time.ToNanoseconds() for moment in order.moments]
    assert len(moments) == 4 and moments == sorted(moments) and order.headline, order


def the_next_month_is_foretold(told):
    """A fit learns from the orders, and an assessment looks ahead."""
    request = predictions.FitPortfolioRequest(horizon_days=28, at_least_as_fresh=told.writes)
    fit = told.predictions.FitPortfolio(request, **IN_STORY).fit
    deadline = time.monotonic() + PATIENCE
    while fit.state in (predictions.FIT_STATE_PENDING, predictions.FIT_STATE_RUNNING):
        assert time.monotonic() < deadline, fit
        time.sleep(0.05)
        fit = told.predictions.GetFit(predictions.GetFitRequest(name=fit.name), **IN_STORY).fit
    assert fit.state == predictions.FIT_STATE_SUCCEEDED and fit.is_default and fit.account_count == 1, fit
    request = assessments.GetAssessmentRequest(name=ASSESSMENT, horizon_days=28)
    assessment = told.assessments.GetAssessment(request, **IN_STORY).assessment
    assert assessment.fit == fit.name, assessment
    chance = assessment.prediction.order_probability
    assert 0 < chance.low <= chance.value <= chance.high < 1, chance
    assert assessment.prediction.competition.position != assessments.POSITION_UNSPECIFIED, assessment
    request = predictions.ListOpportunitiesRequest(parent=ACCOUNT)
    answer = told.predictions.ListOpportunities(request, **IN_STORY)
    assert answer.fit == fit.name and answer.summary, answer
    assert all(opportunity.bond_after > opportunity.bond_before for opportunity in answer.opportunities), answer


def the_changes_are_watched(told):
    """A watcher sees every change of the order, resumes where it stopped, and sees the next one as it comes."""
    watching = told.orders.WatchOrders(orders.WatchOrdersRequest(start=feed.FEED_START_BEGINNING), **IN_STORY)
    seen = take(watching, 7)
    assert [change.stamp.version for change in seen if change.order.name == ORDER] == [1, 2, 3, 4], seen
    positions = [change.stamp.position for change in seen]
    assert positions == sorted(set(positions)), positions
    assert {change.stamp.account_id for change in seen} == {"acme"}, seen

    request = orders.CreateOrderRequest(parent=ACCOUNT, order_id="o-2", order=new_order(80, placed=1, promised=-5))
    told.write(told.orders.CreateOrder, request)
    assert take(watching, 1)[0].order.name == f"{ACCOUNT}/orders/o-2"
    watching.cancel()

    second = seen[1].stamp
    start = feed.FeedPosition(partition=second.partition, position=second.position)
    request = orders.WatchOrdersRequest(partitions=[second.partition], positions=[start])
    watching = told.orders.WatchOrders(request, **IN_STORY)
    assert take(watching, 5) == seen[2:]
    watching.cancel()


def take(watching, count):
    """The next so many changes of a feed."""
    changes = []
    while len(changes) < count:
        changes += next(watching).changes
    assert len(changes) == count, changes
    return changes


def a_retry_is_safe(told):
    """The same request id with the same request is answered as the first time; with another one it is refused."""
    request = orders.CreateOrderRequest(
        parent=ACCOUNT, order=new_order(60, placed=1, promised=-5), request_id=str(uuid.uuid4())
    )
    assert told.write(told.orders.CreateOrder, request) == told.write(told.orders.CreateOrder, request)
    request.order.priority = True
    refusal = refused(told.orders.CreateOrder, request, **IN_STORY)
    assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED"), vars(refusal)
    assert refusal.metadata == {"request_id": request.request_id}, vars(refusal)


def a_lost_race_is_told(told):
    """A change that was made to an older version is ABORTED."""
    stale = told.accounts.GetAccount(accounts.GetAccountRequest(name=ACCOUNT), **IN_STORY).account
    change = accounts.Account(name=ACCOUNT, etag=stale.etag, segment="wholesale")
    told.write(told.accounts.UpdateAccount, accounts.UpdateAccountRequest(account=change))
    change.segment = "retail"
    refusal = refused(told.accounts.UpdateAccount, accounts.UpdateAccountRequest(account=change), **IN_STORY)
    assert (refusal.code, refusal.reason) == (StatusCode.ABORTED, "ETAG_MISMATCH"), vars(refusal)
    assert refusal.metadata["name"] == ACCOUNT, vars(refusal)


def a_bad_call_is_told_everything(told):
    """A bad call is refused with its reason and every field at fault at once."""
    order = new_order(100, placed=10, promised=5)
    order.ClearField("place_time")
    order.total.currency_code = "euro"
    order.lines.add(product="", quantity=0)
    request = orders.CreateOrderRequest(parent="acme", order_id="no good", order=order)
    refusal = refused(told.orders.CreateOrder, request, **IN_STORY)
    assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS"), vars(refusal)
    expected = {
        "parent",
        "order_id",
        "order.place_time",
        "order.total.currency_code",
        "order.lines[0].product",
        "order.lines[0].quantity",
        "order.lines[0].unit_price",
    }
    assert set(refusal.fields) == expected, refusal.fields
    refusal = refused(told.orders.ShipOrder, orders.ShipOrderRequest(name=ORDER), **IN_STORY)
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "STATE_CONFLICT"), vars(refusal)


def strangers_see_nothing(told):
    """Another tenant finds nothing of all this, and a call without a tenant is refused."""
    for call, request in [
        (told.accounts.GetAccount, accounts.GetAccountRequest(name=ACCOUNT)),
        (told.orders.GetOrder, orders.GetOrderRequest(name=ORDER)),
        (told.orders.CancelOrder, orders.CancelOrderRequest(name=ORDER, cancellation={"party": party.PARTY_CUSTOMER})),
        (told.assessments.GetAssessment, assessments.GetAssessmentRequest(name=ASSESSMENT)),
    ]:
        refusal = refused(call, request, **IN_OTHER)
        assert (refusal.code, refusal.reason) == (StatusCode.NOT_FOUND, "NOT_FOUND"), vars(refusal)
    assert not told.orders.ListOrders(orders.ListOrdersRequest(parent=ACCOUNT), **IN_OTHER).orders
    refusal = refused(told.accounts.GetAccount, accounts.GetAccountRequest(name=ACCOUNT), timeout=PATIENCE)
    assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "TENANT_INVALID"), vars(refusal)


def the_ledgers_are_right(told):
    """The stored ledgers are what their evidence adds up to."""
    answers = list(told.assessments.VerifyLedgers(assessments.VerifyLedgersRequest(), **IN_STORY))
    assert answers[-1].verified_count == answers[-1].total_count == 1, answers
    assert not any(answer.differing_accounts for answer in answers), answers


def the_suite_stops(told):
    """Asked to stop, the suite tells its watchers to come again and ends at once, and well."""
    watching = told.orders.WatchOrders(orders.WatchOrdersRequest(start=feed.FEED_START_NOW), **IN_STORY)
    next(watching)
    begun = time.monotonic()
    assert told.suite.stop() == 0
    assert time.monotonic() - begun < 10, "the watcher held it up"
    try:
        for _ in watching:
            pass
        raise AssertionError("the stream ended without a word")
    except grpc.RpcError as error:
        refusal = Refusal(error)
        assert (refusal.code, refusal.reason) == (StatusCode.UNAVAILABLE, "UNAVAILABLE"), vars(refusal)


CHAPTERS = [
    health_and_reflection,
    an_account_is_created,
    an_order_is_late,
    the_customer_complains,
    rows_are_imported,
    trust_has_suffered,
    everything_is_on_the_timeline,
    the_next_month_is_foretold,
    the_changes_are_watched,
    a_retry_is_safe,
    a_lost_race_is_told,
    a_bad_call_is_told_everything,
    strangers_see_nothing,
    the_ledgers_are_right,
    the_suite_stops,
]


def main(binary):
    with running(binary) as suite:
        told = Told(suite)
        for chapter in CHAPTERS:
            print(f"  {chapter.__doc__}", flush=True)
            chapter(told)
    print(f"the story holds: {len(CHAPTERS)} chapters")


if __name__ == "__main__":
    main(*sys.argv[1:])
