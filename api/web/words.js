// A verdict in words. No DOM, no network: values in, sentences out.

// tone: good, warn (authentic but not to be applied), apart (authentic, and what it is worth can not
// be told), bad (not in the registry)
export function say(verdict, policy) {
  switch (verdict.match) {
    case "unknown":
      if (verdict.unsearched_collections) {
        return {
          tone: "apart",
          state: "Could not check",
          explanation:
            `This file was not found, and this server does not hold the members of ` +
            `${verdict.unsearched_collections} registered collection(s): it may be one of them. Ask whoever ` +
            "published the collection for its file of members.",
        };
      }
      return {
        tone: "bad",
        state: "Not in the registry",
        explanation:
          "This exact file is not in the registry. Any change, even one byte, gives this " +
          "answer; so does a document that was never registered.",
      };
    case "exact":
      return { ...doubting(worth(verdict, policy), verdict), match: "byte for byte the registered file" };
    case "same_text":
      return {
        tone: "warn",
        state: "Other bytes, the same text",
        explanation:
          "These are not the published bytes, so the file is not verified. What it says is what a registered " +
          "document says: see below in what they differ, and take the registered file where it matters.",
      };
    case "altered":
      return {
        tone: "bad",
        state: "Altered",
        explanation:
          "These are not the published bytes, nor is this the published text. It is a copy of a registered one in " +
          "which the clauses below differ.",
      };
  }
}

// Why an authentic document has no standing, as a receipt's check and an answer's say it.
export const CLOSED = "Authentic, but the registry was closed: what applies now could not be told";
export const lastDayUnknown = (on) => `Authentic, but whether it is in force on ${on} could not be told`;

const NO_SUCCESSOR = /^0x0{40}$/;

// What is said of a registry that was closed; the successor is an address, zeros for none.
export function closing(successor, block) {
  const was = `By block ${block} the registry was closed`;
  if (NO_SUCCESSOR.test(successor)) return `${was}, and names no other where it goes on.`;
  return (
    `${was} and goes on at ${successor}: what applies now is said there. The administrator named that ` +
    "address, and whoever stole the administrator's key could name any: confirm it with the authority by " +
    "another way before you trust it."
  );
}

// Of a document that rests on a key which was reported compromised.
export const DOUBTED =
  "It rests on a key that was reported compromised: confirm it with the authority by another way.";

export const closedShortly = (successor) =>
  NO_SUCCESSOR.test(successor) ? "closed, no other is named" : `closed, goes on at ${successor}`;

function worth({ registrations: [leading], registry, on }, policy) {
  switch (leading.unsettled) {
    case "closed":
      return { tone: "apart", state: CLOSED, explanation: closing(registry.closed, registry.block.number) };
    case "last_day_unknown":
      return {
        tone: "apart",
        state: lastDayUnknown(on),
        explanation:
          `The document is authentic. The log does not hold the manifest of entry ${leading.entry}, which ` +
          "may say when it ended: ask for a receipt with it.",
      };
    default:
      return standing(leading, policy, on);
  }
}

function doubting(said, { doubted }) {
  if (!doubted) return said;
  return {
    tone: said.tone === "good" ? "warn" : said.tone,
    state: `${said.state}, by a key reported compromised`,
    explanation: `${said.explanation} ${DOUBTED}`,
  };
}

// Of a policy's acts, what a reported key recorded.
export const reportedKey = ({ entry, account, since, reported_by: by, report }) =>
  `entry ${entry} was recorded by ${account}, reported compromised since ${since} by ${by} in entry ${report}`;

// What a body that issues a document with others has said of it.
export function issuing({ state, named }) {
  const words = {
    lead: "leads",
    endorsed: "endorsed",
    other_document: "endorsed another document",
    ended: "endorsed, no longer in force",
    missing: "not endorsed yet",
  };
  return (words[state] ?? state) + (named ? "" : ", not named by the lead");
}

function standing(leading, policy, on) {
  const version = `version ${leading.version} of ${leading.versions}`;
  const since = policy?.since ? ` since ${policy.since}` : "";
  switch (leading.standing) {
    case "in_force":
      return {
        tone: "good",
        state: `Authentic, and in force on ${on}`,
        explanation: `This is ${version}, which applies${leading.since ? ` from ${leading.since}` : ""}.`,
      };
    case "not_yet_in_force":
      return {
        tone: "warn",
        state: `Authentic, but not yet in force on ${on}`,
        explanation: `This is ${version}; it applies from ${leading.since ?? "a later date"}.`,
      };
    case "amended":
      return {
        tone: "warn",
        state: "Authentic, but an older version",
        explanation:
          `This is ${version}. On ${on} another document applies ` +
          (policy ? `(version ${policy.version}${since})` : "") + ".",
      };
    case "suspended":
      return ended("suspended", `The policy is suspended${since}.`, version);
    case "superseded":
      return ended("superseded", `Another policy took this one's place${since}.`, version);
    case "repealed":
      return ended("repealed", `The policy is repealed${since}.`, version);
    case "withdrawn":
      return ended("withdrawn", `The authority withdrew the policy${since}.`, version);
    case "expired":
      return ended("expired", `The policy's time has run out${since}.`, version);
    default:
      return { tone: "apart", state: lastDayUnknown(on), explanation: `This is ${version}.` };
  }
}

function ended(word, sentence, version) {
  return { tone: "warn", state: `Authentic, but ${word}`, explanation: `${sentence} This is ${version}.` };
}

// Which member of which collection a document is; null for one that is none.
export function membership({ collection }) {
  if (!collection) return null;
  const { index, members, title, number, root } = collection;
  const name = Object.values(title).join(" / ") || `the one with the root ${root}`;
  const which = `${(index + 1).toLocaleString("en")} of ${members.toLocaleString("en")}`;
  return `${name}${number ? ` (${number})` : ""}, member ${which}`;
}

export function finality(word) {
  const words = {
    pending: "pending: sent, not in a block yet",
    included: "included in a block that may still be replaced",
    safe: "safe: very unlikely to be replaced",
    finalized: "finalized: the chain will not replace it",
  };
  return words[word] ?? word;
}

export const standingWord = (word) => word.replaceAll("_", " ");

// Of a policy in a list that has no standing.
export const unsettledWord = (why) =>
  `standing not known (${why === "closed" ? "the registry is closed" : "its last day is not known"})`;

export function bytes(size) {
  return `${size.toLocaleString("en")} byte${size === 1 ? "" : "s"}`;
}
