// A customer's story, told to the real program by a client that was generated from proto/ and nothing else.
//
//     story 127.0.0.1:7600

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "rapport/accounts/v1/accounts.grpc.pb.h"
#include "rapport/assessments/v1/assessments.grpc.pb.h"
#include "rapport/feedback/v1/feedback.grpc.pb.h"
#include "rapport/orders/v1/orders.grpc.pb.h"

namespace accounts = rapport::accounts::v1;
namespace assessments = rapport::assessments::v1;
namespace common = rapport::common::v1;
namespace feedback = rapport::feedback::v1;
namespace orders = rapport::orders::v1;

const std::string ACCOUNT = "accounts/acme";
const std::string ORDER = "accounts/acme/orders/o-1";
const std::string ASSESSMENT = "accounts/acme/assessment";

#define CHECK(holds)                                                               \
  if (!(holds)) {                                                                  \
    std::cerr << __FILE__ << ":" << __LINE__ << ": not so: " #holds << std::endl; \
    std::exit(1);                                                                  \
  }

// A call of this tenant, with a deadline.
struct InStory : grpc::ClientContext {
  InStory() {
    AddMetadata("rapport-tenant", "story");
    set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }
};

google::protobuf::Timestamp DaysAgo(int days) {
  const auto then = std::chrono::system_clock::now() - std::chrono::hours(24 * days);
  google::protobuf::Timestamp time;
  time.set_seconds(std::chrono::system_clock::to_time_t(then));
  return time;
}

// Makes a call that must succeed.
template <typename Stub, typename Request, typename Response>
Response Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request) {
  InStory context;
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) std::cerr << status.error_message() << std::endl;
  CHECK(status.ok());
  return response;
}

// Checks that a call was refused with this code, for this reason and for these fields.
void Refused(const grpc::Status& status, grpc::StatusCode code, const std::string& reason,
             const std::set<std::string>& fields) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  std::set<std::string> found;
  CHECK(details.ParseFromString(status.error_details()));
  for (const auto& detail : details.details()) {
    google::rpc::BadRequest bad_request;
    detail.UnpackTo(&info);  // Does nothing if the detail is of another type.
    detail.UnpackTo(&bad_request);
    for (const auto& violation : bad_request.field_violations()) found.insert(violation.field());
  }
  CHECK(status.error_code() == code);
  CHECK(info.domain() == "rapport" && info.reason() == reason);
  CHECK(found == fields);
}

int main(int, char** arguments) {
  const auto channel = grpc::CreateChannel(arguments[1], grpc::InsecureChannelCredentials());
  accounts::AccountsService::Stub accounts_stub(channel);
  orders::OrdersService::Stub orders_stub(channel);
  feedback::FeedbackService::Stub feedback_stub(channel);
  assessments::AssessmentsService::Stub assessments_stub(channel);
  assessments::GetAssessmentRequest asked;

  // An account is created.
  accounts::CreateAccountRequest open;
  open.set_account_id("acme");
  open.mutable_account()->set_display_name("Acme");
  open.mutable_account()->set_currency_code("EUR");
  *open.mutable_account()->mutable_open_time() = DaysAgo(40);
  const auto opened = Call(accounts_stub, &accounts::AccountsService::Stub::CreateAccount, open);
  *asked.add_at_least_as_fresh() = opened.freshness();
  CHECK(opened.account().name() == ACCOUNT && opened.account().state() == accounts::ACCOUNT_STATE_ACTIVE);

  // An order is placed, shipped, and delivered five days late.
  orders::CreateOrderRequest place;
  place.set_parent(ACCOUNT);
  place.set_order_id("o-1");
  *place.mutable_order()->mutable_place_time() = DaysAgo(20);
  place.mutable_order()->mutable_total()->set_currency_code("EUR");
  place.mutable_order()->mutable_total()->set_units(1200);
  *place.mutable_order()->mutable_fulfilment()->mutable_promise_time() = DaysAgo(10);
  Call(orders_stub, &orders::OrdersService::Stub::CreateOrder, place);
  orders::ShipOrderRequest ship;
  ship.set_name(ORDER);
  *ship.mutable_ship_time() = DaysAgo(8);
  Call(orders_stub, &orders::OrdersService::Stub::ShipOrder, ship);
  orders::DeliverOrderRequest deliver;
  deliver.set_name(ORDER);
  *deliver.mutable_deliver_time() = DaysAgo(5);
  const auto delivered = Call(orders_stub, &orders::OrdersService::Stub::DeliverOrder, deliver);
  *asked.add_at_least_as_fresh() = delivered.freshness();
  CHECK(delivered.order().state() == orders::ORDER_STATE_DELIVERED && delivered.order().version() == 3);

  // The customer complains of it.
  feedback::CreateFeedbackRequest complain;
  complain.set_parent(ACCOUNT);
  complain.set_feedback_id("f-1");
  *complain.mutable_feedback()->mutable_happen_time() = DaysAgo(4);
  complain.mutable_feedback()->set_kind(feedback::FEEDBACK_KIND_COMPLAINT);
  complain.mutable_feedback()->mutable_about()->set_subject(feedback::SUBJECT_ORDER);
  complain.mutable_feedback()->mutable_about()->set_reference(ORDER);
  const auto complained = Call(feedback_stub, &feedback::FeedbackService::Stub::CreateFeedback, complain);
  *asked.add_at_least_as_fresh() = complained.freshness();
  CHECK(complained.feedback().state() == feedback::FEEDBACK_STATE_OPEN);

  // The assessment includes every write: trust has suffered.
  asked.set_name(ASSESSMENT);
  const auto answer = Call(assessments_stub, &assessments::AssessmentsService::Stub::GetAssessment, asked);
  const auto& trust = answer.assessment().customer_view().trust().score();
  CHECK(trust.value() < 50 && trust.low() < trust.value() && trust.value() < trust.high());
  CHECK(answer.assessment().activity().order_count() == 1);

  // Every change of the order is seen by a watcher.
  InStory watching;
  orders::WatchOrdersRequest watch;
  watch.set_start(common::FEED_START_BEGINNING);
  const auto reader = orders_stub.WatchOrders(&watching, watch);
  std::vector<long> seen;
  for (orders::WatchOrdersResponse some; seen.size() < 3 && reader->Read(&some);) {
    for (const auto& change : some.changes()) seen.push_back(change.stamp().version());
  }
  CHECK((seen == std::vector<long>{1, 2, 3}));
  watching.TryCancel();

  // A bad call is told everything that is wrong with it, at once.
  orders::CreateOrderRequest bad;
  orders::CreateOrderResponse none;
  bad.set_parent("acme");
  bad.mutable_order()->mutable_total()->set_currency_code("euro");
  bad.mutable_order()->add_lines();
  InStory refused;
  Refused(orders_stub.CreateOrder(&refused, bad, &none), grpc::INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELDS",
          {"parent", "order.place_time", "order.total.currency_code", "order.lines[0].product",
           "order.lines[0].quantity", "order.lines[0].unit_price"});
  orders::ShipOrderResponse not_again;
  InStory late;
  Refused(orders_stub.ShipOrder(&late, ship, &not_again), grpc::FAILED_PRECONDITION, "ERROR_REASON_STATE_CONFLICT", {});

  std::cout << "the story holds in C++" << std::endl;
}
