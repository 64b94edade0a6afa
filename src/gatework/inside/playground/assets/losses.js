"use strict";

// What is learnt from: the mean loss over every scored step of every sequence, and its gradient.
// `outputs` are (steps, outputs, batch); a batch says by step whether it is scored.

const LOSSES = {
  // Squared error; targets are (steps, batch).
  squares(outputs, dOutputs, { targets, scored }, { count, steps, batch }) {
    const share = 1 / (scored.reduce((a, b) => a + b) * batch * count);
    let sum = 0;
    for (let t = 0; t < steps; t++) {
      if (!scored[t]) continue;
      for (let b = 0; b < batch; b++) {
        const error = outputs[t * batch + b] - targets[t * batch + b];
        sum += error * error;
        dOutputs[t * batch + b] = 2 * error * share;
      }
    }
    return sum * share;
  },

  // Cross-entropy in nats of the softmax; targets are the places of the right classes, (steps, batch). Turns the
  // outputs into probabilities.
  classes(outputs, dOutputs, { targets, scored }, { count, steps, batch }) {
    const share = 1 / (scored.reduce((a, b) => a + b) * batch);
    let sum = 0;
    for (let t = 0; t < steps; t++) {
      if (!scored[t]) continue;
      for (let b = 0; b < batch; b++) {
        const from = t * count * batch + b, right = from + targets[t * batch + b] * batch;
        sum -= softmax(outputs, from, batch, count, right);
        for (let k = 0, at = from; k < count; k++, at += batch) dOutputs[at] = outputs[at] * share;
        dOutputs[right] -= share;
      }
    }
    return sum * share;
  },
};

// Scores, `apart` from one another, as probabilities; returns the logarithm of the one at `right`.
function softmax(values, from, apart, count, right) {
  let most = -Infinity, total = 0;
  for (let k = 0, at = from; k < count; k++, at += apart) most = Math.max(most, values[at]);
  const logit = values[right] - most;
  for (let k = 0, at = from; k < count; k++, at += apart) total += values[at] = Math.exp(values[at] - most);
  for (let k = 0, at = from; k < count; k++, at += apart) values[at] /= total;
  return logit - Math.log(total);
}
