// Step 12 of a receipt's verification, sections 13 and 11 of docs/formats.md: what the document that
// was shown is worth on a day, as known at the checkpoint. Days are numbers from 1970-01-01. Whoever
// made the receipt chose what it shows, so what is left out never makes a document in force.

import { ACTS } from "./log.js";

const BEGINNING = -(2 ** 31) + 1;
const SECONDS_A_DAY = 86_400n;

// Not what the document is worth, but why this receipt can not say it: the registry was closed and
// goes on elsewhere; there are later acts; a manifest that may name the last day is not shown.
export const UNSETTLED = ["closed", "outdated", "unknown"];

// `shown` is what verifyReceipt returned. A word: in_force, not_yet_in_force, amended, expired,
// suspended, superseded, repealed, withdrawn; or one of UNSETTLED.
export function standingOn(day, shown) {
  const { entry, latest, closed, role, manifest } = shown;
  if (closed !== null) return "closed";
  if (!latest) return "outdated";
  const standing = documentOn(day, shown);
  if (standing !== "in_force") return standing;
  if (entry.shown === null) return "unknown";
  return role.startsWith("member") ? within(day, manifest) : standing;
}

// Of what is in force but for its manifest's own dates.
function within(day, { effective_from: from, effective_to: until }) {
  if (from && day < dayOf(from)) return "not_yet_in_force";
  return until && day > dayOf(until) ? "expired" : "in_force";
}

// Section 11, where the entries are all there are.
function documentOn(day, { entry, entries, ownManifest }) {
  const versions = [];
  for (const each of entries.filter(({ document }) => document !== null)) {
    if (ACTS[each.action].word !== "correct") versions.push({ from: firstDay(each), of: [] });
    const version = versions.at(-1);
    version.of.push({ entry: each, from: Math.max(firstDay(each), version.from) });
  }
  const own = versions.find(({ of }) => of.some((each) => each.entry === entry));
  const applying = versions.findLast(({ from }) => from <= day) ?? earliest(versions);
  const document = applying.of.findLast(({ from }) => from <= day) ?? earliest(applying.of);

  const end = entries.findLast((each) => each.document === null && firstDay(each) <= day);
  if (end && ACTS[end.action].word !== "reinstate") return ACTS[end.action].to;
  if (document.entry === entry) {
    if (applying.from > day) return "not_yet_in_force";
    const until = ownManifest?.effective_to;
    return until && dayOf(until) < day ? "expired" : "in_force";
  }
  const first = own.of.find((each) => each.entry === entry).from;
  return day < first && versions.indexOf(applying) <= versions.indexOf(own) ? "not_yet_in_force" : "amended";
}

// Of the latest recorded among those that apply first.
function earliest(list) {
  const from = Math.min(...list.map((each) => each.from));
  return list.findLast((each) => each.from === from);
}

function firstDay({ action, effectiveOn, recordedAt }) {
  if (effectiveOn !== null) return effectiveOn;
  return ACTS[action].word === "publish" ? BEGINNING : Number(recordedAt / SECONDS_A_DAY);
}

export const dayOf = (date) => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

// A day as YYYY-MM-DD; far from the years that have four digits, in words.
export function dateOf(day) {
  if (day === null) return null;
  const date = new Date(day * 86_400_000);
  if (Number.isNaN(date.getTime())) return `day ${day} from 1970-01-01`;
  return date.toISOString().split("T")[0];
}
