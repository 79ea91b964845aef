// What a receipt shows, in words: for the page and for the command. Values in, sentences out.

import { UNSETTLED, dateOf, standingOn } from "./standing.js";
import { doubtedBy } from "./receipt.js";
import { CLOSED, DOUBTED, closedShortly, closing, lastDayUnknown, standingWord } from "./words.js";

// Text that others wrote, on one line: characters that end, turn or erase a line could forge an answer.
export const visible = (text) =>
  text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );

// The steps of section 13, as they read once they hold. With no contract given there is nothing
// to compare in the second.
export const stepsWith = (contract) => [
  "the receipt reads",
  contract ? "it is of the contract that you gave" : "it names a contract, which is for you to compare",
  "its block is the one that you trust",
  "the contract is in that block's state",
  "the log and the policy are in the contract's storage",
  "the receipt's log is the contract's",
  "each of its entries is in that log",
  "they are the policy's acts from the first on, none left out",
  "the contract agrees on the latest act",
  "each manifest shown is the one that was registered",
  "the file is one of these entries' documents, or what the shown clauses say",
  "what it is worth on the date",
  "the clauses that it shows are the document's",
];
const ROLES = {
  document: "byte for byte the registered file",
  rendition: "another form of the document, named by its manifest",
  member: "a member of the registered collection",
  clauses: "says what these clauses do, and is no more of the document",
  "member clauses": "says what these clauses of a member of the collection do, and is no more of it",
};

// What verifyReceipt returned, as said on this day (from 1970-01-01).
// tone: good, warn where the document is authentic but not to be applied on that day, apart where
// this receipt can not tell. holding: the places of the steps that gave an answer.
export function sayShown(verified, day) {
  // Of several entries that brought the file, the one that applies on the day; else the latest.
  const brought = verified.found.map((each) => ({ ...verified, ...each }));
  const applies = (each) => ["in_force", "unknown"].includes(standingOn(day, each));
  const shown = brought.find(applies) ?? brought[0];
  const standing = standingOn(day, shown);
  const doubted = doubtedBy(shown).length > 0;
  const warns = doubted && standing === "in_force";
  return {
    standing,
    doubted,
    title: shown.manifest?.title ?? {},
    tone: warns ? "warn" : { in_force: "good", closed: "apart", unknown: "apart" }[standing] ?? "warn",
    holding: [...Array(11).keys(), ...(UNSETTLED.includes(standing) ? [] : [11]), ...(shown.labels.length ? [12] : [])],
    state: stateOf(standing, dateOf(day)) + (doubted ? ", by a key reported compromised" : ""),
    explanation: explain(standing, shown) + (doubted ? ` ${DOUBTED}` : ""),
    facts: factsOf(shown),
  };
}

function stateOf(standing, on) {
  switch (standing) {
    case "in_force": return `Authentic, and in force on ${on}`;
    case "amended": return `Authentic, but not the document that applies on ${on}`;
    case "outdated": return "Authentic, but older than the policy's latest act";
    case "closed": return CLOSED;
    case "unknown": return lastDayUnknown(on);
    default: return `Authentic, but ${standingWord(standing)} on ${on}`;
  }
}

function explain(standing, { entry, role, version, versions, later, closed, checkpoint }) {
  const { number } = checkpoint.block;
  const what = { member: "This is a member of a collection, ", clauses: "These are clauses of ", "member clauses": "These are clauses of a member of a collection, " }[role] ?? "This is ";
  switch (standing) {
    case "closed":
      return closing(closed, number);
    case "outdated":
      return `${what}version ${version}. By block ${number} the policy had ${later} later ` +
        `${later === 1n ? "act" : "acts"}, which this receipt does not show: ask for a newer one.`;
    case "unknown":
      return `The document is authentic. The receipt does not show the manifest of entry ${entry.index}, which ` +
        "may say when it ended: ask for a receipt with it.";
    default:
      return `${what}version ${version} of ${versions}. At block ${number} no later act was recorded.`;
  }
}

function factsOf(shown) {
  const { entry, manifest, ownManifest, role, version, versions, latest, later, checkpoint, status, closed } = shown;
  const { block } = checkpoint;
  const own = role.startsWith("member") ? manifest : null;
  const until = entry.shown === null ? "not known: the receipt does not show its manifest" : ownManifest?.effective_to;
  return [
    ["Published by", entry.authority],
    ["Number", manifest?.number ?? `not shown; its SHA-256 is ${entry.number}`],
    ["Version", latest ? `${version} of ${versions}` : `${version}; of how many, this receipt does not say`],
    ["File", ROLES[role]],
    ["Clauses shown", shown.labels.join(", ") || null],
    ["Applies from", own?.effective_from ?? dateOf(entry.effectiveOn)],
    ["Applies until", own?.effective_to ?? until ?? null],
    ["Later acts", latest ? null : `${later}, which this receipt does not show`],
    ["Policy's status", `${standingWord(status)}, by its latest act at block ${block.number}`],
    ["Registry", closed && closedShortly(closed)],
    ...shown.marks.map((mark) => ["Reported key", reportedKey(mark)]),
    ["Recorded", `${timeOf(entry.recordedAt)}, entry ${entry.index}, by 0x${entry.registrar}`],
    ["Block", `${block.number}, 0x${block.hash}`],
    ["Log root", `${checkpoint.root}, of ${checkpoint.size} entries`],
  ];
}

function reportedKey({ entry, report }) {
  const since = timeOf(BigInt(`0x${report.document ?? "0"}`));
  return (
    `entry ${entry.index} was recorded by 0x${entry.registrar}, reported compromised since ${since} by ` +
    `${report.authority} in entry ${report.index}`
  );
}

function timeOf(seconds) {
  const time = new Date(Number(seconds) * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} s from 1970` : time.toISOString().replace(".000Z", "Z");
}
