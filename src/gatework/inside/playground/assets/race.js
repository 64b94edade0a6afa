"use strict";

// Networks that learn side by side: the same sequences, the same seed, one step each in turn.

const LEAST_LOSS = 1e-3; // of a baseline, where one is as good as perfect
const BEYOND = 1e6; // times the baseline's loss: no network comes back from there
const MEASURED = 256, COUNTED = 1024; // sequences on which a baseline is scored, and which its table counts

class Race {
  // `settings` are what the page's knobs say; `entries` the networks, as { cell, forgetBias, clipping, truncation }.
  constructor(settings, entries) {
    this.settings = settings;
    this.task = settings.task === "own" ? ownTask(settings.own, settings.length) : TASKS[settings.task];
    if (this.task.problem) throw new RangeError(this.task.problem);
    const { units, layers, length: steps, seed, scale, optimiser, batch } = settings, { features: inputs, outputs, loss } = this.task;
    this.step = 0;
    this.isJudgedApart = Boolean(this.task.isFinite) || settings.noise > 0;
    this.simple = new Baseline(this.task, steps, seed);
    this.runners = entries.map(({ cell, forgetBias, clipping, truncation }) => {
      const learner = new Learner({ cell, forgetBias, units, layers, steps, seed, scale, optimiser, batch, inputs, outputs, loss });
      const probe = new Probe(learner, this.task, seed);
      return { learner, clipping, truncation, probe, losses: [], heldOut: [], smooth: null, judged: null, learntAt: null, explodedAt: null };
    });
    // On the sequences that are shown, and, where every batch is as good, on many more.
    this.shownBaseline = this.simple.loss(this.runners[0].probe.drawn, SEQUENCES);
    this.baseline = this.isJudgedApart ? this.shownBaseline : this.simple.loss(this.task.draw(new Random(seed, 6), steps, MEASURED, true), MEASURED);
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
      this.judge(runner);
    }
    this.step++;
  }

  // What counts is the loss on sequences that were never trained on, and without noise: where data are endless and clean
  // every batch is such, and elsewhere those that are kept for testing are scored every few steps.
  judge(runner) {
    if (!this.isJudgedApart) runner.judged = runner.smooth;
    else if ((this.step + 1) % JUDGED_EVERY === 0) runner.heldOut.push((runner.judged = runner.probe.loss()));
    if (runner.learntAt === null && runner.judged !== null && runner.judged < this.task.solved * this.baseline) runner.learntAt = this.step + 1;
  }

  look(example) {
    return this.runners.map(({ probe, truncation, smooth, judged, learntAt, explodedAt }) => ({
      ...probe.look(example, truncation), smooth, judged: judged ?? smooth ?? NaN, learntAt, explodedAt, baseline: this.shownBaseline,
    }));
  }
}

// The simplest answer: that of the task, or else a table of which class most often follows the symbol just read.
class Baseline {
  constructor(task, steps, seed) {
    Object.assign(this, { task, steps });
    if (!task.simple) this.count(task.draw(new Random(seed, 7), steps, COUNTED, false));
  }

  count({ tokens, targets, scored }) {
    const { features, outputs } = this.task;
    this.shares = zeros(features * outputs).fill(0.1);
    eachScored(scored, this.steps, COUNTED, (at) => { this.shares[tokens[at] * outputs + targets[at]]++; });
    for (let token = 0; token < features; token++) {
      const row = this.shares.subarray(token * outputs, (token + 1) * outputs), total = row.reduce((a, b) => a + b);
      row.forEach((count, k) => { row[k] = count / total; });
    }
  }

  // Its loss on a batch, in the units of the networks' own.
  loss({ x, tokens, targets, scored }, batch) {
    const { simple, features, outputs } = this.task;
    let sum = 0, count = 0;
    eachScored(scored, this.steps, batch, (at, t, b) => {
      count++;
      sum += simple ? (simple({ x }, t * features * batch + b) - targets[at]) ** 2 : -Math.log(this.shares[tokens[at] * outputs + targets[at]]);
    });
    return sum / count;
  }
}

function eachScored(scored, steps, batch, use) {
  for (let t = 0; t < steps; t++) for (let b = 0; scored[t] && b < batch; b++) use(t * batch + b, t, b);
}
