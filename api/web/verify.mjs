#!/usr/bin/env node
// Verifies a document by its receipt and a block hash, with nothing but Node.js: no network, no
// registry. Exit codes: 0 verified and in force today; 1 not verified; 2 usage; 3 could not check;
// 4 authentic, but not, or no longer, in force today.

import { readFile } from "node:fs/promises";
import { ProofError, UsageError, verifyReceipt } from "./receipt.js";
import { sayShown } from "./receipt_words.js";

function end(code, message) {
  console.error(message);
  process.exit(code);
}

const [file, receipt, blockHash, contract, ...rest] = process.argv.slice(2);
if (!blockHash || rest.length) end(2, "usage: node verify.mjs FILE RECEIPT BLOCK_HASH [CONTRACT]");
try {
  const [document, proof] = await Promise.all([file, receipt].map((path) => readFile(path)));
  const shown = verifyReceipt({ receipt: proof, file: document, blockHash, contract });
  const said = sayShown(shown, Math.floor(Date.now() / 86_400_000));
  const title = Object.values(said.title).join(" / ");
  const lines = [["Title", title], ...said.facts].filter(([, text]) => text).map(
    // A line feed in a title would forge a line of this answer.
    ([term, text]) => `  ${term}: ${/[\n\t]/.test(text) ? JSON.stringify(text) : text}`);
  console.log([`${file}: ${said.state}`, said.explanation, ...lines].join("\n"));
  console.log(`  Contract: ${shown.contract}`);
  if (!contract) console.log("Only the receipt names this contract: compare it with the one the authority published.");
  process.exitCode = said.standing === "in_force" ? 0 : 4;
} catch (error) {
  if (error instanceof ProofError) end(1, `${file}: not verified. Step ${error.step}: ${error.message}`);
  if (error instanceof UsageError) end(2, error.message);
  end(3, `${file}: could not check. ${error.message}`); // whatever it is, it is no answer
}
