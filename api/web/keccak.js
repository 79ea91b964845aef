// Keccak-256 as Ethereum uses it: Keccak-f[1600], rate 136 bytes, and the padding that
// Keccak had before SHA-3 (its first byte is 0x01, not 0x06).

const RATE = 136;

// A lane of 64 bits is two signed words, the lower first.
const CONSTANTS = new Int32Array(48);
const ROTATIONS = new Uint8Array(24);
const TARGETS = new Uint8Array(24);

// Round constants from Keccak's shift register (x^8 + x^6 + x^5 + x^4 + 1): bit 2^j - 1 of a
// round's constant is the register's next output.
for (let round = 0, register = 1; round < 24; round++) {
  for (let j = 0; j < 7; j++) {
    const bit = 2 ** j - 1;
    if (register & 1) CONSTANTS[2 * round + (bit >> 5)] ^= 1 << (bit & 31);
    register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
  }
}
// rho and pi as one walk over the 24 lanes other than the first.
for (let step = 0, x = 1, y = 0; step < 24; step++) {
  [x, y] = [y, (2 * x + 3 * y) % 5];
  TARGETS[step] = 2 * (x + 5 * y);
  ROTATIONS[step] = (((step + 1) * (step + 2)) / 2) % 64;
}

// The digest in hexadecimal.
export function keccak256(bytes) {
  const state = new Int32Array(50);
  const padded = new Uint8Array(Math.floor(bytes.length / RATE + 1) * RATE);
  padded.set(bytes);
  padded[bytes.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const words = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += RATE) {
    for (let i = 0; i < RATE / 4; i++) state[i] ^= words.getInt32(at + 4 * i, true);
    permute(state);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 8; i++) digest.setInt32(4 * i, state[i], true);
  return Array.from(new Uint8Array(digest.buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const column = new Int32Array(10);

function permute(state) {
  for (let round = 0; round < 24; round++) {
    // theta
    for (let i = 0; i < 10; i++) {
      column[i] = state[i] ^ state[i + 10] ^ state[i + 20] ^ state[i + 30] ^ state[i + 40];
    }
    for (let x = 0; x < 10; x += 2) {
      const before = x === 0 ? 8 : x - 2;
      const after = x === 8 ? 0 : x + 2;
      const low = column[before] ^ ((column[after] << 1) | (column[after + 1] >>> 31));
      const high = column[before + 1] ^ ((column[after + 1] << 1) | (column[after] >>> 31));
      for (let i = x; i < 50; i += 10) {
        state[i] ^= low;
        state[i + 1] ^= high;
      }
    }
    // rho and pi; no rotation is by 0 or 32
    let low = state[2];
    let high = state[3];
    for (let step = 0; step < 24; step++) {
      const target = TARGETS[step];
      const by = ROTATIONS[step] & 31;
      const first = (low << by) | (high >>> (32 - by));
      const second = (high << by) | (low >>> (32 - by));
      const swapped = ROTATIONS[step] > 31;
      low = state[target];
      high = state[target + 1];
      state[target] = swapped ? second : first;
      state[target + 1] = swapped ? first : second;
    }
    // chi
    for (let row = 0; row < 50; row += 10) {
      for (let i = 0; i < 10; i++) column[i] = state[row + i];
      for (let i = 0; i < 6; i++) state[row + i] ^= ~column[i + 2] & column[i + 4];
      for (let i = 6; i < 8; i++) state[row + i] ^= ~column[i + 2] & column[i - 6];
      for (let i = 8; i < 10; i++) state[row + i] ^= ~column[i - 8] & column[i - 6];
    }
    // iota
    state[0] ^= CONSTANTS[2 * round];
    state[1] ^= CONSTANTS[2 * round + 1];
  }
}
