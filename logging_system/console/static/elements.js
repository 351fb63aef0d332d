// Elements made of text alone: nothing that comes from a log line, a rule or a key is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

// Characters that turn the order of what stands beside them are shown by their number: a line must not be able to
// make an answer's button say something else. https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
export const visible = (text) => String(text).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
  return node;
}

export const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

// Puts new children in the place of those before, unless they are the same; a person's focus and open details stay.
export function replaced(node, ...children) {
  const fresh = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  const holder = el("div", {}, fresh);
  if (holder.childNodes.length === node.childNodes.length) {
    let same = true;
    for (let at = 0; at < holder.childNodes.length && same; at += 1) same = alike(holder.childNodes[at], node.childNodes[at]);
    if (same) return;
  }
  const open = new Set([...node.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  for (const each of holder.querySelectorAll("details[data-key]")) if (open.has(each.dataset.key)) each.open = true;
  node.replaceChildren(...holder.childNodes);
  if (focused) [...node.querySelectorAll("[data-focus]")].find((each) => each.dataset.focus === focused)?.focus();
}

function alike(one, other) {
  if (one.nodeName === "DETAILS" || one.querySelector?.("details")) {
    const copy = other.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("details")]) each.removeAttribute("open");
    return one.isEqualNode(copy) || one.isEqualNode(other);
  }
  return one.isEqualNode(other);
}

const plain = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export function count(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 999_950) return `${digits(value / 1e6)} M`;
  if (value >= 99_950) return `${digits(value / 1e3)} k`;
  return plain.format(value);
}

export function rate(value) {
  if (value === null || value === undefined) return "–";
  return value >= 100 ? count(value) : value >= 10 ? value.toFixed(1) : value.toFixed(value > 0 ? 2 : 0);
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  let left = value;
  while (left >= 1024 && place < units.length - 1) {
    left /= 1024;
    place += 1;
  }
  return `${place ? digits(left) : plain.format(left)} ${units[place]}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return `${plain.format(value * 1000)} ms`;
  if (value < 120) return `${value < 10 ? digits(value) : plain.format(value)} s`;
  if (value < 7200) return `${plain.format(value / 60)} min`;
  if (value < 172_800) return `${plain.format(value / 3600)} h`;
  return `${plain.format(value / 86_400)} d`;
}

export const share = (value) => (value > 0 && value < 0.001 ? "< 0.1 %" : `${digits(value * 100)} %`);

function digits(value) {
  return value >= 100 ? plain.format(value) : value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const short = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

export const timeOf = (ms) => clock.format(ms);
export const shortTime = (ms) => short.format(ms);
export const dayOf = (ms) => day.format(ms);

// The time, and the day where it is not today.
export function momentOf(ms) {
  if (!ms) return "an unknown time";
  return dayOf(ms) === dayOf(Date.now()) ? timeOf(ms) : `${dayOf(ms)}, ${shortTime(ms)}`;
}

export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;
