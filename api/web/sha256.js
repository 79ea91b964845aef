// SHA-256 (FIPS 180-4), incremental: for files too large to be in memory at once, and for
// pages on plain http, where browsers withhold crypto.subtle.

// Signed words: engines keep them as machine integers, and the bits are the same.
const K = new Int32Array(64);
const INITIAL = new Int32Array(8);

// The first 64 primes: K from the fractions of their cube roots, the initial state from
// those of the first eight's square roots, 32 bits each.
for (let n = 2, found = 0; found < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
  if (!prime) continue;
  if (found < 8) INITIAL[found] = fraction(n, 2n);
  K[found++] = fraction(n, 3n);
}

// floor(n^(1/k) · 2^32) modulo 2^32, by bisection on whole numbers.
function fraction(n, k) {
  const target = BigInt(n) << (32n * k);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** k <= target) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
}

export class Sha256 {
  #state = INITIAL.slice();
  #schedule = new Int32Array(64);
  #tail = new Uint8Array(64);
  #inTail = 0;
  #length = 0; // bytes; exact to 2^53

  update(bytes) {
    this.#length += bytes.length;
    let at = 0;
    if (this.#inTail > 0) {
      at = Math.min(64 - this.#inTail, bytes.length);
      this.#tail.set(bytes.subarray(0, at), this.#inTail);
      this.#inTail += at;
      if (this.#inTail < 64) return this;
      this.#compress(this.#tail, 0, 64);
    }
    const whole = at + Math.floor((bytes.length - at) / 64) * 64;
    this.#compress(bytes, at, whole);
    this.#tail.set(bytes.subarray(whole));
    this.#inTail = bytes.length - whole;
    return this;
  }

  // The digest in hexadecimal; nothing may be added afterwards.
  hex() {
    const padding = new Uint8Array(this.#inTail < 56 ? 64 : 128);
    padding.set(this.#tail.subarray(0, this.#inTail));
    padding[this.#inTail] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(this.#length / 0x20000000));
    view.setUint32(padding.length - 4, (this.#length * 8) >>> 0);
    this.#compress(padding, 0, padding.length);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #compress(bytes, from, to) {
    const w = this.#schedule;
    const state = this.#state;
    for (let at = from; at < to; at += 64) {
      for (let i = 0, j = at; i < 16; i++, j += 4) {
        w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
      }
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15];
        const y = w[i - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      }
      let a = state[0], b = state[1], c = state[2], d = state[3];
      let e = state[4], f = state[5], g = state[6], h = state[7];
      for (let i = 0; i < 64; i++) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
      }
      state[0] += a; state[1] += b; state[2] += c; state[3] += d;
      state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
  }
}
