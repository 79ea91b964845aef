// The page's wiring: files in, results out.

import { CouldNotCheck, ask, digestOf, lookUp } from "/check.js";
import { offerComparison, textShown, whatChanged } from "/changes.js";
import { element, facts, hash, titles } from "/elements.js";
import { listenForSearches } from "/search.js";
import { bytes, closedShortly, finality, issuing, membership, reportedKey, say } from "/words.js";

const [drop, files, on, results, context, development] = [
  "drop", "files", "on", "results", "context", "development",
].map((id) => document.getElementById(id));

let authorities = null;

// An authority's name and code; the code alone where names can not be had.
async function nameOf(code) {
  authorities ??= ask("authorities").then((answer) => new Map(
    answer.authorities.map((each) => [each.code, Object.values(each.name).join(" ")]),
  ));
  try {
    const name = (await authorities).get(code);
    return name ? `${name} (${code})` : code;
  } catch {
    authorities = null;
    return code;
  }
}

function showContext(registry) {
  development.hidden = !registry.development;
  development.textContent = `Development chain: ${registry.note}.`;
  facts(context, contextFacts(registry));
}

function contextFacts(registry) {
  return [
    ["Chain", registry.chain + (registry.development ? " (development)" : "")],
    ["Contract", hash(registry.contract.split(":").at(-1))],
    ["Registry", registry.closed && closedShortly(registry.closed)],
    ["Block", element("span", {}, `${registry.block.number}, ${registry.block.time} `, hash(registry.block.hash))],
    ["Log", `${registry.log.size} entries`],
    ["Log root", hash(registry.log.root)],
    ["Read from chain", `${registry.mirror.lag_seconds} s before the answer`],
  ];
}

async function check(file, card, date) {
  const bar = element("progress", { max: 1, ariaLabel: "Reading the file" });
  card.replaceChildren(heading(file), element("p", { className: "state" }, "Checking…"), bar);
  try {
    const digest = await digestOf(file, (done) => { bar.value = done; });
    const { verdict, policy } = await lookUp(digest, date);
    await showVerdict(card, file, verdict, policy, date);
    showContext(verdict.registry);
  } catch (error) {
    if (!(error instanceof CouldNotCheck)) console.error(error);
    const reason = error instanceof CouldNotCheck ? error.message : "This page failed.";
    showFailure(card, reason, file, () => check(file, card, date));
  } finally {
    card.ariaBusy = "false";
  }
}

const heading = (file) => element("p", { className: "file" }, `${file.name} · ${bytes(file.size)}`);

async function showVerdict(card, file, verdict, policy, date) {
  const said = say(verdict, policy);
  const [leading, ...others] = verdict.registrations;
  card.className = `result ${said.tone}`;
  const unsearched = verdict.match === "unknown" && verdict.unsearched_collections > 0;
  card.dataset.match = unsearched ? "could-not-check" : verdict.match;
  card.dataset.standing = verdict.standing ?? "";
  const shown = [
    heading(file),
    element("p", { className: "state" }, said.state),
    element("p", {}, said.explanation),
  ];
  if (leading) shown.push(await registrationFacts(leading, policy, said.match), receiptLink(verdict.sha256));
  if (verdict.text) shown.push(textShown(verdict.text));
  else if (verdict.match === "unknown") shown.push(offerComparison(file, verdict.sha256, date, (found) => showVerdict(card, file, found, null, date)));
  if (others.length) {
    const also = await Promise.all(others.map(async (each) => `${await nameOf(each.authority)} ${each.number ?? ""}`));
    shown.push(element("p", {}, `Registered also by or as: ${also.join("; ")}`));
  }
  if (verdict.registry.development) shown.push(element("p", { className: "quiet" }, `This registry is on ${verdict.registry.note}.`));
  shown.push(checkFacts(verdict));
  if (policy?.versions > 1) shown.push(whatChanged(policy.policy_id));
  card.replaceChildren(...shown);
}

async function registrationFacts(leading, policy, match) {
  const endorsing = await Promise.all((policy?.endorsed_by ?? []).map((each) => nameOf(each.authority)));
  const joint = (leading.issuers?.length ?? 0) > 1 ? leading.issuers : [];
  const issuers = await Promise.all(joint.map(async (each) => `${await nameOf(each.authority)}: ${issuing(each)}`));
  return facts(element("dl", { className: "facts" }), [
    ["Published by", await nameOf(leading.authority)],
    ["Title", element("div", {}, ...titles(leading.title))],
    ["Number", leading.number],
    ["Collection", membership(leading)],
    ["Version", `${leading.version} of ${leading.versions}`],
    ["File", leading.role === "rendition" ? `${match}, a rendition of the version` : match],
    ["Endorsed by", endorsing.join("; ")],
    ["Issued by", issuers.join("; ")],
    ...(leading.compromised ?? []).map((each) => ["Reported key", reportedKey(each)]),
    ["Recorded", `${leading.recorded_at}, entry ${leading.entry} in block ${leading.block}`],
    ["Finality", finality(leading.finality)],
  ]);
}

function receiptLink(sha256) {
  const link = element("a", { href: `/v1/documents/${sha256}/receipt?chain_proof=true`, download: "" }, "Download its receipt");
  return element("p", {}, link, ", which shows this to anybody without this server");
}

function checkFacts(verdict) {
  const list = facts(element("dl", { className: "facts" }), [
    ["SHA-256", hash(verdict.sha256)],
    ["Looked at", `${verdict.evidence.source}: ${verdict.evidence.steps.join("; ")}`],
    ...contextFacts(verdict.registry),
  ]);
  return element("details", {}, element("summary", {}, "What was checked, and where"), list);
}

function showFailure(card, reason, file, retry) {
  card.className = "result apart";
  card.dataset.match = "could-not-check";
  const again = element("button", { type: "button" }, "Try again");
  again.addEventListener("click", () => { card.className = "result"; retry(); });
  card.replaceChildren(
    heading(file),
    element("p", { className: "state" }, "Could not check"),
    element("p", {}, "There is no answer, which says nothing about the file. ", reason),
    again,
  );
}

// One after another, so that a folder of large files does not fill the memory.
async function checkAll(list) {
  const date = on.value;
  const cards = list.map((file) => element("article", { className: "result", ariaBusy: "true" }, heading(file)));
  results.prepend(...cards);
  for (const [at, file] of list.entries()) {
    await check(file, cards[at], date);
    if (at === 0) cards[0].scrollIntoView({ block: "nearest" });
  }
}

files.addEventListener("change", () => {
  checkAll([...files.files]);
  files.value = "";
});
for (const kind of ["dragover", "drop", "dragleave"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") checkAll([...event.dataTransfer.files]);
  });
}
listenForSearches({ nameOf, showContext, date: () => on.value });
ask("checkpoint").then((answer) => showContext(answer.registry)).catch((error) => {
  facts(context, [["State", `Could not be asked. ${error.message}`]]);
});
