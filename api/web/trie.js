// Ethereum's state: RLP, read strictly, and the walk through a trie's nodes that shows what
// stands at a key, or that nothing does. Source: the yellow paper, appendices B, C and D.

import { bytesOf, hexOf } from "./bytes.js";
import { keccak256 } from "./keccak.js";

const MAX_DEPTH = 8; // a node embedded in others; canonical ones are fewer
const EMPTY_ROOT = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"; // keccak-256(0x80)

// What these bytes encode: a string as Uint8Array, a list as Array. One item and nothing after
// it, every length in its shortest form; RangeError else.
export function decodeRlp(bytes) {
  const { item, end } = itemAt(bytes, 0, bytes.length, 1);
  if (end !== bytes.length) throw new RangeError("bytes after the RLP item");
  return item;
}

function itemAt(bytes, at, limit, depth) {
  if (at >= limit) throw new RangeError("RLP that breaks off");
  const first = bytes[at];
  if (first < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 };
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  let from = at + 1;
  let length = short;
  if (short > 55) {
    from += short - 55;
    if (short > 59 || from > limit) throw new RangeError("an RLP length that can not be");
    // At most four bytes, as arithmetic: bit operators would make the fourth's highest bit a sign.
    length = bytes.subarray(at + 1, from).reduce((sum, byte) => sum * 256 + byte, 0);
    if (bytes[at + 1] === 0 || length < 56) throw new RangeError("an RLP length not in its shortest form");
  }
  const end = from + length;
  if (end > limit) throw new RangeError("RLP that breaks off");
  if (!isList) {
    if (length === 1 && bytes[from] < 0x80) throw new RangeError("an RLP byte not in its shortest form");
    return { item: bytes.subarray(from, end), end };
  }
  if (depth > MAX_DEPTH) throw new RangeError("RLP lists nested too deep");
  const items = [];
  for (let next = from; next < end;) {
    const found = itemAt(bytes, next, end, depth + 1);
    items.push(found.item);
    next = found.end;
  }
  return { item: items, end };
}

// Nodes (in hexadecimal) by their keccak-256. One of fewer than 32 bytes stands inside its parent:
// no hash leads to it, and it is left out.
export const nodesByHash = (nodes) =>
  new Map(nodes.filter((hex) => hex.length >= 64).map(bytesOf).map((node) => [keccak256(node), node]));

// The value at `key` (hexadecimal) of the trie with this root, or null where the nodes show that
// there is none; RangeError where they show neither.
export function lookUp(root, key, nodes) {
  if (root === EMPTY_ROOT) return null;
  let node = resolve(root, nodes);
  for (let rest = key; ;) {
    if (node.length === 17) {
      if (rest === "") return valueIn(node[16]) || null;
      const child = node[parseInt(rest[0], 16)];
      rest = rest.slice(1);
      if (child.length === 0) return null;
      node = Array.isArray(child) ? child : resolve(hashIn(child), nodes);
    } else if (node.length === 2) {
      const path = hexOf(stringIn(node[0]));
      if (!/^(?:[02]0|[13])/.test(path)) throw new RangeError("a trie node without a path");
      const isLeaf = path[0] >= "2";
      const nibbles = path.slice("13".includes(path[0]) ? 1 : 2);
      if (isLeaf) return nibbles === rest ? valueIn(node[1]) : null;
      if (nibbles === "") throw new RangeError("an extension by nothing");
      if (!rest.startsWith(nibbles)) return null;
      rest = rest.slice(nibbles.length);
      node = Array.isArray(node[1]) ? node[1] : resolve(hashIn(node[1]), nodes);
    } else throw new RangeError("a trie node of neither 2 nor 17 items");
  }
}

function resolve(hash, nodes) {
  const found = nodes.get(hash);
  if (!found) throw new RangeError(`the node ${hash} is not there`);
  const node = decodeRlp(found);
  if (!Array.isArray(node)) throw new RangeError("a trie node that is no list");
  return node;
}

function stringIn(item) {
  if (Array.isArray(item)) throw new RangeError("a list where a string belongs");
  return item;
}

function hashIn(item) {
  if (item.length !== 32) throw new RangeError("a trie node's child that is no hash");
  return hexOf(item);
}

const valueIn = (item) => hexOf(stringIn(item));
