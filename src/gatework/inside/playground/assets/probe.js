"use strict";

// What is shown of a network while it learns: how it does on sequences that it never trains on, one of them step by
// step, the gradient by distance in the past, and how long its gates keep what they hold.

const WRITTEN = 160, TEMPERATURE = 0.6; // characters of a sample, and how it is drawn

class Probe {
  constructor(learner, task, seed) {
    this.learner = learner;
    this.task = task;
    this.drawn = task.draw(new Random(seed, 3), learner.steps, SEQUENCES, true);
    this.network = new Learner({ ...optionsOf(learner), batch: SEQUENCES }, learner);
    this.norms = Array.from({ length: learner.layers }, () => zeros(learner.steps * SEQUENCES));
    if (task.writes) this.writer = new Writer(learner);
  }

  loss() {
    return this.network.forward(this.drawn);
  }

  // `example` is the sequence that is shown step by step.
  look(example, truncation) {
    const { network, drawn, task } = this, loss = this.loss();
    const last = drawn.scored.lastIndexOf(1), only = drawn.scored.map((_, t) => (t === last ? 1 : 0));
    this.norms.forEach((values) => values.fill(0));
    network.backward({ ...drawn, scored: only }, { truncation, norms: this.norms });
    return {
      loss,
      right: task.loss === "classes" ? this.shareRight() : null,
      ahead: drawn.next && task.floor !== undefined ? this.errorOf(drawn.next) : null,
      said: this.said(example),
      all: task.loss === "squares" && drawn.scored.reduce((a, b) => a + b) === 1 ? Float32Array.from(network.result.subarray(last * SEQUENCES, (last + 1) * SEQUENCES)) : null,
      gradients: this.norms.map((values) => byDistance(values, last)),
      halfLives: network.stack.map((layer) => halfLives(layer)),
      maps: network.stack.map((layer) => layer.named.map((values) => layerMap(values, layer, example))),
      written: this.writer && Number.isFinite(loss) ? this.writer.write(task.symbols) : null,
    };
  }

  shareRight() {
    const { result, outputs, steps } = this.network, { scored, targets } = this.drawn;
    let right = 0, count = 0;
    for (let t = 0; t < steps; t++) {
      if (!scored[t]) continue;
      for (let b = 0; b < SEQUENCES; b++, count++) right += likeliest(result, t * outputs * SEQUENCES + b, SEQUENCES, outputs) === targets[t * SEQUENCES + b];
    }
    return right / count;
  }

  // The mean squared error of what comes out against other targets.
  errorOf(targets) {
    const { result } = this.network;
    return targets.reduce((sum, target, at) => sum + (result[at] - target) ** 2, 0) / targets.length;
  }

  // What comes out at each step of the example: a value, or the likeliest class and its probability; NaN where nothing is asked.
  said(example) {
    const { result, outputs, steps } = this.network, values = new Float32Array(steps).fill(NaN), chances = new Float32Array(steps);
    for (let t = 0; t < steps; t++) {
      if (!this.drawn.scored[t]) continue;
      const from = t * outputs * SEQUENCES + example;
      if (this.task.loss === "squares") { values[t] = result[from]; continue; }
      values[t] = likeliest(result, from, SEQUENCES, outputs);
      chances[t] = result[from + values[t] * SEQUENCES];
    }
    return { values, chances };
  }

  // The example itself: what is read, and what should be said.
  shownExample(example) {
    const { tokens, x, targets, scored } = this.drawn, { steps, inputs } = this.network, of = (values, t) => values[t * SEQUENCES + example];
    return {
      number: example,
      tokens: tokens ? Array.from({ length: steps }, (_, t) => of(tokens, t)) : null,
      x: x ? Array.from({ length: steps }, (_, t) => Array.from({ length: inputs }, (_, k) => x[(t * inputs + k) * SEQUENCES + example])) : null,
      targets: Array.from({ length: steps }, (_, t) => of(targets, t)),
      scored: [...scored],
      all: Array.from({ length: SEQUENCES }, (_, b) => targets[scored.lastIndexOf(1) * SEQUENCES + b]),
    };
  }
}

// The options of a learner, without what it made of them.
function optionsOf({ cell, units, layers, inputs, outputs, loss, steps }) {
  return { cell, units, layers, inputs, outputs, loss, steps };
}

function likeliest(values, from, apart, count) {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[from + k * apart] > values[from + best * apart]) best = k;
  return best;
}

// The median over sequences of the norm at each distance before the last step, as a multiple of that at the last step.
function byDistance(norms, last) {
  const of = (t, b) => norms[t * SEQUENCES + b];
  return Float32Array.from({ length: last + 1 }, (_, back) =>
    median(Array.from({ length: SEQUENCES }, (_, b) => (of(last, b) > 0 ? of(last - back, b) / of(last, b) : NaN))));
}

function median(values) {
  const sorted = values.filter((v) => !Number.isNaN(v)).sort((a, b) => a - b), half = sorted.length >> 1;
  if (!sorted.length) return NaN;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// After how many steps half of what a unit holds is left, by the geometric mean of the gate that keeps it; null for a
// cell without such a gate.
function halfLives(layer) {
  const [gate] = Object.values(layer.cell.keepers);
  if (gate === undefined) return null;
  const values = layer.named[layer.cell.names.indexOf(gate)], { units, batch, steps, width } = layer;
  return Float32Array.from({ length: units }, (_, k) => {
    let sum = 0;
    for (let t = 0; t < steps; t++) for (let b = 0; b < batch; b++) sum += Math.log(values[t * width + k * batch + b]);
    return Math.abs(Math.log(0.5) / Math.min(sum / (steps * batch), 0)); // without end where the gate was always 1
  });
}

// One gate or state of one sequence, (steps, units).
function layerMap(values, { units, batch, steps, width }, example) {
  const map = new Float32Array(steps * units);
  for (let t = 0; t < steps; t++) for (let k = 0; k < units; k++) map[t * units + k] = values[t * width + k * batch + example];
  return map;
}

// A network that reads what it has just written.
class Writer {
  constructor(learner) {
    this.network = new Learner({ ...optionsOf(learner), batch: 1, steps: 1 }, learner);
  }

  write(symbols) {
    const { network } = this, random = new Random(this.network.steps, 5), batch = { tokens: new Int32Array(1), targets: new Int32Array(1), scored: new Uint8Array([1]) };
    network.stack.forEach((layer) => layer.previous[0].forEach((state) => state.fill(0)));
    let text = "";
    batch.tokens[0] = Math.max(0, symbols.indexOf(" "));
    for (let n = 0; n < WRITTEN; n++) {
      network.forward(batch);
      network.stack.forEach((layer) => layer.cell.states.forEach((state, s) => layer.previous[0][s].set(layer.named[layer.cell.names.indexOf(state)])));
      batch.tokens[0] = drawnFrom(network.result, random);
      text += symbols[batch.tokens[0]];
    }
    return text;
  }
}

// A place drawn by probabilities that are sharpened by the temperature.
function drawnFrom(chances, random) {
  const sharpened = chances.map((p) => p ** (1 / TEMPERATURE)), total = sharpened.reduce((a, b) => a + b, 0);
  let left = random.uniform() * total;
  for (let k = 0; k < sharpened.length; k++) if ((left -= sharpened[k]) < 0) return k;
  return sharpened.length - 1;
}
