// A double of the service: it speaks the documented format, and does what a test tells it. What the real service does is
// tested against the real service (real.test.js).

import { createServer } from "node:http";
import { keyed } from "../src/blake2b.js";
import { refOf } from "../src/table.js";

export const KEY = "po_test_key";
export const HASH_KEY = Uint8Array.from({ length: 32 }, (_, at) => at);
const hash = keyed(HASH_KEY);
export const ref = (subject) => refOf(hash(new TextEncoder().encode(subject)));
const slot = (purpose, channel, more = {}) => ({ purpose, channel, brand: "shop", default: "deny", ...more });

export class Double {
  slots = [
    slot("newsletter", "email"),
    slot("newsletter", "sms"),
    slot("basket", "web", { default: "allow", necessary: true }),
  ];
  state = new Map();
  versions = new Map();
  items = [];
  asked = [];
  answers = new Map();
  pinned = new Set();
  lagMs = 0;
  cutsSnapshot = false;
  oldVersion = null;
  #waiting = new Set();
  #server = createServer((request, response) => this.#serve(request, response));

  async start(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
    return this;
  }

  /** As a process that was killed: nothing listens, and every connection is gone. */
  async cut() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#wake();
  }

  /** Listens again where it did, with what it knew. */
  async comeBack() {
    this.#server = createServer((request, response) => this.#serve(request, response));
    await this.start(this.port);
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  decide(subject, decision, reason = "GRANTED", { purpose = "newsletter", channel = "email", until = null, type } = {}) {
    this.state.set(`${subject} ${purpose} ${channel}`, { decision, reason, until });
    this.versions.set(subject, (this.versions.get(subject) ?? 0) + 1);
    this.tell(type ?? "consent.given", subject, { purpose, channel, brand: "shop" });
  }

  tell(type, subject = null, about = {}) {
    const whom = subject === null ? {} : { subject_ref: ref(subject), state_version: this.versions.get(subject) ?? 0 };
    this.items.push({ seq: this.items.length + 1, type, ...whom, ...about });
    this.#wake();
  }

  count(path) {
    return this.asked.filter((one) => one.path === path).length;
  }

  #wake() {
    for (const wake of this.#waiting) wake();
  }

  async #serve(request, response) {
    const url = new URL(request.url, this.url);
    let text = "";
    for await (const part of request) text += part;
    const body = text === "" ? null : text.includes("\n") ? text.trim().split("\n").map(JSON.parse) : JSON.parse(text);
    this.asked.push({ path: url.pathname, method: request.method, body, headers: request.headers, url: request.url });
    const told = this.answers.get(url.pathname);
    const say = (status, type, what) => response.writeHead(status, { "content-type": type }).end(what);
    if (request.headers.authorization !== `Bearer ${KEY}`) {
      say(401, "application/problem+json", '{"type":"/problems/unauthenticated","title":"Sign in"}');
    } else if (told !== undefined) {
      const answer = typeof told === "function" ? told() : told;
      if (answer === "lost") response.destroy();
      else response.writeHead(answer[0], answer[1]).end(answer[2]);
    } else if (url.pathname === "/v1/check") {
      say(200, "application/json", JSON.stringify(this.#check(body)));
    } else if (url.pathname === "/v1/changes/snapshot") {
      say(200, "application/x-ndjson", this.#snapshot());
    } else if (url.pathname === "/v1/changes") {
      say(200, "application/json", JSON.stringify(await this.#page(url.searchParams)));
    } else {
      say(404, "application/problem+json", '{"type":"/problems/not-found","title":"Unknown"}');
    }
  }

  #check({ subject = "", purpose, channel, brand = "shop" }) {
    const held = this.state.get(`${subject} ${purpose} ${channel}`);
    return {
      decision: held?.decision ?? "deny",
      reason: held?.reason ?? "NO_CONSENT",
      purpose,
      channel,
      brand,
      state_version: this.oldVersion ?? this.versions.get(subject) ?? 0,
      expires_at: held?.until ? new Date(held.until).toISOString() : null,
      as_of: new Date().toISOString(),
    };
  }

  #snapshot() {
    const hashKey = Buffer.from(HASH_KEY).toString("base64url");
    const asOf = new Date().toISOString();
    const head = { high_water: this.items.length, as_of: asOf, lag_ms: this.lagMs, hash_key: hashKey, slots: this.slots };
    const rows = [{ snapshot: head }];
    for (const subject of new Set([...this.state.keys()].map((key) => key.split(" ")[0]))) {
      const held = this.slots.map((one) => this.state.get(`${subject} ${one.purpose} ${one.channel}`));
      const bits = held.reduce((mask, one, bit) => (one?.decision === "allow" ? mask | (1 << bit) : mask), 0);
      const ends = held.flatMap((one) => (one?.decision === "allow" && one.until ? [one.until] : []));
      const until = ends.length ? { until: new Date(Math.min(...ends)).toISOString() } : {};
      rows.push({ ref: ref(subject), ...(this.pinned.has(subject) ? { ask: true } : { allow: bits.toString(16), ...until }) });
    }
    if (!this.cutsSnapshot) rows.push({ end: { rows: rows.length - 1 } });
    return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  }

  async #page(query) {
    const after = Number(query.get("after"));
    const end = Date.now() + 1000 * Number(query.get("wait"));
    while (this.items.length <= after && Date.now() < end) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, end - Date.now());
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
    const items = this.items.slice(after, after + Number(query.get("limit")));
    const page = { items, next: items.at(-1)?.seq ?? after, high_water: this.items.length };
    return { ...page, as_of: new Date().toISOString(), lag_ms: this.lagMs };
  }
}

export async function until(holds, ms = 5000) {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error("this did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
