// The answers of one snapshot: a Map from the keyed hash of a person to a short text, one letter a slot (purpose x
// channel x brand): `0` no, `1` yes, `2` ask. Texts that are equal are one object in memory.

import { keyed } from "./blake2b.js";
import { Unreachable } from "./problems.js";

export const NO = 48;
export const YES = 49;
export const ASK = 50;
export const PINNED = "!"; // always ask: two people share the key, or the answers are those of another person
const HASHES_HELD = 100_000;
const DAY_MS = 86_400_000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const REF = /^r_[a-z2-7]{13}$/;
const utf8 = new TextEncoder();

/** `r_` and eight bytes in base 32. */
export function refOf(bytes) {
  let bits = 0;
  let held = 0;
  let text = "r_";
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += LETTERS[(held >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + LETTERS[(held << (5 - bits)) & 31];
}

function within(map, key) {
  if (!map.has(key)) map.set(key, new Map());
  return map.get(key);
}

export class Table {
  constructor(slots, hashKey) {
    this.slots = slots;
    this.rows = new Map();
    this.ends = new Map(); // milliseconds since 1970 at which the first yes of a person ends
    this.tokens = new Map(); // consistency tokens whose writes this table shows
    this.everything = "2".repeat(slots.length);
    this.places = new Map();
    const brands = new Set(slots.map((slot) => slot.brand).filter((brand) => brand !== null));
    slots.forEach((slot, place) => {
      const byBrand = within(within(this.places, slot.purpose), slot.channel);
      byBrand.set(slot.brand, place);
      if (brands.size === 1) byBrand.set(null, place); // where there is one, a question need not name it
    });
    this.hash = hashKey === null ? null : keyed(hashKey);
    this.keys = new Map();
    this.spread = new Map();
  }

  placeOf(purpose, channel, brand) {
    return this.places.get(purpose)?.get(channel)?.get(brand);
  }

  /** The text that stands for a person in this client's snapshot and feed; kept for the next time. */
  keyOf(subject) {
    let key = this.keys.get(subject);
    if (key === undefined && this.hash !== null) {
      key = refOf(this.hash(utf8.encode(subject)));
      if (this.keys.size >= HASHES_HELD) this.keys.clear();
      this.keys.set(subject, key);
    }
    return key ?? "";
  }

  take(row, asOf) {
    if (typeof row.ref !== "string" || !REF.test(row.ref)) throw new Unreachable("a row of the snapshot has no name");
    if (row.ask === true || this.rows.has(row.ref)) {
      this.rows.set(row.ref, PINNED);
      return;
    }
    this.rows.set(row.ref, this.codesOf(row.allow));
    if (row.until) {
      const until = instantOf(row.until);
      // Rounded down to its day where it is far, as in the other client
      this.ends.set(row.ref, until - asOf > DAY_MS ? until - (until % DAY_MS) : until);
    }
  }

  codesOf(allow) {
    let codes = this.spread.get(allow);
    if (codes === undefined) {
      if (typeof allow !== "string" || !/^[0-9a-f]+$/i.test(allow)) throw new Unreachable("a row cannot be read");
      const bits = BigInt(`0x${allow}`);
      if (bits >> BigInt(this.slots.length)) throw new Unreachable("a row has more answers than there are slots");
      codes = this.slots.map((_, bit) => ((bits >> BigInt(bit)) & 1n ? "1" : "0")).join("");
      this.spread.set(allow, codes);
    }
    return codes;
  }

  /** Let the slots that an event may have changed be asked for: all of them where that is unclear. */
  askFor(key, { purpose = null, channel = null, brand = null } = {}) {
    const codes = this.rows.get(key);
    if (codes === PINNED) return;
    if (codes === undefined) {
      this.rows.set(key, this.everything);
      return;
    }
    const isMeant = (slot) =>
      (purpose === null || purpose === slot.purpose) &&
      (channel === null || channel === slot.channel) &&
      (brand === null || brand === slot.brand || slot.brand === null);
    const asked = this.slots.map((slot, place) => (isMeant(slot) ? "2" : codes[place])).join("");
    this.rows.set(key, asked === codes && !this.slots.some(isMeant) ? this.everything : asked);
  }

  /** Hold the service's answer for one slot; an end that is over is forgotten, and its yeses are asked for again. */
  keep(key, place, isAllowed, ends, now) {
    let codes = this.rows.get(key) ?? this.everything;
    let held = this.ends.get(key);
    if (held !== undefined && held <= now) {
      codes = codes.replaceAll("1", "2");
      held = undefined;
    }
    this.rows.set(key, codes.slice(0, place) + (isAllowed ? "1" : "0") + codes.slice(place + 1));
    if (isAllowed && ends !== null) held = Math.min(held ?? Infinity, ends);
    if (held === undefined) this.ends.delete(key);
    else this.ends.set(key, held);
  }
}

/** Takes a snapshot line by line; nothing of it counts before its last line came. */
export class SnapshotReader {
  #table = null;
  #rows = 0;
  #isWhole = false;
  highWater = 0;
  asOf = 0;
  lagMs = 0;
  keyId = null;

  line(text) {
    if (text === "") return;
    try {
      const row = JSON.parse(text);
      if (this.#table === null) {
        this.#begin(row.snapshot);
      } else if (row.end !== undefined) {
        this.#isWhole = row.end.rows === this.#rows;
      } else {
        this.#isWhole = false;
        this.#rows += 1;
        this.#table.take(row, this.asOf);
      }
    } catch (failed) {
      throw failed instanceof Unreachable ? failed : new Unreachable("a line of the snapshot cannot be read");
    }
  }

  table() {
    if (this.#table === null || !this.#isWhole) throw new Unreachable("the snapshot was cut off");
    return this.#table;
  }

  #begin(head) {
    this.highWater = requireNumber(head.high_water);
    this.asOf = instantOf(head.as_of);
    this.lagMs = head.lag_ms ?? 0;
    this.keyId = head.key_id ?? null;
    const slots = head.slots.map((one) => {
      const { purpose, channel } = one;
      return { purpose, channel, brand: one.brand ?? null, necessary: one.necessary === true };
    });
    const text = atob(head.hash_key.replaceAll("-", "+").replaceAll("_", "/"));
    this.#table = new Table(slots, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  }
}

export function requireNumber(value) {
  if (!Number.isSafeInteger(value)) throw new Unreachable("a number in the answer cannot be read");
  return value;
}

/** Milliseconds since 1970 of an instant as the service writes it. */
export function instantOf(text) {
  const found = typeof text === "string" && /(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(found)) throw new Unreachable("an instant in the answer cannot be read");
  return found;
}
