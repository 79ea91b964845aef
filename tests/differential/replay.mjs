// The JavaScript verifier's view of a history: NDJSON in, an answer a line out. It keeps the log's
// tree and the policies' chains by itself, from the entries' bytes and what was submitted, and knows
// nothing of roles and signatures.

import { createInterface } from "node:readline";
import { numberOf, sha256, wordOf } from "../../api/web/bytes.js";
import {
  ACTS, STATUSES, ZERO, checkpointIn, decodeEntry, leafHash, policyIn, policySlot, verifyInclusion,
} from "../../api/web/log.js";

// The verifier checks paths, and so makes none and keeps no tree: these are the peaks of one.
const peaks = [];
let size = 0n;

function append(leaf) {
  let node = leaf;
  for (let rest = size; rest % 2n === 1n; rest >>= 1n) node = sha256("01", peaks.pop(), node);
  peaks.push(node);
  size += 1n;
}

const root = () => (peaks.length === 0 ? sha256() : peaks.reduceRight((right, left) => sha256("01", left, right)));

// A policy's state by its authority's word and number; the latest act of authorities by the same two.
const policies = new Map();
const acts = new Map();
const UNPUBLISHED = { status: "none", sequence: 0n, head: null };
const policyOf = (known, authority, number) => known.get(authority + number) ?? UNPUBLISHED;

// Why `act` can not follow `state`, as the contract's error and its arguments; null where it can.
// Numbers are words, so that no side has to know how another writes them.
function refusal(state, act) {
  const given = [act.authority, act.number];
  const rule = ACTS[act.action];
  const expected = state.sequence + 1n;
  if (act.sequence !== expected) return ["SequenceMismatch", ...given, wordOf(expected), wordOf(act.sequence)];
  if (!rule?.from.includes(state.status)) {
    return ["InvalidTransition", ...given, wordOf(STATUSES.indexOf(state.status)), wordOf(act.action)];
  }
  if (rule.hasDocument && act.document === ZERO) return ["DocumentRequired", ...given, wordOf(act.action)];
  if (!rule.hasDocument && act.document !== ZERO) {
    return ["DocumentForbidden", ...given, wordOf(act.action), act.document];
  }
  return act.manifest === ZERO ? ["ManifestRequired", ...given] : null;
}

// The first submission that its policy can not take, after the ones before it.
function firstRefusal(submissions) {
  const reached = new Map();
  for (const [position, words] of submissions.entries()) {
    const [authority, number, sequence, action, , document, manifest] = words;
    const count = numberOf(sequence);
    const act = { authority, number, sequence: count, action: Number(numberOf(action)), document, manifest };
    const state = reached.get(authority + number) ?? policyOf(policies, authority, number);
    const found = refusal(state, act);
    if (found) return { position, refusal: found };
    reached.set(authority + number, { status: ACTS[act.action].to, sequence: act.sequence, head: null });
  }
  return null;
}

// Takes an entry into the log and its chain; RangeError where it does not follow.
function take(hex) {
  const entry = decodeEntry(hex);
  if (entry.index !== size) throw new RangeError(`entry ${entry.index} stands at ${size}`);
  const onPolicy = entry.action in ACTS;
  const chain = onPolicy ? policies : acts;
  const before = policyOf(chain, entry.authorityWord, entry.number);
  const act = { ...entry, authority: entry.authorityWord, document: entry.document ?? ZERO };
  const refused = onPolicy ? refusal(before, act) : null;
  if (refused) throw new RangeError(`entry ${entry.index}: ${refused[0]}`);
  if (entry.previous !== before.head || entry.sequence !== before.sequence + 1n) {
    throw new RangeError(`entry ${entry.index} does not follow entry ${before.head}`);
  }
  const status = onPolicy ? ACTS[entry.action].to : before.status;
  chain.set(entry.authorityWord + entry.number, { status, sequence: entry.sequence, head: entry.index });
  append(leafHash(hex));
  return entry;
}

const shown = (entry) => [
  String(entry.index), entry.previous === null ? null : String(entry.previous), entry.authority, entry.number,
  Number(entry.sequence), entry.action, entry.effectiveOn, entry.document, entry.manifest, entry.registrar,
  String(entry.recordedAt),
];

const JOBS = {
  // What the submissions meet is asked before their entries are taken.
  transaction({ submissions, entries }) {
    const refused = submissions === null ? null : firstRefusal(submissions);
    const taken = entries.map((hex) => shown(take(hex)));
    return { refused, entries: taken, size: String(size), root: root() };
  },
  inclusion({ leaf, index, size: treeSize, path, root: treeRoot }) {
    try {
      return verifyInclusion(leaf, BigInt(index), BigInt(treeSize), path, treeRoot) ?? "included";
    } catch (error) {
      if (error instanceof RangeError) return Number(error.message.split(":")[0]);
      throw error;
    }
  },
  // Storage as a receipt shows it, read by the verifier: the log, and each policy.
  storage({ words, policies: keys }) {
    const read = (slot) => {
      if (!(slot in words)) throw new RangeError(`slot ${slot} is not given`);
      return numberOf(words[slot]);
    };
    const log = checkpointIn((slot) => read(wordOf(slot)));
    const states = keys.map(([authority, number]) => {
      const { status, sequence, head, recordedAt } = policyIn(read(policySlot(authority, number)));
      const followed = policyOf(policies, authority, number);
      const same = STATUSES[status] === followed.status && sequence === followed.sequence
        && (sequence === 0n || head === followed.head);
      return same ? [status, String(sequence), String(head), String(recordedAt)] : "not what the entries lead to";
    });
    return { size: String(log.size), root: log.root, closed: log.closed, states };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, ...job } = JSON.parse(line);
  let answer;
  try {
    answer = JOBS[kind](job);
  } catch (error) {
    answer = `${error.name}: ${error.message}`;
  }
  console.log(JSON.stringify(answer));
}
