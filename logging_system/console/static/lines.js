// The lines behind what is shown: a query, a stretch of time, and what the store finds.

import { byId, count, dayOf, el, momentOf, plural, replaced, timeOf, visible } from "./elements.js";

const asked = { since: 0, until: 0, namespace: "", title: "" };
let number = 0;

export function openLines({ query = "", since, until, namespace = "", title = "Lines" }) {
  Object.assign(asked, { since, until: until || Date.now() + 60_000, namespace, title });
  byId("lines-query").value = query;
  byId("lines-title").textContent = visible(title);
  const dialog = byId("lines");
  if (!dialog.open) dialog.showModal();
  byId("lines-list").replaceChildren();
  ask();
}

async function ask() {
  number += 1;
  const mine = number;
  const query = byId("lines-query").value;
  const about = byId("lines-about");
  about.className = "soft";
  about.textContent = "Asking the store…";
  const parameters = new URLSearchParams({ query, since: Math.round(asked.since), until: Math.round(asked.until), namespace: asked.namespace });
  let found;
  try {
    const answer = await fetch(`/lines?${parameters}`, { signal: AbortSignal.timeout(30_000) });
    found = await answer.json();
    if (!answer.ok) throw new Error(found.message);
  } catch (error) {
    if (mine !== number) return;
    about.className = "wrong";
    about.textContent = error instanceof SyntaxError || error.name === "TimeoutError" ? "The console gave no answer." : visible(error.message);
    return;
  }
  if (mine !== number) return;
  const shown = found.lines.length;
  const time = `${momentOf(asked.since)} to ${momentOf(asked.until)}`;
  about.textContent = shown < found.count ? `The newest ${count(shown)} of ${plural(found.count, "line", "lines")}, ${time}.` : `${plural(shown, "line", "lines")}, ${time}.`;
  if (found.partial) about.textContent += visible(` There may be more: ${found.partial}.`);
  replaced(byId("lines-list"), found.lines.map(line));
  byId("lines-list").scrollTop = 0;
}

function line(each) {
  const level = ["error", "critical", "fatal"].includes(each.level) ? "error" : each.level.startsWith("warn") ? "warning" : each.level === "debug" ? "debug" : "info";
  return el(
    "li", {},
    el(
      "details", {},
      el(
        "summary", {},
        el("time", { datetime: new Date(each.time_ms).toISOString(), title: dayOf(each.time_ms) }, `${timeOf(each.time_ms)}.${String(each.time_ms % 1000).padStart(3, "0")}`),
        el("span", { class: `chip ${level}` }, each.level || "no level"),
        el("span", { class: "who" }, each.logger, each.namespace === "default" ? null : el("i", {}, ` ${each.namespace}`)),
        el("span", { class: "message" }, each.message),
        each.is_sealed ? el("span", { class: "chip", title: "Fields of it can only be read with its key: the command `decrypt` opens them." }, "sealed") : null,
      ),
      el("pre", {}, each.document),
    ),
  );
}

export function prepareLines() {
  byId("lines-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  byId("lines-close").addEventListener("click", () => byId("lines").close());
  byId("lines").addEventListener("click", (event) => {
    if (event.target === byId("lines")) byId("lines").close();
  });
  byId("lines").addEventListener("close", () => { number += 1; });
}
