// Keyed BLAKE2b with 8 bytes of digest (RFC 7693). Neither Web Crypto nor Node's crypto offers a key and a short digest,
// and a truncated long digest is another function. 64-bit words are pairs of 32-bit numbers, low half first.

const BLOCK = 128;
const DIGEST = 8;

const IV = Uint32Array.of(
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
  0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
);

const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
// Rounds 10 and 11 use the first two rows again; words are at twice their number
const ROUNDS = [...SIGMA, SIGMA[0], SIGMA[1]].map((row) => Uint8Array.from(row, (word) => 2 * word));

const state = new Uint32Array(32);
const words = new Uint32Array(32);

function add(to, lo, hi) {
  const low = state[to] + lo;
  state[to + 1] = state[to + 1] + hi + (low > 0xffffffff ? 1 : 0);
  state[to] = low;
}

function mix(a, b, c, d, x, y) {
  add(a, state[b], state[b + 1]);
  add(a, words[x], words[x + 1]);
  let lo = state[d] ^ state[a];
  let hi = state[d + 1] ^ state[a + 1];
  state[d] = hi; // rotated by 32
  state[d + 1] = lo;
  add(c, state[d], state[d + 1]);
  lo = state[b] ^ state[c];
  hi = state[b + 1] ^ state[c + 1];
  state[b] = (lo >>> 24) | (hi << 8);
  state[b + 1] = (hi >>> 24) | (lo << 8);
  add(a, state[b], state[b + 1]);
  add(a, words[y], words[y + 1]);
  lo = state[d] ^ state[a];
  hi = state[d + 1] ^ state[a + 1];
  state[d] = (lo >>> 16) | (hi << 16);
  state[d + 1] = (hi >>> 16) | (lo << 16);
  add(c, state[d], state[d + 1]);
  lo = state[b] ^ state[c];
  hi = state[b + 1] ^ state[c + 1];
  state[b] = (lo << 1) | (hi >>> 31); // rotated by 63
  state[b + 1] = (hi << 1) | (lo >>> 31);
}

/** One block of 128 bytes into the chain `h`; `total` counts the bytes so far, this block's included. */
function compress(h, block, total, isLast) {
  for (let at = 0; at < 32; at += 1) {
    const byte = 4 * at;
    words[at] = block[byte] | (block[byte + 1] << 8) | (block[byte + 2] << 16) | (block[byte + 3] << 24);
  }
  state.set(h, 0);
  state.set(IV, 16);
  state[24] ^= total >>> 0;
  state[25] ^= Math.floor(total / 0x100000000);
  if (isLast) {
    state[28] = ~state[28];
    state[29] = ~state[29];
  }
  for (const row of ROUNDS) {
    mix(0, 8, 16, 24, row[0], row[1]);
    mix(2, 10, 18, 26, row[2], row[3]);
    mix(4, 12, 20, 28, row[4], row[5]);
    mix(6, 14, 22, 30, row[6], row[7]);
    mix(0, 10, 20, 30, row[8], row[9]);
    mix(2, 12, 22, 24, row[10], row[11]);
    mix(4, 14, 16, 26, row[12], row[13]);
    mix(6, 8, 18, 28, row[14], row[15]);
  }
  for (let at = 0; at < 16; at += 1) h[at] ^= state[at] ^ state[at + 16];
}

/** A function from bytes to their eight bytes of keyed BLAKE2b. The key has 1 to 64 bytes. */
export function keyed(key) {
  if (key.length < 1 || key.length > 64) throw new RangeError("a key has 1 to 64 bytes");
  const begun = IV.slice();
  begun[0] ^= DIGEST | (key.length << 8) | 0x01010000;
  const first = new Uint8Array(BLOCK);
  first.set(key);
  const afterKey = begun.slice();
  compress(afterKey, first, BLOCK, false);
  const block = new Uint8Array(BLOCK);
  const h = new Uint32Array(16);
  return (bytes) => {
    if (bytes.length === 0) {
      h.set(begun);
      compress(h, first, BLOCK, true);
    } else {
      h.set(afterKey);
      for (let at = 0; at < bytes.length; at += BLOCK) {
        const end = Math.min(at + BLOCK, bytes.length);
        block.fill(0);
        block.set(bytes.subarray(at, end));
        compress(h, block, BLOCK + end, end === bytes.length);
      }
    }
    const out = new Uint8Array(DIGEST);
    for (let at = 0; at < DIGEST; at += 1) out[at] = h[at >> 2] >>> (8 * (at & 3));
    return out;
  };
}
