"use strict";

// What the figures amount to, in words: who has learnt it, whose gradient has vanished, how long a memory lasts.

const GONE = 1e-2, GROWN = 1e2; // as in gatework.inside.gradients
const HOPELESS = 0.9; // a loss above this share of the baseline's is no better
const BY_HEART = 0.33; // a loss on the data for learning below this share of that on the data for testing
const EARLY = 150, PATIENCE = 700; // steps before which nothing is said to be stuck, and to have failed

// The gradient by distance: { name: "vanishing" | "exploding" | "steady" | "none", reach }.
function gradientFinding(curve) {
  if (!Number.isFinite(curve[0])) return { name: "none", reach: 0 };
  const highest = curve.reduce((most, v) => (v > most ? v : most), 0);
  if (highest > GROWN) return { name: "exploding", highest };
  if (!(curve.at(-1) < GONE)) return { name: "steady", last: curve.at(-1) };
  let reach = curve.length;
  while (reach > 0 && !(curve[reach - 1] >= GONE)) reach--;
  return { name: "vanishing", reach };
}

function gradientSentence(curve) {
  const { name, reach, last, highest } = gradientFinding(curve);
  if (name === "none") return "No gradient arrives.";
  if (name === "exploding") return `Exploding: up to ${tickText(Number(highest.toPrecision(2)))} times on the way back.`;
  if (name === "vanishing") return `Vanished: below 1 % from ${counted(reach, "step")} back.`;
  return `It arrives: ${percent(last)} after ${counted(curve.length - 1, "step")}.`;
}

const percent = (share) => (share >= 0.0995 ? `${Math.round(100 * share)} %` : `${(100 * share).toPrecision(2)} %`);
const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

function memorySentence(lives) {
  if (!lives) return "No gate between 0 and 1 keeps its state, so its memory has no half-life.";
  const sorted = [...lives].sort((a, b) => a - b), middle = sorted[sorted.length >> 1];
  return `Half-life of the memory: ${stepsText(middle)} in the middle unit, ${stepsText(sorted.at(-1))} in the longest.`;
}

const stepsText = (v) => (!Number.isFinite(v) || v > 9999 ? "beyond 9,999 steps" : v < 10 ? `${v.toFixed(1)} steps` : `${Math.round(v)} steps`);

// How a network stands: "exploded", "learnt", "learning" or "stuck".
function standing(network, state) {
  if (network.explodedAt !== null) return "exploded";
  if (network.learntAt !== null) return "learnt";
  if (state.step >= EARLY && network.judged > HOPELESS * state.baselineLoss) return "stuck";
  return "learning";
}

// The verdict in large letters, and the particulars below it.
function verdict(state) {
  const { networks, step } = state;
  if (!step) return ["Nothing is learnt yet. Press Train.", ""];
  const by = { exploded: [], learnt: [], learning: [], stuck: [] };
  networks.forEach((network, k) => by[standing(network, state)].push(k));
  return [headline(state, by), particulars(state, by)];
}

function headline(state, by) {
  const { entries, task, networks } = state, parts = [];
  if (task.isTrap) return trapHeadline(task, networks, entries);
  const say = (places, [one, more]) => { if (places.length) parts.push(`${named(entries, places)} ${places.length === 1 ? one : more}`); };
  say(by.learnt, task.isMemory ? ["remembers", "remember"] : ["has learnt it", "have learnt it"]);
  say(by.stuck, failing(state, by.learnt.length > 0));
  say(by.exploded, ["has exploded", "have exploded"]);
  if (!parts.length) return "Learning…";
  say(by.learning, ["is still learning", "are still learning"]);
  return capital(parts.join("; ")) + ".";
}

const named = (entries, places) => listed(places.map((k) => `the ${entries[k].name}`));

// What is said of networks that are stuck: no more than "not yet" before they have had their time.
function failing({ step, task }, othersLearnt) {
  if (step >= PATIENCE) return task.isMemory ? ["forgets", "forget"] : ["has not learnt it", "have not learnt it"];
  if (!othersLearnt) return ["has not begun to learn", "have not begun to learn"];
  return task.isMemory ? ["does not yet", "do not yet"] : ["has not yet", "have not yet"];
}

// In the trap the question is not who learns, but that a loss below the noise is no prediction.
const copying = ({ networks, task }) => networks.flatMap((network, k) => (network.loss < task.floor ? [k] : []));

function trapHeadline(task, networks, entries) {
  const places = copying({ networks, task });
  if (!places.length) return "Learning to copy…";
  return capital(`${named(entries, places)} ${places.length === 1 ? "copies; a prediction it is" : "copy; a prediction they are"} not.`);
}

function particulars(state, by) {
  const { entries, networks, task, step } = state, sentences = [];
  if (task.isTrap) return trapParticulars(state);
  if (by.learnt.length) sentences.push(`Learnt by ${listed(by.learnt.map((k) => `the ${entries[k].name} at step ${networks[k].learntAt}`))}.`);
  if (by.stuck.length) sentences.push(capital(`${named(entries, by.stuck)} ${by.stuck.length === 1 ? "is" : "are"}, after ${step} steps, no better than ${task.baseline}${whyStuck(networks, by.stuck)}.`));
  if (!by.learnt.length && by.learning.length) sentences.push(leaderSentence(state, by.learning));
  for (const k of by.exploded) sentences.push(`The ${entries[k].name} exploded at step ${networks[k].explodedAt}: one gradient was so large that the weights flew away.`);
  const byHeart = task.isFinite ? networks.flatMap(({ smooth, judged }, k) => (smooth < BY_HEART * judged ? [k] : [])) : [];
  if (byHeart.length) sentences.push(capital(`${named(entries, byHeart)} ${byHeart.length === 1 ? "knows" : "know"} by heart what ${byHeart.length === 1 ? "it learns" : "they learn"} from: on the part kept for testing the loss is ${Math.round(networks[byHeart[0]].judged / networks[byHeart[0]].smooth)} times as large.`));
  return sentences.join(" ");
}

function trapParticulars(state) {
  if (!copying(state).length) return "The value asked for is the value just read; all there is to learn is to pass it on.";
  return `The loss is below the noise in the data, ${tickText(Number(state.task.floor.toPrecision(2)))}, which no prediction can be. Scored on the next step, it is what repeating the last value gives.`;
}

// What the gradients of the top layer say about networks that are stuck.
function whyStuck(networks, places) {
  const findings = places.map((k) => gradientFinding(networks[k].gradients.at(-1)));
  if (findings.some(({ name }) => name === "exploding")) return places.length === 1 ? "; its gradient explodes on the way back" : "; on the way back gradients explode";
  if (!findings.every(({ name }) => name === "vanishing")) return "";
  const reaches = findings.map(({ reach }) => reach);
  return `; ${places.length === 1 ? "its gradient has" : "their gradients have"} vanished ${listed([...new Set(reaches)].sort((a, b) => a - b).map(String))} steps back`;
}

// Who is ahead while nobody has learnt it.
function leaderSentence({ entries, networks, baselineLoss, task }, learning) {
  const first = learning.reduce((best, k) => (networks[k].judged < networks[best].judged ? k : best)), times = baselineLoss / networks[first].judged;
  if (!(times > 1.1)) return `The line to get below is ${task.baseline}.`;
  return `So far the ${entries[first].name} leads, with a loss ${times.toFixed(1)} times smaller than that of ${task.baseline}.`;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const listed = (parts, comma = ", ", and = " and ") => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(comma)}${and}${parts.at(-1)}`);
