"use strict";

// Small line charts: every gate and state of one unit over the steps; and bars by step.

const LINES = ["--cell-lstm", "--cell-gru", "--cell-rnn", "--cell-rnn-relu", "--cell-other-0", "--cell-other-1"];
const WIDTH = 600;

function pathOf(values, from, low, high, height) {
  const n = values.length - from, x = (t) => (WIDTH * (t - from + 0.5)) / n, y = (v) => height - (height * (v - low)) / (high - low);
  let path = "";
  for (let t = from; t < values.length; t++) {
    if (Number.isFinite(values[t])) path += `${t > from && Number.isFinite(values[t - 1]) ? "L" : "M"}${x(t).toFixed(1)} ${y(values[t]).toFixed(1)}`;
  }
  return n === 1 ? `${path}h0.01` : path;
}

// `lines` is [{ name, values, colour }]; all share the axis from `low` to `high`. At `limit`, if there is one, is a line.
function lineChart(lines, { from, low, high, step, label, choose, limit = NaN }) {
  const height = 110, n = lines[0].values.length - from;
  const marks = [low, high, limit].filter(Number.isFinite).concat(low < 0 && high > 0 ? [0] : []).map((v) => {
    const y = height - (height * (v - low)) / (high - low);
    return element("line", { class: v === limit ? "limit" : "grid", x1: 0, x2: WIDTH, y1: y, y2: y });
  });
  const svg = element("svg", { class: "chart", viewBox: `0 -4 ${WIDTH} ${height + 8}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    ...marks,
    element("line", { class: "now", x1: (WIDTH * (step - from + 0.5)) / n, x2: (WIDTH * (step - from + 0.5)) / n, y1: -4, y2: height + 4 }),
    ...lines.map((line) => element("path", { d: pathOf(line.values, from, low, high, height), style: `stroke: var(${line.colour})` })));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    choose(from + Math.max(0, Math.min(n - 1, Math.floor(((event.clientX - box.left) / box.width) * n))));
  });
  const ends = element("div", { class: "ends" }, element("span", {}, shown(high, 2)), element("span", {}, shown(low, 2)));
  const keys = element("div", { class: "keys" }, ...lines.map((line) =>
    element("span", { class: "key", style: `--c: var(${line.colour})` }, element("i", {}, line.name), ` ${shown(line.values[step])}`)));
  return element("div", { class: "curve" }, keys, element("div", { class: "with-ends" }, ends, svg));
}

// All of a unit: gates between 0 and 1 in one chart, everything else in another.
function unitCharts(network, trace, unit, step, from, choose) {
  const { cell_: cell, units: H } = network, { steps } = trace;
  const all = cell.names.map((name, n) => ({
    name, colour: LINES[n % LINES.length], isGate: cell.logistic.includes(name),
    values: Float64Array.from({ length: steps }, (_, t) => trace.named[n][t * H + unit]),
  }));
  const words = (lines) => `Unit ${unit + 1} over ${steps - from} steps: ${lines.map((l) => `${l.name} is ${shown(l.values[step])} at step ${step + 1}`).join(", ")}.`;
  const gates = all.filter((l) => l.isGate), others = all.filter((l) => !l.isGate);
  const bound = Math.max(1e-6, ...others.flatMap((l) => Array.from(l.values.subarray(from), Math.abs)));
  return [
    gates.length ? lineChart(gates, { from, low: 0, high: 1, step, choose, label: words(gates) }) : null,
    lineChart(others, { from, low: -bound, high: bound, step, choose, label: words(others) }),
  ].filter(Boolean);
}

// One bar per step, above and below zero.
function barChart(values, { from, step, label, choose }) {
  const height = 80, n = values.length - from, bound = Math.max(1e-12, ...Array.from(values.subarray(from), Math.abs));
  const bars = [];
  for (let t = from; t < values.length; t++) {
    const size = (Math.abs(values[t]) / bound) * (height / 2);
    bars.push(element("rect", { class: `${values[t] < 0 ? "against" : "for"}${t === step ? " chosen" : ""}`, x: (WIDTH * (t - from)) / n, width: Math.max(0.5, (WIDTH / n) * 0.82), y: values[t] < 0 ? height / 2 : height / 2 - size, height: size }));
  }
  const svg = element("svg", { class: "chart bars-by-step", viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    element("line", { class: "grid", x1: 0, x2: WIDTH, y1: height / 2, y2: height / 2 }), ...bars);
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    choose(from + Math.max(0, Math.min(n - 1, Math.floor(((event.clientX - box.left) / box.width) * n))));
  });
  return svg;
}
