// Webhooks as the client verifies them: signed by the standard, here with Node's crypto.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { WebhookRejected, WebhookVerifier } from "../src/index.js";

const OLD = Buffer.alloc(32, "o");
const NEW = Buffer.alloc(32, "n");
const AT = 1_795_341_600;
const EVENT = { specversion: "1.0", id: "019c-b7", type: "org.privacyops.consent.withdrawn.v1", data: { seq: 90412 } };
const BODY = JSON.stringify(EVENT);
const named = (secret) => `whsec_${secret.toString("base64")}`;
const signed = (...secrets) => {
  const made = secrets.map((one) => `v1,${createHmac("sha256", one).update(`019c-b7.${AT}.${BODY}`).digest("base64")}`);
  return { "Webhook-Id": "019c-b7", "webhook-timestamp": String(AT), "webhook-signature": made.join(" ") };
};
const verifier = (keys = named(NEW), now = AT) => new WebhookVerifier(keys, { now: () => 1000 * now });
const rejects = (headers, { body = BODY, keys, now, why } = {}) =>
  assert.rejects(verifier(keys, now).verify(headers, body), (failed) => {
    assert.ok(failed instanceof WebhookRejected);
    if (why) assert.equal(failed.why, why);
    return true;
  });

test("an event is accepted once, by headers of fetch or of Node", async () => {
  const held = verifier();
  assert.deepEqual((await held.verify(new Headers(signed(NEW)), new TextEncoder().encode(BODY))).data, { seq: 90412 });
  await assert.rejects(held.verify(signed(NEW), BODY), /repeated/);
});

test("during a rotation both signatures and both keys are accepted", async () => {
  assert.ok(await verifier().verify(signed(OLD, NEW), BODY));
  assert.ok(await verifier([named(OLD), named(NEW)]).verify(signed(OLD), BODY));
  await rejects(signed(OLD), { why: "no signature fits" });
});

test("an altered event is rejected", async () => {
  await rejects(signed(NEW), { body: BODY.replace("withdrawn", "confirmed"), why: "no signature fits" });
  await rejects({ ...signed(NEW), "webhook-timestamp": String(AT + 1) }, { why: "no signature fits" });
});

test("an event of another time is rejected", async () => {
  for (const late of [360, 301, -301]) await rejects(signed(NEW), { now: AT + late });
  assert.ok(await verifier(named(NEW), AT + 300).verify(signed(NEW), BODY));
});

test("odd headers are rejected", async () => {
  await rejects({});
  for (const odd of ["", "v1,", "v1,!!", "v2,abc v1"]) await rejects({ ...signed(NEW), "webhook-signature": odd });
  await rejects({ ...signed(NEW), "webhook-timestamp": "soon" });
});

test("an Ed25519 signature is verified", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const made = sign(null, Buffer.from(`019c-b7.${AT}.${BODY}`), privateKey).toString("base64");
  const headers = { ...signed(), "webhook-signature": `v1a,${made}` };
  const keys = `whpk_${raw.toString("base64")}`;
  assert.ok(await verifier(keys).verify(headers, BODY));
  await rejects(headers, { keys, body: `${BODY} `, why: "no signature fits" });
});

test("several processes share what was seen", async () => {
  const ids = new Set();
  const isNew = async (id) => !ids.has(id) && Boolean(ids.add(id));
  const [first, second] = [1, 2].map(() => new WebhookVerifier(named(NEW), { isNew, now: () => 1000 * AT }));
  assert.ok(await first.verify(signed(NEW), BODY));
  await assert.rejects(second.verify(signed(NEW), BODY), /repeated/);
});

test("a key of another kind is refused at once", () => {
  for (const key of ["", "secret", "whsec_", "whsec_!!", "whpk_AAAA", "po_live_abc"]) {
    assert.throws(() => new WebhookVerifier(key), RangeError);
  }
});
