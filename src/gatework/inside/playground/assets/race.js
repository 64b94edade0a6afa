"use strict";

// Networks that learn side by side: the same sequences, the same seed, one step each in turn.

const LEAST_LOSS = 1e-3; // of a baseline, where one is as good as perfect
const BEYOND = 1e6; // times the baseline's loss: no network comes back from there
const MEASURED = 256; // sequences on which a baseline is scored

class Race {
  // `settings` are what the page's knobs say; `entries` the networks, as { cell, forgetBias, clipping, truncation }.
  constructor(settings, entries) {
    this.settings = settings;
    this.task = settings.task === "own" ? ownTask(settings.own, settings.length) : TASKS[settings.task];
    if (this.task.problem) throw new RangeError(this.task.problem);
    const { units, layers, length: steps, seed, scale, optimiser, batch } = settings, { features: inputs, outputs, loss } = this.task;
    this.step = 0;
    this.baseline = baselineOf(this.task, steps, seed);
    this.runners = entries.map(({ cell, forgetBias, clipping, truncation }) => {
      const learner = new Learner({ cell, forgetBias, units, layers, steps, seed, scale, optimiser, batch, inputs, outputs, loss });
      return { learner, clipping, truncation, probe: new Probe(learner, this.task, seed), losses: [], smooth: null, learntAt: null, explodedAt: null };
    });
  }

  // The sequences of a step of training, the same for every network and every time the seed is used.
  drawn(step) {
    const { seed, length, batch, noise } = this.settings, drawn = this.task.draw(new Random(seed, 2, step), length, batch, false);
    disturb(drawn, this.task, new Random(seed, 4, step), noise);
    return drawn;
  }

  train() {
    const { rate } = this.settings, drawn = this.drawn(this.step);
    for (const runner of this.runners) {
      if (runner.explodedAt !== null) { runner.losses.push(NaN); continue; }
      const { loss, norm } = runner.learner.train(drawn, { rate, clipping: runner.clipping, truncation: runner.truncation });
      runner.losses.push(loss);
      if (!(loss < BEYOND * Math.max(this.baseline, LEAST_LOSS)) || !Number.isFinite(norm)) runner.explodedAt = this.step + 1;
      runner.smooth = smoothed(runner.smooth, loss);
      if (runner.learntAt === null && runner.smooth < this.task.solved * this.baseline) runner.learntAt = this.step + 1;
    }
    this.step++;
  }

  look(example) {
    return this.runners.map(({ probe, truncation, smooth, learntAt, explodedAt }) => ({ ...probe.look(example, truncation), smooth, learntAt, explodedAt }));
  }
}

// The loss of the simplest answer: that of the task, or else the class that most often follows the symbol just read.
function baselineOf(task, steps, seed) {
  const drawn = task.draw(new Random(seed, 6), steps, MEASURED, true);
  return task.simple ? simpleError(task, drawn, steps) : tableLoss(task, drawn, task.draw(new Random(seed, 7), steps, 4 * MEASURED, false), steps);
}

function simpleError(task, { x, targets, scored }, steps) {
  let sum = 0, count = 0;
  for (let t = 0; t < steps; t++) {
    if (!scored[t]) continue;
    for (let b = 0; b < MEASURED; b++, count++) sum += (task.simple({ x }, t * task.features * MEASURED + b) - targets[t * MEASURED + b]) ** 2;
  }
  return sum / count;
}

// The cross-entropy of a table that counts which class goes with which symbol.
function tableLoss(task, drawn, known, steps) {
  const { features, outputs } = task, counts = zeros(features * outputs).fill(0.1), totals = zeros(features).fill(0.1 * outputs);
  const each = ({ tokens, targets, scored }, batch, use) => {
    for (let t = 0; t < steps; t++) for (let b = 0; b < batch && scored[t]; b++) use(tokens[t * batch + b], targets[t * batch + b]);
  };
  each(known, 4 * MEASURED, (token, target) => { counts[token * outputs + target]++; totals[token]++; });
  let sum = 0, count = 0;
  each(drawn, MEASURED, (token, target) => { sum -= Math.log(counts[token * outputs + target] / totals[token]); count++; });
  return sum / count;
}
