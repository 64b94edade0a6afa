"use strict";

// What the output sees of the top layer's states: forward, and the gradient back to every step.
// `h` holds all steps, (steps x width); `last` the scans' own last states, the forward one's first.

const POOLINGS = {
  last: {
    forward: (h, steps, width, run) => lastStates(h, steps, width, run),
    backward: (dPooled, dh, steps, width, run) => addToLast(dPooled, 0, dh, steps, width, run),
  },
  mean: {
    forward: (h, steps, width) => means(h, steps, width),
    backward: (dPooled, dh, steps, width) => addToAll(dPooled, 0, dh, steps, width),
  },
  max: {
    forward: (h, steps, width) => largest(h, steps, width).values,
    backward: (dPooled, dh, steps, width, run, h) => addToLargest(dPooled, 0, dh, steps, width, h),
  },
  concat: {
    forward: (h, steps, width, run) =>
      Float64Array.from([...lastStates(h, steps, width, run), ...means(h, steps, width), ...largest(h, steps, width).values]),
    backward(dPooled, dh, steps, width, run, h) {
      addToLast(dPooled, 0, dh, steps, width, run);
      addToAll(dPooled, width, dh, steps, width);
      addToLargest(dPooled, 2 * width, dh, steps, width, h);
    },
  },
  attention: {
    forward(h, steps, width, run) {
      const shares = attentionShares(h, steps, width, run);
      const pooled = zeros(width);
      for (let t = 0; t < steps; t++) for (let k = 0; k < width; k++) pooled[k] += shares[t] * h[t * width + k];
      return pooled;
    },
    // d share_t = dPooled . h_t; through the softmax: d score_t = share_t (d share_t - sum of share d share).
    backward(dPooled, dh, steps, width, run, h) {
      const shares = attentionShares(h, steps, width, run), score = run.tensors["pooling.score.weight"];
      const dShare = zeros(steps);
      let mean = 0;
      for (let t = 0; t < steps; t++) {
        for (let k = 0; k < width; k++) dShare[t] += dPooled[k] * h[t * width + k];
        mean += shares[t] * dShare[t];
      }
      for (let t = 0; t < steps; t++) {
        const dScore = shares[t] * (dShare[t] - mean);
        for (let k = 0; k < width; k++) dh[t * width + k] += shares[t] * dPooled[k] + dScore * score[k];
      }
    },
  },
};

function lastStates(h, steps, width, run) {
  const pooled = zeros(width), units = run.units;
  for (let k = 0; k < width; k++) pooled[k] = h[(k < units ? steps - 1 : 0) * width + k];
  return pooled;
}

function addToLast(dPooled, from, dh, steps, width, run) {
  for (let k = 0; k < width; k++) dh[(k < run.units ? steps - 1 : 0) * width + k] += dPooled[from + k];
}

function means(h, steps, width) {
  const pooled = zeros(width);
  for (let at = 0; at < steps * width; at++) pooled[at % width] += h[at] / steps;
  return pooled;
}

function addToAll(dPooled, from, dh, steps, width) {
  for (let at = 0; at < steps * width; at++) dh[at] += dPooled[from + (at % width)] / steps;
}

function largest(h, steps, width) {
  const values = h.slice(0, width), where = new Int32Array(width);
  for (let t = 1; t < steps; t++) {
    for (let k = 0; k < width; k++) {
      if (h[t * width + k] > values[k]) { values[k] = h[t * width + k]; where[k] = t; }
    }
  }
  return { values, where };
}

function addToLargest(dPooled, from, dh, steps, width, h) {
  const { where } = largest(h, steps, width);
  for (let k = 0; k < width; k++) dh[where[k] * width + k] += dPooled[from + k];
}

function attentionShares(h, steps, width, run) {
  const score = run.tensors["pooling.score.weight"], bias = run.tensors["pooling.score.bias"][0];
  const scores = zeros(steps).fill(bias);
  for (let t = 0; t < steps; t++) for (let k = 0; k < width; k++) scores[t] += score[k] * h[t * width + k];
  const highest = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - highest)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
