// Bytes, lower-case hexadecimal and whole numbers of any size, each way exact.

import { Sha256 } from "./sha256.js";

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hexOf(bytes) {
  let hex = "";
  for (const byte of bytes) hex += DIGITS[byte];
  return hex;
}

// The caller has checked that `hex` is an even number of hexadecimal digits.
export function bytesOf(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

export const numberOf = (hex) => BigInt(`0x0${hex}`);
export const wordOf = (number) => number.toString(16).padStart(64, "0");
export const utf8 = (text) => new TextEncoder().encode(text);

// SHA-256 of the parts, joined, in hexadecimal. A part is bytes, or their hexadecimal.
export function sha256(...parts) {
  const sum = new Sha256();
  for (const part of parts) sum.update(typeof part === "string" ? bytesOf(part) : part);
  return sum.hex();
}
