"use strict";

// The page: starts the worker, tells it what the person sets, and draws what it reports.

const data = JSON.parse(byId("data").textContent);

// All that is drawn: what the worker said last.
const state = { number: 0, order: 0, step: 0, isRunning: false, rate: null, entries: [], networks: [], losses: [], task: null, baselineLoss: NaN, example: null, layer: 0, sequence: 0 };

const trainer = new Worker(URL.createObjectURL(new Blob([byId("worker").textContent], { type: "text/javascript" })));
trainer.onmessage = ({ data: message }) => { if (message.kind === "problem" || message.number === state.number) REPORTS[message.kind](message); };
trainer.onerror = () => problem("The training stopped: this browser did not run it.");

const knobs = new Knobs(data.cells, TASKS, () => restart({ goOn: state.isRunning }));
const race = new Chart(250, { x: "steps of training" }), flow = new Chart(210, { x: "steps before the last one" });
byId("race").append(element("div"), race.svg);
byId("gradient").append(element("div"), flow.svg);
let panels = [], maps = [];

const REPORTS = {
  ready({ task, baselineLoss, parameters }) {
    Object.assign(state, { task, baselineLoss, parameters });
    byId("task-about").textContent = task.about;
    problem("");
  },
  example({ example }) { state.example = example; },
  progress({ order, step, isRunning, rate, losses, heldOut, networks }) {
    Object.assign(state, { step, rate, networks });
    // Said before it was told what the person did last, it is no news of whether it runs.
    if (order === state.order) state.isRunning = isRunning;
    if (!state.isRunning) history.replaceState(null, "", toHash(state));
    losses.forEach((values, k) => state.losses[k].push(values, heldOut[k]));
    draw();
  },
  problem({ text }) {
    state.isRunning = false;
    problem(text);
    drawTransport();
  },
};

function problem(text) {
  byId("problem").textContent = text;
  if (text) { byId("verdict").textContent = text; byId("particulars").textContent = ""; }
}

// Tells the worker something; what it reports names the last that it was told.
function send(message) {
  trainer.postMessage({ ...message, order: ++state.order });
}

// Begins anew with the settings; trains up to `until`, or on and on if `goOn`.
function restart({ goOn = false, step: until = 0, sequence = 0, layer = settings.layers - 1 } = {}) {
  state.number++;
  reconcile(data.cells);
  Object.assign(state, { step: 0, rate: null, task: null, networks: [], example: null, sequence, layer, isRunning: goOn || until > 0 });
  state.entries = entriesOf(data.cells);
  state.losses = state.entries.map(() => new Losses());
  knobs.update();
  if (settings.task === "own") byId("task-about").textContent = "";
  arrange();
  send({ kind: "set", number: state.number, settings, entries: state.entries, example: sequence, until: goOn ? FURTHEST : until });
  byId("verdict").textContent = byId("particulars").textContent = "";
  drawTransport();
  remember();
}

// The loss of every step, smoothed, and that on the part kept for testing where there is one.
class Losses {
  constructor() { Object.assign(this, { raw: [], smooth: [], heldOut: [] }); }
  push(values, heldOut) {
    this.heldOut.push(...heldOut);
    for (const value of values) {
      this.raw.push(value);
      this.smooth.push(smoothed(this.smooth.at(-1) ?? null, value));
    }
  }
}

// Makes a panel for each network, and a map for each of its gates and states.
function arrange() {
  panels = state.entries.map((entry, k) => new AnswerPanel(entry, k));
  byId("answers").replaceChildren(...panels.map(({ figure }) => figure));
  const layers = byId("layer");
  layers.replaceChildren(...Array.from({ length: settings.layers }, (_, k) => element("option", { value: k }, `${k + 1} of ${settings.layers}`)));
  layers.value = state.layer;
  byId("layer-label").hidden = settings.layers < 2;
  maps = state.entries.map(({ cell }) => data.cells[cell].names.map((name) =>
    new HeatMap(name, data.cells[cell].titles[name], settings.units, data.cells[cell].logistic.includes(name), (unit, step) => markAll(unit, step))));
  byId("maps").replaceChildren(...state.entries.map(({ name, colour }, k) => element("div", { class: "run", style: `--units: ${settings.units}` },
    element("h3", {}, element("span", { class: "key", style: `--c: var(${colour})` }, name)), ...maps[k].map(({ figure }) => figure))));
}

// The same unit and step in every map.
function markAll(unit, step) {
  Object.assign(state, { unit, mark: step });
  for (const map of maps.flat()) {
    map.mark(unit, step);
    map.told({ unit, step });
  }
}

function draw() {
  drawTransport();
  drawVerdict();
  if (!state.networks.length || !state.task) return;
  drawRace();
  panels.forEach((panel, k) => panel.draw(state, state.networks[k]));
  byId("answers-caption").textContent = answersCaption();
  drawFlow();
  drawMaps();
}

function drawTransport() {
  byId("train").textContent = state.isRunning ? "Pause" : "Train";
  byId("steps").textContent = state.step.toLocaleString("en");
  byId("rate").textContent = state.rate ? `${state.rate < 10 ? state.rate.toFixed(1) : Math.round(state.rate)} a second` : "";
  document.body.dataset.state = state.isRunning ? "running" : "paused";
  document.body.dataset.step = state.step;
}

// Said only when it changes, or a screen reader would never stop.
function drawVerdict() {
  if (!state.networks.length || !state.task) return;
  const [large, small] = verdict(state);
  if (byId("verdict").textContent !== large) byId("verdict").textContent = large;
  byId("particulars").textContent = small;
}

function drawRace() {
  const { entries, losses, task, baselineLoss, step } = state, unit = task.loss === "classes" ? "nats" : "mean squared error";
  const strong = losses.map(({ smooth, heldOut }) => (task.isJudgedApart ? { values: heldOut, from: JUDGED_EVERY, unit: JUDGED_EVERY } : { values: smooth, from: 1 }));
  const lines = [
    ...losses.map(({ raw }, k) => ({ values: raw, colour: entries[k].colour, class: "faint", from: 1 })),
    ...strong.map((line, k) => ({ ...line, colour: entries[k].colour, dash: DASHES[k % DASHES.length] })),
  ];
  const rules = [{ value: baselineLoss, name: task.baseline }];
  if (task.floor !== null) rules.push({ value: task.floor, name: "the noise in the data", isUnder: true });
  const now = strong.map(({ values }) => (values.length ? (Number.isFinite(values.at(-1)) ? lossText(values.at(-1)) : "exploded") : "–"));
  byId("race").firstChild.replaceChildren(legend(entries, now));
  byId("race-caption").textContent = `How wrong each network is, in ${unit}; lower is better. ${trainedOn(task)} ${baselineLoss > 0 ? `The dashed line is ${task.baseline}.` : `${capital(task.baseline)} scores exactly 0 here.`}`;
  race.draw({ lines, rules, isLog: true, x: [0, Math.max(50, step)], label: `Loss over ${step} steps: ${entries.map(({ name }, k) => `${name} ${now[k]}`).join(", ")}; ${task.baseline} ${lossText(baselineLoss)}.` });
}

function trainedOn({ isFinite, isJudgedApart }) {
  if (isFinite) return "Strong: on the part kept for testing; faint: on the part it learns from.";
  return isJudgedApart ? "Strong: on sequences without noise; faint: on those that it learns from." : "Every sequence is new to it.";
}

function answersCaption() {
  const { task, networks, example } = state;
  if (task.loss === "classes") return "One held-out sequence. Top: what it reads. Middle: what it should say. Bottom: what it says; green is right and sure, red is wrong.";
  if (networks[0].all) return `${SEQUENCES} held-out sequences: the right answer across, the network’s upwards; on the line they agree. ${sumText(example)}`;
  return "One held-out sequence. Dark: the right values. Colour: what the network says, one step before it sees them.".replace(task.isTrap ? ", one step before it sees them" : "\u0000", "");
}

// The ringed sequence of the adding task in words.
function sumText({ x, all, number }) {
  const marked = x.flatMap(([value, mark], t) => (mark ? [`${shown(value, 2)} at step ${t + 1}`] : []));
  return `Ringed: ${marked.join(" and ")} make ${shown(all[number], 2)}.`;
}

function drawFlow() {
  const { entries, networks, layer } = state, curves = networks.map(({ gradients }) => gradients[Math.min(layer, gradients.length - 1)]);
  const lines = curves.map((values, k) => ({ values, colour: entries[k].colour, dash: DASHES[k % DASHES.length] }));
  const rules = [{ value: GONE, name: "vanished below 1 %", isUnder: true }, { value: GROWN, name: "explodes above 100 ×" }];
  flow.draw({ lines, rules, isLog: true, x: [0, Math.max(1, curves[0].length - 1)], y: [1e-6, 1e3], label: entries.map(({ name }, k) => `${name}: ${gradientSentence(curves[k])}`).join(" ") });
  byId("gradient").firstChild.replaceChildren(legend(entries, curves.map(() => "")));
  byId("memories").replaceChildren(...entries.map(({ name }, k) => {
    const finding = gradientFinding(curves[k]).name;
    if (networks[k].explodedAt !== null) return element("li", {}, element("b", {}, name), element("span", { class: "alarm" }, `Exploded at step ${networks[k].explodedAt}.`));
    return element("li", {}, element("b", {}, name), element("span", { class: finding === "vanishing" || finding === "exploding" ? "alarm" : "" }, gradientSentence(curves[k])), " ", memorySentence(networks[k].halfLives[Math.min(layer, networks[k].halfLives.length - 1)]));
  }));
}

function drawMaps() {
  const { example, networks, task, layer } = state;
  const labels = (step) => `step ${step + 1}` + (example?.tokens ? `, reads “${task.symbols[example.tokens[step]]}”` : example?.x ? `, reads ${example.x[step].map((v) => shown(v, 2)).join(" and ")}` : "");
  networks.forEach((network, k) => network.maps[Math.min(layer, network.maps.length - 1)].forEach((values, n) => {
    const map = maps[k][n];
    map.draw(values, settings.length, 0, labels);
    if (map.unit === undefined) map.mark(state.unit ?? 0, state.mark ?? settings.length - 1);
  }));
}

// The address follows the settings, and takes the step where training rests.
function remember() {
  history.replaceState(null, "", toHash(state));
  PRESETS.forEach((preset, k) => byId("presets").children[k].firstChild.setAttribute("aria-pressed", isSame(settings, presetSettings(preset, data.cells))));
}

byId("presets").append(...PRESETS.map((preset) => element("li", {}, element("button", {
  type: "button",
  onclick: () => { Object.assign(settings, presetSettings(preset, data.cells)); restart({ goOn: true }); },
}, element("b", {}, preset.title), preset.text))));

function toggle() {
  if (!state.task) return;
  state.isRunning = !state.isRunning;
  send(state.isRunning ? { kind: "run", until: state.step + FURTHEST } : { kind: "pause" });
  drawTransport();
}

byId("train").addEventListener("click", toggle);
byId("once").addEventListener("click", () => { if (state.task) send({ kind: "step" }); });
byId("reset").addEventListener("click", () => restart());
byId("to-knobs").addEventListener("click", () => {
  byId("knobs").scrollIntoView();
  byId("task").focus({ preventScroll: true });
});
byId("another").addEventListener("click", () => {
  if (!state.task) return;
  state.sequence = (state.sequence + 1) % SEQUENCES;
  send({ kind: "example", number: state.sequence });
  if (!state.isRunning) history.replaceState(null, "", toHash(state));
});
byId("layer").addEventListener("change", (event) => {
  state.layer = Number(event.target.value);
  draw();
  if (!state.isRunning) history.replaceState(null, "", toHash(state));
});
byId("link").addEventListener("click", async () => {
  history.replaceState(null, "", toHash(state));
  try { await navigator.clipboard.writeText(location.href); byId("link").textContent = "Copied"; } catch { byId("link").textContent = "It is in the address bar"; }
  setTimeout(() => { byId("link").textContent = "Copy link"; }, 2500);
});
// The space bar trains and pauses, except where it means something else.
document.addEventListener("keydown", (event) => {
  if (event.key === " " && !event.target.closest("button, input, select, textarea, canvas")) { event.preventDefault(); toggle(); }
});
theme.watch(() => { colours.reset(); draw(); });
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
// The link to the results changes the address too, which then takes back what it held.
addEventListener("hashchange", () => (location.hash.includes("=") ? openLink(location.hash) : remember()));

function openLink(hash) {
  const view = fromHash(hash, data.cells);
  if (view === null) Object.assign(settings, presetSettings(PRESETS[0], data.cells));
  restart(view ?? {});
}

openLink(location.hash);
