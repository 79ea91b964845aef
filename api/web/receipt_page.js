// The page's section that verifies a receipt: all of it here, in this browser.

import { CouldNotCheck, digestOf } from "./check.js";
import { element, facts, hash, titles } from "./elements.js";
import { hexOf } from "./bytes.js";
import { NoVerdict, ProofError, UsageError, isMeant, verifyReceipt } from "./receipt.js";
import { readReceipt } from "./receipt_format.js";
import { sayShown, stepsWith, visible } from "./receipt_words.js";
import { bytes } from "./words.js";

const [form, drop, documentInput, receiptInput, names, blockHash, contract, result] = [
  "receipt-form", "receipt-drop", "receipt-document", "receipt-file", "receipt-names", "block-hash", "contract",
  "receipt-result",
].map((id) => document.getElementById(id));
const MAX_RECEIPT = 4_194_304;

// Which block's hash to look up, as the chosen receipt says. Its hash is not offered: a receipt
// that vouches for itself proves nothing.
async function nameBlock() {
  const [file] = receiptInput.files;
  names.hidden = !file;
  if (!file) return;
  try {
    const { checkpoint, contract: its } = readReceipt(await contentOf(file));
    const [, chain] = its.split(":");
    const { number } = checkpoint.block;
    names.textContent = `The receipt is of block ${number} of chain ${chain}: look up that block's hash.`;
  } catch {
    names.textContent = "That is no receipt. Choose the file that polreg prove or the registry gave.";
  }
}

async function contentOf(file) {
  if (file.size > MAX_RECEIPT) throw new ProofError(1, "it is larger than any receipt");
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new CouldNotCheck(`This browser could not read ${file.name} (${error.name}).`);
  }
}

async function check(card, file, receiptFile) {
  const bar = element("progress", { max: 1, ariaLabel: "Reading the file" });
  card.replaceChildren(heading(file, receiptFile), element("p", { className: "state" }, "Checking…"), bar);
  result.replaceChildren(card);
  const meant = contract.value.trim() || null;
  let panel = []; // whose registry it is matters whatever the answer, once the receipt reads
  try {
    const receipt = await contentOf(receiptFile);
    panel = contractPanel(receipt, meant);
    const sha256 = await digestOf(file, (done) => { bar.value = done; });
    const start = hexOf(await contentOf(file.slice(0, 2)));
    // Only what is no larger than a receipt can be what a receipt's clauses say.
    const content = file.size <= MAX_RECEIPT ? await contentOf(file) : null;
    const described = { sha256, size: file.size, start, content };
    const given = { receipt, file: described, blockHash: blockHash.value.trim(), contract: meant };
    showShown(card, verifyReceipt(given), meant, panel);
  } catch (error) {
    if (error instanceof ProofError) showFailure(card, error, meant, panel);
    else showNoAnswer(card, error, panel);
  }
  card.prepend(heading(file, receiptFile));
  card.ariaBusy = "false";
  card.scrollIntoView({ block: "nearest" });
}

const heading = (file, receipt) =>
  element("p", { className: "file" }, visible(`${file.name} · ${bytes(file.size)} · by ${receipt.name}`));

function showShown(card, shown, meant, panel) {
  const said = sayShown(shown, Math.floor(Date.now() / 86_400_000));
  card.className = `result ${said.tone}`;
  card.dataset.step = "none";
  card.dataset.standing = said.standing;
  card.replaceChildren(
    element("p", { className: "state" }, said.state),
    element("p", {}, said.explanation),
    ...panel,
    facts(element("dl", { className: "facts" }), [
      ["Title", Object.keys(said.title).length ? element("div", {}, ...titles(said.title)) : null],
      ...said.facts.map(([term, text]) => [term, /[0-9a-f]{40}/.test(text) ? inHashes(text) : text]),
    ]),
    steps(said.holding.map((at) => stepsWith(meant)[at])),
    element("p", { className: "quiet" }, "Later blocks may hold later acts: a receipt speaks up to its block."),
  );
}

// The contract that the receipt names; nothing where it is no receipt.
function contractPanel(receipt, meant) {
  let its;
  try {
    its = readReceipt(receipt).contract;
  } catch {
    return []; // step 1 says so
  }
  const given = meant && `This is ${isMeant(its, meant) ? "" : "not "}the contract that you gave.`;
  const note = given ??
    "Only the receipt names this contract. Compare it with the one that the authority published: anybody can " +
    "set up a registry of their own.";
  const [, chain, address] = its.split(":");
  const shown = [`Contract on chain ${chain}`, hash(address), element("span", {}, note)];
  return [element("div", { className: "contract" }, ...shown)];
}

const inHashes = (text) => element("span", {}, ...text.split(/((?:0x)?[0-9a-f]{40,})/).map((part, at) =>
  at % 2 ? hash(part) : part));

// The steps that hold, and the one that does not.
function steps(holding, failed = null) {
  const lines = holding.map((step) => element("li", {}, step));
  if (failed) lines.push(element("li", { className: "fails" }, `fails: ${failed}`));
  return element(
    "details", { open: failed !== null }, element("summary", {}, "What was checked, step by step"),
    element("ol", { className: "steps" }, ...lines),
  );
}

function showFailure(card, error, meant, panel) {
  card.className = "result bad";
  card.dataset.step = error.step;
  const hint = {
    2: "It may be genuine and of another registry. It shows nothing about the one you named.",
    3: "Compare the block hash and the block's number. With another block's hash nothing is shown.",
    11: "Any change to the document, even one byte, gives this answer; so does another document.",
  }[error.step] ?? "This receipt is damaged or made up. Ask for another one.";
  card.replaceChildren(
    element("p", { className: "state" }, `Not verified: step ${error.step} fails`),
    element("p", {}, visible(`The reason: ${error.message}. ${hint}`)),
    ...panel,
    steps(stepsWith(meant).slice(0, Math.min(error.step, 12) - 1), visible(error.message)),
  );
}

function showNoAnswer(card, error, panel) {
  const known = error instanceof NoVerdict || error instanceof UsageError || error instanceof CouldNotCheck;
  if (!known) console.error(error);
  card.className = "result apart";
  card.dataset.step = "could-not-check";
  card.replaceChildren(
    element("p", { className: "state" }, "Could not check"),
    element("p", {}, "There is no answer, which says nothing about the file. "),
    element("p", {}, known ? visible(error.message) : "This page failed."),
    ...panel,
  );
}

// Which of two dropped files is the receipt is seen by reading them.
async function take(files) {
  for (const file of files) {
    const isReceipt = await contentOf(file).then(readReceipt).then(() => true, () => false);
    const held = new DataTransfer();
    held.items.add(file);
    (isReceipt ? receiptInput : documentInput).files = held.files;
  }
  await nameBlock();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [[file], [receipt]] = [documentInput.files, receiptInput.files];
  const missing = !file ? documentInput : !receipt ? receiptInput : !blockHash.value.trim() ? blockHash : null;
  if (missing) {
    result.replaceChildren(element("p", {}, "The document, its receipt and the block hash are all needed."));
    missing.focus();
    return;
  }
  check(element("article", { className: "result", ariaBusy: "true" }), file, receipt);
});
receiptInput.addEventListener("change", nameBlock);
for (const kind of ["dragover", "drop", "dragleave"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    event.stopPropagation(); // elsewhere on the page a dropped file is looked up at the server
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") take([...event.dataTransfer.files]);
  });
}
