// Charts as plain SVG: bars that are stacked, and lines. A pointer or the arrow keys read a column out; Enter or
// a click leads to its lines.

import { byId, el, replaced, svg, shortTime, dayOf, visible } from "./elements.js";

const LEFT = 62;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 22;
const LOG_LEAST = 0.005;

export class Chart {
  // options: title, about, height, format, log, area, stacked, series: [{name, mark}], pick(column) or null
  constructor(figure, options) {
    this.options = options;
    this.data = null;
    this.at = -1;
    this.about = el("span", { class: "soft" }, options.about || "");
    this.legend = el("span", { class: "legend" }, options.series.map((each) => [el("i", { class: `key ${each.mark}` }), el("span", {}, each.name)]));
    this.drawing = svg("svg", {
      class: "drawing", height: options.height, tabindex: 0, role: "slider", "aria-label": `${options.title}: arrow keys read it out`,
      "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "nothing yet",
    });
    this.empty = el("p", { class: "nothing" }, "Nothing yet.");
    figure.replaceChildren(el("figcaption", {}, el("b", {}, options.title), this.about, this.legend), el("div", { class: "plot" }, this.drawing, this.empty));
    this.drawing.addEventListener("pointermove", (event) => this.point(event));
    this.drawing.addEventListener("pointerleave", () => this.leave());
    this.drawing.addEventListener("blur", () => this.leave());
    this.drawing.addEventListener("click", (event) => { this.point(event); this.pick(); });
    this.drawing.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.drawing);
  }

  // data: {since, until, columns: [ms], width, faint: [bool], gaps: [bool], values: [[number or null]] by series}
  show(data, about) {
    this.data = data;
    if (about !== undefined) this.about.textContent = visible(about);
    this.draw();
  }

  // Shows nothing, and whether that is because nobody has answered yet.
  clear(told) {
    this.data = null;
    this.leave();
    this.drawing.replaceChildren();
    this.empty.textContent = told?.trouble ? "Not known: there was no answer yet." : "Asking…";
    this.empty.hidden = false;
  }

  draw() {
    const data = this.data;
    const has = data !== null && data.columns.length > 0 && data.values.some((row) => row.some((value) => value !== null));
    if (data === null) return;
    this.empty.hidden = has;
    this.empty.textContent = "Nothing yet.";
    const width = Math.max(120, this.drawing.clientWidth);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${this.options.height}`);
    this.x = (ms) => LEFT + ((ms - data.since) / (data.until - data.since)) * (width - LEFT - RIGHT);
    this.fit();
    this.drawing.setAttribute("aria-valuemax", Math.max(0, data.columns.length - 1));
    const parts = [this.grid(width), this.times(width)];
    if (has) parts.push(this.options.stacked ? this.bars() : this.lines());
    this.cursor = svg("line", { class: "cursor", y1: TOP, y2: this.options.height - BOTTOM, visibility: "hidden" });
    this.drawing.replaceChildren(...parts.flat(Infinity), this.cursor);
    if (this.at >= 0) this.mark(this.at);
  }

  fit() {
    const { data, options } = this;
    let most = 0;
    for (let at = 0; at < data.columns.length; at += 1) {
      const column = data.values.map((row) => row[at] || 0);
      most = Math.max(most, options.stacked ? column.reduce((sum, each) => sum + each, 0) : Math.max(...column));
    }
    const bottom = options.height - BOTTOM;
    if (options.log) {
      const top = Math.max(10 * LOG_LEAST, 10 ** Math.ceil(Math.log10(Math.max(most, LOG_LEAST) * 1.01)));
      const decades = Math.log10(top / LOG_LEAST);
      this.ticks = [];
      for (let tick = 0.01; tick <= top * 1.01; tick *= 10) this.ticks.push(tick);
      this.y = (value) => bottom - (Math.log10(Math.max(value, LOG_LEAST) / LOG_LEAST) / decades) * (bottom - TOP);
      return;
    }
    const step = niceStep(Math.max(most, options.least || 1) / 3, options.base || 10);
    const top = step * Math.ceil(Math.max(most, options.least || 1) / step);
    this.ticks = [];
    for (let tick = 0; tick <= top * 1.001; tick += step) this.ticks.push(tick);
    this.y = (value) => bottom - (value / top) * (bottom - TOP);
  }

  grid(width) {
    return this.ticks.map((tick) => [
      svg("line", { class: tick === 0 ? "axis" : "grid", x1: LEFT, x2: width - RIGHT, y1: this.y(tick), y2: this.y(tick) }),
      svg("text", { x: LEFT - 7, y: this.y(tick) + 4, "text-anchor": "end" }, this.options.format(tick)),
    ]);
  }

  times(width) {
    const { since, until } = this.data;
    const length = until - since;
    const wanted = Math.max(2, Math.floor((width - LEFT) / 90));
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60_000);
    const step = steps.find((each) => length / each <= wanted) || steps.at(-1);
    const offset = new Date(until).getTimezoneOffset() * 60_000;
    const marks = [];
    for (let ms = Math.ceil((since - offset) / step) * step + offset; ms < until; ms += step) {
      const at = this.x(ms);
      if (at < LEFT + 12 || at > width - 22) continue;
      const text = step >= 86_400_000 || (length > 2 * 86_400_000 && new Date(ms).getHours() === 0) ? dayOf(ms) : shortTime(ms);
      marks.push(svg("text", { x: at, y: this.options.height - 6, "text-anchor": "middle" }, text));
    }
    return marks;
  }

  bars() {
    const { data, options } = this;
    const parts = [];
    const bottom = options.height - BOTTOM;
    for (let at = 0; at < data.columns.length; at += 1) {
      const left = this.x(Math.max(data.since, data.columns[at]));
      const right = this.x(Math.min(data.until, data.columns[at] + data.width));
      const width = Math.max(1, right - left - (right - left > 5 ? 1.5 : 0.5));
      if (data.gaps?.[at]) {
        parts.push(svg("rect", { class: "gap", x: left, width, y: TOP, height: bottom - TOP }));
        continue;
      }
      let sum = 0;
      options.series.forEach((each, place) => {
        const value = data.values[place][at];
        if (!value) return;
        const top = this.y(sum + value);
        // A rare error among very many records is still to be seen.
        const height = Math.max(each.mark === "error" ? 2 : 0.6, this.y(sum) - top);
        parts.push(svg("rect", { class: `${each.mark}${data.faint?.[at] ? " faint" : ""}`, x: left, width, y: this.y(sum) - height, height }));
        sum += value;
      });
    }
    return parts;
  }

  lines() {
    const { data, options } = this;
    const bottom = options.height - BOTTOM;
    return options.series.map((each, place) => {
      const runs = [];
      let run = [];
      data.values[place].forEach((value, at) => {
        if (value === null || value === undefined) {
          if (run.length) runs.push(run);
          run = [];
        } else run.push([this.x(data.columns[at]), this.y(value)]);
      });
      if (run.length) runs.push(run);
      return runs.map((points) => {
        const path = points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
        const last = points.at(-1);
        return [
          options.area && place === 0 ? svg("path", { class: `area ${each.mark}`, d: `${path}L${last[0].toFixed(1)} ${bottom}L${points[0][0].toFixed(1)} ${bottom}Z` }) : null,
          svg("path", { class: `line ${each.mark}`, d: path }),
          points.length === 1 ? svg("circle", { class: `dot ${each.mark}`, cx: last[0], cy: last[1], r: 2.5 }) : null,
        ].filter(Boolean);
      });
    });
  }

  point(event) {
    if (!this.data?.columns.length) return;
    const box = this.drawing.getBoundingClientRect();
    const x = event.clientX - box.left;
    const half = this.options.stacked ? this.data.width / 2 : 0;
    let nearest = 0;
    this.data.columns.forEach((ms, at) => {
      if (Math.abs(this.x(ms + half) - x) < Math.abs(this.x(this.data.columns[nearest] + half) - x)) nearest = at;
    });
    this.mark(nearest);
    this.tip(event.clientX, event.clientY);
  }

  key(event) {
    const last = (this.data?.columns.length || 0) - 1;
    if (last < 0) return;
    const from = this.at < 0 ? last + 1 : this.at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, PageUp: from - 10, PageDown: from + 10 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.mark(Math.min(last, Math.max(0, to)));
      const box = this.drawing.getBoundingClientRect();
      this.tip(box.left + this.x(this.middle(this.at)), box.top + 30);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.pick();
    } else if (event.key === "Escape") this.leave();
  }

  middle(at) {
    return this.data.columns[at] + (this.options.stacked ? this.data.width / 2 : 0);
  }

  mark(at) {
    if (at >= this.data.columns.length) return this.leave();
    this.at = at;
    const x = this.x(this.middle(at));
    for (const [name, value] of [["x1", x], ["x2", x], ["visibility", "visible"]]) this.cursor.setAttribute(name, value);
    const read = this.options.series.map((each, place) => `${each.name} ${this.shown(place, at)}`).join(", ");
    this.drawing.setAttribute("aria-valuenow", at);
    this.drawing.setAttribute("aria-valuetext", `${shortTime(this.data.columns[at])}: ${read}`);
    return undefined;
  }

  shown(place, at) {
    const value = this.data.values[place][at];
    return value === null || value === undefined ? "not known" : (this.options.exact || this.options.format)(value);
  }

  tip(x, y) {
    const tip = byId("tip");
    const ms = this.data.columns[this.at];
    const long = this.data.until - this.data.since > 86_400_000;
    replaced(
      tip,
      el("b", {}, `${long ? `${dayOf(ms)}, ` : ""}${shortTime(ms)}`),
      this.data.gaps?.[this.at]
        ? el("div", {}, "a gap: records of then are still on their way")
        : this.options.series.map((each, place) => el("div", {}, el("i", { class: `key ${each.mark}` }), el("span", {}, each.name), el("b", {}, this.shown(place, this.at)))).reverse(),
      this.options.pick ? el("em", {}, "Enter or click: its lines") : null,
    );
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(6, Math.min(x + 14, document.documentElement.clientWidth - box.width - 6))}px`;
    tip.style.top = `${Math.max(6, y + 16 + box.height > window.innerHeight ? y - box.height - 12 : y + 16)}px`;
  }

  leave() {
    this.at = -1;
    byId("tip").hidden = true;
    this.cursor?.setAttribute("visibility", "hidden");
  }

  pick() {
    if (this.options.pick && this.at >= 0 && this.data?.columns.length) {
      const at = this.at;
      this.leave();
      this.options.pick(this.data.columns[at], this.data.columns[at] + this.data.width);
    }
  }
}

// Some bars in a row, for one line of a table; what they say is in the table's words too.
export function sparkBars(values, mark) {
  const most = Math.max(1, ...values);
  return svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${values.length * 8} 24`, width: values.length * 8, height: 24, "aria-hidden": "true" },
    values.map((value, at) => {
      const height = value ? Math.max(1.5, (value / most) * 22) : 1;
      return svg("rect", { class: value ? mark : "none", x: at * 8, width: 6, y: 23 - height, height, rx: 1 });
    }),
  );
}

// A round step: 1, 2 or 5 times a power of 10; of bytes, a power of 2.
function niceStep(raw, base) {
  if (base === 2) return 2 ** Math.ceil(Math.log2(raw));
  const size = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 2.5, 5, 10].map((each) => each * size).find((each) => each >= raw * 0.999);
}
