"use strict";

// What can be learnt here. `draw` makes sequences of which `score` says what a prediction should be at which step;
// sequences that are generated are new at every step of training, so that there is nothing to learn by heart.

// An empty batch of number sequences, (steps, features, batch), with one target a step.
function numbersBatch(steps, features, batch) {
  return { x: zeros(steps * features * batch), targets: zeros(steps * batch), scored: new Uint8Array(steps).fill(1) };
}

// An empty batch of sequences of symbols.
function symbolsBatch(steps, batch) {
  return { tokens: new Int32Array(steps * batch), targets: new Int32Array(steps * batch), scored: new Uint8Array(steps).fill(1) };
}

// The waves of `gatework.data.sets.waves`: two sines of random frequency and offset, a slow third one, and noise.
function wave(random, steps) {
  const [f, g, o, u, p] = Array.from({ length: 5 }, () => random.uniform());
  return Float64Array.from({ length: steps }, (_, k) => {
    const t = k / WAVE_STEPS;
    return 0.5 * Math.sin((t - o) * (10 * f + 10)) + 0.2 * Math.sin((t - u) * (20 * g + 20))
      + 0.1 * Math.sin(2 * Math.PI * p * t) + 0.1 * (random.uniform() - 0.5);
  });
}

const WAVE_STEPS = 99, WAVE_NOISE = 0.01 / 12;

function drawWaves(random, steps, batch, ahead) {
  const drawn = numbersBatch(steps, 1, batch);
  drawn.next = zeros(steps * batch);
  for (let b = 0; b < batch; b++) {
    const values = wave(random, steps + 1);
    for (let t = 0; t < steps; t++) {
      drawn.x[t * batch + b] = values[t];
      drawn.targets[t * batch + b] = values[t + ahead];
      drawn.next[t * batch + b] = values[t + 1];
    }
  }
  return drawn;
}

const ITEMS = 3, LETTERS = ["A", "B", "C", "D"], BLANK = LETTERS.length, SIGNAL = BLANK + 1;
const [OPEN_ROUND, OPEN_SQUARE, CLOSE_ROUND, CLOSE_SQUARE, FILLER] = [0, 1, 2, 3, 4], DEEPEST = 5;

const TASKS = {
  adding: {
    title: "Adding: two marked numbers",
    about: "Numbers stream past; two of them are marked. After the last step the network must say the sum of the two: it has to keep them.",
    features: 2, outputs: 1, loss: "squares", baseline: "always saying 1", solved: 0.06, isMemory: true,
    draw(random, steps, batch) {
      const drawn = numbersBatch(steps, 2, batch), half = Math.floor(steps / 2);
      drawn.scored.fill(0, 0, steps - 1);
      for (let b = 0; b < batch; b++) {
        const marks = [random.below(half), half + random.below(steps - half)];
        let sum = 0;
        for (let t = 0; t < steps; t++) {
          const value = random.uniform(), isMarked = marks.includes(t);
          drawn.x[2 * t * batch + b] = value;
          drawn.x[(2 * t + 1) * batch + b] = isMarked ? 1 : 0;
          if (isMarked) sum += value;
        }
        drawn.targets[(steps - 1) * batch + b] = sum;
      }
      return drawn;
    },
    simple: () => 1,
  },
  recall: {
    title: "Recall: the first symbol",
    about: "One of four letters comes first, then letters that mean nothing. At the end the network must say which letter came first.",
    features: LETTERS.length, outputs: LETTERS.length, loss: "classes", symbols: LETTERS, answers: LETTERS, solved: 0.1, isMemory: true,
    draw(random, steps, batch) {
      const drawn = symbolsBatch(steps, batch);
      drawn.scored.fill(0, 0, steps - 1);
      for (let at = 0; at < steps * batch; at++) drawn.tokens[at] = random.below(LETTERS.length);
      for (let b = 0; b < batch; b++) drawn.targets[(steps - 1) * batch + b] = drawn.tokens[b];
      return drawn;
    },
  },
  copying: {
    title: "Copying: three letters, later",
    about: "Three letters, then blanks, then a signal “?”: now the network must write the three letters down in order.",
    features: SIGNAL + 1, outputs: LETTERS.length, loss: "classes", symbols: [...LETTERS, "·", "?"], answers: LETTERS, solved: 0.1, isMemory: true,
    draw(random, steps, batch) {
      const drawn = symbolsBatch(steps, batch);
      drawn.tokens.fill(BLANK);
      drawn.scored.fill(0, 0, steps - ITEMS);
      for (let b = 0; b < batch; b++) {
        drawn.tokens[(steps - ITEMS) * batch + b] = SIGNAL;
        for (let n = 0; n < ITEMS; n++) {
          drawn.tokens[n * batch + b] = random.below(LETTERS.length);
          drawn.targets[(steps - ITEMS + n) * batch + b] = drawn.tokens[n * batch + b];
        }
      }
      return drawn;
    },
  },
  parity: {
    title: "Parity: odd or even so far",
    about: "Zeros and ones stream past; at every step the network must say whether the number of ones so far is odd. One forgotten bit spoils all that follows.",
    features: 2, outputs: 2, loss: "classes", symbols: ["0", "1"], answers: ["even", "odd"], solved: 0.1,
    draw(random, steps, batch) {
      const drawn = symbolsBatch(steps, batch);
      for (let b = 0; b < batch; b++) {
        let parity = 0;
        for (let t = 0; t < steps; t++) {
          const bit = random.below(2);
          parity ^= bit;
          drawn.tokens[t * batch + b] = bit;
          drawn.targets[t * batch + b] = parity;
        }
      }
      return drawn;
    },
  },
  brackets: {
    title: "Brackets: which one closes next",
    about: "Round and square brackets open and close within one another; at every step the network must say which bracket has to close next, if any. That takes a stack.",
    features: 5, outputs: 3, loss: "classes", symbols: ["(", "[", ")", "]", "·"], answers: ["none", ")", "]"], solved: 0.1,
    draw(random, steps, batch) {
      const drawn = symbolsBatch(steps, batch);
      for (let b = 0; b < batch; b++) {
        const open = [];
        for (let t = 0; t < steps; t++) {
          const turn = random.uniform();
          let token = FILLER;
          if (turn < 0.3 && open.length < DEEPEST) {
            token = random.below(2) ? OPEN_SQUARE : OPEN_ROUND;
            open.push(token);
          } else if (turn < 0.6 && open.length) token = open.pop() === OPEN_ROUND ? CLOSE_ROUND : CLOSE_SQUARE;
          drawn.tokens[t * batch + b] = token;
          drawn.targets[t * batch + b] = open.length ? 1 + open.at(-1) : 0;
        }
      }
      return drawn;
    },
  },
  waves: {
    title: "Waves: the next step",
    about: "Sums of sine waves with noise; at every step the network must say the value of the next step.",
    features: 1, outputs: 1, loss: "squares", baseline: "repeating the last value", floor: WAVE_NOISE, solved: 0.6,
    draw: (random, steps, batch) => drawWaves(random, steps, batch, 1),
    simple: (drawn, at) => drawn.x[at],
  },
  trap: {
    title: "Waves, the trap: the step just seen",
    about: "The same waves, but the value asked for is the one just read. An experiment was published like that: copying solves it, and its tiny loss was taken for a prediction.",
    features: 1, outputs: 1, loss: "squares", baseline: "repeating the last value", floor: WAVE_NOISE, solved: 0, isTrap: true,
    draw: (random, steps, batch) => drawWaves(random, steps, batch, 0),
    simple: (drawn, at) => drawn.x[at],
  },
};
TASKS.text = textTask("A rhyme: the next letter", RHYME);

// Noise on what is read: added to numbers, or that share of symbols exchanged for random ones. Targets stay right.
function disturb(drawn, task, random, noise) {
  if (!noise) return;
  if (drawn.tokens) {
    for (let at = 0; at < drawn.tokens.length; at++) if (random.uniform() < noise) drawn.tokens[at] = random.below(task.features);
  } else for (let at = 0; at < drawn.x.length; at++) drawn.x[at] += noise * random.normal();
}
