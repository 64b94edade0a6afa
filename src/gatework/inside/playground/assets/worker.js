"use strict";

// The worker: trains while the page is looked at, and reports to it now and then.

const SLICE = 40; // milliseconds of training between two looks at the page's messages
const OFTEN = 160, SHARE = 4; // at most one look in so many milliseconds, and a quarter of the time at most

const worker = { race: null, isRunning: false, isTurning: false, order: 0, until: Infinity, example: 0, reported: 0, lastLook: 0, interval: OFTEN, began: 0, from: 0 };
const turns = new MessageChannel();
turns.port1.onmessage = () => turn();

onmessage = ({ data }) => {
  worker.order = data.order;
  try {
    HANDLERS[data.kind](data);
  } catch (error) {
    worker.isRunning = false;
    postMessage({ kind: "problem", text: error instanceof RangeError ? error.message : `The training stopped: ${error.message}` });
    if (!(error instanceof RangeError)) throw error;
  }
};

const HANDLERS = {
  set({ number, settings, entries, example, until }) {
    worker.race = null;
    const race = (worker.race = new Race(settings, entries)), { task } = race;
    Object.assign(worker, { reported: 0, example, number });
    const { title, about, symbols = null, answers = null, loss, baseline = "a table of the last symbol", floor = null, isFinite = false, isMemory = false, isTrap = false, mean = 0, spread = 1 } = task;
    postMessage({
      kind: "ready", number: worker.number, baselineLoss: race.baseline,
      task: { title, about, symbols, answers, loss, baseline, floor, isFinite, isMemory, isTrap, mean, spread, isJudgedApart: race.isJudgedApart },
      parameters: race.runners.map(({ learner }) => learner.values.length),
    });
    showExample();
    HANDLERS.run({ until });
  },
  run({ until = Infinity }) {
    Object.assign(worker, { until, isRunning: worker.race.step < until, began: performance.now(), from: worker.race.step });
    report();
    if (!worker.isTurning) turns.port2.postMessage(0);
    worker.isTurning = true;
  },
  pause() {
    worker.isRunning = false;
    report();
  },
  step() {
    worker.isRunning = false;
    worker.race.train();
    report();
  },
  example({ number }) {
    worker.example = number;
    showExample();
    report();
  },
};

function turn() {
  worker.isTurning = worker.isRunning && worker.race !== null;
  if (!worker.isTurning) return;
  const start = performance.now();
  while (worker.isRunning && performance.now() - start < SLICE) {
    worker.race.train();
    const isOver = worker.race.step >= worker.until || worker.race.runners.every(({ explodedAt }) => explodedAt !== null);
    if (isOver) worker.isRunning = false;
  }
  if (!worker.isRunning || performance.now() - worker.lastLook > worker.interval) report();
  turns.port2.postMessage(0);
}

// The losses since the last time, and a look at every network.
function report() {
  const { race } = worker, start = performance.now();
  const networks = race.look(worker.example), losses = race.runners.map((runner) => Float64Array.from(runner.losses.slice(worker.reported)));
  const heldOut = race.runners.map((runner) => Float64Array.from(runner.heldOut.slice(Math.floor(worker.reported / JUDGED_EVERY))));
  worker.reported = race.step;
  worker.lastLook = performance.now();
  worker.interval = Math.max(OFTEN, SHARE * (worker.lastLook - start));
  const seconds = (start - worker.began) / 1000, rate = worker.isRunning && seconds > 0.3 ? (race.step - worker.from) / seconds : null;
  postMessage({ kind: "progress", number: worker.number, order: worker.order, step: race.step, isRunning: worker.isRunning, rate, losses, heldOut, networks });
}

const showExample = () => postMessage({ kind: "example", number: worker.number, example: worker.race.runners[0].probe.shownExample(worker.example) });
