// Against the real service, where one is named: PRIVACYOPS_URL and PRIVACYOPS_KEY (scopes consent:check, consent:write,
// consent:read, feed:read). tests/clients/test_typescript_client.py starts one and runs this.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import * as library from "../src/index.js";
import { until } from "./double.js";

const { email } = library;
const opened = [];
/** A client with a copy keeps the process alive: one that a failed test left open would hide the failure for ever. */
class Client extends library.Client {
  constructor(...given) {
    super(...given);
    opened.push(this);
  }
}
const offered = { ...library, Client };
const url = process.env.PRIVACYOPS_URL;
const key = process.env.PRIVACYOPS_KEY;
const skip = url === undefined ? "no PRIVACYOPS_URL" : false;
const LETTER = ["newsletter", "email"];
const GRANT = [{ purpose: "newsletter", channel: "email", choice: "grant" }];
const somebody = () => email(`${randomUUID()}@example.com`);
let client;
let local;

before(async () => {
  if (skip) return;
  client = new Client(url, key, { timeoutMs: 10_000 });
  local = new Client(url, key, { local: true, timeoutMs: 10_000 });
  await until(() => local.copyReport.state === "live", 10_000);
});
after(() => Promise.all(opened.map((one) => one.close())));

const grants = (who) => client.record(who, GRANT, { method: "form", jurisdiction: "DE" });

test("a choice is recorded, answered, withdrawn and read back", { skip }, async () => {
  const who = somebody();
  assert.equal((await client.check(who, ...LETTER)).reason, "NO_CONSENT");
  const written = await grants(who);
  assert.equal(await client.allowed(written.subjectId, ...LETTER, { atLeast: written.token }), true);
  const stopped = await client.withdraw(written.subjectId, { method: "preference_centre", purpose: "newsletter", channel: "email" });
  assert.equal((await client.check(who, ...LETTER, { atLeast: stopped.token })).reason, "WITHDRAWN");
  const past = await client.history(written.subjectId);
  assert.deepEqual(past.items.map((one) => one.type), ["consent.withdrawn", "consent.given"]);
});

test("the copy learns of a grant and of a withdrawal by somebody else", { skip }, async () => {
  const { subjectId } = await grants(somebody());
  await local.check(subjectId, ...LETTER);
  await until(() => local.allowedNow(subjectId, ...LETTER));
  await client.withdraw(subjectId, { method: "one_click_post" });
  await until(() => !local.allowedNow(subjectId, ...LETTER));
  assert.equal((await local.check(subjectId, ...LETTER)).allowed, false);
});

test("an own withdrawal and a token are seen at once", { skip }, async () => {
  for (let round = 0; round < 10; round += 1) {
    const { subjectId, token } = await grants(somebody());
    assert.equal(await local.allowed(subjectId, ...LETTER, { atLeast: token }), true);
    const stopped = await client.withdraw(subjectId, { method: "preference_centre" });
    assert.equal(await local.allowed(subjectId, ...LETTER, { atLeast: stopped.token }), false);
  }
});

test("by regime the copy answers for strangers what the service answers", { skip }, async () => {
  const copy = new Client(url, key, { local: true, unknown: "regime", timeoutMs: 10_000 });
  await until(() => copy.copyReport.state === "live", 10_000);
  const gone = ["s_0000000000000000000000GONE", "service_messages", "email"]; // silence allows it to everybody else
  assert.deepEqual([(await client.check(...gone)).allowed, (await copy.check(...gone)).allowed], [false, false]);
  await copy.close();
});

test("many are asked at once, and a list comes back whole", { skip }, async () => {
  const [yes, no] = [somebody(), somebody()];
  await grants(yes);
  assert.deepEqual((await client.checkMany([yes, no], ...LETTER)).map((one) => one.allowed), [true, false]);
  const list = [yes, no].map((one, row) => ({ row: String(row), email: one.value }));
  assert.deepEqual((await client.scrub(list, ...LETTER)).allowed, ["0"]);
  assert.equal((await client.scrub(list, ...LETTER, { emit: "all" })).rows.length, 2);
});

test("a new copy begins with what was there", { skip }, async () => {
  const yes = (await grants(somebody())).subjectId;
  const no = (await grants(somebody())).subjectId;
  await client.withdraw(no, { method: "preference_centre" });
  const fresh = new Client(url, key, { local: true, timeoutMs: 10_000 });
  await until(() => fresh.copyReport.state === "live");
  assert.deepEqual([fresh.allowedNow(yes, ...LETTER), fresh.allowedNow(no, ...LETTER)], [true, false]);
  await fresh.close();
});

test("every example of the README runs", { skip }, async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, text]) => text);
  assert.ok(examples.length > 3);
  const names = new Set();
  const imported = /^import \{([^}]+)\} from "@privacyops\/client";\n/gm;
  const body = examples.join("\n").replaceAll(imported, (_, some) => {
    for (const name of some.split(",")) names.add(name.trim());
    return "";
  });
  const said = [];
  const run = Object.getPrototypeOf(async () => {}).constructor("url", "key", "console", ...names, body);
  await run(url, key, { log: (...words) => said.push(words.join(" ")) }, ...[...names].map((name) => offered[name]));
  assert.ok(said.includes("must not be written to: NO_CONSENT"), said.join("\n"));
  assert.ok(said.includes("now: false"));
});
