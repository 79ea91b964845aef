#!/usr/bin/env node
// Verifies a document by its receipt and a block hash, with nothing but Node.js: no network, no
// registry. Exit codes: 0 verified and in force today (the UTC day); 1 a step failed; 2 usage; 3 could
// not check, or nothing definite; 4 authentic, but not in force today, or older than the policy's
// latest act.

import { readFile, stat } from "node:fs/promises";
import { ProofError, UsageError, verifyReceipt } from "./receipt.js";
import { sayShown, visible } from "./receipt_words.js";

const CODES = { in_force: 0, closed: 3, unknown: 3 };

function end(code, message) {
  console.error(visible(message));
  process.exit(code);
}

// A pipe would be waited for without end, and be another file the next time.
async function contentOf(path) {
  if (!(await stat(path)).isFile()) throw new UsageError(`${path}: not a regular file`);
  return readFile(path);
}

const [file, receipt, blockHash, contract, ...rest] = process.argv.slice(2);
if (!blockHash || rest.length) end(2, "usage: node verify.mjs FILE RECEIPT BLOCK_HASH [CONTRACT]");
try {
  const [document, proof] = [await contentOf(file), await contentOf(receipt)];
  const shown = verifyReceipt({ receipt: proof, file: document, blockHash, contract });
  const said = sayShown(shown, Math.floor(Date.now() / 86_400_000));
  const facts = [["Title", Object.values(said.title).join(" / ")], ...said.facts, ["Contract", shown.contract]];
  const lines = facts.filter(([, text]) => text).map(([term, text]) => `  ${term}: ${text}`);
  if (!contract) lines.push("Only the receipt names this contract: compare it with the one the authority published.");
  console.log([`${file}: ${said.state}`, said.explanation, ...lines].map(visible).join("\n"));
  process.exitCode = said.doubted && said.standing === "in_force" ? 4 : (CODES[said.standing] ?? 4);
} catch (error) {
  if (error instanceof ProofError) end(1, `${file}: not verified. Step ${error.step}: ${error.message}`);
  if (error instanceof UsageError) end(2, error.message);
  end(3, `${file}: could not check. ${error.message}`); // whatever it is, it is no answer
}
