// What each panel's content looks like. A function a panel; nothing here asks or keeps anything.

import { byId, bytes, count, el, momentOf, plural, rate, replaced, seconds, share, svg } from "./elements.js";
import { sparkBars } from "./charts.js";

const words = (text) => text.replaceAll("_", " ");

function title(id, text, ...more) {
  return el("div", { class: "card-head" }, el("h2", { id: `${id}-title` }, text), more);
}

const chip = (text, mark = "") => el("span", { class: `chip ${mark}` }, text);

// What leads to lines: found again by one listener on the page, so that what is shown may change meanwhile.
function leads(look, name, namespace = "") {
  return { "data-query": look.query, "data-since": look.since_ms, "data-until": look.until_ms ?? 0, "data-title": name, "data-namespace": namespace };
}

// What stands where there is no content: nothing is claimed before the first answer.
const unanswered = (told) => nothing(told?.trouble ? "Not known: there was no answer yet." : "Asking…");

export function tiles({ told, hasStore, spanName }) {
  const { rates, pipeline, dead_letters: dead } = Object.fromEntries(["rates", "pipeline", "dead_letters"].map((name) => [name, told[name]?.content ?? null]));
  const lacking = (name) => (told[name]?.trouble ? "no answer yet" : "asking…");
  const noRates = hasStore ? lacking("rates") : "no store";
  const noPipeline = pipeline ? "no shipper says" : lacking("pipeline");
  const p99 = pipeline?.latencies_seconds || null;
  const usual = pipeline?.overall_seconds || null;
  const shown = p99 || usual;
  const used = pipeline?.spool_bytes_max ? (pipeline.spool_bytes || 0) / pipeline.spool_bytes_max : null;
  return [
    tile("Records a second", rate(rates?.per_second), rates ? `${count(rates.count)} in ${spanName}` : noRates),
    tile("Errors", count(rates?.errors), rates?.count ? `${share(rates.errors / rates.count)} of them` : rates ? "no records" : noRates, rates?.errors ? "bad" : ""),
    tile(
      "Logged to searchable, p99", shown ? bound(shown[2]) : "–",
      shown ? `p50 ${bound(shown[0])}, p95 ${bound(shown[1])}${p99 ? "" : ", of all so far"}` : noPipeline,
      shown && (shown[2] === null || shown[2] > 30) ? "warn" : "",
    ),
    tile("Backlog", `${pipeline?.is_backlog_exact === false ? "≥ " : ""}${count(pipeline?.backlog)}`, pipeline ? backlogWords(pipeline) : noPipeline, isHeldUp(pipeline) ? "warn" : ""),
    tile("Spool", bytes(pipeline?.spool_bytes), used === null ? (pipeline ? "no writer is alive" : noPipeline) : `${share(used)} of ${bytes(pipeline.spool_bytes_max)}`, used > 0.8 ? "bad" : "", used),
    tile("Dead letters", count(dead?.count), pipeline?.dropped ? `${count(pipeline.dropped)} records dropped before the spool` : pipeline ? "nothing dropped" : noPipeline, dead?.count ? "warn" : ""),
  ];
}

function tile(name, number, about, mark = "", level = null) {
  return el(
    "div", { class: `tile ${mark}` },
    el("h2", {}, name), el("p", { class: "number" }, number), el("p", { class: "soft" }, about),
    level === null ? null : svg("svg", { class: "meter", viewBox: "0 0 100 3", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "none", width: 100, height: 3 }), svg("rect", { class: level > 0.8 ? "error" : "info", width: Math.min(100, 100 * level), height: 3 })),
  );
}

function backlogWords(pipeline) {
  if (pipeline.is_shipper_closed) return pipeline.backlog ? "the shipper has ended" : "the shipper ended, nothing left";
  if (pipeline.is_counted_from_spool) return `in the spool; ${pipeline.has_shipper ? "the shipper is silent" : "no shipper says"}`;
  return pipeline.oldest_seconds ? `the oldest waits ${seconds(pipeline.oldest_seconds)}` : "nothing waits";
}

function isHeldUp(pipeline) {
  return pipeline?.oldest_seconds > 60 || Boolean(pipeline?.is_counted_from_spool && pipeline.backlog);
}

export const bound = (value) => (value === null ? "> 2 h" : `≤ ${seconds(value)}`);

export function templates(content, told, chosen) {
  const id = "templates";
  const tabs = el(
    "div", { class: "tabs", role: "group", "aria-label": "Which templates" },
    [["errors", "Errors"], ["all", "All records"]].map(([key, name]) => el("button", { type: "button", "data-templates": key, "data-focus": `tab-${key}`, "aria-pressed": String(key === chosen) }, name)),
  );
  const part = content?.[chosen];
  replaced(
    byId(id),
    title(id, "What is logged most", tabs),
    !part ? unanswered(told) : part.rows.length ? table(part, content) : nothing(chosen === "errors" ? "No error in this time." : "No record in this time."),
    part && part.share < 1 ? el("p", { class: "soft small" }, `Estimated: ${share(part.share)} of ${plural(part.count, "record", "records")} were looked at.`) : null,
  );
}

function table(part, content) {
  const mark = part === content.errors ? "error" : "info";
  return el("ul", { class: "rows templates" }, part.rows.map((row) => el(
    "li", {},
    el(
      "button", { type: "button", class: "row", "data-focus": row.query + row.text, ...leads({ query: row.query, since_ms: content.since_ms, until_ms: content.until_ms }, row.text) },
      el("span", { class: "amount" }, count(row.estimate)),
      sparkBars(row.times, mark),
      el("span", { class: "what" }, el("span", { class: "template" }, pills(row.text)), el("span", { class: "soft small" }, [row.logger, row.error].filter(Boolean).join(" · "))),
    ),
  )));
}

// A template's placeholders as marks of their own: what differs from line to line.
function pills(text) {
  return text.split("<*>").flatMap((part, at) => (at ? [el("i", { class: "pill", title: "a value" }, "∗"), part] : [part]));
}

export function noise(id, name, rows, content, told) {
  const most = Math.max(1, ...rows.map((row) => row.count));
  replaced(
    byId(id),
    title(id, name),
    !content ? unanswered(told) : rows.length ? null : nothing("No record in this time."),
    rows.length ? el("ul", { class: "rows noise" }, rows.map((row) => el(
      "li", {},
      el(
        "button", { type: "button", class: "row", "data-focus": `${id} ${row.name}`, ...leads({ query: row.query, since_ms: content.since_ms, until_ms: content.until_ms }, row.name || "Lines without a logger", id === "namespaces" ? row.name : "") },
        el("span", { class: "name" }, row.name || "(none)"),
        svg("svg", { class: "share", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
          svg("rect", { class: "none", width: 100, height: 6 }), svg("rect", { class: "info", width: (100 * row.count) / most, height: 6 }),
          svg("rect", { class: "error", width: row.errors ? Math.max(0.6, (100 * row.errors) / most) : 0, height: 6 })),
        el("span", { class: "amount" }, count(row.count)),
        el("span", { class: row.errors ? "errors" : "soft" }, row.errors ? plural(row.errors, "error", "errors") : "no error"),
      ),
    ))) : null,
  );
}

const nothing = (text) => el("p", { class: "nothing" }, text);

const STATES = { waiting: ["waits for you", "warn"], ready: ["approved", ""], running: ["runs", "good"], holding: ["holds", "good"], undoing: ["undoes", "warn"], done: ["done", "good"], failed: ["failed", "bad"], rejected: ["rejected", ""], expired: ["expired", ""] };

export function workflows(content, told) {
  const id = "workflows";
  if (!content) return replaced(byId(id), title(id, "Workflows"), unanswered(told));
  const runs = content.runs;
  const now = runs.filter((run) => !run.is_over);
  const over = runs.filter((run) => run.is_over);
  return replaced(
    byId(id),
    title(id, "Workflows", content.waiting ? chip(`${count(content.waiting)} to answer`, "warn") : null),
    now.length ? null : nothing("No workflow waits for a yes."),
    !content.are_answers_taken ? el("p", { class: "note" }, "An answer waits for an engine to take it in. Is `watch --workflows` running?") : null,
    el("ul", { class: "cards" }, now.map(run)),
    over.length ? el("details", { "data-key": "runs-over", class: "fold" }, el("summary", { "data-focus": "runs-over" }, `${over.length} that are over`), el("ul", { class: "cards" }, over.map(run))) : null,
  );
}

function run(each) {
  const [word, mark] = STATES[each.state] || [each.state, ""];
  return el(
    "li", { class: each.can_approve ? "asks" : "" },
    el("div", { class: "line" }, el("b", { class: "mono" }, each.workflow), chip(word, mark)),
    el("p", {}, each.summary),
    el("p", { class: "soft small" }, `${words(each.kind)}, cause ${words(each.cause)} (${share(each.confidence)}), proposed ${momentOf(each.proposed_ms)}`),
    el("ol", { class: "steps" }, each.steps.map((step) => el("li", { class: step.state }, step.says, step.state === "pending" ? null : el("span", { class: "soft" }, ` (${words(step.state)}${step.note ? `: ${step.note}` : ""})`)))),
    each.why ? el("p", { class: "soft small" }, each.why) : null,
    each.chosen_by ? el("p", { class: "soft small" }, `Chosen: ${each.chosen_by}`) : null,
    each.has_doubts ? el("p", { class: "note" }, `Nobody knows whether a step was done. Say it: coordination answer ${each.id} done, or not-done.`) : null,
    each.can_approve || each.can_reject ? el(
      "div", { class: "buttons" },
      each.can_approve ? el("button", { type: "button", class: "yes", "data-run": each.id, "data-say": "approve", "data-focus": `approve ${each.id}` }, "Approve") : null,
      each.can_reject ? el("button", { type: "button", "data-run": each.id, "data-say": "reject", "data-focus": `reject ${each.id}` }, each.can_approve ? "Reject" : "Reject, and undo") : null,
      el("span", { class: "said", role: "status", "data-said": each.id }),
    ) : null,
  );
}

const watchCommand = (spool) => el("code", {}, `python -m logging_system watch --spool ${spool}`);

function unwatched(content, spool, lacks) {
  if (content.is_watched) return null;
  const last = content.watched_ms ? ` since ${momentOf(content.watched_ms)}` : "";
  return el("p", { class: "note" }, `Nobody watches this spool${last}: ${lacks}. Start `, watchCommand(spool), ".");
}

export function alerts(content, told, spool) {
  const id = "alerts";
  if (!content) return replaced(byId(id), title(id, "Alerts"), unanswered(told));
  return replaced(
    byId(id),
    title(id, "Alerts", content.firing_total ? chip(plural(content.firing_total, "fires", "fire"), "bad") : null),
    unwatched(content, spool, content.firing.length ? "these fired then, and nobody knows whether they still do" : "no alert can fire"),
    content.firing.length || !content.is_watched ? null : nothing("No alert fires."),
    el("ul", { class: "cards" }, content.firing.map((each) => el(
      "li", { class: "bad" },
      el("div", { class: "line" }, el("b", { class: "mono" }, each.rule), each.is_acknowledged ? chip("taken care of", "good") : null),
      el("p", {}, each.summary),
      el("p", { class: "soft small" }, `since ${momentOf(each.since_ms)} `, Object.entries(each.labels).map(([name, value]) => chip(`${name}=${value}`))),
      el("button", { type: "button", class: "plain", "data-focus": `alert ${each.fingerprint}`, ...leads(each.look, each.rule) }, "Show the errors"),
    ))),
    content.waiting.map((each) => el("p", { class: "note" }, `Channel ${each.name}: ${plural(each.count, "message waits", "messages wait")}: ${each.trouble}`)),
    content.silences.map((each) => el("p", { class: "soft small" }, `Silenced until ${momentOf(each.until_ms)} by ${each.author}: ${each.matchers}${each.comment ? ` (${each.comment})` : ""}`)),
    content.history.length ? el("details", { "data-key": "alert-history", class: "fold" }, el("summary", { "data-focus": "alert-history" }, "What was told last"),
      el("ul", { class: "log" }, content.history.map((each) => el("li", {}, el("time", {}, momentOf(each.at_ms)), el("b", {}, each.what), el("span", {}, each.facts))))) : null,
  );
}

export function findings(content, told, spool) {
  const id = "findings";
  if (!content) return replaced(byId(id), title(id, "Findings"), unanswered(told));
  const found = content.findings;
  const open = found.filter((each) => each.until_ms === null);
  const over = found.filter((each) => each.until_ms !== null);
  const isDetected = content.is_watched && content.is_detected;
  return replaced(
    byId(id),
    title(id, "Findings", content.open ? chip(`${content.open} open`, "warn") : null),
    unwatched(content, spool, open.length ? "these lasted then, and nobody knows whether they still do" : "nothing unusual is looked for"),
    content.is_watched && !content.is_detected ? el("p", { class: "note" }, "Nothing unusual is looked for: `findings.enabled` is false in the file that `watch --alerts` names.") : null,
    open.length || !isDetected ? null : nothing("Nothing unusual lasts."),
    el("ul", { class: "cards" }, open.map(finding)),
    over.length ? el("details", { "data-key": "findings-over", class: "fold" }, el("summary", { "data-focus": "findings-over" }, `${over.length} that are over`), el("ul", { class: "cards" }, over.map(finding))) : null,
    content.incidents.length ? el("details", { "data-key": "incidents", class: "fold" }, el("summary", { "data-focus": "incidents" }, plural(content.incidents.length, "incident", "incidents")), content.incidents.map(incident)) : null,
  );
}

function finding(each) {
  const until = each.until_ms === null ? "" : ` to ${momentOf(each.until_ms)}`;
  return el(
    "li", { class: each.until_ms === null ? "warn" : "" },
    el("div", { class: "line" }, el("b", {}, words(each.kind)), chip(`${words(each.cause)}, ${share(each.confidence)}`)),
    el("p", {}, each.summary),
    el("p", { class: "soft small" }, `${momentOf(each.since_ms)}${until}${each.namespace ? ` in ${each.namespace}` : ""}${each.subject ? ` · ${each.subject}` : ""}`),
    el(
      "details", { "data-key": `finding ${each.id}`, class: "fold" },
      el("summary", { "data-focus": `finding ${each.id}` }, "Evidence"),
      el("ul", { class: "evidence" }, each.evidence_for.map((text) => el("li", { class: "for" }, text)), each.evidence_against.map((text) => el("li", { class: "against" }, text))),
      each.examples.map((text) => el("pre", {}, text)),
    ),
    el("button", { type: "button", class: "plain", "data-focus": `lines ${each.id}`, ...leads(each.look, `${words(each.kind)}: ${each.summary}`, each.namespace) }, "Show the lines"),
  );
}

function incident(each) {
  return el(
    "div", { class: "incident" },
    el("p", {}, el("b", {}, each.kinds.map(words).join(", ")), ` since ${momentOf(each.since_ms)}${each.until_ms === null ? ", lasts" : ` to ${momentOf(each.until_ms)}`}, cause ${words(each.cause)} (${share(each.confidence)})`),
    el("ol", { class: "log" }, each.timeline.map((entry) => el("li", {}, el("time", {}, momentOf(entry.at_ms)), el("b", {}, entry.what), el("span", {}, entry.sentence)))),
  );
}

export function deadLetters(content, told) {
  const id = "dead";
  if (!content) return replaced(byId(id), title(id, "Dead letters"), unanswered(told));
  return replaced(
    byId(id),
    title(id, "Dead letters", content.count ? chip(count(content.count), "warn") : null),
    content.count ? null : nothing("The store refused no record for good."),
    content.count ? el("p", { class: "soft small" }, `${content.is_whole ? "" : "At least "}${plural(content.count, "record", "records")}, ${bytes(content.bytes)}. The latest:`) : null,
    el("ul", { class: "cards" }, content.latest.slice(0, 5).map((each) => el(
      "li", {},
      el("p", {}, each.reason),
      el("p", { class: "soft small" }, [each.at, each.status ? `status ${each.status}` : ""].filter(Boolean).join(" · ")),
      each.document ? el("details", { "data-key": `letter ${each.id}`, class: "fold" }, el("summary", { "data-focus": `letter ${each.id}` }, "The record"), el("pre", {}, each.document)) : null,
    ))),
  );
}

export function keys(content, told) {
  const id = "keys";
  if (!content) return replaced(byId(id), title(id, "Keys"), unanswered(told));
  return replaced(
    byId(id),
    title(id, "Keys"),
    !content.is_sealed ? nothing("Nothing is sealed: the console was given no encryption.") : null,
    content.unreadable ? el("p", { class: "note" }, `${plural(content.unreadable, "data key", "data keys")} cannot be read.`) : null,
    el("ul", { class: "cards" }, content.keys.map((key) => el(
      "li", { class: key.is_destroyed ? "bad" : "" },
      el("div", { class: "line" }, el("b", { class: "mono" }, key.id), chip(key.is_destroyed ? "destroyed" : key.active === null ? "none active" : `version ${key.active} is active`, key.is_destroyed ? "bad" : "good")),
      key.rotation ? el("p", { class: "note" }, `Rotates ${key.rotation}`) : null,
      el("ul", { class: "log" }, key.versions.map((version) => el("li", {}, el("time", {}, `version ${version.number}`), el("b", {}, version.state), el("span", {}, `${plural(version.data_keys, "data key", "data keys")}, since ${momentOf(version.since_ms)}`)))),
    ))),
    content.leases.length ? el("details", { "data-key": "leases", class: "fold" }, el("summary", { "data-focus": "leases" }, plural(content.leases.length, "process uses them", "processes use them")), el("ul", { class: "log" }, content.leases.map((lease) => el("li", {}, el("span", {}, lease))))) : null,
  );
}
