// Answers a list of jobs (standard input, JSON) with a list of answers, in one process.

import { readFileSync } from "node:fs";
import { bytesOf, hexOf } from "../../api/web/bytes.js";
import { keccak256 } from "../../api/web/keccak.js";
import { decodeEntry, leafHash, verifyInclusion } from "../../api/web/log.js";
import { readManifest } from "../../api/web/manifest.js";
import { NoVerdict, ProofError, doubtedBy, verifyReceipt } from "../../api/web/receipt.js";
import { standingOn } from "../../api/web/standing.js";
import { parseStrict } from "../../api/web/strict_json.js";
import { bodyOf, normal } from "../../api/web/text.js";
import { decodeRlp } from "../../api/web/trie.js";

const fromBase64 = (text) => new Uint8Array(Buffer.from(text, "base64"));
const inHex = (item) => (Array.isArray(item) ? item.map(inHex) : hexOf(item));
const actOf = (act) => ({ ...act, recordedAt: BigInt(act.recordedAt) });

const JOBS = {
  receipt({ receipt, file, block_hash: blockHash, contract }) {
    try {
      const shown = verifyReceipt({ receipt: fromBase64(receipt), file: fromBase64(file), blockHash, contract });
      const { entry, latest, later, status, role, version, versions, current } = shown;
      return {
        expected: null, entry: Number(entry.index), latest, later: Number(later), status, role, version, versions,
        current, contract: shown.contract, marked: shown.marks.map((mark) => Number(mark.entry.index)),
        doubted: doubtedBy(shown).length > 0,
      };
    } catch (error) {
      if (error instanceof ProofError) return { expected: error.step, why: error.message };
      if (error instanceof NoVerdict) return { expected: "no verdict", why: error.message };
      throw error;
    }
  },
  inclusion({ leaf_hash, index, size, path, root }) {
    try {
      return verifyInclusion(leaf_hash, BigInt(index), BigInt(size), path, root) ?? null;
    } catch (error) {
      if (error instanceof RangeError) return Number(error.message.split(":")[0]);
      throw error;
    }
  },
  entry({ hex }) {
    const entry = decodeEntry(hex);
    return {
      ...entry, index: String(entry.index), previous: entry.previous === null ? null : String(entry.previous),
      sequence: Number(entry.sequence), recordedAt: String(entry.recordedAt), leafHash: leafHash(hex),
    };
  },
  keccak: ({ hex }) => keccak256(bytesOf(hex)),
  rlp: ({ hex }) => inHex(decodeRlp(bytesOf(hex))),
  json: ({ content }) => ({ value: parseStrict(fromBase64(content)) }),
  clause: ({ label, text }) => [normal(text), bodyOf({ label, text })],
  manifest: ({ text }) => readManifest(text) !== null,
  standing({ day, entry, entries, ...shown }) {
    const acts = entries.map(actOf);
    return standingOn(day, { ...shown, entries: acts, entry: acts[entry] });
  },
};

// An error that a job's own answers do not foresee is the answer "refused: NAME".
function answer({ kind, ...job }) {
  try {
    return JOBS[kind](job);
  } catch (error) {
    return `refused: ${error.name}`;
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(answer)));
