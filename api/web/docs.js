// The API's description as a page, from the same openapi.json that programs read.

import { element, facts } from "/elements.js";

const routes = document.getElementById("routes");

// `code` as code.
const inWords = (text) => element("span", {}, ...text.split("`").map((part, at) =>
  at % 2 ? element("code", {}, part) : part));

function parameterFacts(parameters) {
  return facts(element("dl", { className: "facts" }), parameters.map((each) => [
    `${each.name}${each.required ? " (required)" : ""}`,
    inWords(each.description ?? each.schema.description ?? ""),
  ]));
}

function example(status, answer) {
  const [found] = Object.entries(answer.content ?? {});
  if (!found || found[1].example === undefined) return null;
  const shown = typeof found[1].example === "string"
    ? found[1].example
    : JSON.stringify(found[1].example, null, 2);
  return element(
    "details", {}, element("summary", {}, `${status}: ${answer.description} (${found[0]})`), element("pre", {}, shown),
  );
}

function section(method, path, route) {
  return element(
    "section",
    { className: "route" },
    element("h2", {}, element("code", {}, `${method.toUpperCase()} ${path}`)),
    ...route.description.split("\n\n").map((paragraph) => element("p", {}, inWords(paragraph))),
    parameterFacts(route.parameters ?? []),
    ...Object.entries(route.responses).filter(([status]) => status !== "default").map(
      ([status, answer]) => example(status, answer)),
  );
}

try {
  const described = await (await fetch("/openapi.json")).json();
  document.getElementById("description").textContent = described.info.description;
  routes.replaceChildren(...Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, route]) => section(method, path, route))));
} catch {
  routes.textContent = "The description could not be loaded.";
}
