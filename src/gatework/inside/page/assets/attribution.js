"use strict";

// What is explained, and what each step contributed to it; see gatework.inside.attribution.

// The probability of each class.
function softmax(scores) {
  const highest = Math.max(...scores);
  const powers = Array.from(scores, (s) => Math.exp(s - highest)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

// The gradient, with respect to the network's outputs, of the log-odds of a class or of the value.
function explainedGradient(network, scores, target) {
  const gradient = zeros(scores.length);
  gradient[target] = 1;
  if (!network.classes.length) return gradient;
  const others = Array.from(scores).filter((_, k) => k !== target), shares = softmax(others);
  for (let k = 0, n = 0; k < scores.length; k++) if (k !== target) gradient[k] = -shares[n++];
  return gradient;
}

function gradientTimesInput(network, result, target) {
  return network.contributions(result, explainedGradient(network, result.scores, target));
}

// The gradient averaged over points between an input of zeros and the input; `rest` is awaited between points and says whether to go on.
async function integratedGradients(network, reading, target, points, rest) {
  const found = zeros(reading.steps);
  for (let k = 0; k < points; k++) {
    const share = (k + 0.5) / points, result = network.run(reading, share);
    const part = network.contributions(result, explainedGradient(network, result.scores, target));
    for (let t = 0; t < found.length; t++) found[t] += part[t] / points;
    if (!(await rest())) return null;
  }
  return found;
}
