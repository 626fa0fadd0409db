import assert from "node:assert/strict";
import { test } from "node:test";
import { keyed } from "../src/blake2b.js";
import { refOf } from "../src/table.js";

// Computed with hashlib.blake2b(message, digest_size=8, key=key) of Python 3.11; message i is i * 13 mod 256, key i * 7
const VECTORS = [
  [1, 0, "cecf93042b9a9a1b", "r_z3hzgbbltknbw"],
  [1, 1, "1a4daf9242b985d2", "r_djg27escxgc5e"],
  [1, 26, "029f06b7bd6f81c9", "r_akpqnn55n6a4s"],
  [1, 127, "e0008f66beee20d7", "r_4aai6zv65yqno"],
  [1, 128, "f4e29da6342bc41a", "r_6trj3jrufpcbu"],
  [1, 129, "666266e35f3fbb8c", "r_mzrgny27h65yy"],
  [1, 256, "609d2ca970672754", "r_mcoszklqm4tvi"],
  [1, 257, "1d7eb33c1ebe20a8", "r_dv7lgpa6xyqkq"],
  [1, 1000, "cddba36715951497", "r_zxn2gzyvsukjo"],
  [32, 0, "267c8477d9b39854", "r_ez6ii56zwomfi"],
  [32, 1, "aa5e794e0bf59a59", "r_vjphstql6wnfs"],
  [32, 26, "b25779b63cf8e631", "r_wjlxtnr47dtdc"],
  [32, 127, "0198537460b565ae", "r_agmfg5dawvs24"],
  [32, 128, "817a098bc5f2f3c8", "r_qf5atc6f6lz4q"],
  [32, 129, "e832187679ddb75b", "r_5azbq5tz3w3vw"],
  [32, 256, "bc276a06e8598eb6", "r_xqtwubxilghlm"],
  [32, 257, "cd33240afff7ade6", "r_zuzsicx766w6m"],
  [32, 1000, "819f57f03e7e8a7f", "r_qgpvp4b6p2fh6"],
  [64, 0, "158b981a243cc587", "r_cwfzqgrehtcyo"],
  [64, 1, "58b95dffb64fb9bc", "r_lc4v375wj643y"],
  [64, 26, "6aa2cb486fcf62ff", "r_nkrmwsdpz5rp6"],
  [64, 127, "a7cd1cfcbd055a0f", "r_u7grz7f5avna6"],
  [64, 128, "e8c515bedc7da74a", "r_5dcrlpw4pwtuu"],
  [64, 129, "79c87aeaa9df2a7e", "r_phehv2vj34vh4"],
  [64, 256, "3a5a6cb5e045a07e", "r_hjngznpaiwqh4"],
  [64, 257, "0e6068c1dfb020a8", "r_bzqgrqo7waqkq"],
  [64, 1000, "dde838cfc5ff0ef8", "r_3xudrt6f74hpq"],
];
const bytes = (length, step) => Uint8Array.from({ length }, (_, at) => at * step);

for (const [keyLength, length, expected, ref] of VECTORS) {
  test(`a key of ${keyLength} and a message of ${length} bytes`, () => {
    const digest = keyed(bytes(keyLength, 7))(bytes(length, 13));
    assert.equal(Buffer.from(digest).toString("hex"), expected);
    assert.equal(refOf(digest), ref);
  });
}

test("one function hashes many messages, none of which changes the next", () => {
  const hash = keyed(bytes(32, 7));
  const first = hash(bytes(300, 13));
  hash(bytes(5, 1));
  hash(bytes(0, 1));
  assert.deepEqual(hash(bytes(300, 13)), first);
});
