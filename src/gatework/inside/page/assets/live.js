"use strict";

// What every page of a task's own part does: it unpacks the networks, then `start(networks)` of that part begins.

const DATA = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);

// The colour of a run: its cell's, or one of those that other cells take in turn.
const colourOf = (run, k) => `--c: var(--cell-${run.cell.replaceAll("_", "-")}, var(--cell-other-${k % 5}))`;

// out = W x + b, for a matrix and a bias by their names; the bias may be absent.
function linear(tensors, name, x, rows) {
  const bias = tensors[`${name}.bias`], out = bias ? Float64Array.from(bias) : zeros(rows);
  addProduct(tensors[`${name}.weight`], rows, x.length, x, 0, out);
  return out;
}

// Probabilities of scores; those of -Infinity are 0.
function softmaxOf(scores) {
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity), shares = scores.map((score) => Math.exp(score - most));
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / sum);
}

// Words for a screen reader and for the eye, which are gone after a while.
const say = (() => {
  let silence = 0;
  return (words) => {
    at("status").textContent = words;
    clearTimeout(silence);
    silence = setTimeout(() => { at("status").textContent = ""; }, 6000);
  };
})();

// Words for a screen reader alone: what has come, once it is all there.
const tell = (words) => { at("told").textContent = words; };

(async () => {
  const tensors = await Promise.all(DATA.runs.map((run, k) => unpackTensors(`weights-${k}`, run.tensors)));
  const lists = await Promise.all([...document.querySelectorAll("[id^=words-]")].map((holder) => unpackList(holder.id)));
  const networks = DATA.runs.map((run, k) => ({
    ...run,
    number: k,
    tensors: tensors[k],
    stacks: Object.fromEntries(Object.entries(run.stacks).map(([prefix, about]) => [prefix, new Recurrent(about, tensors[k], prefix)])),
    lists: Object.fromEntries(Object.entries(run.lists).map(([name, place]) => [name, lists[place]])),
  }));
  for (const holder of document.querySelectorAll("[id^=words-], [id^=weights-]")) holder.remove();
  at("status").textContent = "";
  window.gatework = start(networks);
  document.body.dataset.state = "ready";
})().catch((error) => {
  at("status").textContent = "This browser cannot run the page: it needs one of the year 2023 or later.";
  throw error;
});
