// Asks, records and withdraws. With a copy it answers in the process.

import { answerOf, unavailable } from "./answer.js";
import { Copy } from "./local.js";
import { askedAbout, requireId, writtenAbout } from "./person.js";
import { FeedBroken, Refused, Unreachable } from "./problems.js";
import { ScrubReader } from "./scrub.js";
import { SnapshotReader } from "./table.js";
import { Wire, jsonOf, pause, requireGood } from "./wire.js";

const BATCH = 1_000;
const ATTEMPTS = 3;
const NDJSON = "application/x-ndjson";
const LIST_PATIENCE_MS = 600_000;
const IN_PROGRESS = "/problems/idempotency-in-progress";

const named = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));

export class Client {
  #wire;
  #brand;
  #copy = null;
  #ends = new AbortController();
  #reader = null;

  constructor(baseUrl, key, options = {}) {
    const { local = false, brand = null, timeoutMs = 2_000, maxAgeMs = 5_000, unknown = "ask", time } = options;
    this.#wire = new Wire(baseUrl, key, timeoutMs, options.fetch ?? ((...sent) => fetch(...sent)));
    this.#brand = brand;
    if (local) {
      this.#copy = new Copy(maxAgeMs, { unknownByRegime: unknown === "regime", ...(time ? { time } : {}) });
      this.#reader = this.#follow(this.#copy);
    }
  }

  // --- asking ---------------------------------------------------------------------------------------------------

  /** Whether it may be done now; a failure of any kind is a no. A boolean: an object would always be true. */
  async allowed(person, purpose, channel, about = {}) {
    return (await this.check(person, purpose, channel, about)).allowed;
  }

  /** As `allowed`, without waiting: from the copy alone, and no where the copy does not know. */
  allowedNow(person, purpose, channel, { brand = null, atLeast = null } = {}) {
    return this.#look(person, purpose, channel, brand, null, atLeast)?.allowed === true;
  }

  /** The answer with its reason. */
  async check(person, purpose, channel, { brand = null, jurisdiction = null, atLeast = null } = {}) {
    const copied = this.#look(person, purpose, channel, brand, jurisdiction, atLeast);
    if (copied !== undefined) return copied;
    const copy = typeof person === "string" ? this.#copy : null;
    const asked = copy?.question(person, purpose, channel, brand ?? this.#brand);
    const answer = await this.#ask(person, purpose, channel, brand, jurisdiction, atLeast, copy !== null);
    return copy === null ? answer : copy.settled(asked, answer, atLeast, jurisdiction === null);
  }

  /** The service's own answer with its reason and facts, past the copy. */
  why(person, purpose, channel, { brand = null, jurisdiction = null, atLeast = null } = {}) {
    return this.#ask(person, purpose, channel, brand, jurisdiction, atLeast, true);
  }

  /** One answer for each, in their order; from the copy what it knows, the others in batches of a thousand. */
  async checkMany(people, purpose, channel, { brand = null } = {}) {
    const answers = people.map((person) => this.#look(person, purpose, channel, brand, null, null));
    const left = answers.flatMap((answer, number) => (answer === undefined ? [number] : []));
    const about = { purpose, channel, ...named({ brand: brand ?? this.#brand }) };
    const asked = left.map((number) => ({ ...askedAbout(people[number]), ...about }));
    for (let start = 0; start < left.length; start += BATCH) {
      const part = asked.slice(start, start + BATCH).map((one, number) => ({ ref: String(number), ...one }));
      const told = await this.#batch(part);
      part.forEach((_, number) => {
        answers[left[start + number]] = told(String(number));
      });
    }
    return answers;
  }

  /** Reduce a list to those who may be written to. Throws ScrubIncomplete: use nothing of it. */
  async scrub(recipients, purpose, channel, { brand = null, emit = "allowed" } = {}) {
    const lines = Array.from(recipients, (one) => `${JSON.stringify(one)}\n`);
    const reader = new ScrubReader();
    const reply = await this.#wire.send("POST", "/v1/scrub", {
      query: { purpose, channel, emit, ...named({ brand: brand ?? this.#brand }) },
      headers: { "content-type": NDJSON, accept: NDJSON },
      body: lines.join(""),
      patienceMs: LIST_PATIENCE_MS,
      line: (text) => reader.line(text),
    });
    requireGood(reply);
    return reader.whole(lines.length, emit);
  }

  // --- writing --------------------------------------------------------------------------------------------------

  /** Write down what a person chose, also a no. The moment is that of this call where none is given. */
  async record(person, choices, about) {
    const occurredAt = (about.occurredAt ?? new Date()).toISOString();
    const body = { subject: writtenAbout(person), choices, occurred_at: occurredAt, ...this.#circumstances(about) };
    if (about.notice) body.notice = about.notice;
    return this.#write("/v1/consents", body, about.idempotencyKey);
  }

  /** Stop a purpose, a channel, one over the other, or, where neither is named, everything. */
  async withdraw(person, about) {
    const scope = named({ purpose: about.purpose ?? null, channel: about.channel ?? null });
    const { brand: _, ...circumstances } = this.#circumstances(about);
    const reach = about.brand ? { brand: about.brand } : {}; // the client's own brand does not narrow a stop
    const subject = writtenAbout(person);
    const body = { subject, scope: Object.keys(scope).length ? scope : "all", ...circumstances, ...reach };
    return this.#write("/v1/consents:withdraw", body, about.idempotencyKey);
  }

  /** Confirm a double opt-in with the token of its mail. */
  async confirm(token) {
    const told = jsonOf(await this.#sendWrite("/v1/consents:confirm", { token }));
    return {
      eventId: told.event_id,
      state: told.state,
      alreadyConfirmed: told.already_confirmed === true,
      token: told.token ?? null,
    };
  }

  /** A person's events, newest first. */
  async history(subject, { before = null, limit = 50 } = {}) {
    const query = named({ limit: String(limit), before });
    const page = await this.#wire.json("GET", `/v1/subjects/${requireId(subject)}/history`, { query });
    return { items: page.items ?? [], next: page.next ?? null };
  }

  /** The receipt of one event, in the form named by its media type. */
  async receipt(eventId, mediaType = "application/jose") {
    const path = `/v1/receipts/${encodeURIComponent(eventId)}`;
    const reply = await this.#wire.send("GET", path, { headers: { accept: mediaType } });
    requireGood(reply);
    const found = (reply.headers.get("content-type") ?? "").split(";")[0].trim();
    if (found !== mediaType) throw new Unreachable("the receipt came in another form than was asked for");
    return { mediaType, body: reply.body };
  }

  // --- the copy -------------------------------------------------------------------------------------------------

  /** How the copy stands, for a health page; null: this client holds none. */
  get copyReport() {
    return this.#copy?.report() ?? null;
  }

  /** Stop following the feed. A client with a copy keeps the process alive until it is closed. */
  async close() {
    this.#ends.abort();
    await this.#reader;
  }

  #look(person, purpose, channel, brand, jurisdiction, atLeast) {
    if (this.#copy === null || typeof person !== "string" || jurisdiction !== null) return undefined;
    return this.#copy.look(person, purpose, channel, brand ?? this.#brand, atLeast);
  }

  async #ask(person, purpose, channel, brand, jurisdiction, atLeast, isStrict) {
    const wanted = brand ?? this.#brand;
    const body = { ...askedAbout(person), purpose, channel, ...named({ brand: wanted, jurisdiction }) };
    if (atLeast !== null) Object.assign(body, { mode: "at_least", token: atLeast });
    else if (isStrict) body.mode = "strict";
    try {
      const facts = jsonOf(await this.#wire.post("/v1/check", body));
      const isAbout = facts.purpose === purpose && facts.channel === channel && Number.isInteger(facts.state_version);
      const isBrand = wanted === null || (facts.brand ?? wanted) === wanted;
      return isAbout && isBrand ? answerOf(facts) : unavailable();
    } catch (failed) {
      return refusedOrGone(failed);
    }
  }

  async #batch(items) {
    try {
      const told = jsonOf(await this.#wire.post("/v1/check:batch", { items })).items;
      const byRef = new Map(Array.isArray(told) ? told.map((one) => [one?.ref, one]) : []);
      return (ref) => answerOf(byRef.get(ref) ?? null);
    } catch (failed) {
      const answer = refusedOrGone(failed);
      return () => answer;
    }
  }

  #circumstances({ method, brand, jurisdiction, indicatedBy = "subject", evidence, clientEventId }) {
    return named({
      method,
      brand: brand ?? this.#brand,
      jurisdiction: jurisdiction ?? null,
      indicated_by: indicatedBy,
      evidence: evidence ?? null,
      client_event_id: clientEventId ?? null,
    });
  }

  async #write(path, body, idempotencyKey) {
    const reply = await this.#sendWrite(path, body, idempotencyKey);
    const told = jsonOf(reply);
    if (typeof told.subject_id !== "string" || !Number.isInteger(told.state_version)) {
      throw new Unreachable("the answer to the write cannot be read");
    }
    this.#copy?.wrote(told.subject_id, told.state_version, told.token ?? null);
    return {
      subjectId: told.subject_id,
      stateVersion: told.state_version,
      events: told.events,
      recordedAt: told.recorded_at,
      token: told.token ?? null,
      promise: told.promise ?? null,
      isReplayed: reply.headers.get("idempotency-replayed") === "true",
    };
  }

  /** Send a write, and again with the same key where it may have been lost. */
  async #sendWrite(path, body, idempotencyKey) {
    const key = idempotencyKey ?? crypto.randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await this.#wire.post(path, body, { "idempotency-key": key });
        jsonOf(reply);
        return reply;
      } catch (failed) {
        if (failed instanceof Refused) {
          const mayPass = failed.status === 429 || failed.status === 503 || failed.type === IN_PROGRESS;
          if (!mayPass || attempt === ATTEMPTS) throw failed;
          await pause(Math.min(failed.retryAfterMs ?? 200 * attempt, 5_000));
        } else if (failed instanceof Unreachable && attempt < ATTEMPTS) {
          await pause(200 * attempt);
        } else {
          throw failed instanceof Unreachable ? new Unreachable(failed.message, key) : failed;
        }
      }
    }
  }

  async #follow(copy) {
    const signal = this.#ends.signal;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (copy.needsSnapshot) await this.#take(copy);
        await this.#poll(copy);
        failures = 0;
      } catch (failed) {
        if (failed instanceof FeedBroken) {
          copy.stop(failed.message);
          console.error(`privacyops: ${failed.message}; every check goes to the service from now on`);
          return;
        }
        failures += 1;
        let longest = Math.min(50 * 2 ** Math.min(failures, 8), 2_000);
        if (failed instanceof Refused && failed.status === 410 && !copy.needsSnapshot) {
          copy.discard("the feed no longer reaches back to where this copy stands");
          if (failures === 1) continue;
        } else {
          copy.trouble = failed instanceof Refused ? failed.type : failed.message;
          if (failed instanceof Refused) longest = Math.max(failed.retryAfterMs ?? 0, 5_000);
        }
        await pause(longest * (0.5 + Math.random() / 2), signal);
      }
    }
  }

  async #take(copy) {
    const snapshot = new SnapshotReader();
    copy.snapshotBegins();
    const sent = copy.mark();
    const reply = await this.#wire.send("GET", "/v1/changes/snapshot", {
      headers: { accept: NDJSON },
      patienceMs: LIST_PATIENCE_MS,
      signal: this.#ends.signal,
      line: (text) => snapshot.line(text),
    });
    requireGood(reply);
    copy.take(snapshot, sent);
  }

  /** One page. A poll rests at the service for less than half of what the copy may be old. */
  async #poll(copy) {
    const rest = Math.min(Math.floor((copy.maxAgeMs * 0.4) / 1000), 25);
    const query = named({ after: String(copy.seq), limit: "1000", wait: String(rest), key_id: copy.keyId });
    const sent = copy.mark();
    const before = copy.seq;
    const page = await this.#wire.json("GET", "/v1/changes", {
      query,
      patienceMs: 1000 * rest,
      signal: this.#ends.signal,
    });
    const isLast = copy.apply(page, sent);
    const took = copy.mark().steady - sent.steady;
    if (isLast && (rest === 0 || (copy.seq === before && took < 500 * rest))) {
      await pause(Math.min(copy.maxAgeMs * 0.2, 200), this.#ends.signal);
    } else if (isLast && took < 20) {
      await pause(20, this.#ends.signal);
    }
  }
}

function refusedOrGone(failed) {
  if (failed instanceof Refused) return unavailable(failed.type);
  if (failed instanceof Unreachable) return unavailable();
  throw failed;
}
