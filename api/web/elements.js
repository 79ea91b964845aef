// Making elements. Text is always set as text: nothing from a server or a file is markup.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// A list of [term, description], descriptions being text or an element; null leaves one out.
export function facts(list, pairs) {
  list.replaceChildren();
  for (const [term, description] of pairs) {
    if (description === null || description === undefined || description === "") continue;
    list.append(element("dt", {}, term), element("dd", {}, description));
  }
  return list;
}

export const hash = (text) => element("span", { className: "hash" }, text);

// A title in each of its languages, the reader's own language rules for each.
export function titles(title, name = "p") {
  return Object.entries(title).map(([language, text]) => element(name, { lang: language }, text));
}
