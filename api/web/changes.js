// What a text shows, and what changed between versions: clauses with their redlines. Text is always
// set as text: what a document says is never markup.

import { CouldNotCheck, MATCHES, ask, send } from "/check.js";
import { element, titles } from "/elements.js";
import { standingWord, unsettledWord } from "/words.js";

const CHANGES = {
  changed: "changed", moved: "moved", missing: "taken out", added: "added",
};

// Where a file of unknown bytes may be looked at by what it says: only if somebody wants that, since
// it is sent. `show` is called with the verdict that the server then gives.
export function offerComparison(file, digest, on, show) {
  const button = element("button", { type: "button" }, "Compare what it says");
  const note = element(
    "p", { className: "quiet", role: "status" },
    "This sends the file to this server, which reads it, answers, and keeps nothing of it.",
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    note.textContent = "Reading and comparing…";
    try {
      show(await compare(file, digest, on));
    } catch (error) {
      if (!(error instanceof CouldNotCheck)) console.error(error);
      button.disabled = false;
      note.textContent = `Could not compare, which says nothing about the file. ${error.message}`;
    }
  });
  return element("div", { className: "offer" }, button, note);
}

async function compare(file, digest, on) {
  const answer = await send("verify", file, { text: "true", on });
  const [verdict] = answer.files;
  if (answer.files.length !== 1 || verdict.sha256 !== digest || !MATCHES.has(verdict.match)) {
    throw new CouldNotCheck("The server's answer is not about this file.");
  }
  return { ...verdict, registry: answer.registry };
}

// What the text of a file shows, below the answer on its bytes.
export function textShown(text) {
  const parts = [];
  for (const same of text.same_as) {
    const how = same.shown_by_digest ? "Its bytes differ in" : "Its bytes differ, as far as can be seen, in";
    parts.push(registered("Says the same as", same), element("p", {}, `${how}: ${same.differs_in.join("; ")}.`));
  }
  if (text.altered_from) {
    parts.push(registered("Nearest registered text:", text.altered_from), comparison(text.altered_from.comparison));
  }
  if (!text.same_as.length && !text.altered_from && !text.note) {
    parts.push(element("p", {}, "No registered text says the same, or nearly."));
  }
  if (text.note) parts.push(element("p", {}, `${text.note[0].toUpperCase()}${text.note.slice(1)}.`));
  return element("section", { className: "text", ariaLabel: "What its text shows" }, ...parts);
}

function registered(how, { name, document, registrations }) {
  const places = registrations.map((each) => element(
    "li", {},
    ...titles(each.title),
    element(
      "p", { className: "quiet" },
      `${each.authority} ${each.number ?? ""} · version ${each.version} of ${each.versions} · entry ${each.entry} · ` +
        (each.standing ? standingWord(each.standing) : unsettledWord(each.unsettled)),
    ),
  ));
  return element("div", {}, element("p", {}, `${how} ${name ?? document}`), element("ul", { className: "found" }, ...places));
}

// A comparison's clauses. Those that were only renumbered, one after another, are one line.
export function comparison({ counts, clauses }) {
  const told = Object.entries(counts).filter(([, count]) => count).map(([change, count]) => `${count} ${change}`);
  const rows = [];
  for (const each of clauses.filter(({ change }) => change !== "unchanged")) {
    const before = rows.at(-1);
    if (isRenumbered(each) && before && isRenumbered(before.at(-1))) before.push(each);
    else rows.push([each]);
  }
  return element(
    "div", { className: "comparison" },
    element("p", { className: "quiet" }, `Clauses: ${told.join(", ") || "none"}`),
    element("ol", { className: "changes" }, ...rows.map(row)),
  );
}

const isRenumbered = ({ change, in_order, old_label, new_label }) =>
  change === "moved" && in_order && old_label !== new_label;

function row(group) {
  const [first, last] = [group[0], group.at(-1)];
  if (group.length > 1) {
    const words = `${first.old_label} to ${last.old_label} are now ${first.new_label} to ${last.new_label}`;
    return element("li", {}, heading(words, "renumbered"));
  }
  const moved = first.old_label && first.new_label && first.old_label !== first.new_label;
  const label = moved ? `${first.old_label} → ${first.new_label}` : first.label;
  const change = isRenumbered(first) ? "renumbered" : CHANGES[first.change] ?? first.change;
  const shown = [heading([label, ...first.places].join(" "), change)];
  if (first.redline) shown.push(element("p", { className: "redline" }, ...first.redline.map(run)));
  else if (first.change === "changed") {
    shown.push(element("p", { className: "quiet" }, "What it said before is not kept here: only its hash is known."));
  }
  return element("li", {}, ...shown);
}

const heading = (label, change) =>
  element("p", { className: "clause" }, element("strong", {}, label), element("span", { className: "quiet" }, ` ${change}`));

function run({ kind, text }) {
  if (kind === "same") return element("span", {}, text);
  const [name, aloud] = kind === "deleted" ? ["del", "[deleted: "] : ["ins", "[inserted: "];
  const hidden = (words) => element("span", { className: "visually-hidden" }, words);
  return element(name, {}, hidden(aloud), text, hidden("]"));
}

// What changed from the version before to the latest; asked for when it is opened.
export function whatChanged(policyId) {
  const body = element("div", { role: "status" });
  const shown = element("details", { className: "versions" }, element("summary", {}, "What changed in the latest version"), body);
  let asked = false;
  shown.addEventListener("toggle", async () => {
    if (!shown.open || asked) return;
    asked = true;
    body.textContent = "Comparing…";
    try {
      const found = await ask(`policies/${policyId}/diff`);
      body.replaceChildren(element("p", { className: "quiet" }, between(found)), comparison(found));
    } catch (error) {
      asked = false;
      body.textContent = `Could not compare. ${error.message}`;
    }
  });
  return shown;
}

const between = ({ old, new: latest }) =>
  `Version ${old.version} (entry ${old.entry}) to version ${latest.version} (entry ${latest.entry}, ${latest.action}` +
  `${latest.since ? `, applies from ${latest.since}` : ""}).`;
