"use strict";

// Charts as drawings of the width at hand: lines over a linear axis, with a linear or a logarithmic height.

const DASHES = ["", "7 3", "2 3", "10 3 2 3"]; // by network, so that no chart hangs on colour alone
const MARGIN = { left: 46, right: 12, top: 8, bottom: 30 };
const MOST_POINTS = 300;

class Chart {
  constructor(height, names) {
    this.height = height;
    this.names = names; // what the axes are called: { x }
    this.svg = element("svg", { class: "plot-svg", role: "img", height });
  }

  // `lines`: [{ values, colour, dash, class }], whose places on the axis are 0, 1, 2, ... times `unit`, plus `from`.
  // `rules`: [{ value, name }] across; `dots`: [{ x, y, colour }]. `x` is [low, high], `y` the same or null.
  draw({ lines = [], rules = [], dots = [], x, y, isLog = false, label, bands = [] }) {
    const width = Math.max(220, this.svg.clientWidth || 600), { height } = this;
    const [low, high] = y ?? boundsOf(lines, rules, isLog);
    const scale = isLog ? Math.log10 : (v) => v;
    const across = (v) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * (v - x[0])) / (x[1] - x[0] || 1);
    const up = (v) => height - MARGIN.bottom - ((height - MARGIN.top - MARGIN.bottom) * (scale(v) - scale(low))) / (scale(high) - scale(low) || 1);
    const clipped = (v) => up(Math.max(low, Math.min(high, v)));
    const parts = bands.map(([from, to]) => element("rect", { class: "band", x: across(x[0]), width: across(x[1]) - across(x[0]), y: clipped(to), height: Math.max(0, clipped(from) - clipped(to)) }));
    for (const v of isLog ? decades(low, high) : ticks(low, high, 4)) {
      parts.push(element("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: up(v), y2: up(v) }));
      parts.push(element("text", { x: MARGIN.left - 7, y: up(v) + 4, "text-anchor": "end" }, tickText(v)));
    }
    const most = Math.max(2, Math.floor(width / 90));
    for (const v of ticks(x[0], x[1], most)) parts.push(element("text", { x: across(v), y: height - 12, "text-anchor": "middle" }, tickText(v)));
    parts.push(element("text", { x: width - MARGIN.right, y: height, "text-anchor": "end" }, this.names.x));
    const names = [];
    for (const rule of rules) {
      if (!(rule.value >= low && rule.value <= high)) continue;
      parts.push(element("line", { class: "rule", x1: MARGIN.left, x2: width - MARGIN.right, y1: up(rule.value), y2: up(rule.value) }));
      names.push(element("text", { class: "rule-name", x: width - MARGIN.right, y: up(rule.value) + (rule.isUnder && up(rule.value) < height - MARGIN.bottom - 18 ? 15 : -5), "text-anchor": "end" }, rule.name));
    }
    for (const line of lines) parts.push(element("path", { class: `line ${line.class ?? ""}`, d: pathThrough(line, across, clipped, low), style: `--c: ${line.colour ? `var(${line.colour})` : "var(--ink)"}`, "stroke-dasharray": line.dash ?? "" }));
    for (const dot of dots) parts.push(element("circle", { class: "dot", cx: across(dot.x), cy: clipped(dot.y), r: dot.isChosen ? 6.5 : 4.5, style: `--c: var(${dot.colour})`, "data-chosen": Boolean(dot.isChosen) }));
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("aria-label", label);
    this.svg.replaceChildren(...parts, ...names);
  }
}

// At most so many points of a line: the last of each stretch. A value that is no number ends it, and so does one that
// falls out of the chart.
function pathThrough({ values, unit = 1, from = 0 }, across, up, low) {
  const stride = Math.max(1, Math.ceil(values.length / MOST_POINTS));
  let path = "", isDrawing = false;
  for (let k = 0; k < values.length; k += k + stride < values.length || k === values.length - 1 ? stride : values.length - 1 - k) {
    if (!Number.isFinite(values[k])) { isDrawing = false; continue; }
    path += `${isDrawing ? "L" : "M"}${across(from + k * unit).toFixed(1)} ${up(values[k]).toFixed(1)}`;
    isDrawing = values[k] >= low;
  }
  return path;
}

// What holds all values, with the next round numbers around them.
function boundsOf(lines, rules, isLog) {
  let low = Infinity, high = -Infinity;
  const take = (v) => { if (Number.isFinite(v) && (!isLog || v > 0)) { low = Math.min(low, v); high = Math.max(high, v); } };
  lines.forEach(({ values }) => values.forEach(take));
  rules.forEach(({ value }) => take(value));
  if (low > high) return isLog ? [0.1, 1] : [0, 1];
  if (!isLog) { const room = (high - low || 1) * 0.06; return [low - room, high + room]; }
  // Of what explodes, six orders of magnitude are enough to see.
  high = Math.min(high, low * 1e6);
  return [low / 1.25, high * 1.25];
}

function ticks(low, high, most) {
  const raw = (high - low) / most || 1, size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * size >= raw) * size, places = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) places.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return places;
}

// Powers of ten, every second or third where there are many; and 2 and 5 of each where there are few.
function decades(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9), places = [];
  if (last - first >= 2) {
    const every = Math.ceil((last - first + 1) / 6);
    for (let n = last; n >= first; n -= every) places.push(10 ** n);
    return places;
  }
  for (let n = first - 1; n <= last; n++) for (const m of [1, 2, 5]) if (m * 10 ** n >= low && m * 10 ** n <= high) places.push(m * 10 ** n);
  return places;
}

function tickText(v) {
  const size = Math.abs(v);
  if (size && (size < 1e-3 || size >= 1e5)) { const [digits, power] = v.toExponential(0).split("e"); return `${digits === "1" ? "" : `${digits}·`}10${superscript(Number(power))}`; }
  return String(Number(v.toPrecision(3))).replace("-", "−");
}

const superscript = (n) => String(n).replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);

// A row of names with a sample of their line and what they say now.
function legend(entries, texts) {
  return element("ul", { class: "keys" }, ...entries.map(({ name, colour }, k) => element("li", { style: `--c: var(${colour})` },
    element("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" }, element("path", { d: "M0 4H28", "stroke-dasharray": DASHES[k % DASHES.length] })),
    element("span", {}, name, " ", element("b", {}, texts[k])))));
}
