"use strict";

// The worker: trains while the page is looked at, and tells it now and then how things stand.

const SLICE = 40; // milliseconds of training between two looks at the page's messages
const OFTEN = 160, SHARE = 4; // at most one look in so many milliseconds, and a quarter of the time at most

const worker = { race: null, isRunning: false, until: Infinity, example: 0, told: 0, lastLook: 0, interval: OFTEN, began: 0, from: 0 };
const turns = new MessageChannel();
turns.port1.onmessage = () => turn();

onmessage = ({ data }) => {
  try {
    HANDLERS[data.kind](data);
  } catch (error) {
    worker.isRunning = false;
    postMessage({ kind: "problem", text: error instanceof RangeError ? error.message : `The training stopped: ${error.message}` });
    if (!(error instanceof RangeError)) throw error;
  }
};

const HANDLERS = {
  set({ number, settings, entries, until }) {
    worker.race = null;
    const race = (worker.race = new Race(settings, entries)), { task } = race;
    Object.assign(worker, { told: 0, example: 0, number });
    const { title, about, symbols = null, answers = null, loss, baseline = "a table of the last symbol", floor = null, isFinite = false, isMemory = false, isTrap = false } = task;
    postMessage({
      kind: "ready", number: worker.number, baselineLoss: race.baseline,
      task: { title, about, symbols, answers, loss, baseline, floor, isFinite, isMemory, isTrap },
      parameters: race.runners.map(({ learner }) => learner.values.length),
    });
    showExample();
    HANDLERS.run({ until });
  },
  run({ until = Infinity }) {
    Object.assign(worker, { until, isRunning: worker.race.step < until, began: performance.now(), from: worker.race.step });
    tell();
    turns.port2.postMessage(0);
  },
  pause() {
    worker.isRunning = false;
    tell();
  },
  step() {
    worker.isRunning = false;
    worker.race.train();
    tell();
  },
  example({ number }) {
    worker.example = number;
    showExample();
    tell();
  },
};

function turn() {
  if (!worker.isRunning || !worker.race) return;
  const start = performance.now();
  while (worker.isRunning && performance.now() - start < SLICE) {
    worker.race.train();
    const isOver = worker.race.step >= worker.until || worker.race.runners.every(({ explodedAt }) => explodedAt !== null);
    if (isOver) worker.isRunning = false;
  }
  if (!worker.isRunning || performance.now() - worker.lastLook > worker.interval) tell();
  turns.port2.postMessage(0);
}

// How things stand: the losses since the last time, and a look at every network.
function tell() {
  const { race } = worker, start = performance.now();
  const networks = race.look(worker.example), losses = race.runners.map((runner) => Float64Array.from(runner.losses.slice(worker.told)));
  const heldOut = race.runners.map((runner) => Float64Array.from(runner.heldOut.slice(Math.floor(worker.told / JUDGED_EVERY))));
  worker.told = race.step;
  worker.lastLook = performance.now();
  worker.interval = Math.max(OFTEN, SHARE * (worker.lastLook - start));
  const seconds = (start - worker.began) / 1000, rate = worker.isRunning && seconds > 0.3 ? (race.step - worker.from) / seconds : null;
  postMessage({ kind: "progress", number: worker.number, step: race.step, isRunning: worker.isRunning, rate, losses, heldOut, networks });
}

const showExample = () => postMessage({ kind: "example", number: worker.number, example: worker.race.runners[0].probe.shownExample(worker.example) });
