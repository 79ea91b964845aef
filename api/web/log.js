// The log: its entries (section 4 of docs/formats.md), its tree (5 and 6), its place in the
// contract's storage (7). Hashes and words are hexadecimal, uint64 are BigInt.

import { bytesOf, numberOf, sha256, wordOf } from "./bytes.js";
import { keccak256 } from "./keccak.js";

export const ZERO = "0".repeat(64);
const NONE = 2n ** 64n - 1n;
const NO_DATE = -(2n ** 31n);
const CODE = /^[A-Z0-9]+([.-][A-Z0-9]+)*$/;

export const STATUSES = ["none", "in_force", "suspended", "superseded", "repealed", "withdrawn"];
// The acts on a policy, by action.
export const ACTS = {
  1: { word: "publish", from: ["none"], to: "in_force", hasDocument: true },
  2: { word: "amend", from: ["in_force"], to: "in_force", hasDocument: true },
  3: { word: "correct", from: ["in_force"], to: "in_force", hasDocument: true },
  4: { word: "suspend", from: ["in_force"], to: "suspended", hasDocument: false },
  5: { word: "reinstate", from: STATUSES.slice(2), to: "in_force", hasDocument: false },
  6: { word: "supersede", from: ["in_force", "suspended"], to: "superseded", hasDocument: false },
  7: { word: "repeal", from: ["in_force", "suspended"], to: "repealed", hasDocument: false },
  8: { word: "withdraw", from: ["in_force", "suspended"], to: "withdrawn", hasDocument: false },
};

// The entry in 352 bytes of hexadecimal; RangeError where they are none.
export function decodeEntry(hex) {
  if (!/^[0-9a-f]{704}$/.test(hex)) throw new RangeError("not the 352 bytes of an entry");
  const words = hex.match(/.{64}/g);
  const unsigned = (at, bits) => {
    const value = numberOf(words[at]);
    if (value >= 2n ** bits) throw new RangeError(`word ${at} has more than ${bits} bits`);
    return value;
  };
  const effectiveOn = BigInt.asIntN(256, numberOf(words[6]));
  if (BigInt.asIntN(32, effectiveOn) !== effectiveOn) throw new RangeError("word 6 is no int32");
  const action = unsigned(5, 8n);
  if (action < 1n || action > 18n) throw new RangeError(`there is no action ${action}`);
  const previous = unsigned(1, 64n);
  return {
    hex,
    index: unsigned(0, 64n),
    previous: previous === NONE ? null : previous,
    authorityWord: words[2],
    authority: authorityIn(words[2]),
    number: words[3],
    sequence: unsigned(4, 32n),
    action: Number(action),
    effectiveOn: effectiveOn === NO_DATE ? null : Number(effectiveOn), // days from 1970-01-01
    document: words[7] === ZERO ? null : words[7],
    manifest: words[8],
    registrar: unsigned(9, 160n).toString(16).padStart(40, "0"),
    recordedAt: unsigned(10, 64n),
  };
}

// The code in a word; empty for the registry itself.
function authorityIn(word) {
  const code = String.fromCharCode(...bytesOf(word)).replace(/\0+$/, "");
  if (word !== ZERO && (code.length > 31 || !CODE.test(code))) throw new RangeError("word 2 is no authority's code");
  return word === ZERO ? "" : code;
}

export const leafHash = (hex) => sha256("00", hex);
const nodeHash = (left, right) => sha256("01", left, right);

// Section 6, with its steps in what the RangeError says. Indexes and sizes are BigInt.
export function verifyInclusion(leaf, index, size, path, root) {
  const need = (holds, what) => { if (!holds) throw new RangeError(what); };
  need(index >= 0n && index < size && size <= NONE, "1: the index lies outside of the tree");
  need([leaf, ...path, root].every((hash) => /^[0-9a-f]{64}$/.test(hash)), "2: a hash has not 32 bytes");
  const inner = bits(index ^ (size - 1n));
  need(path.length === inner + ones(index >> BigInt(inner)), "3: the path's length is not that of its place");
  let [node, position, last] = [leaf, index, size - 1n];
  for (const hash of path) {
    if (position % 2n === 1n || position === last) {
      node = nodeHash(hash, node);
      while (position !== 0n && position % 2n === 0n) [position, last] = [position >> 1n, last >> 1n];
    } else node = nodeHash(node, hash);
    [position, last] = [position >> 1n, last >> 1n];
  }
  need(node === root, "4: the path leads to another root");
}

const bits = (number) => (number === 0n ? 0 : number.toString(2).length);
const ones = (number) => number.toString(2).replaceAll("0", "").length;

// Section 7: where a policy's word stands, and what it says.
export const policySlot = (authority, number) =>
  keccak256(bytesOf(number + keccak256(bytesOf(authority + wordOf(65)))));

// RangeError where the number in a policy's slot says what no registry writes.
export function policyIn(number) {
  const policy = {
    status: Number(BigInt.asUintN(8, number)),
    sequence: BigInt.asUintN(32, number >> 8n),
    head: BigInt.asUintN(64, number >> 40n),
    recordedAt: BigInt.asUintN(64, number >> 104n),
  };
  if (policy.sequence === 0n) return policy;
  if (!(policy.status in STATUSES)) throw new RangeError(`there is no status ${policy.status}`);
  if (policy.head === NONE) throw new RangeError("the policy's head is no entry");
  return policy;
}

// The log's size and root, and the successor (0x, zeros where it has none) of a log that was closed,
// else null; `read` gives the number in a slot (a BigInt).
export function checkpointIn(read) {
  const first = read(0n);
  const size = BigInt.asUintN(64, first);
  const isClosed = BigInt.asUintN(8, first >> 64n) !== 0n;
  let root = null;
  for (let level = 0n; level < 64n; level++) {
    if (((size >> level) & 1n) === 0n) continue;
    const peak = wordOf(read(1n + level));
    root = root === null ? peak : nodeHash(peak, root);
  }
  const successor = BigInt.asUintN(160, first >> 72n).toString(16).padStart(40, "0");
  return { size, root: root ?? sha256(), closed: isClosed ? `0x${successor}` : null };
}
