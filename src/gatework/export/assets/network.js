// The arithmetic around the cell, as csrc/scan.h has it: products, norms, the projection, and what acts on new states.

const zeros = (count) => new Float64Array(count);

const WEIGHTS = (() => {
  const text = atob(PACKED), bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer), all = new Float32Array(bytes.length / 4);
  for (let k = 0; k < all.length; k++) all[k] = view.getFloat32(4 * k, true);
  const unpacked = (place) => (place ? all.subarray(place[0], place[0] + place[1]) : null);
  const named = (places) => Object.fromEntries(Object.entries(places).map(([name, place]) => [name, unpacked(place)]));
  return { ...named(NETWORK.places), scans: NETWORK.scans.map(named) };
})();

// W x, normalised where there is a gain, and b.
function product(weight, bias, gain, x, rows) {
  const out = zeros(rows), columns = x.length;
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += weight[r * columns + k] * x[k];
    out[r] = sum;
  }
  if (gain) normalise(out, gain, null);
  if (bias) for (let r = 0; r < rows; r++) out[r] += bias[r];
  return out;
}

function normalise(values, gain, shift) {
  let mean = 0, variance = 0;
  for (const value of values) mean += value / values.length;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  const scale = 1 / Math.sqrt(variance + 1e-5);
  for (let k = 0; k < values.length; k++) values[k] = (values[k] - mean) * scale * gain[k] + (shift ? shift[k] : 0);
}

// One step of one layer and direction: from the states before it to those after it.
function step(scan, x, before) {
  const { units, inputBlocks, recurrentBlocks } = NETWORK;
  const given = product(scan.weight_ih, scan.bias_ih, scan.norm_ih, x, inputBlocks * units);
  const carried = recurrentBlocks ? product(scan.weight_hh, scan.bias_hh, scan.norm_hh, before[0], recurrentBlocks * units) : null;
  const sums = NETWORK.sums.map(([input, recurrent]) => {
    const sum = zeros(units);
    for (let k = 0; k < units; k++) {
      sum[k] = (input < 0 ? 0 : given[input * units + k]) + (recurrent < 0 ? 0 : carried[recurrent * units + k]);
    }
    return sum;
  });
  const normal = Array.from({ length: NETWORK.normalised }, () => zeros(units));
  if (normal.length) CELL.inner(units, sums, scan.weight_unit, before, normal);
  normal.forEach((values, n) => {
    const row = (weights) => weights.subarray(n * units, (n + 1) * units);
    normalise(values, row(scan.norm_state), row(scan.norm_state_bias));
  });
  const after = before.map(() => zeros(units));
  CELL.step(units, sums, scan.weight_unit, before, normal, after);
  if (scan.weight_hr) after[0] = product(scan.weight_hr, null, null, after[0], before[0].length);
  CELL.carried.forEach((act, n) => {
    const state = after[n];
    if (act) for (let k = 0; k < state.length; k++) state[k] = act(before[n][k], state[k]);
  });
  return after;
}

// The states of a start: for each layer and direction an array for each state.
function start() {
  return WEIGHTS.scans.map(() => NETWORK.states.map((name) => zeros(name === "h" ? NETWORK.features : NETWORK.units)));
}

// A sequence of vectors through all layers, from the given states: the last layer's states of every step, and the ends.
function layers(sequence, states) {
  const ends = [];
  for (let first = 0; first < WEIGHTS.scans.length; first += NETWORK.directions) {
    const outputs = sequence.map(() => zeros(NETWORK.directions * NETWORK.features));
    for (let d = 0; d < NETWORK.directions; d++) {
      let now = states[first + d];
      for (let n = 0; n < sequence.length; n++) {
        const t = d ? sequence.length - 1 - n : n;
        now = step(WEIGHTS.scans[first + d], sequence[t], now);
        outputs[t].set(now[0], d * NETWORK.features);
      }
      ends.push(now);
    }
    sequence = outputs;
  }
  return { sequence, ends };
}

function pooled(sequence, ends) {
  const width = NETWORK.directions * NETWORK.features, result = [];
  if (NETWORK.pooling === "last" || NETWORK.pooling === "concat") {
    for (const states of ends.slice(-NETWORK.directions)) result.push(...states[0]);
  }
  if (NETWORK.pooling === "mean" || NETWORK.pooling === "concat") {
    for (let k = 0; k < width; k++) result.push(sequence.reduce((sum, h) => sum + h[k], 0) / sequence.length);
  }
  if (NETWORK.pooling === "max" || NETWORK.pooling === "concat") {
    for (let k = 0; k < width; k++) result.push(sequence.reduce((most, h) => Math.max(most, h[k]), -Infinity));
  }
  if (NETWORK.pooling === "attention") {
    const scores = sequence.map((h) => product(WEIGHTS.score, null, null, h, 1)[0]);
    const highest = scores.reduce((a, b) => Math.max(a, b)), powers = scores.map((s) => Math.exp(s - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (let k = 0; k < width; k++) result.push(sequence.reduce((all, h, t) => all + powers[t] / sum * h[k], 0));
  }
  return result;
}

function vectors(inputs) {
  if (!inputs.length) throw new Error("a sequence needs one step at least");
  const width = NETWORK.inputs;
  return Array.from(inputs, (input, t) => {
    if (!WEIGHTS.embedding) {
      const x = typeof input === "number" ? [input] : input;
      if (x.length !== width) throw new Error(`step ${t + 1} has ${x.length} values; the model takes ${width}`);
      return x;
    }
    if (!(Number.isInteger(input) && input >= 0 && input < NETWORK.tokens)) {
      throw new Error(`step ${t + 1} is ${input}; the model takes tokens from 0 to ${NETWORK.tokens - 1}`);
    }
    return WEIGHTS.embedding.subarray(input * width, (input + 1) * width);
  });
}

// One sequence, of vectors, of numbers, or of tokens, from the given states: the output, and the states for the next call.
function run(inputs, states = start()) {
  const { sequence, ends } = layers(vectors(inputs), states);
  if (!WEIGHTS.output) return { output: sequence.map((h) => Array.from(h)), states: ends };
  const output = product(WEIGHTS.output, WEIGHTS.output_bias, null, pooled(sequence, ends), WEIGHTS.output_bias.length);
  return { output: Array.from(output), states: ends };
}

// The output for one sequence.
const predict = (inputs) => run(inputs).output;

// What a person asks and is told: a text or a series as it was measured in, a label or values in their own unit out.
function answer(input) {
  const { encoder, classes, scale } = ABOUT;
  const output = predict(encoder ? encoded(encoder, input) : input);
  if (classes) {
    const highest = Math.max(...output), powers = output.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b, 0), best = output.indexOf(highest);
    const probabilities = Object.fromEntries(classes.map((name, k) => [name, powers[k] / sum]));
    return { label: classes[best], probability: powers[best] / sum, probabilities };
  }
  return scale ? output.map((value, k) => value * scale.std[k] + scale.mean[k]) : output;
}

function encoded(encoder, input) {
  if (encoder.kind === "series") {
    const { mean, std } = encoder.scale;
    if (!Array.isArray(input) || !input.length) throw new TypeError("a series of one step at least was expected");
    const rows = input.map((row) => (Array.isArray(row) ? row : [row]));
    if (!rows.every((row) => row.length === mean.length && row.every(Number.isFinite))) {
      throw new TypeError(`each step of a series is a finite number for each of its variables, ${mean.length} here`);
    }
    return rows.map((row) => row.map((value, k) => Math.fround((value - mean[k]) / std[k])));
  }
  if (encoder.kind === "sound") return input; // its features, as the network reads them: sound itself is read elsewhere
  if (typeof input !== "string") throw new TypeError("a text was expected");
  const known = new Map([...encoder.words, ...(encoder.pairs ?? [])].map((word, place) => [word, place + 2]));
  let words = tokenise(input).tokens.map(({ token }) => token);
  if (encoder.max_tokens) words = words.slice(-encoder.max_tokens);
  let tokens = words.map((word, k) => (k ? known.get(`${words[k - 1]} ${word}`) : null) ?? known.get(word) ?? 1);
  if (!tokens.length) tokens = [1];
  const missing = encoder.padding === "pre" ? Math.max(encoder.max_tokens - tokens.length, 0) : 0;
  return [...new Array(missing).fill(0), ...tokens];
}

const model = { run, predict, answer, about: ABOUT };
if (typeof module === "object" && module.exports) module.exports = model;
else globalThis[NAME] = model;
