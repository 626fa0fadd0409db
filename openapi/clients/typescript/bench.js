// What a check from the copy costs in this process: node bench.js [people] [--json]. Made-up people, no service. Beside
// it, a plain Map lookup in the same run. Best of the rounds, loop included: other work on the machine only adds.

import { keyed } from "./src/blake2b.js";
import { Copy } from "./src/local.js";
import { SnapshotReader, refOf } from "./src/table.js";

const people = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 200_000);
const names = Array.from({ length: people }, (_, number) => `s_${String(number).padStart(24, "0")}`);
const hash = keyed(new Uint8Array(32));
const utf8 = new TextEncoder();
const refFor = (name) => refOf(hash(utf8.encode(name)));
const slots = ["newsletter", "offers", "recommendations", "analytics"].flatMap((purpose) =>
  ["email", "web"].map((channel) => ({ purpose, channel, brand: "shop", default: "deny" })),
);
const STRETCH = 2_000; // shorter than what a scheduler gives at a time
const AS_OF = "2026-11-22T10:00:00.000Z";
const ENDS = ["2027-05-01T00:00:00.000Z", "2028-11-22T10:00:00.000Z", null];

function filled() {
  const copy = new Copy(Infinity);
  const reader = new SnapshotReader();
  const hash_key = Buffer.alloc(32).toString("base64url");
  reader.line(JSON.stringify({ snapshot: { high_water: 0, as_of: AS_OF, hash_key, slots } }));
  names.forEach((name, number) => {
    const row = { ref: refFor(name), allow: ((number * 7) % 256).toString(16), until: ENDS[number % 3] };
    reader.line(JSON.stringify(row));
  });
  reader.line(JSON.stringify({ end: { rows: people } }));
  copy.take(reader, copy.mark());
  return copy;
}

let seen = 0;

function best(each, among, rounds = 15, before = () => {}) {
  let least = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    before();
    for (let start = 0; start < among.length; start += STRETCH) {
      const stretch = among.slice(start, start + STRETCH);
      const began = process.hrtime.bigint();
      for (const name of stretch) seen += each(name) ? 1 : 0; // a result that nobody uses would not be computed
      least = Math.min(least, Number(process.hrtime.bigint() - began) / stretch.length);
    }
  }
  return least;
}

const copy = filled();
const asked = names.slice(0, 20_000);
const plain = new Map(names.map((name) => [name, true]));
const check = (name) => copy.look(name, "newsletter", "email", "shop", null);
const feed = () => {
  const items = asked.map((name, number) => {
    const about = { purpose: "newsletter", channel: "email", brand: "shop", state_version: 2 };
    return { seq: copy.seq + 1 + number, type: "consent.withdrawn", subject_ref: refFor(name), ...about };
  });
  const page = { items, high_water: copy.seq + items.length, as_of: AS_OF };
  const began = process.hrtime.bigint();
  copy.apply(page, copy.mark());
  return Number(process.hrtime.bigint() - began) / items.length;
};
const found = {
  map_ns: best((name) => plain.get(name), asked),
  check_ns: best(check, asked),
  check_hashing_ns: best(check, asked, 15, () => copy.table.keys.clear()),
  delta_ns: Math.min(...Array.from({ length: 10 }, feed)),
};
for (const name of Object.keys(found)) found[name] = Math.round(found[name]);
console.log(process.argv.includes("--json") ? JSON.stringify(found) : found);
