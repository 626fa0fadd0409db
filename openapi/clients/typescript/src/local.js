// The client's own copy of its answers, how old it is, and what it may still say. It never decides: it repeats what the
// service answered, until the feed says that something about the person changed; then it asks.

import { NO_COPIED, NO_STALE, YES_COPIED, YES_STALE } from "./answer.js";
import { FeedBroken, Unreachable } from "./problems.js";
import { ASK, NO, PINNED, Table, YES, instantOf, requireNumber } from "./table.js";

const STRANGERS_HELD = 100_000;
// Without a person these change no answer about a person id; any other event makes the copy be taken anew
const HARMLESS = new Set(["void", "ledger.pruned", "suppression.added", "suppression.lifted"]);
const RENUMBERING = new Set(["subject.erased", "identity.linked", "identity.unlinked"]);

/**
 * Milliseconds on two clocks. The steady one never jumps, and stops while the machine sleeps; the wall clock jumps, and
 * counts sleep. An age is the larger of both, so neither can make a copy look young.
 */
export const clocks = { steady: () => performance.now(), wall: () => Date.now() };

export class Copy {
  constructor(maxAgeMs, { unknownByRegime = false, time = clocks } = {}) {
    this.seq = 0;
    this.keyId = null;
    this.trouble = null;
    this.isBroken = false;
    this.needsSnapshot = true;
    this.table = new Table([], null);
    this.maxAgeMs = maxAgeMs;
    this.byRegime = unknownByRegime;
    this.time = time;
    this.confirmed = null; // {steady, wall, serviceAhead}
    this.moves = 0;
    this.touched = new Map();
    this.own = new Map();
    this.strangers = 0;
  }

  /** Both clocks, before a request is sent. */
  mark() {
    return { steady: this.time.steady(), wall: this.time.wall() };
  }

  ageMs() {
    if (this.confirmed === null) return Infinity;
    return Math.max(this.time.steady() - this.confirmed.steady, this.time.wall() - this.confirmed.wall);
  }

  isFresh() {
    return !this.needsSnapshot && !this.isBroken && this.ageMs() <= this.maxAgeMs;
  }

  /** The answer, if the copy may give one; undefined: ask the service. */
  look(subject, purpose, channel, brand, atLeast) {
    if (this.needsSnapshot || this.isBroken) return undefined;
    const age = this.ageMs();
    if (!(age <= this.maxAgeMs)) return undefined;
    const table = this.table;
    const place = table.placeOf(purpose, channel, brand);
    if (place === undefined) return undefined;
    const key = table.keyOf(subject);
    if (atLeast !== null && table.tokens.get(atLeast) !== key) return undefined;
    const codes = table.rows.get(key);
    if (codes === PINNED) return undefined;
    // The copy knows everybody whom an id was given for: one that it does not know leads to nobody
    const ofStranger = this.byRegime && subject.startsWith("s_") ? NO : ASK;
    const held = codes === undefined ? ofStranger : codes.charCodeAt(place);
    if (held === NO) return NO_COPIED;
    if (held !== YES) return undefined;
    const ends = table.ends.get(key);
    return ends !== undefined && this.confirmed.serviceTime + age >= ends ? undefined : YES_COPIED;
  }

  /** Note how things stand before the service is asked. */
  question(subject, purpose, channel, brand) {
    const table = this.table;
    return {
      table,
      key: table.keyOf(subject),
      place: table.placeOf(purpose, channel, brand),
      moves: this.moves,
      wasStale: !this.needsSnapshot && !this.isBroken && !this.isFresh(),
    };
  }

  /** The service's answer, unless the feed had already told of something later; kept where that is sound. */
  settled(asked, answer, atLeast, keep) {
    if (answer.reason === "UNAVAILABLE") return this.#unanswered(asked, answer);
    const version = answer.facts.state_version;
    const [moves, known] = this.touched.get(asked.key) ?? [0, 0];
    if (!Number.isInteger(version) || version < known) return NO_STALE;
    const isCurrent = asked.table === this.table && moves <= asked.moves;
    if (keep && asked.place !== undefined && isCurrent && !answer.stale) {
      this.#keep(asked, answer);
      if (atLeast !== null) asked.table.tokens.set(atLeast, asked.key);
    }
    return answer;
  }

  /** Nobody answers. Only what is strictly necessary may go on by what was known, and says that it is old. */
  #unanswered(asked, answer) {
    if (answer.problem !== null || !asked.wasStale || asked.place === undefined) return answer;
    const isHere = asked.table === this.table && asked.table.slots[asked.place].necessary;
    const codes = isHere ? asked.table.rows.get(asked.key) : undefined;
    return codes !== undefined && codes !== PINNED && codes.charCodeAt(asked.place) === YES ? YES_STALE : NO_STALE;
  }

  #keep(asked, answer) {
    const codes = asked.table.rows.get(asked.key);
    if (codes === PINNED) return;
    if (codes === undefined) {
      if (this.strangers >= STRANGERS_HELD) return;
      this.strangers += 1;
    }
    const ends = answer.facts.expires_at ? Date.parse(answer.facts.expires_at) : null;
    const now = this.confirmed === null ? 0 : this.confirmed.serviceTime + this.ageMs();
    asked.table.keep(asked.key, asked.place, answer.allowed, ends, now);
  }

  /** This client changed a person's state: from here on every answer about them shows it. */
  wrote(subject, version, token) {
    this.own.set(subject, version);
    const key = this.table.keyOf(subject);
    this.#touch(key, version, {});
    if (token !== null) this.table.tokens.set(token, key);
  }

  /** A snapshot is about to be asked for: it shows what was written until now, and perhaps no more. */
  snapshotBegins() {
    this.own.clear();
  }

  /** Begin anew from a whole snapshot that was asked for at `sent`. */
  take(snapshot, sent) {
    this.table = snapshot.table();
    this.touched.clear();
    this.strangers = 0;
    for (const [subject, version] of this.own) this.#touch(this.table.keyOf(subject), version, {});
    this.seq = snapshot.highWater;
    this.keyId = snapshot.keyId;
    this.trouble = null;
    this.needsSnapshot = false;
    this.#confirm(snapshot.asOf, snapshot.lagMs, sent);
  }

  /** Take in one page of the feed that was asked for at `sent`; whether it was the last one there is. */
  apply(page, sent) {
    if (!Array.isArray(page.items)) throw new Unreachable("a page of the feed cannot be read");
    const highWater = requireNumber(page.high_water);
    const asOf = instantOf(page.as_of);
    if (highWater < this.seq) throw new FeedBroken(`the feed ends at ${highWater}, and ${this.seq} was read before`);
    for (const item of page.items) {
      if (item.seq !== this.seq + 1) throw new FeedBroken(`after ${this.seq} the feed goes on with ${item.seq}`);
      this.#apply(item);
      this.seq += 1;
    }
    const isLast = highWater <= this.seq;
    if (isLast && !this.needsSnapshot) this.#confirm(asOf, page.lag_ms ?? 0, sent);
    return isLast;
  }

  #apply(item) {
    const ref = item.subject_ref ?? null;
    if (ref !== null) {
      if (RENUMBERING.has(item.type)) this.touched.delete(ref);
      const isKnown = Number.isInteger(item.state_version) && item.type !== "subject.erased";
      this.#touch(ref, isKnown ? item.state_version : 0, item);
      if (item.ask === true) this.table.rows.set(ref, PINNED);
    } else if (!HARMLESS.has(item.type)) {
      this.discard("what answers mean was changed; the copy is taken anew");
    }
  }

  #touch(key, version, { purpose = null, channel = null, brand = null }) {
    this.moves += 1;
    const known = this.touched.get(key)?.[1] ?? 0;
    this.touched.set(key, [this.moves, Math.max(known, version)]);
    this.table.askFor(key, { purpose, channel, brand });
  }

  /** `serviceTime` is what the service's clock showed at least when the poll was sent, less its lag. */
  #confirm(asOf, lagMs, sent) {
    const lag = Math.max(lagMs, 0);
    this.confirmed = { steady: sent.steady - lag, wall: sent.wall - lag, serviceTime: asOf };
  }

  /** Answer nothing until a new snapshot was taken. */
  discard(why) {
    this.needsSnapshot = true;
    this.trouble = why;
  }

  /** The reader stops for good: nothing is answered from this copy any more. */
  stop(why) {
    this.isBroken = true;
    this.trouble = why;
  }

  report() {
    let state = "live";
    if (this.isBroken) state = "broken";
    else if (this.needsSnapshot) state = "empty";
    else if (!this.isFresh()) state = "stale";
    return { state, ageMs: this.ageMs(), seq: this.seq, people: this.table.rows.size, trouble: this.trouble };
  }
}
