// The normal form of text/1, and a clause's leaf in the tree of its document's clauses
// (docs/formats.md). What a clause says is compared and hashed in this form, without its own number.

import { sha256, utf8 } from "./bytes.js";

const NOTHING = /[\u00ad\u180e\u200b\u2060\ufeff\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff]/gu;
const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;
const UNSPACED = "\\u2e80-\\u2fdf\\u3000-\\u30ff\\u3100-\\u312f\\u31a0-\\u33ff\\u3400-\\u4dbf\\u4e00-\\u9fff" +
  "\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff00-\\uffef\\u{20000}-\\u{3ffff}";
const BESIDE = new RegExp(`(?<=[${UNSPACED}]) | (?=[${UNSPACED}])`, "gu");
const FULL_WIDTH = /[\uff01-\uff5e]/gu;
const SALTED = utf8("policy-registry/text/1/salted\0");
const MAX_LABEL_BYTES = 512;

// Unicode is pinned to 16.0 by the format. A browser with an earlier one composes alike all
// characters that it knows; one that it does not know may make a text differ that does not, and
// never the other way round.
export function normal(text) {
  const readable = text.replace(NOTHING, "").normalize("NFC").replace(SPACES, " ").replace(/^ +| +$/g, "");
  const narrow = readable.replace(BESIDE, "").replace(FULL_WIDTH, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0));
  return narrow.normalize("NFC");
}

const WORDS = "(?:articles?|art|sections?|sec|chapter|part|title|§)[.]? ?";
const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const isAlphanumeric = (character) => /^[0-9A-Za-z]$/.test(character);

// A clause's normal form without the number that its label repeats.
export function withoutNumber(label, text) {
  const own = lower(normal(label).replace(/ ?\[[0-9]+\]$/, ""));
  const began = lower(text);
  const starts = [own];
  for (const mark of "(第") {
    for (let at = own.indexOf(mark); at >= 0; at = own.indexOf(mark, at + 1)) starts.push(own.slice(at));
  }
  const number = new RegExp(`^${WORDS}([0-9a-z][^ ]*)$`, "s").exec(own)?.[1];
  if (number) starts.push((new RegExp(`^${WORDS}`).exec(began)?.[0] ?? "") + number, number);
  const ends = (at) => !(isAlphanumeric(text[at - 1]) && isAlphanumeric(text[at] ?? ""));
  const found = starts.find((start) => start && began.startsWith(start) && ends(start.length));
  return found ? text.slice(found.length).replace(/^ +/, "") : text;
}

export const bodyOf = ({ label, text }) => withoutNumber(label, normal(text));

// The leaf of a clause; with its salt, in hexadecimal, if its document is confidential.
export function clauseLeaf(clause) {
  const label = utf8(clause.label);
  if (label.length > MAX_LABEL_BYTES) throw new RangeError("its label is too long");
  const body = utf8(bodyOf(clause));
  const textHash = clause.salt === null ? sha256(body) : sha256(SALTED, clause.salt, body);
  return sha256("00", label.length.toString(16).padStart(4, "0"), label, textHash);
}

// What the manifest says of its document's text; null where it says nothing that can be read.
export function textRecord(manifest) {
  const record = manifest?.text;
  if (record === null || typeof record !== "object" || record.profile !== "text/1") return null;
  const isHash = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
  if (!isHash(record.sha256) || !isHash(record.clauses_root)) return null;
  if (!Number.isSafeInteger(record.clauses) || record.clauses < 0 || record.clauses > 1_000_000) return null;
  if (!["string", "undefined"].includes(typeof (record.extractor ?? undefined))) return null;
  return { root: record.clauses_root, count: record.clauses, isSalted: record.salted === true };
}

// Whether a file of UTF-8 says what these clauses do, and nothing else.
export function saysTheSame(clauses, bytes) {
  let said;
  try {
    said = normal(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return false;
  }
  if (said === normal(clauses.map(({ text }) => text).join("\n"))) return true;
  return clauses.length === 1 && said === bodyOf(clauses[0]);
}
