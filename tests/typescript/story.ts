/**
 * A customer's story, told to the real program by a client that was generated from proto/ and nothing else.
 *
 *     node built/story.js 127.0.0.1:7600
 */

import assert from "node:assert/strict";

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import { BadRequestSchema, ErrorInfoSchema } from "./generated/google/rpc/error_details_pb.js";
import { AccountsService, AccountState } from "./generated/rapport/accounts/v1/accounts_pb.js";
import { AssessmentsService } from "./generated/rapport/assessments/v1/assessments_pb.js";
import { FeedStart, type FreshnessToken } from "./generated/rapport/common/v1/feed_pb.js";
import { FeedbackKind, FeedbackService, FeedbackState, Subject } from "./generated/rapport/feedback/v1/feedback_pb.js";
import { OrdersService, OrderState } from "./generated/rapport/orders/v1/orders_pb.js";

const ACCOUNT = "accounts/acme";
const ORDER = "accounts/acme/orders/o-1";
const ASSESSMENT = "accounts/acme/assessment";

const url = `http://${process.argv[2]}`;
const sessionManager = new Http2SessionManager(url);
const inStory: Interceptor = (next) => (request) => {
  request.header.set("rapport-tenant", "story");
  return next(request);
};
const transport = createGrpcTransport({
  baseUrl: url,
  sessionManager,
  interceptors: [inStory],
  defaultTimeoutMs: 30_000,
});
const accounts = createClient(AccountsService, transport);
const orders = createClient(OrdersService, transport);
const feedback = createClient(FeedbackService, transport);
const assessments = createClient(AssessmentsService, transport);

const writes: FreshnessToken[] = [];

/** Keeps the token of a write, so that a later read includes it. */
function written<T extends { freshness?: FreshnessToken }>(answer: T): T {
  assert(answer.freshness?.value);
  writes.push(answer.freshness);
  return answer;
}

function daysAgo(days: number) {
  return timestampFromMs(Date.now() - days * 86_400_000);
}

/** Makes a call that must be refused, and says with which code, for which reason and for which fields. */
async function refused(call: Promise<unknown>) {
  const error = await call.then(() => assert.fail("not refused"), ConnectError.from);
  const [info] = error.findDetails(ErrorInfoSchema);
  const violations = error.findDetails(BadRequestSchema).flatMap((request) => request.fieldViolations);
  assert.equal(info.domain, "rapport");
  assert(violations.every((violation) => violation.description));
  return { code: error.code, reason: info.reason, fields: violations.map((violation) => violation.field).sort() };
}

async function anAccountIsCreated() {
  const { account } = written(
    await accounts.createAccount({
      accountId: "acme",
      account: { displayName: "Acme", currencyCode: "EUR", openTime: daysAgo(40) },
    }),
  );
  assert.equal(account?.name, ACCOUNT);
  assert.equal(account.state, AccountState.ACTIVE);
}

async function anOrderIsLate() {
  const order = {
    placeTime: daysAgo(20),
    total: { currencyCode: "EUR", units: 1200n, nanos: 500_000_000 },
    fulfilment: { promiseTime: daysAgo(10), orderedQuantity: 10n },
  };
  written(await orders.createOrder({ parent: ACCOUNT, orderId: "o-1", order }));
  written(await orders.shipOrder({ name: ORDER, shipTime: daysAgo(8) }));
  const delivered = written(await orders.deliverOrder({ name: ORDER, deliverTime: daysAgo(5) }));
  assert.equal(delivered.order?.state, OrderState.DELIVERED);
  assert.deepEqual([delivered.order.version, delivered.order.total?.units], [3n, 1200n]);
}

async function theCustomerComplains() {
  const complaint = {
    happenTime: daysAgo(4),
    kind: FeedbackKind.COMPLAINT,
    about: { subject: Subject.ORDER, reference: ORDER },
    text: "Five days late, and nobody told us.",
  };
  const created = written(await feedback.createFeedback({ parent: ACCOUNT, feedbackId: "f-1", feedback: complaint }));
  assert.equal(created.feedback?.state, FeedbackState.OPEN);
}

async function trustHasSuffered() {
  const { assessment } = await assessments.getAssessment({ name: ASSESSMENT, atLeastAsFresh: writes });
  const trust = assessment?.customerView?.trust?.score;
  assert(trust && trust.value < 50 && trust.low < trust.value && trust.value < trust.high && !trust.priorOnly);
  assert.equal(assessment.activity?.orderCount, 1n);
}

async function theChangesAreWatched() {
  const seen: bigint[] = [];
  const watching = orders.watchOrders({ start: FeedStart.BEGINNING }, { timeoutMs: 0 }); // For as long as we like.
  for await (const { changes } of watching) {
    seen.push(...changes.map((change) => change.stamp!.version));
    if (seen.length === 3) break; // Leaving the loop cancels the call.
  }
  assert.deepEqual(seen, [1n, 2n, 3n]);
}

async function aBadCallIsToldEverything() {
  const order = { total: { currencyCode: "euro" }, lines: [{ quantity: 0n }] };
  assert.deepEqual(await refused(orders.createOrder({ parent: "acme", order })), {
    code: Code.InvalidArgument,
    reason: "ERROR_REASON_INVALID_FIELDS",
    fields: [
      "order.lines[0].product",
      "order.lines[0].quantity",
      "order.lines[0].unit_price",
      "order.place_time",
      "order.total.currency_code",
      "parent",
    ],
  });
  assert.deepEqual(await refused(orders.shipOrder({ name: ORDER })), {
    code: Code.FailedPrecondition,
    reason: "ERROR_REASON_STATE_CONFLICT",
    fields: [],
  });
}

await anAccountIsCreated();
await anOrderIsLate();
await theCustomerComplains();
await trustHasSuffered();
await theChangesAreWatched();
await aBadCallIsToldEverything();
sessionManager.abort();
console.log("the story holds in TypeScript");
