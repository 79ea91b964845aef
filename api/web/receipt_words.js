// What a receipt shows, in words: for the page and for the command. Values in, sentences out.

import { dateOf, standingOn } from "./standing.js";
import { standingWord } from "./words.js";

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
  "the file is one of these entries' documents",
  "what it is worth on the date",
];
const ROLES = {
  document: "byte for byte the registered file",
  rendition: "another form of the document, named by its manifest",
  member: "a member of the registered collection",
};

// What verifyReceipt returned, as said on this day (from 1970-01-01).
// tone: good, or warn where the document is authentic but not to be applied on that day.
export function sayShown(verified, day) {
  // Of several versions that brought the file, the one in force on the day; else the latest.
  const brought = verified.found.map((each) => ({ ...verified, ...each }));
  const shown = brought.find((each) => standingOn(day, each) === "in_force") ?? brought[0];
  const standing = standingOn(day, shown);
  const { entry, manifest, version, versions, latest, later, checkpoint, status } = shown;
  const { block } = checkpoint;
  return {
    standing,
    title: manifest?.title ?? {},
    tone: standing === "in_force" ? "good" : "warn",
    state: stateOf(standing, latest, dateOf(day)),
    explanation: latest
      ? `This is version ${version} of ${versions}. At block ${block.number} no later act was recorded.`
      : `This is version ${version}. By block ${block.number} the policy had ${later} later ` +
        `${later === 1n ? "act" : "acts"}, which this receipt does not show: ask for a newer one.`,
    facts: [
      ["Published by", entry.authority],
      ["Number", manifest?.number ?? `not shown; its SHA-256 is ${entry.number}`],
      ["Version", latest ? `${version} of ${versions}` : `${version}; of how many, this receipt does not say`],
      ["File", ROLES[shown.role]],
      ["Applies from", dateOf(entry.effectiveOn)],
      ["Applies until", shown.ownManifest?.effective_to ?? null],
      ["Policy's status", `${standingWord(status)}, by its latest act at block ${block.number}`],
      ["Recorded", `${timeOf(entry.recordedAt)}, entry ${entry.index}, by 0x${entry.registrar}`],
      ["Block", `${block.number}, 0x${block.hash}`],
      ["Log root", `${checkpoint.root}, of ${checkpoint.size} entries`],
    ],
  };
}

function stateOf(standing, latest, on) {
  if (standing === "in_force") return `Authentic, and in force on ${on}`;
  if (standing !== "amended") return `Authentic, but ${standingWord(standing)} on ${on}`;
  return latest ? `Authentic, but not the document that applies on ${on}` : "Authentic, but not the latest act";
}

function timeOf(seconds) {
  const time = new Date(Number(seconds) * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} s from 1970` : time.toISOString().replace(".000Z", "Z");
}
