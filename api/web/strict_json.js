// JSON that means one thing only, by rules 1 to 4 of section 10 of docs/formats.md: UTF-8
// without a byte order mark, 64 levels, one value, no key twice, whole numbers below 2^53.
// JSON.parse takes the last of two like keys and rounds numbers, so it reads single texts only.

const MAX_DEPTH = 64;
const SPACE = " \t\n\r";
const WHOLE_NUMBER = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
const WORD = /true|false|null/y;
const WORDS = { true: true, false: false, null: null };

// The value in these bytes; SyntaxError where they break a rule. Objects have no prototype,
// so that every key in them, whatever its name, is one that was written.
export function parseStrict(bytes) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError("not UTF-8");
  }
  let at = 0;

  const fail = (what) => { throw new SyntaxError(`${what} at character ${at}`); };

  function take(pattern) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found?.[0];
  }

  function skipSpace() {
    while (at < text.length && SPACE.includes(text[at])) at += 1;
  }

  // Past this character, if it is the next one, and white space around it.
  function skip(character) {
    skipSpace();
    if (text[at] !== character) return false;
    at += 1;
    skipSpace();
    return true;
  }

  function string() {
    const from = at;
    for (at += 1; text[at] !== '"'; at += text[at] === "\\" ? 2 : 1) {
      if (at >= text.length) fail("a text without its end");
    }
    at += 1;
    try {
      return JSON.parse(text.slice(from, at));
    } catch {
      at = from;
      return fail("a text that JSON does not allow");
    }
  }

  // What stands between `open` and `close`, separated by commas, each read by `item`.
  function list(open, close, item) {
    skip(open);
    if (skip(close)) return;
    do item(); while (skip(","));
    if (!skip(close)) fail(`neither a comma nor ${close}`);
  }

  function value(depth) {
    if (depth > MAX_DEPTH && (text[at] === "{" || text[at] === "[")) fail(`more than ${MAX_DEPTH} levels`);
    if (text[at] === "{") {
      const found = Object.create(null);
      list("{", "}", () => {
        if (text[at] !== '"') fail("no key");
        const key = string();
        if (key in found) fail("a key that stands twice, before here,");
        if (!skip(":")) fail("no colon");
        found[key] = value(depth + 1);
      });
      return found;
    }
    if (text[at] === "[") {
      const found = [];
      list("[", "]", () => found.push(value(depth + 1)));
      return found;
    }
    if (text[at] === '"') return string();
    const word = take(WORD);
    if (word) return WORDS[word];
    const number = Number(take(WHOLE_NUMBER) ?? fail("no JSON value, or a number that is not whole"));
    if (!Number.isSafeInteger(number)) fail("a number of 2^53 or more before here");
    return number === 0 ? 0 : number; // -0 is 0
  }

  skipSpace();
  const found = value(1);
  skipSpace();
  if (at < text.length) fail("something after the value");
  return found;
}
