// The client's own copy: it repeats answers, knows how old they are, and stops rather than guess.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Client } from "../src/index.js";
import { Copy } from "../src/local.js";
import { FeedBroken } from "../src/problems.js";
import { SnapshotReader } from "../src/table.js";
import { Double, KEY, until } from "./double.js";

const KIM = "s_KIM";
const BEA = "s_BEA";
const ASK = ["newsletter", "email"];
let service;
let made;

beforeEach(async () => {
  service = await new Double().start();
  service.decide(KIM, "allow");
  service.decide(BEA, "deny", "REFUSED");
  made = [];
});
afterEach(async () => {
  await Promise.all([service.cut(), ...made.map((one) => one.close())]);
});

async function live(options = {}) {
  const client = new Client(service.url, KEY, { local: true, maxAgeMs: 600, ...options });
  made.push(client);
  await until(() => client.copyReport.state === "live");
  return client;
}

const seq = (client, number) => until(() => client.copyReport.seq === number);

test("what the copy knows costs no request", async () => {
  const client = await live();
  assert.equal(await client.allowed(KIM, ...ASK), true);
  assert.equal(client.allowedNow(KIM, ...ASK), true);
  assert.equal(client.allowedNow(BEA, ...ASK), false);
  assert.deepEqual((await client.checkMany([KIM, BEA], ...ASK)).map((one) => one.source), ["copy", "copy"]);
  assert.equal(service.count("/v1/check"), 0);
});

test("without waiting, what is not known is a no", async () => {
  const client = await live();
  service.decide(KIM, "deny", "WITHDRAWN");
  await seq(client, 3);
  assert.equal(client.allowedNow(KIM, ...ASK), false);
  assert.equal(client.allowedNow("s_WHO", ...ASK), false);
  assert.equal(new Client(service.url, KEY).allowedNow(KIM, ...ASK), false);
});

test("a change is asked for once and then known", async () => {
  const client = await live();
  service.decide(KIM, "deny", "WITHDRAWN");
  await seq(client, 3);
  const first = await client.check(KIM, ...ASK);
  const second = await client.check(KIM, ...ASK);
  assert.deepEqual([first.reason, first.source], ["WITHDRAWN", "service"]);
  assert.deepEqual([second.allowed, second.source, service.count("/v1/check")], [false, "copy", 1]);
  assert.equal(service.asked.find((one) => one.path === "/v1/check").body.mode, "strict");
});

test("a change names its slot, and one that names none is about all of a person", async () => {
  service.decide(KIM, "allow", "GRANTED", { channel: "sms" });
  const client = await live();
  service.decide(KIM, "allow");
  await seq(client, 4);
  assert.equal((await client.check(KIM, "newsletter", "sms")).source, "copy");
  service.tell("stop.novel", KIM);
  await seq(client, 5);
  assert.equal((await client.check(KIM, "newsletter", "sms")).source, "service");
});

test("an erased person begins anew", async () => {
  const client = await live();
  service.decide(KIM, "deny", "NO_CONSENT", { type: "subject.erased" });
  service.versions.set(KIM, 0);
  await seq(client, 3);
  assert.equal((await client.check(KIM, ...ASK)).reason, "NO_CONSENT");
});

test("what changes the meaning of answers makes the copy be taken anew", async () => {
  const client = await live();
  service.state.set(`${KIM} newsletter email`, { decision: "deny", reason: "NOTICE_OUTDATED", until: null });
  service.tell("notice.published");
  await until(() => service.count("/v1/changes/snapshot") === 2);
  await until(() => client.copyReport.state === "live");
  const told = await client.check(KIM, ...ASK);
  assert.deepEqual([told.allowed, told.source], [false, "copy"]);
});

test("two people who share a key, a stranger, a jurisdiction and an unknown slot are asked for", async () => {
  service.pinned.add(KIM);
  const client = await live();
  for (const _ of [1, 2]) assert.equal((await client.check(KIM, ...ASK)).source, "service");
  assert.equal((await client.check("s_WHO", ...ASK)).source, "service");
  assert.equal((await client.check(BEA, ...ASK, { jurisdiction: "US-CA" })).source, "service");
  assert.equal((await client.check(BEA, "analytics", "web")).source, "service");
});

test("an id that was given out and leads to nobody is a no without a question, where that is wished", async () => {
  const client = await live({ unknown: "regime" });
  const gone = await client.check("s_GONE", "basket", "web");
  assert.deepEqual([gone.allowed, gone.source, client.allowedNow("s_GONE", ...ASK)], [false, "copy", false]);
});

test("a token is met by the copy only once its write was seen", async () => {
  const client = await live();
  const sources = [];
  for (const person of [KIM, KIM, BEA]) sources.push((await client.check(person, ...ASK, { atLeast: "ct1.w" })).source);
  assert.deepEqual(sources, ["service", "copy", "service"]);
});

test("an own write is seen at once", async () => {
  const client = await live();
  const written = { subject_id: KIM, state_version: 2, events: [], recorded_at: "2026-11-22T10:00:00.000Z", token: "ct1.t" };
  service.answers.set("/v1/consents:withdraw", [200, { "content-type": "application/json" }, JSON.stringify(written)]);
  await client.withdraw(KIM, { method: "preference_centre" });
  assert.equal(client.allowedNow(KIM, ...ASK), false);
});

test("cut off, the client says no within its bound, and only what is necessary goes on and says so", async () => {
  service.decide(KIM, "allow", "BASIS_STRICTLY_NECESSARY", { purpose: "basket", channel: "web" });
  const client = await live();
  await service.cut();
  await until(() => client.copyReport.state === "stale", 2000);
  const [letter, basket] = [await client.check(KIM, ...ASK), await client.check(KIM, "basket", "web")];
  assert.deepEqual([letter.allowed, letter.reason], [false, "STALE"]);
  assert.deepEqual([basket.allowed, basket.stale], [true, true]);
  await service.comeBack();
  await until(() => client.copyReport.state === "live");
  assert.deepEqual([client.allowedNow(KIM, ...ASK), client.allowedNow(BEA, ...ASK)], [true, false]);
});

test("after a hole every check goes to the service and the client says why", async () => {
  const said = mock.method(console, "error", () => {});
  const client = await live();
  service.tell("void");
  service.items[2].seq = 4;
  await until(() => client.copyReport.state === "broken");
  assert.equal(client.copyReport.trouble, "after 2 the feed goes on with 4");
  assert.equal((await client.check(KIM, ...ASK)).source, "service");
  assert.equal(said.mock.callCount(), 1);
  said.mock.restore();
});

test("a snapshot that was cut off is not used", async () => {
  service.cutsSnapshot = true;
  const client = new Client(service.url, KEY, { local: true, maxAgeMs: 600 });
  made.push(client);
  await until(() => service.count("/v1/changes/snapshot") > 1);
  assert.equal(client.copyReport.state, "empty");
  assert.equal((await client.check(KIM, ...ASK)).source, "service");
});

test("a feed that no longer reaches back is begun anew", async () => {
  const client = await live();
  service.answers.set("/v1/changes", [410, { "content-type": "application/problem+json" }, '{"type":"/problems/x"}']);
  await until(() => service.count("/v1/changes/snapshot") > 1);
  service.answers.clear();
  await until(() => client.copyReport.state === "live");
});

// --- by hand, with clocks that stand still ----------------------------------------------------------------------

async function walk(maxAgeMs = 5000) {
  const now = { steady: 1_000_000, wall: Date.now() };
  const time = { steady: () => now.steady, wall: () => now.wall };
  const copy = new Copy(maxAgeMs, { time });
  const take = async (sent = copy.mark()) => {
    const reader = new SnapshotReader();
    const headers = { authorization: `Bearer ${KEY}` };
    const text = await (await fetch(`${service.url}/v1/changes/snapshot`, { headers })).text();
    for (const line of text.split("\n")) reader.line(line);
    copy.take(reader, sent);
  };
  await take();
  const page = (items, highWater, more = {}) => ({ items, high_water: highWater, as_of: new Date(now.wall).toISOString(), ...more });
  const look = (person = KIM) => copy.look(person, ...ASK, "shop", null)?.allowed;
  const pass = (ms) => {
    now.steady += ms;
    now.wall += ms;
  };
  return { now, copy, take, page, look, pass };
}

test("age is counted from the moment the poll was sent", async () => {
  const { copy, page, look, pass } = await walk();
  pass(4000);
  const sent = copy.mark();
  pass(3000);
  assert.equal(look(), undefined);
  copy.apply(page([], 2), sent);
  pass(2000);
  assert.equal(look(), true);
  pass(1);
  assert.equal(look(), undefined);
});

test("neither sleep nor a clock that is set back makes the copy look young", async () => {
  const asleep = await walk();
  asleep.now.wall += 5001; // the steady clock stopped
  assert.equal(asleep.look(), undefined);
  const setBack = await walk();
  setBack.now.wall -= 3_600_000;
  setBack.now.steady += 5001;
  assert.equal(setBack.look(), undefined);
});

test("what the service has not numbered yet makes the copy older", async () => {
  const { copy, page, look, pass } = await walk();
  copy.apply(page([], 2, { lag_ms: 4000 }), copy.mark());
  pass(1000);
  assert.equal(look(), true);
  pass(1);
  assert.equal(look(), undefined);
});

test("a page that is not the last one confirms nothing", async () => {
  const { copy, page, look, pass } = await walk();
  pass(4000);
  assert.equal(copy.apply(page([{ seq: 3, type: "void" }], 4), copy.mark()), false);
  pass(1001);
  assert.equal(look(), undefined);
});

for (const wrong of [1, 2, 4, 99]) {
  test(`number ${wrong} after 2 stops the reader`, async () => {
    const { copy, page } = await walk();
    assert.throws(() => copy.apply(page([{ seq: wrong, type: "void" }], 99), copy.mark()), FeedBroken);
    assert.equal(copy.seq, 2);
  });
}

test("a feed that runs backwards stops the reader", async () => {
  const { copy, page } = await walk();
  assert.throws(() => copy.apply(page([], 1), copy.mark()), FeedBroken);
});

test("a grant ends by the clock of the service, and a no does not", async () => {
  service.decide(KIM, "allow", "GRANTED", { until: Date.now() + 2000 });
  const { look, pass } = await walk(60_000);
  assert.equal(look(), true);
  pass(2100);
  assert.deepEqual([look(), look(BEA)], [undefined, false]);
});

test("an answer that was overtaken by the feed is neither believed nor kept", async () => {
  const { copy, page, look } = await walk();
  copy.apply(page([{ ...service.items[0], seq: 3 }], 3), copy.mark());
  const asked = copy.question(KIM, ...ASK, "shop");
  copy.apply(page([{ ...service.items[0], seq: 4, state_version: 2 }], 4), copy.mark());
  const late = { allowed: true, reason: "GRANTED", stale: false, problem: null, facts: { state_version: 1 } };
  assert.equal(copy.settled(asked, late, null, true).reason, "STALE");
  assert.equal(look(), undefined);
});

test("an answer during which the feed moved is given and not kept", async () => {
  const { copy, page, look } = await walk();
  const asked = copy.question(KIM, ...ASK, "shop");
  copy.apply(page([{ ...service.items[0], seq: 3 }], 3), copy.mark());
  const told = { allowed: true, reason: "GRANTED", stale: false, problem: null, facts: { state_version: 1 } };
  assert.equal(copy.settled(asked, told, null, true).allowed, true);
  assert.equal(look(), undefined);
});

test("an event about a slot the copy does not have is about all of a person", async () => {
  const { copy, page, look } = await walk();
  copy.apply(page([{ ...service.items[0], seq: 3, purpose: "novelties" }], 3), copy.mark());
  assert.equal(look(), undefined);
});

test("a device that is tied to a person is always asked for, and what is about nobody changes nothing", async () => {
  const { copy, page, look } = await walk();
  copy.apply(page([{ seq: 3, type: "suppression.added" }], 3), copy.mark());
  assert.equal(look(), true);
  copy.apply(page([{ ...service.items[0], seq: 4, type: "identity.linked", ask: true }], 4), copy.mark());
  const told = { allowed: true, reason: "GRANTED", stale: false, problem: null, facts: { state_version: 1 } };
  assert.equal(copy.settled(copy.question(KIM, ...ASK, "shop"), told, null, true).allowed, true);
  assert.equal(look(), undefined);
});

test("an own write outlives a snapshot that was under way", async () => {
  const { copy, look, take } = await walk();
  copy.snapshotBegins();
  copy.wrote(KIM, 2, null);
  await take();
  assert.equal(look(), undefined);
});
