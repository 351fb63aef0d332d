// The page: takes what the console streams, keeps the latest of each panel with its time, and shows it.

import { Chart } from "./charts.js";
import { byId, bytes, count, el, momentOf, plural, rate, replaced, seconds, share, timeOf, visible } from "./elements.js";
import { openLines, prepareLines } from "./lines.js";
import * as panels from "./panels.js";

const meta = (name) => document.querySelector(`meta[name=${name}]`).content;
const about = JSON.parse(meta("about"));
const SPAN_NAMES = { "15m": "15 minutes", "1h": "an hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days" };
const STORE_PANELS = ["rates", "templates", "loggers"];
const SILENT_MS = 25_000;

const state = { span: about.spans[0].name, panels: {}, templates: "errors", stream: null, heardMs: 0, aheadMs: 0, lost: false, refused: "" };
const content = (name) => state.panels[name]?.content ?? null;

const pickLines = (since, until) => openLines({ since, until, title: `Lines from ${momentOf(since)}` });
const charts = {
  records: new Chart(byId("records"), {
    title: "Records", height: 220, format: count, stacked: true, pick: pickLines, least: 4,
    series: [{ name: "debug", mark: "debug" }, { name: "other", mark: "other" }, { name: "info", mark: "info" }, { name: "warning", mark: "warning" }, { name: "error", mark: "error" }],
  }),
  latency: new Chart(byId("latency"), {
    title: "Logged to searchable", height: 150, format: seconds, exact: panels.bound, log: true,
    series: [{ name: "p99", mark: "p99" }, { name: "p95", mark: "p95" }, { name: "p50", mark: "p50" }],
  }),
  backlog: new Chart(byId("backlog"), { title: "Backlog", height: 150, format: count, area: true, least: 10, series: [{ name: "records not in the store", mark: "backlog" }] }),
  flow: new Chart(byId("flow"), {
    title: "Records a second", height: 150, format: rate, least: 1,
    series: [{ name: "into the spool", mark: "admitted" }, { name: "into the store", mark: "delivered" }],
  }),
  spool: new Chart(byId("spool"), { title: "Spool on disk", height: 150, format: bytes, area: true, least: 1024, base: 2, series: [{ name: "bytes", mark: "spool" }] }),
};

function chartRates(rates) {
  charts.records.show({
    since: rates.since_ms, until: rates.until_ms, width: rates.interval_seconds * 1000,
    columns: rates.buckets.map((each) => each.start_ms),
    faint: rates.buckets.map((each) => each.state === "filling" || each.state === "held up"),
    gaps: rates.buckets.map((each) => each.state === "gap"),
    values: ["debug", "other", "info", "warning", "error"].map((level) => rates.buckets.map((each) => each.levels?.[level] ?? null)),
  }, rates.has_streams ? `by level, ${interval(rates.interval_seconds)} a bar${rates.partial ? `; only a part: ${rates.partial}` : ""}` : "No data stream is found: none has a record yet, or the store's user may not read them (privilege read).");
  tellCache(rates.cache_refusal);
}

function tellCache(refusal) {
  byId("foot-cache").textContent = refusal ? visible(`The store is asked without the cache, which makes more work for it: its user lacks a privilege, read or monitor of the data streams or monitor of the cluster. The store says: ${refusal}`) : "";
}

const interval = (length) => (length < 60 ? `${length} s` : length < 3600 ? `${length / 60} min` : `${length / 3600} h`);

function chartSeries(series) {
  const isShort = series.at_ms.length > 0 && series.at_ms[0] > series.since_ms + 60_000;
  // Nobody counted before the console began: a chart of what is not known would be an empty one.
  if (isShort) series = { ...series, since_ms: Math.min(series.at_ms[0], series.until_ms - 120_000) };
  const times = { since: series.since_ms, until: series.until_ms, columns: series.at_ms, width: series.every_seconds * 1000 };
  const latency = (place) => series.latencies_seconds.map((each) => (each ? each[place] ?? 7200 : null));
  charts.latency.show({ ...times, values: [latency(2), latency(1), latency(0)] });
  charts.backlog.show({ ...times, values: [series.backlog] });
  charts.flow.show({ ...times, values: [series.admitted, series.delivered] });
  charts.spool.show({ ...times, values: [series.spool_bytes] });
}

// Each is given what is shown, null before the first answer, and what was told with it.
const SHOW = {
  rates: (each, told) => (each ? chartRates(each) : charts.records.clear(told)),
  series: (each, told) => {
    if (each) chartSeries(each);
    else for (const name of PLACES.series) charts[name].clear(told);
  },
  templates: (each, told) => panels.templates(each, told, state.templates),
  loggers: (each, told) => {
    panels.noise("loggers", "Loggers", each?.loggers || [], each, told);
    panels.noise("namespaces", "Namespaces", each?.namespaces || [], each, told);
  },
  workflows: panels.workflows,
  alerts: (each, told) => panels.alerts(each, told, about.spool),
  findings: (each, told) => panels.findings(each, told, about.spool),
  dead_letters: panels.deadLetters,
  keys: panels.keys,
  pipeline: () => {},
};
const PLACES = { rates: ["records"], series: ["latency", "backlog", "flow", "spool"], templates: ["templates"], loggers: ["loggers", "namespaces"], workflows: ["workflows"], alerts: ["alerts"], findings: ["findings"], dead_letters: ["dead"], keys: ["keys"] };

function take(told) {
  if (told.span && told.span !== state.span) return;
  state.aheadMs = told.now_ms - Date.now();
  state.panels[told.name] = told;
  SHOW[told.name](told.content, told);
  // Several panels come together; a timer, since a page in the background has no frames but a title.
  clearTimeout(take.timer);
  take.timer = setTimeout(overall, 40);
}

// How it stands, in a sentence; and what else a person should know.

function overall() {
  replaced(byId("tiles"), panels.tiles({ told: state.panels, hasStore: about.has_store, spanName: SPAN_NAMES[state.span] }));
  const troubles = [...found()];
  const [first, ...others] = troubles;
  const isWatched = content("alerts")?.is_watched;
  replaced(byId("headline"), first ? first[0] : isAsking() ? "Looking…" : isWatched ? "All is well." : "No trouble is known.");
  document.body.dataset.mood = first ? first[2] : isAsking() || !isWatched ? "unknown" : "good";
  document.title = first ? visible(`${first[0]} · Console`) : "Console";
  replaced(byId("more"), others.length ? ["Also: ", others.map(([text, target], at) => [at ? " " : "", el("a", { href: `#${target}` }, text)])] : first ? el("a", { href: `#${first[1]}` }, "Look at it") : calm());
  ages();
}

function isAsking() {
  const told = Object.values(state.panels);
  return !told.length || told.some((each) => each.is_waiting);
}

function* found() {
  const trouble = storeTrouble();
  const { alerts, findings, workflows, pipeline } = Object.fromEntries(["alerts", "findings", "workflows", "pipeline"].map((name) => [name, content(name)]));
  if (state.refused) yield ["The console keeps no further page up to date.", "banner", "bad"];
  else if (state.lost) yield ["The console does not answer.", "banner", "bad"];
  if (trouble) yield ["The store gives no answer.", "banner", "bad"];
  if (alerts?.firing_total) yield [alerts.is_watched ? `${plural(alerts.firing_total, "alert fires", "alerts fire")}.` : `${plural(alerts.firing_total, "alert", "alerts")} fired when somebody last watched.`, "alerts", "bad"];
  if (workflows?.waiting) yield [`${plural(workflows.waiting, "workflow waits", "workflows wait")} for you.`, "workflows", "warn"];
  if (pipeline?.spool_bytes_max && pipeline.spool_bytes > 0.8 * pipeline.spool_bytes_max) yield [`The spool is ${share(pipeline.spool_bytes / pipeline.spool_bytes_max)} full.`, "spool", "bad"];
  if (state.panels.pipeline?.trouble) yield [state.panels.pipeline.trouble, "backlog", "bad"];
  const unshipped = pipeline?.is_counted_from_spool && unshippedWords(pipeline);
  if (unshipped) yield [unshipped, "backlog", "warn"];
  if (pipeline?.is_breaker_open) yield ["The shipper waits for the store.", "backlog", "warn"];
  if (findings?.open) yield [findings.is_watched ? `${plural(findings.open, "finding lasts", "findings last")}.` : `${plural(findings.open, "finding", "findings")} lasted when somebody last watched.`, "findings", "warn"];
}

// A shipper that ended in order and left nothing is no trouble; one that is silent may have been killed.
function unshippedWords(pipeline) {
  const left = pipeline.backlog ? `${pipeline.is_backlog_exact ? "" : "at least "}${plural(pipeline.backlog, "record waits", "records wait")}` : "";
  if (pipeline.is_shipper_closed) return left && `The shipper has ended, and ${left}.`;
  if (pipeline.has_shipper) return `The shipper has been silent for ${seconds(pipeline.status_age_seconds)}${left && `, and ${left}`}.`;
  return left && `No shipper is heard of, and ${left}.`;
}

function calm() {
  if (isAsking()) return "";
  return [
    content("alerts")?.is_watched ? "" : "Nobody watches this spool, so no alert can fire.",
    content("pipeline")?.is_shipper_closed ? "The shipper ended, and nothing is left to ship." : "",
    flow(),
  ].filter(Boolean).join(" ");
}

function flow() {
  const per = content("rates")?.per_second;
  const latency = content("pipeline")?.latencies_seconds;
  if (per === undefined || per === null) return about.has_store ? "" : "No store is named, so there are no records to show: start the console with --elasticsearch URL.";
  return `${rate(per)} records a second${latency && latency[2] !== null ? `; 99 % of the latest were searchable within ${seconds(latency[2])}` : ""}.`;
}

function storeTrouble() {
  return STORE_PANELS.map((name) => state.panels[name]).find((each) => each?.trouble) || null;
}

// Ages tick by themselves: what is old says how old, also when nothing is told any more.

function ages() {
  const nowMs = Date.now() + state.aheadMs;
  const trouble = storeTrouble();
  const banner = byId("banner");
  banner.hidden = !trouble && !state.lost && !state.refused;
  if (state.refused) replaced(banner, el("b", {}, "This page is not live. "), `${state.refused} It is asked again every few seconds.`);
  else if (state.lost) replaced(banner, el("b", {}, "The console does not answer. "), `What you see is from ${timeOf(state.heardMs + state.aheadMs)}, ${seconds(Math.round((Date.now() - state.heardMs) / 1000))} ago. It is asked again and again.`);
  else if (trouble) {
    const last = trouble.content ? `What you see of it is its last answer, ${seconds(Math.max(0, Math.round((nowMs - trouble.answered_ms) / 1000)))} old (${timeOf(trouble.answered_ms)}).` : "It has not answered yet.";
    replaced(banner, el("b", {}, `The store gives no answer since ${timeOf(trouble.since_ms)}. `), `${last} `, el("span", { class: "soft" }, trouble.trouble));
  }
  for (const [name, places] of Object.entries(PLACES)) {
    const told = state.panels[name];
    const isOld = Boolean(state.lost || told?.trouble);
    for (const place of places) {
      const node = byId(place);
      node.classList.toggle("old", isOld);
      const age = told?.answered_ms ? `${seconds(Math.max(0, Math.round((nowMs - told.answered_ms) / 1000)))} old` : "no answer yet";
      if (isOld) node.dataset.age = age;
      else delete node.dataset.age;
      if (told?.trouble && !STORE_PANELS.includes(name)) node.dataset.age = visible(`${age}: ${told.trouble}`);
    }
  }
  const live = byId("live");
  const isLive = !state.lost && state.heardMs > 0;
  live.classList.toggle("on", isLive);
  replaced(live.querySelector("span"), isLive ? "Live" : state.heardMs ? "Not live" : "Connecting…");
}

// The stream

function listen() {
  state.stream?.close();
  const stream = new EventSource(`/stream?span=${encodeURIComponent(state.span)}`);
  state.stream = stream;
  const heard = () => {
    state.heardMs = Date.now();
    state.lost = false;
    state.refused = "";
  };
  stream.addEventListener("panel", (event) => {
    heard();
    take(JSON.parse(event.data));
  });
  stream.addEventListener("still", () => {
    heard();
    overall();
  });
  stream.addEventListener("error", () => {
    if (state.stream !== stream) return;
    if (state.heardMs) state.lost = true;
    overall();
    if (stream.readyState === EventSource.CLOSED) again();
  });
}

// A stream does not say why it was refused: asking for it once more does, and is given up at once.
async function again() {
  const asking = new AbortController();
  const timer = setTimeout(() => asking.abort(), 5_000);
  try {
    const answer = await fetch(`/stream?span=${encodeURIComponent(state.span)}`, { signal: asking.signal });
    if (answer.status === 401) {
      location.assign("/sign-in");
      return;
    }
    state.refused = answer.ok ? "" : await answer.json().then((told) => told.message, () => "It has too many connections.");
  } catch {
    state.refused = "";
  }
  clearTimeout(timer);
  asking.abort();
  overall();
  setTimeout(listen, 2_000);
}

function choose(span) {
  if (span === state.span) return;
  state.span = span;
  for (const name of ["rates", "series", "templates", "loggers"]) delete state.panels[name];
  for (const each of document.querySelectorAll("#spans button")) {
    const isChosen = each.dataset.span === span;
    each.setAttribute("aria-checked", String(isChosen));
    each.tabIndex = isChosen ? 0 : -1;
  }
  listen();
}

// What a person does

async function answerRun(button) {
  const { run, say } = button.dataset;
  const said = [...document.querySelectorAll("[data-said]")].find((each) => each.dataset.said === run);
  const buttons = [...document.querySelectorAll("button[data-run]")].filter((each) => each.dataset.run === run);
  for (const each of buttons) each.disabled = true;
  said.textContent = "Telling the engine…";
  try {
    const answer = await fetch("/answer", {
      method: "POST", headers: { "Content-Type": "application/json", "X-Console-Csrf": meta("csrf") },
      body: JSON.stringify({ run, say }), signal: AbortSignal.timeout(15_000),
    });
    toast((await answer.json()).message);
  } catch {
    toast("The console gave no answer.");
  }
  said.textContent = "";
  for (const each of buttons) each.disabled = false;
}

function toast(text) {
  byId("toast").textContent = visible(text);
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { byId("toast").textContent = ""; }, 8_000);
}

function clicked(event) {
  const target = event.target.closest?.("[data-query], [data-run], [data-templates], [data-span]");
  if (!target) return;
  const { query, since, until, title, namespace, run, templates, span } = target.dataset;
  if (run) answerRun(target);
  else if (span) choose(span);
  else if (templates) {
    state.templates = templates;
    SHOW.templates(content("templates"), state.panels.templates);
  } else openLines({ query, since: Number(since), until: Number(until), title, namespace });
}

function radioKey(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...document.querySelectorAll("#spans button")];
  const at = buttons.findIndex((each) => each.dataset.span === state.span);
  const next = buttons[(at + step + buttons.length) % buttons.length];
  choose(next.dataset.span);
  next.focus();
}

function prepare() {
  byId("service").textContent = visible(about.service);
  const shortest = [...about.spans].sort((one, other) => one.seconds - other.seconds);
  byId("spans").append(...shortest.map(({ name }) => el("button", { type: "button", role: "radio", "data-span": name, "aria-checked": String(name === state.span), tabindex: name === state.span ? 0 : -1, "aria-label": SPAN_NAMES[name] }, name)));
  byId("spans").addEventListener("keydown", radioKey);
  byId("foot").textContent = visible(`Spool ${about.spool}. ${about.namespaces.length ? `Namespaces ${about.namespaces.join(", ")}.` : "All namespaces."} ${about.is_masked ? "Lines are masked once more before they are shown." : "Lines are shown as they are stored: masking is not installed."}`);
  byId("sign-out").hidden = !about.asks_for_tokens;
  byId("sign-out").addEventListener("click", async () => {
    await fetch("/sign-out", { method: "POST", headers: { "X-Console-Csrf": meta("csrf") } });
    location.assign("/sign-in");
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const length = about.spans.find((each) => each.name === state.span).seconds * 1000;
    openLines({ query: byId("ask-query").value, since: Date.now() + state.aheadMs - length, title: "Search" });
  });
  byId("ask").hidden = !about.has_store;
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, dialog") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      byId("ask-query").focus();
    }
  });
  prepareLines();
  for (const show of Object.values(SHOW)) show(null);
  overall();
  setInterval(() => {
    // A clock that was set back counts as silence too, once.
    if (state.heardMs && Math.abs(Date.now() - state.heardMs) > SILENT_MS && !state.lost) {
      state.lost = true;
      overall();
      listen();
    } else ages();
  }, 1_000);
  listen();
}

prepare();
