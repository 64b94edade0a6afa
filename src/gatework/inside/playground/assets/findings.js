"use strict";

// What the figures amount to, in words: who has learnt it, whose gradient has vanished, how long a memory lasts.

const GONE = 1e-2, GROWN = 1e2; // as in gatework.inside.gradients
const HOPELESS = 0.9; // a loss above this share of the baseline's is no better
const EARLY = 150; // steps before which nothing is said to have failed
const EXPLODED = 1e3; // a loss this many times the baseline has exploded, number or not

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
  if (!lives) return "No gate keeps its state, so its memory has no half-life.";
  const sorted = [...lives].sort((a, b) => a - b), middle = sorted[sorted.length >> 1];
  return `Half-life of the memory: ${stepsText(middle)} in the middle unit, ${stepsText(sorted.at(-1))} in the longest.`;
}

const stepsText = (v) => (!Number.isFinite(v) || v > 9999 ? "beyond 9,999 steps" : v < 10 ? `${v.toFixed(1)} steps` : `${Math.round(v)} steps`);

// How a network stands: "exploded", "learnt", "learning" or "stuck".
function standing(network, state) {
  if (network.explodedAt !== null || network.loss > EXPLODED * Math.max(state.baselineLoss, 1e-3)) return "exploded";
  if (network.learntAt !== null) return "learnt";
  if (state.step >= EARLY && network.smooth > HOPELESS * state.baselineLoss) return "stuck";
  return "learning";
}

// The verdict in large letters, and the particulars below it.
function verdict(state) {
  const { entries, networks, step, task } = state;
  if (!step) return ["Nothing is learnt yet. Press Train.", ""];
  const by = { exploded: [], learnt: [], learning: [], stuck: [] };
  networks.forEach((network, k) => by[standing(network, state)].push(k));
  return [headline(state, by), by.learnt.length + by.stuck.length + by.exploded.length ? particulars(state, by) : `What counts as learnt is a loss well below that of ${task.baseline}.`];
}

function headline({ entries, task, networks }, by) {
  const names = (places) => listed(places.map((k) => inSentence(entries[k].name)));
  const many = (places, one, more) => (places.length === 1 ? one : more);
  if (task.isTrap) return trapHeadline(task, networks, entries);
  const [learnt, failed] = task.isMemory ? [["remembers", "remember"], ["forgets", "forget"]] : [["has learnt it", "have learnt it"], ["is no better than " + task.baseline, "are no better than " + task.baseline]];
  const parts = [];
  if (by.learnt.length) parts.push(`${names(by.learnt)} ${many(by.learnt, ...learnt)}`);
  if (by.stuck.length) parts.push(`${names(by.stuck)} ${many(by.stuck, ...failed)}`);
  if (by.exploded.length) parts.push(`${names(by.exploded)} ${many(by.exploded, "has", "have")} exploded`);
  if (!parts.length) return "Learning…";
  if (by.learning.length) parts.push(`${names(by.learning)} ${many(by.learning, "is", "are")} still learning`);
  return capital(listed(parts, "; ", "; ")) + ".";
}

// In the trap the question is not who learns, but that a loss below the noise is no forecast.
function trapHeadline(task, networks, entries) {
  const copying = networks.flatMap((network, k) => (network.loss < task.floor ? [inSentence(entries[k].name)] : []));
  if (!copying.length) return "Learning to copy…";
  return capital(`${listed(copying)} ${copying.length === 1 ? "copies" : "copy"}; a forecast ${copying.length === 1 ? "it is" : "they are"} not.`);
}

function particulars(state, by) {
  const { entries, networks, task, step } = state, sentences = [];
  if (task.isTrap) return `The loss is below the noise in the data, ${tickText(task.floor)}, which no forecast can be. Scored on the next step, it is what repeating the last value gives.`;
  const at = by.learnt.map((k) => `${inSentence(entries[k].name)} at step ${networks[k].learntAt}`);
  if (at.length) sentences.push(`Learnt by ${listed(at)}.`);
  for (const k of by.stuck) {
    const { name, reach } = gradientFinding(networks[k].gradients.at(-1));
    const why = name === "vanishing" ? `; its gradient has vanished ${counted(reach, "step")} back` : name === "exploding" ? "; its gradient explodes on the way back" : "";
    sentences.push(capital(`${inSentence(entries[k].name)} is after ${step} steps no better than ${task.baseline}${why}.`));
  }
  for (const k of by.exploded) sentences.push(capital(`${inSentence(entries[k].name)} exploded${networks[k].explodedAt === null ? "" : ` at step ${networks[k].explodedAt}`}: one gradient was so large that the weights flew away.`));
  return sentences.join(" ");
}

const inSentence = (name) => `the ${name}`;
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const listed = (parts, comma = ", ", and = " and ") => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(comma)}${and}${parts.at(-1)}`);
