// One file's way: hashed here, its digest looked up there. What goes wrong on the way is
// CouldNotCheck, never an answer about the file.

import { Sha256 } from "/sha256.js";

const IN_MEMORY = 256 * 1024 * 1024;
const SLICE = 4 * 1024 * 1024;
const PATIENCE = 20_000; // milliseconds
const PATIENT = 120_000; // for a file to arrive and be read
export const MATCHES = new Set(["exact", "same_text", "altered", "unknown"]);

export class CouldNotCheck extends Error {}

// The file's SHA-256 in hexadecimal. `progress` is called with a number from 0 to 1.
export async function digestOf(file, progress = () => {}) {
  try {
    if (globalThis.crypto?.subtle && file.size <= IN_MEMORY) {
      const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
      return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    return await digestBySlices(file, progress);
  } catch (error) {
    throw new CouldNotCheck(`This browser could not read the file (${error.name}).`);
  }
}

export async function digestBySlices(file, progress = () => {}) {
  const sum = new Sha256();
  for (let at = 0; at < file.size; at += SLICE) {
    sum.update(new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer()));
    progress(Math.min(1, (at + SLICE) / file.size));
  }
  return sum.hex();
}

// An answer of this server's API, or CouldNotCheck with the reason in words.
export async function ask(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  const query = given.length ? `?${new URLSearchParams(given)}` : "";
  return checked(await received(`/v1/${path}${query}`));
}

// The same for a file that is sent to this server.
export async function send(path, file, parameters = {}) {
  const form = new FormData();
  form.append("file", file, file.name);
  const given = Object.entries(parameters).filter(([, value]) => value);
  return checked(await received(`/v1/${path}?${new URLSearchParams(given)}`, { method: "POST", body: form }, PATIENT));
}

function checked({ response, answer }) {
  if (!response.ok || !answer.registry) {
    const hint = answer.hint ? ` (${answer.hint})` : "";
    throw new CouldNotCheck(`The server says: ${answer.detail ?? response.statusText}${hint}`);
  }
  return answer;
}

async function received(address, options = {}, patience = PATIENCE) {
  let reason = "can not be reached";
  try {
    const response = await fetch(address, { ...options, signal: AbortSignal.timeout(patience) });
    reason = `gave an answer (${response.status}) that this page does not understand`;
    return { response, answer: await response.json() };
  } catch (error) {
    if (error.name === "TimeoutError") reason = "did not answer in time";
    throw new CouldNotCheck(`The registry's server ${reason}.`);
  }
}

// The verdict on a digest, and the policy of its first registration on that date (null
// where it can not be had: the verdict stands without it).
export async function lookUp(digest, on) {
  const verdict = await ask(`documents/${digest}`, { on });
  if (verdict.sha256 !== digest || !MATCHES.has(verdict.match)) {
    throw new CouldNotCheck("The server's answer is not about this file.");
  }
  const [leading] = verdict.registrations;
  if (!leading) return { verdict, policy: null };
  const found = ask(`policies/${leading.policy_id}`, { on: verdict.on });
  return { verdict, policy: await found.then(({ policy }) => policy, () => null) };
}
