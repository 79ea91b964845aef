// A manifest's bytes, as section 10 of docs/formats.md has readers take them.
//
// All of the table matters, also for what is never shown: whether an entry's manifest is present
// decides what a file can be (step 11), so two readers have to agree on it.

import { sha256, utf8 } from "./bytes.js";
import { parseStrict } from "./strict_json.js";

// Section 2. \p{Cs} are surrogates that pair with none.
const REFUSED =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}\p{Noncharacter_Code_Point}]/u;
// Not \s, which takes U+FEFF for white space.
const SPACE = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
const OUTER_SPACE = new RegExp(`^[${SPACE}]|[${SPACE}]$`);
const ONLY_SPACE = new RegExp(`^[${SPACE}\\t\\n]*$`);
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;
const JURISDICTION = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/;
const DIGEST = /^[0-9a-f]{64}$/;
const RELATIONS = new Set([
  "amends", "cites", "consolidates", "corrects", "endorses", "forwards", "implements", "repeals",
  "superseded_by",
]);

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isText = (value) => typeof value === "string";
const matches = (pattern) => (value) => isText(value) && pattern.test(value);
const orNull = (rule) => (value) => value === null || rule(value);
const orAbsent = (rule) => (value) => value === undefined || rule(value);
const listOf = (rule) => (value) => Array.isArray(value) && value.every(rule);

// SHA-256 of the number in NFC, or null where it is no number.
export function numberHash(text) {
  const number = text.normalize("NFC");
  const bytes = utf8(number);
  const isNumber = bytes.length > 0 && bytes.length <= 256 &&
    !REFUSED.test(number) && !OUTER_SPACE.test(number) && !/[\t\n]/.test(number);
  return isNumber ? sha256(bytes) : null;
}

function isDay(value) {
  if (!matches(/^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$/)(value)) return false;
  const day = new Date(`${value}T00:00:00Z`); // February 30 becomes another day, or none
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

const isFile = (value) =>
  isObject(value) && matches(DIGEST)(value.sha256) &&
  (value.size === undefined || value.size === null || (Number.isSafeInteger(value.size) && value.size >= 0));

const isRelation = (value) =>
  isObject(value) && RELATIONS.has(value.type) &&
  (value.policy === undefined || value.policy === null
    ? isText(value.citation) && value.citation !== ""
    : matches(DIGEST)(value.policy));

const isTitle = (value) =>
  isObject(value) && Object.keys(value).length > 0 &&
  Object.entries(value).every(([language, text]) =>
    LANGUAGE.test(language) && isText(text) && !ONLY_SPACE.test(text));

const TABLE = {
  schema: (value) => value === "policy-registry/manifest/1",
  authority: matches(/./s),
  action: matches(/./s),
  number: (value) => isText(value) && numberHash(value) !== null,
  title: isTitle,
  type: orAbsent(isText),
  reason: orAbsent(isText),
  source: orAbsent(isText),
  jurisdiction: orAbsent(orNull(matches(JURISDICTION))),
  issued: orAbsent(orNull(isDay)),
  effective_from: orAbsent(orNull(isDay)),
  effective_to: orAbsent(orNull(isDay)),
  issued_month: orAbsent(orNull(matches(/^[0-9]{4}-(0[1-9]|1[0-2])$/))),
  document: orAbsent(isFile),
  renditions: orAbsent(listOf(isFile)),
  relations: orAbsent(listOf(isRelation)),
};

// Whether a text, or any key or text within the value, has a refused character.
function hasRefused(value) {
  if (isText(value)) return REFUSED.test(value);
  if (Array.isArray(value)) return value.some(hasRefused);
  return isObject(value) && Object.entries(value).some(([key, each]) => REFUSED.test(key) || hasRefused(each));
}

// The manifest in this text, or null where readers refuse it.
export function readManifest(text) {
  let value;
  try {
    value = parseStrict(utf8(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (!isObject(value) || hasRefused(value)) return null;
  if (!Object.entries(TABLE).every(([key, rule]) => rule(value[key]))) return null;
  const { effective_from: from, effective_to: to } = value;
  return from && to && to < from ? null : value;
}
