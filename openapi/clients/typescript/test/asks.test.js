// The client as it asks and writes: nothing but a good answer is a yes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import { Client, Refused, ScrubIncomplete, SubjectMalformed, Unreachable, customer, email } from "../src/index.js";
import { Double, KEY } from "./double.js";

const KIM = "s_KIM";
const ASK = ["newsletter", "email"];
const JSON_TYPE = { "content-type": "application/json" };
const PROBLEM_TYPE = { "content-type": "application/problem+json" };
let service;
let client;

beforeEach(async () => {
  service = await new Double().start();
  client = new Client(service.url, KEY);
});
afterEach(() => service.cut());

const YES = {
  decision: "allow",
  reason: "GRANTED",
  purpose: "newsletter",
  channel: "email",
  brand: "shop",
  state_version: 1,
  expires_at: null,
};
const good = (body) => [200, JSON_TYPE, JSON.stringify(body)];

test("a grant is true and a refusal is false with its reason", async () => {
  service.decide(KIM, "allow");
  assert.equal(await client.allowed(KIM, ...ASK), true);
  service.decide(KIM, "deny", "WITHDRAWN");
  assert.equal(await client.allowed(KIM, ...ASK), false);
  const told = await client.check(KIM, ...ASK);
  assert.deepEqual([told.allowed, told.reason, told.source], [false, "WITHDRAWN", "service"]);
});

test("an address goes into the body and never into the url, a log or an inspection", async () => {
  const kim = email("kim@example.com");
  await client.check(kim, ...ASK);
  const [sent] = service.asked;
  assert.equal(sent.url, "/v1/check");
  assert.deepEqual(sent.body.identifier, { type: "email", value: "kim@example.com" });
  assert.ok(!inspect(kim).includes("kim@") && !JSON.stringify(kim).includes("kim@"));
});

test("a plain text that is no id is refused before it is sent", async () => {
  await assert.rejects(client.check("kim@example.com", ...ASK), SubjectMalformed);
  await assert.rejects(client.record([{ type: "email", value: "x" }], [], { method: "form" }), SubjectMalformed);
  assert.equal(service.asked.length, 0);
});

const BAD = {
  "a server error": [500, JSON_TYPE, JSON.stringify(YES)],
  "a page of somebody else": [200, { "content-type": "text/html" }, JSON.stringify(YES)],
  "a redirect": [302, { location: "/elsewhere" }, ""],
  "half an answer": [200, JSON_TYPE, '{"decision":"allow"'],
  "a list": [200, JSON_TYPE, "[]"],
  "no UTF-8": [200, JSON_TYPE, Buffer.from([0xff, 0xfe])],
  "another word": good({ ...YES, decision: "maybe" }),
  "a truth": good({ ...YES, decision: true }),
  "no reason": good({ ...YES, reason: null }),
  "another purpose": good({ ...YES, purpose: "analytics" }),
  "another channel": good({ ...YES, channel: "sms" }),
  "no version": good({ ...YES, state_version: null }),
  "no instant": good({ ...YES, expires_at: "soon" }),
  "a problem": good({ ...YES, problem: { type: "/problems/unknown-purpose" } }),
  "a cut connection": "lost",
};
for (const [name, answer] of Object.entries(BAD)) {
  test(`${name} is a no`, async () => {
    service.answers.set("/v1/check", answer);
    const told = await client.check(KIM, ...ASK);
    assert.deepEqual([told.allowed, told.reason], [false, "UNAVAILABLE"]);
  });
}

test("the answer those were made from is a yes, and for another brand it is none", async () => {
  service.answers.set("/v1/check", good(YES));
  assert.equal(await client.allowed(KIM, ...ASK), true);
  assert.equal(await client.allowed(KIM, ...ASK, { brand: "other" }), false);
});

test("a service that stalls is a no in time", async () => {
  const hasty = new Client(service.url, KEY, { timeoutMs: 50, fetch: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))) });
  assert.equal((await hasty.check(KIM, ...ASK)).reason, "UNAVAILABLE");
});

test("a wrong key and a refused question name their problem", async () => {
  assert.equal((await new Client(service.url, "wrong").check(KIM, ...ASK)).problem, "/problems/unauthenticated");
  service.answers.set("/v1/check", [404, PROBLEM_TYPE, '{"type":"/problems/unknown-purpose"}']);
  assert.equal((await client.check(KIM, ...ASK)).problem, "/problems/unknown-purpose");
});

test("a service that is down is a no, and back up a refusal is still one", async () => {
  service.decide(KIM, "deny", "REFUSED");
  await service.cut();
  assert.equal((await client.check(KIM, ...ASK)).reason, "UNAVAILABLE");
  await service.comeBack();
  assert.equal((await client.check(KIM, ...ASK)).reason, "REFUSED");
});

const WRITTEN = { subject_id: KIM, state_version: 1, events: [], recorded_at: "2026-11-22T10:00:00.000Z", token: "ct1.t" };
const inTurn = (...outcomes) => () => outcomes.shift();

test("a lost write is sent again with its key and its first moment", async () => {
  const busy = [503, { ...PROBLEM_TYPE, "retry-after": "0" }, '{"type":"/problems/unavailable","title":"Not now"}'];
  service.answers.set("/v1/consents", inTurn("lost", busy, [201, JSON_TYPE, JSON.stringify(WRITTEN)]));
  const grant = [{ purpose: "newsletter", channel: "email", choice: "grant" }];
  const told = await client.record(email("kim@example.com"), grant, { method: "form", jurisdiction: "DE" });
  assert.deepEqual([told.subjectId, told.token], [KIM, "ct1.t"]);
  assert.equal(new Set(service.asked.map((one) => one.headers["idempotency-key"])).size, 1);
  assert.equal(new Set(service.asked.map((one) => JSON.stringify(one.body))).size, 1);
  assert.ok(service.asked[0].body.occurred_at);
});

test("a write that stays lost names its key, and a refused one is not repeated", async () => {
  service.answers.set("/v1/consents", "lost");
  await assert.rejects(client.record(customer("4711"), [], { method: "form" }), (failed) => {
    assert.ok(failed instanceof Unreachable);
    assert.equal(failed.idempotencyKey, service.asked[0].headers["idempotency-key"]);
    return true;
  });
  service.asked = [];
  service.answers.set("/v1/consents", [422, PROBLEM_TYPE, '{"type":"/problems/duplicate-choice"}']);
  await assert.rejects(client.record(KIM, [], { method: "form" }), Refused);
  assert.equal(service.asked.length, 1);
});

test("a stop carries no time of its own and reaches every brand unless one is named", async () => {
  service.answers.set("/v1/consents:withdraw", [200, JSON_TYPE, JSON.stringify(WRITTEN)]);
  const branded = new Client(service.url, KEY, { brand: "shop-a" });
  await branded.withdraw(KIM, { method: "preference_centre" });
  await branded.withdraw(KIM, { method: "preference_centre", channel: "email", brand: "shop-a" });
  const [first, second] = service.asked.map((one) => one.body);
  assert.deepEqual(first, { subject: { id: KIM }, scope: "all", method: "preference_centre", indicated_by: "subject" });
  assert.deepEqual([second.scope, second.brand], [{ channel: "email" }, "shop-a"]);
});

test("many are asked at once and what is not answered is a no", async () => {
  const told = [
    { ref: "0", decision: "allow", reason: "GRANTED" },
    { ref: "1", problem: { type: "/problems/unknown-purpose" } },
  ];
  service.answers.set("/v1/check:batch", good({ items: told }));
  const answers = await client.checkMany([KIM, "s_BEA", email("c@example.com")], ...ASK);
  assert.deepEqual(answers.map((one) => one.allowed), [true, false, false]);
  assert.equal(answers[1].problem, "/problems/unknown-purpose");
});

const LIST = [{ row: "1", email: "kim@example.com" }, { row: "2", email: "bea@example.com" }];
const FIRST = { row: "1", decision: "allow", reason: "GRANTED" };
const SECOND = { row: "2", decision: "deny", reason: "WITHDRAWN" };
const SUMMARY = { summary: { rows: 2, allowed: 1, denied: { WITHDRAWN: 1 }, use_before: "2026-11-22T11:00:00.000Z" } };
const scrubbed = (...rows) => {
  const digest = createHash("sha256");
  const lines = rows.map((row) => {
    if (row.summary) return `${JSON.stringify({ summary: { ...row.summary, sha256: digest.copy().digest("hex") } })}\n`;
    digest.update(`${JSON.stringify(row)}\n`);
    return `${JSON.stringify(row)}\n`;
  });
  return [200, { "content-type": "application/x-ndjson" }, lines.join("")];
};

test("a whole list comes back with its summary", async () => {
  service.answers.set("/v1/scrub", scrubbed(FIRST, SUMMARY));
  const told = await client.scrub(LIST, ...ASK);
  assert.deepEqual([told.allowed, told.useBefore.toISOString()], [["1"], "2026-11-22T11:00:00.000Z"]);
  assert.deepEqual(service.asked[0].body, LIST);
  service.answers.set("/v1/scrub", scrubbed(SECOND, SUMMARY));
  assert.equal((await client.scrub(LIST, ...ASK, { emit: "denied" })).rows.length, 1);
});

const altered = scrubbed(FIRST, SUMMARY);
altered[2] = altered[2].replace('"row":"1"', '"row":"3"');
const more = { summary: { ...SUMMARY.summary, rows: 3 } };
const INCOMPLETE = {
  "a cut list": scrubbed(FIRST),
  "an empty list": scrubbed(),
  "a list that lost a line": scrubbed(SUMMARY),
  "a list of other rows": scrubbed(FIRST, more),
  "a list with a line twice": scrubbed(FIRST, FIRST, SUMMARY),
  "a list that goes on": scrubbed(SUMMARY, FIRST),
  "an altered list": altered,
};
for (const [name, answer] of Object.entries(INCOMPLETE)) {
  test(`${name} is not given out`, async () => {
    service.answers.set("/v1/scrub", answer);
    await assert.rejects(client.scrub(LIST, ...ASK), ScrubIncomplete);
  });
}

test("a receipt comes in the form that was asked for or not at all", async () => {
  service.answers.set("/v1/receipts/e1", [200, { "content-type": "application/jose" }, "a.b.c"]);
  assert.equal(Buffer.from((await client.receipt("e1")).body).toString(), "a.b.c");
  await assert.rejects(client.receipt("e1", "application/pdf"), Unreachable);
  await assert.rejects(client.receipt("../../admin"), Refused);
  assert.equal(service.asked.at(-1).url, "/v1/receipts/..%2F..%2Fadmin");
});

test("history and confirmation are read", async () => {
  service.answers.set(`/v1/subjects/${KIM}/history`, good({ items: [{ type: "consent.given" }], next: "7" }));
  assert.equal((await client.history(KIM, { before: "9", limit: 1 })).next, "7");
  service.answers.set("/v1/consents:confirm", good({ event_id: "e", state: "ConsentGiven", already_confirmed: true }));
  assert.equal((await client.confirm("secret")).alreadyConfirmed, true);
});
