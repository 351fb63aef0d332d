// Draws what /chaos/state says once a second, and sends wishes. Text from the run only ever becomes text.
"use strict";
(() => {
  const EVERY_MS = 1000;
  const SHOWN_SECONDS = 120;
  const token = document.querySelector('meta[name="logquake-token"]').content;
  const byId = (id) => document.getElementById(id);
  const number = (value) => value === null || value === undefined ? "–" : value.toLocaleString("en");
  let state = null;

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const drawn = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // --- charts -------------------------------------------------------------------------------------------------------

  const roundStep = (least) => {
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
  };
  const valueAxis = (values, canBeLogarithmic) => {
    const positive = values.filter((value) => value > 0);
    const high = Math.max(...values, canBeLogarithmic ? 1 : 4);
    const low = positive.length ? Math.min(...positive) : 1;
    if (canBeLogarithmic && high / low >= 25) {
      const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
      const ticks = Array.from({ length: to - from + 1 }, (_, place) => 10 ** (from + place));
      return { ticks, share: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from) };
    }
    const step = roundStep(high / 3), top = Math.ceil(high / step) * step;
    const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, place) => place * step);
    return { ticks, share: (value) => value / top };
  };
  const milliseconds = (value) => value >= 1000 ? `${+(value / 1000).toPrecision(2)} s` : `${+value.toPrecision(2)} ms`;

  const chart = (svg, { lines, height, word, logarithmic, labels }) => {
    const width = svg.clientWidth || 600, left = 58, right = 18, top = labels ? 24 : 8, bottom = 20;
    const until = Math.max(state.seconds, 30), since = Math.max(0, until - SHOWN_SECONDS);
    const x = (seconds) => left + (Math.min(until, Math.max(since, seconds)) - since) / (until - since) * (width - left - right);
    const rows = state.series.filter((row) => row.second + 1 >= since);
    const values = lines.flatMap((line) => rows.map(line.value)).filter((value) => value !== null && value !== undefined);
    const axis = valueAxis(values, logarithmic);
    const y = (value) => top + (1 - axis.share(value)) * (height - top - bottom);
    const parts = [];
    for (const band of state.bands) {
      const from = x(band.from_seconds), to = x(band.to_seconds ?? until);
      if ((band.to_seconds ?? until) < since) continue;
      const className = band.landed ? "band-box" : "band-box unproved";
      parts.push(drawn("rect", { x: from, y: top, width: Math.max(2, to - from), height: height - top - bottom, class: className }));
      parts.push(drawn("line", { x1: from, x2: from, y1: top - (labels ? 6 : 0), y2: height - bottom, class: "band-edge" }));
    }
    for (const tick of axis.ticks) {
      parts.push(drawn("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }));
      parts.push(drawn("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, word(tick)));
    }
    const step = roundStep((until - since) / Math.max(2, width / 150));
    for (let tick = Math.ceil(since / step) * step; tick <= until; tick += step) {
      parts.push(drawn("text", { x: x(tick), y: height - 5, "text-anchor": "middle" }, `${tick} s`));
    }
    for (const line of lines) parts.push(drawn("path", { d: path(rows, line.value, x, y), class: `line ${line.name}` }));
    if (labels) parts.push(...bandLabels(x, since, until, width));
    svg.setAttribute("height", height);
    svg.replaceChildren(...parts);
  };
  const path = (rows, value, x, y) => {
    let told = "", before = null;
    for (const row of rows) {
      const now = value(row);
      if (now === null || now === undefined) { before = null; continue; }
      const point = `${x(row.second + 0.5).toFixed(1)} ${y(now).toFixed(1)}`;
      told += before === row.second - 1 ? `L${point}` : `M${point}h0.1`;
      before = row.second;
    }
    return told;
  };
  const bandLabels = (x, since, until, width) => {
    const labels = [];
    let taken = 0;
    for (const band of [...state.bands].sort((one, other) => one.from_seconds - other.from_seconds)) {
      if ((band.to_seconds ?? until) < since) continue;
      const text = `${band.fault} on ${band.target}`;
      const place = Math.max(58, Math.min(x(band.from_seconds) + 4, width - 7 * text.length - 8));
      if (place < taken) continue; // the band is told in the list of what happened
      labels.push(drawn("text", { x: place, y: 15, class: "band" }, text));
      taken = place + 7 * text.length + 8;
    }
    return labels;
  };
  const legend = (id, lines) => byId(id).replaceChildren(...lines.map((line) => {
    const entry = element("span", undefined);
    entry.append(element("i", undefined, line.name), line.word);
    return entry;
  }));
  const stored = new Map();
  const response = [
    { name: "p99", word: "p99", value: (row) => row.response_p99_ms },
    { name: "p50", word: "p50", value: (row) => row.response_p50_ms },
  ];
  const flow = [
    { name: "due", word: "due", value: (row) => row.due },
    { name: "acknowledged", word: "acknowledged", value: (row) => row.acknowledged },
    { name: "stored", word: "newly stored", value: (row) => {
      const before = stored.get(row.second - 1);
      return row.stored === null || before === null || before === undefined ? null : row.stored - before;
    } },
  ];
  const backlog = [{ name: "backlog", word: "backlog", value: (row) => row.backlog }];
  legend("legend-response", response);
  legend("legend-flow", flow);

  // --- numbers, lists, buttons --------------------------------------------------------------------------------------

  const counts = () => {
    const told = state.counts;
    const cells = [["acknowledged", told.acknowledged, ""], ["stored", told.stored, ""],
      ["missing yet", told.missing, told.missing ? "waits" : ""], ["duplicates", told.duplicates, told.duplicates ? "bad" : ""]];
    if (told.refused) cells.push(["refused calls", told.refused, "bad"]);
    if (told.withheld) cells.push(["not sent while paused", told.withheld, ""]);
    if (told.unknown) cells.push(["unknown copies", told.unknown, "bad"]);
    byId("counts").replaceChildren(...cells.map(([word, value, className]) => {
      const cell = element("div", undefined, className);
      cell.append(element("b", number(value)), element("span", word));
      cell.dataset.count = word;
      return cell;
    }));
    byId("strange").hidden = !told.excerpts.length;
    byId("excerpts").replaceChildren(...told.excerpts.map((text) => element("li", text)));
  };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const keep = (list, key, make) => { // rebuilt only where it changed, so that a button under the pointer stays
    const text = JSON.stringify(key);
    if (list.dataset.key !== text) { list.dataset.key = text; list.replaceChildren(...make()); }
  };
  const standing = () => {
    keep(byId("standing"), state.standing.map((each) => [each.number, each.phase]), () => state.standing.map((each) => {
      const row = element("li"), heal = element("button", each.phase === "healing" ? "Healing…" : "Heal");
      heal.disabled = each.phase === "healing";
      heal.addEventListener("click", () => ask({ verb: "heal", number: each.number }));
      const words = element("span"), left = element("span", "", "soft");
      left.dataset.left = each.number;
      words.append(element("b", `${each.fault} on ${each.target}`), left);
      row.append(words, heal);
      return row;
    }));
    for (const each of state.standing) {
      const left = byId("standing").querySelector(`[data-left="${each.number}"]`);
      const band = state.bands.find((one) => one.to_seconds === null && one.fault === each.fault && one.target === each.target);
      const proof = band && band.landed ? "proved" : "not proved yet";
      if (left) left.textContent = ` · ${proof} · heals by itself in ${Math.ceil(each.heals_in_seconds)} s`;
    }
  };
  const snapshots = () => keep(byId("snapshots"), state.snapshots, () => [...state.snapshots].reverse().map((each) => {
    const row = element("li"), words = element("span");
    words.append(element("span", each.status || "being made…", `chip ${each.status}`), ` Snapshot ${each.number}, at ${clock(each.at_seconds)} `);
    words.append(element("span", each.words, "soft"));
    row.append(words);
    if (each.status && each.status !== "ERROR") {
      const link = element("a", "Open the scorecard");
      link.href = `/chaos/snapshots/${each.number}`;
      link.target = "_blank";
      row.append(link);
    }
    return row;
  }));
  const notes = () => keep(byId("notes"), state.notes, () => [...state.notes].reverse().map((each) => {
    const row = element("li");
    row.append(element("time", clock(each.at_seconds)), element("span", each.words));
    return row;
  }));
  const phases = { steady: ["steady", "well"], inject: ["fault on", "hurt"], heal: ["healing", "still"], recovery: ["recovery", "well"] };
  const head = () => {
    byId("scenario").textContent = state.scenario || "The run is being prepared";
    byId("about").textContent = [state.title, state.stack && `stack ${state.stack}`, state.run_id].filter(Boolean).join(" · ");
    const [word, className] = state.paused ? ["paused", "still"] : phases[state.phase] || [state.phase, ""];
    byId("phase").textContent = word;
    byId("phase").className = `chip ${className}`;
    byId("clock").textContent = state.phase in phases ? `${clock(state.seconds)} · ${clock(state.seconds_left)} left` : "";
    byId("busy").hidden = !state.busy;
    byId("busy").textContent = state.busy ? `${state.busy[0].toUpperCase()}${state.busy.slice(1)}.` : "";
    document.title = `${word} · ${state.scenario} · logquake`;
  };
  const buttons = () => {
    const sending = state.phase in phases && !state.busy;
    byId("pause").textContent = state.paused ? "Go on sending" : "Pause the load";
    for (const id of ["pause", "snapshot", "end"]) byId(id).disabled = !sending || !state.pausable;
    byId("start-button").disabled = !sending || !state.offers.length;
  };

  // --- the form of a fault ------------------------------------------------------------------------------------------

  const options = (select, words) => {
    const before = select.value;
    select.replaceChildren(...words.map((word) => element("option", word)));
    if (words.includes(before)) select.value = before;
  };
  const offer = () => state.offers.find((one) => one.target === byId("target").value && one.fault === byId("fault").value);
  const offers = () => {
    const key = JSON.stringify(state.offers);
    if (byId("start").dataset.key === key) return;
    byId("start").dataset.key = key;
    options(byId("target"), [...new Set(state.offers.map((one) => one.target))]);
    faults();
  };
  const faults = () => {
    options(byId("fault"), state.offers.filter((one) => one.target === byId("target").value).map((one) => one.fault));
    argumentsOf();
  };
  const argumentsOf = () => {
    const chosen = offer();
    byId("words").textContent = chosen ? chosen.words : "";
    byId("arguments").replaceChildren(...Object.entries(chosen ? chosen.arguments : {}).map(([name, value]) => {
      const label = element("label", name), input = element("input");
      input.name = name;
      input.value = value;
      if (typeof value === "number") { input.type = "number"; input.step = "any"; }
      label.append(input);
      return label;
    }));
  };
  const given = (chosen) => Object.fromEntries([...byId("arguments").querySelectorAll("input")].map((input) => {
    const before = chosen.arguments[input.name];
    if (typeof before === "number") return [input.name, Number(input.value)];
    return [input.name, typeof before === "boolean" ? input.value === "true" : input.value];
  }));

  // --- asking -------------------------------------------------------------------------------------------------------

  const ask = async (wish) => {
    let answer = { taken: false, words: "The run does not answer." };
    try {
      const told = await fetch("/chaos/wish", {
        method: "POST", body: JSON.stringify(wish),
        headers: { "Content-Type": "application/json", "X-Logquake-Token": token },
      });
      const text = await told.text();
      answer = told.headers.get("Content-Type").startsWith("application/json") ? JSON.parse(text) : { taken: false, words: text };
    } catch { /* the sentence above says it */ }
    byId("answer").textContent = answer.words;
    byId("answer").className = answer.taken ? "" : "refused";
  };
  byId("target").addEventListener("change", faults);
  byId("fault").addEventListener("change", argumentsOf);
  byId("start").addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = offer();
    if (chosen) ask({ verb: "start", fault: chosen.fault, target: chosen.target, arguments: given(chosen), seconds: Number(byId("seconds").value) });
  });
  byId("pause").addEventListener("click", () => ask({ verb: state.paused ? "resume" : "pause" }));
  byId("snapshot").addEventListener("click", () => ask({ verb: "snapshot" }));
  byId("end").addEventListener("click", () => { if (confirm("End the run? What was acknowledged is still waited for and judged.")) ask({ verb: "end" }); });

  // --- once a second ------------------------------------------------------------------------------------------------

  const show = () => {
    stored.clear();
    for (const row of state.series) stored.set(row.second, row.stored);
    head(); counts(); standing(); snapshots(); notes(); offers(); buttons();
    chart(byId("chart-response"), { lines: [...response].reverse(), height: 220, word: milliseconds, logarithmic: true, labels: true });
    chart(byId("chart-flow"), { lines: flow, height: 140, word: number, logarithmic: false, labels: false });
    chart(byId("chart-backlog"), { lines: backlog, height: 110, word: number, logarithmic: false, labels: false });
  };
  const follow = async () => {
    try {
      const told = await fetch("/chaos/state");
      if (!told.ok) throw new Error(told.statusText);
      state = await told.json();
      byId("lost").hidden = true;
      show();
    } catch (error) {
      byId("lost").hidden = false;
      console.error(error);
    }
    if (!state || state.phase !== "over") setTimeout(follow, EVERY_MS);
  };
  follow();
})();
