"use strict";

// What a person can set: each knob with the values it takes and one sentence of why it matters. The address after "#"
// holds all of it, the step that the training has reached, and what is looked at.

const plain = (value) => String(value).replace("-", "−");

const KNOBS = {
  length: {
    title: "Sequence length", values: [10, 15, 20, 30, 40, 60, 80, 100],
    why: "The longer the sequence, the further back what matters may lie, and the harder it is to learn.",
  },
  units: { title: "Units", values: [2, 4, 8, 16, 20, 32, 48], why: "Each unit holds one number from step to step; more of them hold more, and take longer." },
  layers: { title: "Layers", values: [1, 2, 3], why: "A second layer reads what the first one says of each step; memory comes from the recurrence, not from depth." },
  rate: {
    title: "Learning rate", values: [0.0003, 0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.3],
    why: "How far a step moves the weights: too little and nothing happens, too much and it jumps past what it looks for.",
  },
  optimiser: {
    title: "Optimiser", values: ["adam", "sgd"], text: (v) => (v === "adam" ? "Adam" : "plain gradient descent"),
    why: "Adam gives every weight a step of its own size, which hides explosions; plain descent shows them.",
  },
  forgetBias: {
    title: "Forget bias", values: [-2, 0, 1, 2, 3], text: plain,
    why: "Where it is above 0 the forget gate starts open, so the past gets through before anything is learnt; RNN and GRU have no such gate.",
  },
  clipping: {
    title: "Gradient clipping", values: [0, 0.1, 0.5, 1, 5], text: (v) => (v ? `norm at most ${v}` : "off"),
    why: "A gradient that multiplies from step to step can become huge; clipping keeps its direction and cuts its size.",
  },
  scale: {
    title: "Initial scale", values: [0.25, 0.5, 1, 1.5, 2, 3], text: (v) => `${v} ×`,
    why: "Small weights at the start make gradients vanish on the way back, large ones make them explode.",
  },
  truncation: {
    title: "Back through", values: [0, 5, 10, 20], text: (v) => (v ? `${v} steps at a time` : "all steps"),
    why: "Cutting the way back into pieces is cheaper, and what lies before the cut cannot be learnt from.",
  },
  noise: {
    title: "Noise on what is read", values: [0, 0.05, 0.1, 0.2, 0.3], text: (v) => (v ? String(v) : "none"),
    why: "Numbers are shifted at random, symbols exchanged: what survives noise was learnt, not matched.",
  },
  batch: { title: "Sequences per step", values: [1, 4, 8, 16, 32, 64], why: "A step averages over so many sequences: more make it steadier, and slower." },
  seed: { title: "Seed", values: Array.from({ length: 20 }, (_, k) => k + 1), why: "Decides the first weights and all data: one seed is one story, so look at several before you believe it." },
};

const COMPARISONS = {
  cells: { title: "different cells", knob: null },
  forgetBias: { title: "forget bias 0 against more", knob: "forgetBias", other: 1, name: (v) => `with forget bias ${plain(v)}` },
  clipping: { title: "clipping off against on", knob: "clipping", other: 1, name: (v) => (v ? `clipped at ${v}` : "without clipping") },
  truncation: { title: "all steps back against fewer", knob: "truncation", other: 10, name: (v) => (v ? `cut at ${v} steps` : "with all steps back") },
};

const DEFAULTS = {
  task: "adding", compare: "cells", cells: ["rnn", "gru", "lstm"], cell: "lstm", units: 16, layers: 1, length: 40, rate: 0.01,
  optimiser: "adam", forgetBias: 1, clipping: 1, scale: 1, truncation: 0, noise: 0, batch: 32, seed: 1, own: "",
};

// Each teaches one thing; what is not named is as in DEFAULTS.
const PRESETS = [
  { title: "Make the RNN forget", text: "Two numbers to keep for 40 steps. Watch whose gradient reaches them.", settings: {} },
  { title: "A forget bias saves it", text: "The same LSTM twice; one starts with its forget gate half open, one wider.", settings: { task: "recall", compare: "forgetBias", length: 10 } },
  { title: "Clip or explode", text: "Large weights, plain descent: one gradient is cut to size, the other is not.", settings: { task: "waves", compare: "clipping", cell: "rnn", optimiser: "sgd", rate: 0.3, scale: 2 } },
  { title: "Copying is not predicting", text: "A loss near zero, and no prediction at all: the target stands in the input.", settings: { task: "trap", length: 60, cells: ["rnn", "lstm"] } },
  { title: "Cut the way back", text: "With 10 steps back at a time, what came earlier cannot be learnt.", settings: { task: "recall", compare: "truncation", length: 20, forgetBias: 3, truncation: 10 } },
  { title: "Text that writes itself", text: "A rhyme letter by letter; read what each network writes as it learns.", settings: { task: "text", units: 32, length: 40 } },
];

const settings = { ...DEFAULTS };

// What the preset sets; where the page lacks a cell of it, all of the page's own take part.
function presetSettings({ settings: changes }, cells) {
  const made = { ...DEFAULTS, ...changes }, known = made.cells.filter((cell) => cell in cells);
  return { ...made, cells: known.length === made.cells.length ? known : Object.keys(cells).slice(0, MOST_NETWORKS), cell: made.cell in cells ? made.cell : Object.keys(cells)[0] };
}

const isSame = (a, b) => Object.keys(DEFAULTS).every((name) => String(a[name]) === String(b[name]));

function toHash({ step, sequence, layer }) {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) {
    if (name === "own" && settings.task !== "own") continue;
    if (String(value) !== String(DEFAULTS[name])) parts.set(name, Array.isArray(value) ? value.join(".") : value);
  }
  if (step) parts.set("step", step);
  if (sequence) parts.set("sequence", sequence);
  if (layer !== settings.layers - 1) parts.set("layer", layer);
  const text = String(parts);
  return text ? `#${text}` : "#task=adding";
}

const FURTHEST = 20000, LONGEST = 100000; // steps and characters that a link may bring

// Takes over what the address says where it is one of a knob's values; the rest is left out. Returns the step, and
// the sequence and the layer that are looked at, or null where the address says nothing.
function fromHash(hash, cells) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if (![...Object.keys(DEFAULTS), "step"].some((name) => parts.has(name))) return null;
  Object.assign(settings, presetSettings({ settings: {} }, cells));
  for (const [name, { values }] of Object.entries(KNOBS)) {
    const value = values.find((v) => String(v) === parts.get(name));
    if (value !== undefined) settings[name] = value;
  }
  const choose = (name, options) => { if (options.includes(parts.get(name))) settings[name] = parts.get(name); };
  choose("task", [...TASK_NAMES, "own"]);
  choose("compare", Object.keys(COMPARISONS));
  choose("cell", Object.keys(cells));
  const chosen = (parts.get("cells") ?? "").split(".").filter((cell) => cell in cells).slice(0, MOST_NETWORKS);
  if (chosen.length) settings.cells = [...new Set(chosen)];
  if (settings.task === "own") settings.own = (parts.get("own") ?? "").slice(0, LONGEST);
  const whole = (name, most, otherwise) => {
    const value = Number(parts.get(name) ?? NaN);
    return Number.isInteger(value) && value >= 0 && value <= most ? value : otherwise;
  };
  return { step: whole("step", FURTHEST, 0), sequence: whole("sequence", SEQUENCES - 1, 0), layer: whole("layer", settings.layers - 1, settings.layers - 1) };
}

const TASK_NAMES = ["adding", "recall", "copying", "parity", "brackets", "waves", "trap", "text"];
const MOST_NETWORKS = 4; // side by side

// The cells that a comparison can be made with: one of forget biases needs a forget gate.
const comparable = (compare, cells) => Object.keys(cells).filter((cell) => compare !== "forgetBias" || cells[cell].hasForgetGate);

// Makes the settings fit one another and the cells of this page.
function reconcile(cells) {
  const fitting = comparable(settings.compare, cells);
  if (!fitting.length) settings.compare = "cells";
  else if (!fitting.includes(settings.cell)) settings.cell = fitting[0];
}

// The networks that the settings ask for: { name, cell, colour, forgetBias, clipping, truncation }.
function entriesOf(cells) {
  const { compare, forgetBias, clipping, truncation } = settings, comparison = COMPARISONS[compare];
  if (!comparison.knob) return settings.cells.map((cell) => ({ name: cells[cell].name, cell, colour: cells[cell].colour, forgetBias, clipping, truncation }));
  const { name, colour } = cells[settings.cell];
  const pair = [0, settings[comparison.knob] || comparison.other];
  return pair.map((value, k) => ({
    name: `${name} ${comparison.name(value)}`, cell: settings.cell, colour: k ? colour : "--cell-rnn-relu",
    forgetBias, clipping, truncation, [comparison.knob]: value,
  }));
}
