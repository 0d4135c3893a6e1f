import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import rapport.accounts.v1.*;
import rapport.assessments.v1.*;
import rapport.common.v1.*;
import rapport.feedback.v1.*;
import rapport.orders.v1.*;

/**
 * A customer's story, told to the real program by a client that was generated from proto/ and nothing else.
 *
 * <pre>java Story 127.0.0.1:7600</pre>
 */
public class Story {
    static final int PATIENCE = 60; // Seconds that the whole story may take.
    static final String ACCOUNT = "accounts/acme";
    static final String ORDER = "accounts/acme/orders/o-1";
    static final String ASSESSMENT = "accounts/acme/assessment";
    static final List<FreshnessToken> writes = new ArrayList<>();

    public static void main(String[] arguments) {
        var tenant = new Metadata();
        tenant.put(Metadata.Key.of("rapport-tenant", Metadata.ASCII_STRING_MARSHALLER), "story");
        var channel = ManagedChannelBuilder.forTarget(arguments[0])
                .usePlaintext()
                .intercept(MetadataUtils.newAttachHeadersInterceptor(tenant))
                .build();
        var accounts = AccountsServiceGrpc.newBlockingStub(channel).withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);
        var orders = OrdersServiceGrpc.newBlockingStub(channel).withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);
        var feedback = FeedbackServiceGrpc.newBlockingStub(channel).withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);
        var assessments = AssessmentsServiceGrpc.newBlockingStub(channel).withDeadlineAfter(PATIENCE, TimeUnit.SECONDS);

        // An account is created.
        var account = Account.newBuilder().setDisplayName("Acme").setCurrencyCode("EUR").setOpenTime(daysAgo(40));
        var opened = accounts.createAccount(
                CreateAccountRequest.newBuilder().setAccountId("acme").setAccount(account).build());
        writes.add(opened.getFreshness());
        check(opened.getAccount().getName().equals(ACCOUNT), opened);
        check(opened.getAccount().getState() == AccountState.ACCOUNT_STATE_ACTIVE, opened);

        // An order is placed, shipped, and delivered five days late.
        var order = Order.newBuilder()
                .setPlaceTime(daysAgo(20))
                .setTotal(Money.newBuilder().setCurrencyCode("EUR").setUnits(1200).setNanos(500_000_000))
                .setFulfilment(Fulfilment.newBuilder().setPromiseTime(daysAgo(10)).setOrderedQuantity(10));
        var placed = orders.createOrder(
                CreateOrderRequest.newBuilder().setParent(ACCOUNT).setOrderId("o-1").setOrder(order).build());
        writes.add(placed.getFreshness());
        var shipped = orders.shipOrder(
                ShipOrderRequest.newBuilder().setName(ORDER).setShipTime(daysAgo(8)).build());
        writes.add(shipped.getFreshness());
        var delivered = orders.deliverOrder(
                DeliverOrderRequest.newBuilder().setName(ORDER).setDeliverTime(daysAgo(5)).build());
        writes.add(delivered.getFreshness());
        check(delivered.getOrder().getState() == OrderState.ORDER_STATE_DELIVERED, delivered);
        check(delivered.getOrder().getVersion() == 3, delivered);

        // The customer complains of it.
        var complaint = Feedback.newBuilder()
                .setHappenTime(daysAgo(4))
                .setKind(FeedbackKind.FEEDBACK_KIND_COMPLAINT)
                .setAbout(About.newBuilder().setSubject(Subject.SUBJECT_ORDER).setReference(ORDER))
                .setText("Five days late, and nobody told us.");
        var complained = feedback.createFeedback(
                CreateFeedbackRequest.newBuilder().setParent(ACCOUNT).setFeedbackId("f-1").setFeedback(complaint).build());
        writes.add(complained.getFreshness());
        check(complained.getFeedback().getState() == FeedbackState.FEEDBACK_STATE_OPEN, complained);

        // The assessment includes every write: trust has suffered.
        var assessment = assessments.getAssessment(
                        GetAssessmentRequest.newBuilder().setName(ASSESSMENT).addAllAtLeastAsFresh(writes).build())
                .getAssessment();
        var trust = assessment.getCustomerView().getTrust().getScore();
        check(trust.getValue() < 50 && trust.getLow() < trust.getValue() && trust.getValue() < trust.getHigh(), trust);
        check(assessment.getActivity().getOrderCount() == 1, assessment);

        // Every change of the order is seen by a watcher.
        var watching = orders.watchOrders(
                WatchOrdersRequest.newBuilder().setStart(FeedStart.FEED_START_BEGINNING).build());
        var seen = new ArrayList<Long>();
        while (seen.size() < 3) {
            watching.next().getChangesList().forEach(change -> seen.add(change.getStamp().getVersion()));
        }
        check(seen.equals(List.of(1L, 2L, 3L)), seen);

        // A bad call is told everything that is wrong with it, at once.
        var bad = Order.newBuilder()
                .setTotal(Money.newBuilder().setCurrencyCode("euro"))
                .addLines(OrderLine.newBuilder());
        var request = CreateOrderRequest.newBuilder().setParent("acme").setOrder(bad).build();
        refused(() -> orders.createOrder(request), Code.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELDS", Set.of(
                "parent",
                "order.place_time",
                "order.total.currency_code",
                "order.lines[0].product",
                "order.lines[0].quantity",
                "order.lines[0].unit_price"));
        var again = ShipOrderRequest.newBuilder().setName(ORDER).build();
        refused(() -> orders.shipOrder(again), Code.FAILED_PRECONDITION, "ERROR_REASON_STATE_CONFLICT", Set.of());

        channel.shutdownNow();
        System.out.println("the story holds in Java");
    }

    /** Makes a call that must be refused with this code, for this reason and for these fields. */
    static void refused(Runnable call, Code code, String reason, Set<String> fields) {
        try {
            call.run();
        } catch (StatusRuntimeException error) {
            var found = new TreeSet<String>();
            var info = ErrorInfo.getDefaultInstance();
            try {
                for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
                    if (detail.is(ErrorInfo.class)) info = detail.unpack(ErrorInfo.class);
                    if (detail.is(BadRequest.class)) {
                        detail.unpack(BadRequest.class).getFieldViolationsList().forEach(each -> found.add(each.getField()));
                    }
                }
            } catch (com.google.protobuf.InvalidProtocolBufferException malformed) {
                throw new AssertionError(malformed);
            }
            check(error.getStatus().getCode() == code, error);
            check(info.getDomain().equals("rapport") && info.getReason().equals(reason), info);
            check(found.equals(fields), found);
            return;
        }
        throw new AssertionError("not refused");
    }

    static Timestamp daysAgo(int days) {
        return Timestamp.newBuilder().setSeconds(Instant.now().minus(Duration.ofDays(days)).getEpochSecond()).build();
    }

    static void check(boolean holds, Object what) {
        if (!holds) throw new AssertionError(what);
    }
}
