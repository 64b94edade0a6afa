"use strict";

// What each network says: the likeliest classes with their probabilities, or the value.

const MOST_CLASSES = 4;

// Values in the targets' own unit.
function valuesOf(network, scores) {
  const { mean, std } = network.outputScale;
  return Array.from(scores, (s, k) => s * std[k] + mean[k]);
}

function prediction(network, result, answer) {
  if (!network.classes.length) {
    const values = valuesOf(network, result.scores), off = Array.isArray(answer) ? values.map((v, k) => v - answer[k]) : null;
    return [
      element("p", { class: "value" }, values.map((v) => shown(v, 4)).join(", ")),
      element("p", { class: "caption" }, off ? `actual ${answer.map((v) => shown(v, 4)).join(", ")}, off by ${off.map((v) => shown(v, 4)).join(", ")}` : "actual value unknown"),
    ];
  }
  const shares = softmax(result.scores);
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, MOST_CLASSES);
  const rows = order.map((k) => element("li", {},
    element("span", {}, element("bdi", {}, network.classes[k])),
    element("span", { class: "bar" }, element("span", { style: `--share: ${(100 * shares[k]).toFixed(2)}%` })),
    element("span", { class: "figure" }, `${(100 * shares[k]).toFixed(1)} %`)));
  const isRight = network.classes[order[0]] === answer;
  const truth = answer === null || answer === undefined ? [] : [element("p", { class: `caption ${isRight ? "right" : "wrong"}` },
    element("span", { class: "sign" }, isRight ? "✓ " : "✗ "), "actual: ", element("bdi", {}, String(answer)))];
  return [element("ul", { class: "shares" }, ...rows), ...truth];
}
