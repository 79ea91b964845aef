// A receipt, verified from the file, the receipt and a block hash: steps 1 to 11 and 13 of section
// 13 of docs/formats.md, in their order. Nothing is fetched, and nothing is trusted but the block
// hash and the contract that is meant. Step 12, what the document is worth on a date, is not here.

import { bytesOf, hexOf, numberOf, sha256, utf8, wordOf } from "./bytes.js";
import { keccak256 } from "./keccak.js";
import { ACTS, STATUSES, checkpointIn, leafHash, policyIn, policySlot, verifyInclusion } from "./log.js";
import { isObject, numberHash, readManifest } from "./manifest.js";
import { readReceipt } from "./receipt_format.js";
import { clauseLeaf, saysTheSame, textRecord } from "./text.js";
import { decodeRlp, lookUp, nodesByHash } from "./trie.js";

// The step with this number fails: what was to be shown is not so, or not shown.
export class ProofError extends Error {
  constructor(step, message) {
    super(message);
    this.name = "ProofError";
    this.step = step;
  }
}

// The receipt can not answer: this says nothing about the file.
export class NoVerdict extends Error {
  name = "NoVerdict";
}

// What is asked of a file: SHA-256, size, the first two bytes. Its bytes need not be in memory, unless
// the receipt shows clauses and the file may be what they say: then they are its `content`.
export const factsOf = (bytes) => (
  { sha256: sha256(bytes), size: bytes.length, start: hexOf(bytes.subarray(0, 2)), content: bytes }
);

// The block hash or the contract are not even written right: nothing was checked.
export class UsageError extends Error {
  name = "UsageError";
}

// `receipt` is its bytes; `file` its bytes or factsOf them; `blockHash` is that of the block trusted;
// `contract` is CAIP-10, a 0x address, or null: the caller then has to show the answer's
// `contract` to whoever knows which is meant. Returns what was shown, never a yes or no:
//   entry, role      the entry that brought the file, and as what: document, rendition, member; or
//                    clauses, or member clauses, where it only says what the shown ones do
//   labels           the shown clauses' labels; none where none are shown
//   manifest         the file's, null where the receipt shows none; ownManifest is the entry's
//   version, current its version, and whether no later one (nor a correction) was recorded
//   versions         how many versions the receipt shows
//   latest, later    whether the receipt shows all of the policy's acts; how many it does not
//   status           the policy's, at the checkpoint's block
//   closed           null, or where the registry was closed its successor: an address, 0 for none
//   marks            what keys recorded that were reported compromised: { entry, report }, by those
//                    reports that the receipt shows; doubtedBy tells what they are to an entry
//   contract, checkpoint, entries
// Throws ProofError, NoVerdict or UsageError.
export function verifyReceipt({ receipt: bytes, file, blockHash, contract = null }) {
  const trusted = /^0x([0-9a-f]{64})$/i.exec(blockHash)?.[1].toLowerCase();
  if (!trusted) throw new UsageError("A block hash is 0x and 64 hexadecimal characters.");
  const meant = contract?.toLowerCase() ?? null;
  if (meant !== null && !/^(eip155:[0-9]+:)?0x[0-9a-f]{40}$/.test(meant)) {
    throw new UsageError("A contract is 0x and 40 hexadecimal characters, after eip155:CHAIN: or alone.");
  }
  const receipt = inStep(1, "this is no receipt", () => readReceipt(bytes));
  const { contract: own, entries, checkpoint, state, reports } = receipt;
  need(2, meant === null || isMeant(own, meant), `the receipt is of ${own}, not of ${contract}`);
  if (state === null) throw new NoVerdict("The receipt holds no state proof, so a block hash can not vouch for it.");
  const stateRoot = inStep(3, "the block's header", () => stateRootIn(state.header, checkpoint.block, trusted));
  const storageRoot = inStep(4, "the contract's account", () => storageRootIn(receipt, stateRoot));
  const { size, root, closed, policy } = inStep(5, "the contract's storage", () => storageIn(receipt, storageRoot));
  need(6, BigInt(checkpoint.size) === size, `the log had ${size} entries, not ${checkpoint.size}`);
  need(6, checkpoint.root === root, "the log had another root");
  for (const { hex, index, path } of [...entries, ...reports]) {
    inStep(7, `entry ${index}`, () => verifyInclusion(leafHash(hex), index, size, path, root));
  }
  const status = statusAfter(entries);
  const marks = marksOf(entries, reports);
  const later = checkLatest(policy, entries.at(-1), status);
  for (const { shown, manifest, index } of entries) {
    const isIts = shown === null || sha256(utf8(shown)) === manifest;
    need(10, isIts, `the manifest shown for entry ${index} is not its own`);
  }
  const found = findFile(receipt, file instanceof Uint8Array ? factsOf(file) : file);
  checkClauses(receipt);
  const now = { latest: later === 0n, later, status: STATUSES[policy.status], closed };
  return { ...found[0], found, ...now, marks, labels: labelsOf(receipt), contract: own, checkpoint, entries };
}

// Whether a receipt's contract is the one that is meant: CAIP-10, or an address of any chain.
export const isMeant = (own, meant) => [own, own.split(":")[2]].includes(meant.toLowerCase());

function need(step, holds, message) {
  if (!holds) throw new ProofError(step, message);
}

// What `check` gives. What it finds malformed or missing is that this step fails.
function inStep(step, what, check) {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    throw new ProofError(step, `${what}: ${error.message}`);
  }
}

function stateRootIn(header, block, trusted) {
  need(3, keccak256(bytesOf(header)) === trusted, "the receipt is of another block than the one you trust");
  const fields = decodeRlp(bytesOf(header));
  need(3, Array.isArray(fields) && fields.length >= 15 && !fields.some(Array.isArray), "that is no block's header");
  need(3, fields[3].length === 32, "the header's state root is no hash");
  const number = numberOf(hexOf(fields[8]));
  need(3, block.hash === trusted && BigInt(block.number) === number, `the checkpoint is not of block ${number}`);
  return hexOf(fields[3]);
}

function storageRootIn({ contract, state }, stateRoot) {
  const address = bytesOf(contract.slice(-40));
  const value = lookUp(stateRoot, keccak256(address), nodesByHash(state.account));
  need(4, value !== null, "the contract did not exist at this block");
  const account = decodeRlp(bytesOf(value));
  need(4, Array.isArray(account) && account.length === 4 && !account.some(Array.isArray), "that is no account");
  need(4, account[2].length === 32, "the account's storage root is no hash");
  return hexOf(account[2]);
}

// The log's size, root and `closed`, and what the slot of the first entry's policy says.
function storageIn({ state, entries: [{ authorityWord, number }] }, storageRoot) {
  const nodes = nodesByHash(state.storage);
  const read = (slot) => {
    const value = lookUp(storageRoot, keccak256(bytesOf(slot)), nodes);
    if (value === null) return 0n;
    const word = decodeRlp(bytesOf(value));
    const isWord = !Array.isArray(word) && word.length >= 1 && word.length <= 32 && word[0] !== 0;
    need(5, isWord, `slot ${slot} holds no word`);
    return numberOf(hexOf(word));
  };
  const log = checkpointIn((slot) => read(wordOf(slot)));
  return { ...log, policy: inStep(5, "the policy's slot", () => policyIn(read(policySlot(authorityWord, number)))) };
}

// Step 8: these are a policy's first acts. Returns the status that they lead to.
function statusAfter(entries) {
  const [{ authorityWord, number }] = entries;
  let status = "none";
  let before = null;
  for (const [at, entry] of entries.entries()) {
    const here = `entry ${entry.index}`;
    need(8, entry.authorityWord === authorityWord && entry.number === number, `${here} is of another policy`);
    need(8, entry.sequence === BigInt(at + 1), `${here} is its policy's act ${entry.sequence}, not ${at + 1}`);
    need(8, entry.previous === before, `${here} names another entry before it than the receipt`);
    need(8, before === null || entry.index > before, `${here} stands before the one that it follows`);
    need(8, entry.action in ACTS, `${here} is no act on a policy`);
    const act = ACTS[entry.action];
    need(8, act.from.includes(status), `${here} can not ${act.word} what is ${status}`);
    need(8, (entry.document !== null) === act.hasDocument, `${here} has a document where none belongs, or none`);
    [status, before] = [act.to, entry.index];
  }
  return status;
}

// Step 8 too: each report marks one of the entries, in the log's order (section 4, reported keys).
// Returns the marked entries, each with the first report about it.
function marksOf(entries, reports) {
  for (const [at, report] of reports.entries()) {
    const here = `entry ${report.index}`;
    need(8, report.action === REPORT, `${here} reports no key`);
    need(8, at === 0 || reports[at - 1].index < report.index, `${here} is not in the log's order`);
    need(8, entries.some((entry) => concerns(report, entry)), `${here} is about none of the entries`);
  }
  const first = (entry) => reports.find((report) => concerns(report, entry));
  return entries.filter(first).map((entry) => ({ entry, report: first(entry) }));
}

const REPORT = 15;

// Whether a report is about an entry: section 4, reported keys.
function concerns(report, { authority, registrar, recordedAt }) {
  const isBelow = authority === report.authority || authority.startsWith(`${report.authority}.`);
  return report.number.slice(24) === registrar && numberOf(report.document ?? "00") <= recordedAt && isBelow;
}

// The marks that an entry's document rests on: its own, and the policy's latest act's.
export const doubtedBy = ({ entry, entries, marks }) =>
  marks.filter((mark) => mark.entry === entry || mark.entry === entries.at(-1));

// Step 9. Returns how many acts came after the last one shown.
function checkLatest(policy, last, status) {
  need(9, policy.sequence >= last.sequence, `the contract knows ${policy.sequence} acts, fewer than the receipt shows`);
  const isHead = policy.head === last.index && policy.recordedAt === last.recordedAt;
  const same = isHead && STATUSES[policy.status] === status;
  need(9, policy.sequence > last.sequence || same, "the contract says other things of the latest act");
  return policy.sequence - last.sequence;
}

// Step 11: the entries that brought the file, and as what, the latest first.
function findFile({ entries, member, clause }, file) {
  const manifests = new Map(entries.map((entry) => [entry, presentManifest(entry)]));
  const withDocument = entries.filter((entry) => entry.document !== null);
  const versionOf = (entry) => entries.filter((each) => each.index <= entry.index && each.action <= 2).length;
  const answer = (entry, role, manifest) => {
    const [version, versions] = [entry, entries.at(-1)].map(versionOf);
    const current = entry === withDocument.at(-1);
    return { entry, role, manifest, ownManifest: manifests.get(entry), version, versions, current };
  };
  const says = clause !== null && file.content && saysTheSame(clause.clauses, file.content);
  const isRendition = (manifest) => (manifest?.renditions ?? []).some((each) => each.sha256 === file.sha256);

  if (member !== null) {
    const entry = entries.find(({ index }) => index === BigInt(member.entry));
    need(11, entry, "the member's entry is not shown");
    const collection = manifests.get(entry)?.collection;
    const members = isObject(collection) ? collection.members : null;
    need(11, Number.isSafeInteger(members) && members >= 1, "the member's entry is no collection");
    need(11, member.size === members, `the collection has ${members} members, not ${member.size}`);
    const [leaf, index, size] = [leafHash(hexOf(utf8(member.manifest))), BigInt(member.index), BigInt(member.size)];
    inStep(11, "the member", () => verifyInclusion(leaf, index, size, member.path, entry.document ?? ""));
    const manifest = readManifest(member.manifest);
    need(11, manifest, "the member's manifest can not be read");
    if (says && member.entry === clause.entry) return [answer(entry, "member clauses", manifest)];
    const isDocument = manifest.document?.sha256 === file.sha256;
    need(11, isDocument || isRendition(manifest), "the member's manifest is of another file");
    return [answer(entry, "member", manifest)];
  }
  if (says) {
    const entry = withDocument.find(({ index }) => index === BigInt(clause.entry));
    need(11, entry, `entry ${clause.entry}, whose clauses it shows, is not shown`);
    return [answer(entry, "clauses", manifests.get(entry))];
  }
  // A collection's document is a root: what has it as its SHA-256 is a leaf or a node of its tree.
  const looksLikeNode = (file.size === 65 && file.start.startsWith("01")) || file.start === "007b";
  const found = [];
  let undecided = false;
  for (const entry of [...withDocument].reverse()) {
    const manifest = manifests.get(entry);
    const isCollection = manifest !== null && "collection" in manifest;
    if (entry.document === file.sha256 && !isCollection) {
      if (manifest !== null || !looksLikeNode) {
        found.push(answer(entry, "document", manifest));
        continue;
      }
      undecided = true;
    }
    if (isRendition(manifest)) found.push(answer(entry, "rendition", manifest));
  }
  if (found.length) return found;
  if (undecided) {
    throw new NoVerdict("Without its manifest, this file can not be told from a part of a collection's tree.");
  }
  throw new ProofError(11, "the file is not one of the policy's documents");
}

// Step 13: the shown clauses are leaves, one after another, of the tree whose root the manifest says.
function checkClauses({ entries, member, clause }) {
  if (clause === null) return;
  const record = textRecord(manifestOfText({ entries, member, clause }));
  need(13, record, `no manifest that is shown says which clauses the document of entry ${clause.entry} has`);
  need(13, record.count === clause.size, `the text has ${record.count} clauses, not ${clause.size}`);
  for (const [at, shown] of clause.clauses.entries()) {
    const [index, size] = [BigInt(clause.index + at), BigInt(clause.size)];
    need(13, (shown.salt !== null) === record.isSalted, "a clause is salted, or is not, against its manifest");
    inStep(13, `the clause ${shown.label}`, () => verifyInclusion(clauseLeaf(shown), index, size, shown.path, record.root));
  }
}

// The manifest that tells of the text: the member's own, or that of the entry's own document.
function manifestOfText({ entries, member, clause }) {
  const own = member !== null && member.entry === clause.entry ? readManifest(member.manifest) : null;
  const entry = entries.find(({ index }) => index === BigInt(clause.entry));
  const manifest = member === null && entry ? presentManifest(entry) : own;
  const named = manifest?.document?.sha256;
  if (!named || "collection" in manifest) return null;
  return member === null && entry.document !== null && named !== entry.document ? null : manifest;
}

const labelsOf = ({ clause }) => (clause?.clauses ?? []).map(({ label }) => label);

// The entry's manifest where it is `present` (section 10), else null. Step 10 was its SHA-256.
function presentManifest({ shown, authority, number }) {
  const manifest = shown === null ? null : readManifest(shown);
  return manifest?.authority === authority && numberHash(manifest.number) === number ? manifest : null;
}
