// Listing policies by words of their titles or numbers, a page at a time.

import { ask } from "/check.js";
import { whatChanged } from "/changes.js";
import { element, titles } from "/elements.js";
import { standingWord, unsettledWord } from "/words.js";

const PAGE = 20;

export function listenForSearches({ nameOf, showContext, date }) {
  const [form, text, note, list, more] = ["search", "text", "found-note", "found", "more"].map(
    (id) => document.getElementById(id),
  );
  let next = null;
  let words = "";
  let day = "";

  async function load() {
    note.textContent = "Searching…";
    more.hidden = true;
    try {
      const page = await ask("policies", { text: words, on: day, limit: PAGE, after: next });
      showContext(page.registry);
      const names = await Promise.all(page.policies.map((each) => nameOf(each.authority)));
      list.append(...page.policies.map((policy, at) => item(policy, names[at], page.on)));
      next = page.next;
      more.hidden = next === null;
      const count = list.children.length;
      note.textContent = count === 0
        ? "No policy has these words in its title or number."
        : `${count} ${count === 1 ? "policy" : "policies"} shown${next ? "; there are more" : ""}.`;
    } catch (error) {
      note.textContent = `Could not search. ${error.message}`;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    words = text.value.trim();
    day = date();
    next = null;
    list.replaceChildren();
    load();
  });
  more.addEventListener("click", load);
}

function item(policy, name, on) {
  const standing = policy.standing ? `${standingWord(policy.standing)} on ${on}` : unsettledWord(policy.unsettled);
  const number = policy.number ?? "a number that is not shown in the log";
  return element(
    "li",
    {},
    ...titles(policy.title),
    element(
      "p",
      { className: "quiet" },
      `${number} · ${name} · ${standing} · version ${policy.version} of ${policy.versions} · `,
      element("a", { href: `/v1/policies/${policy.policy_id}/history` }, "history"),
    ),
    policy.versions > 1 ? whatChanged(policy.policy_id) : null,
  );
}
