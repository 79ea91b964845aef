// Step 1 of a receipt's verification (docs/formats.md, section 13): the file's bytes become a
// receipt of exactly the keys and values that are allowed. Nothing is proved here.

import { decodeEntry } from "./log.js";
import { isObject } from "./manifest.js";
import { parseStrict } from "./strict_json.js";

const MAX_BYTES = 4_194_304;
const MAX_SHOWN = 10_000;
const CONTRACT = /^eip155:(?:0|[1-9][0-9]{0,19}):0x[0-9a-f]{40}$/;

// The receipt: entries decoded, each with its `shown` manifest and its `path`; hashes and bytes
// in hexadecimal without 0x. SyntaxError or RangeError where it does not read.
export function readReceipt(bytes) {
  need(bytes.length <= MAX_BYTES, `more than ${MAX_BYTES} bytes`);
  const receipt = parseStrict(bytes);
  const [shows, reported] = ["clause", "reports"].map((name) => isObject(receipt) && name in receipt);
  const [more, further] = [shows ? "clause " : "", reported ? " reports" : ""];
  keys(receipt, `checkpoint ${more}contract entries member${further} schema state`, "the receipt");
  need(receipt.schema === "policy-registry/receipt/1", "its schema is not policy-registry/receipt/1");
  need(isText(receipt.contract) && CONTRACT.test(receipt.contract), "its contract is not CAIP-10 in lower case");
  return {
    contract: receipt.contract,
    checkpoint: checkpoint(receipt.checkpoint),
    entries: list(receipt.entries, shownEntry, 1),
    member: receipt.member === null ? null : member(receipt.member),
    state: receipt.state === null ? null : state(receipt.state),
    reports: reported ? list(receipt.reports, shownReport, 1) : [],
    clause: shows ? clausePart(receipt.clause) : null,
  };
}

function clausePart(value) {
  keys(value, "clauses entry index size", "the clauses' part");
  const [entry, index, size] = [value.entry, value.index, value.size].map(count);
  const clauses = list(value.clauses, shownClause, 1);
  need(clauses.length <= MAX_SHOWN, `more than ${MAX_SHOWN} clauses`);
  return { entry, index, size, clauses };
}

function shownClause(value) {
  keys(value, "label path salt text", "a shown clause");
  const salt = value.salt === null ? null : hash(value.salt);
  return { label: text(value.label), text: text(value.text), salt, path: list(value.path, hash) };
}

function checkpoint(value) {
  keys(value, "block root size", "the checkpoint");
  return { size: count(value.size), root: hash(value.root), block: block(value.block) };
}

function shownEntry(value) {
  keys(value, "block entry manifest path transaction", "a shown entry");
  block(value.block);
  hash(prefixed(value.transaction));
  const shown = value.manifest === null ? null : text(value.manifest);
  need(isText(value.entry), "an entry is no text");
  return { ...decodeEntry(value.entry), shown, path: list(value.path, hash) };
}

function shownReport(value) {
  keys(value, "entry path", "a shown report");
  need(isText(value.entry), "an entry is no text");
  return { ...decodeEntry(value.entry), path: list(value.path, hash) };
}

function member(value) {
  keys(value, "entry index manifest path size", "the member");
  const [entry, index, size] = [value.entry, value.index, value.size].map(count);
  return { entry, index, size, manifest: text(value.manifest), path: list(value.path, hash) };
}

function state(value) {
  keys(value, "account header storage", "the state proof");
  return {
    header: prefixed(value.header),
    account: list(value.account, prefixed),
    storage: list(value.storage, prefixed),
  };
}

function block(value) {
  keys(value, "hash number", "a block");
  return { number: count(value.number), hash: hash(prefixed(value.hash)) };
}

function need(holds, what) {
  if (!holds) throw new SyntaxError(what);
}

const isText = (value) => typeof value === "string";

function keys(value, names, what) {
  const its = isObject(value) ? Object.keys(value).sort().join(" ") : null;
  need(its === names, `${what} has not exactly the keys ${names}`);
}

function list(value, item, least = 0) {
  need(Array.isArray(value) && value.length >= least, `a list of at least ${least} is not there`);
  return value.map((each) => item(each));
}

function count(value) {
  need(Number.isSafeInteger(value) && value >= 0, "a count is no whole number from 0");
  return value;
}

function text(value) {
  need(isText(value) && !/\p{Cs}/u.test(value), "a text is none, or has half a surrogate pair");
  return value;
}

function hash(value) {
  need(isText(value) && /^[0-9a-f]{64}$/.test(value), "a hash is not 32 bytes of lower-case hexadecimal");
  return value;
}

// The digits after 0x.
function prefixed(value) {
  const isHex = isText(value) && value.length % 2 === 0 && /^0x[0-9a-f]*$/.test(value);
  need(isHex, "bytes are not 0x and lower-case hexadecimal");
  return value.slice(2);
}
