// A verdict in words. No DOM, no network: values in, sentences out.

// tone: good, warn (authentic but not to be applied), bad (not in the registry)
export function say(verdict, policy) {
  const [leading] = verdict.registrations;
  switch (verdict.match) {
    case "unknown":
      return {
        tone: "bad",
        state: "Not in the registry",
        explanation:
          "This exact file is not in the registry. Any change, even one byte, gives this " +
          "answer; so does a document that was never registered.",
      };
    case "exact":
      return { ...standing(leading, policy, verdict.on), match: "byte for byte the registered file" };
    case "same_text":
      return { ...standing(leading, policy, verdict.on), match: "other bytes, the same text" };
    case "altered":
      return { tone: "bad", state: "Altered", explanation: "The text differs from the registered one." };
  }
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
      return { tone: "warn", state: `Authentic; ${leading.standing}`, explanation: `This is ${version}.` };
  }
}

function ended(word, sentence, version) {
  return { tone: "warn", state: `Authentic, but ${word}`, explanation: `${sentence} This is ${version}.` };
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

export function bytes(size) {
  return `${size.toLocaleString("en")} byte${size === 1 ? "" : "s"}`;
}
