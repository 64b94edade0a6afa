"use strict";

// Tasks on data that end: a text, or numbers. The last fifth is kept for testing and never learnt from.

const MOST_LETTERS = 60, FEWEST_NUMBERS = 40, FEWEST_LETTERS = 200;

// Where the part begins that is only tested on: the last fifth.
const HELD_OUT = 5, cutOf = (count) => count - Math.ceil(count / HELD_OUT);

// The next letter of a text, of which the last fifth is kept for testing.
function textTask(title, text) {
  const symbols = lettersOf(text), places = new Map(symbols.map((letter, k) => [letter, k])), other = symbols.length - 1;
  const all = Int32Array.from(text, (letter) => places.get(letter) ?? other), cut = cutOf(all.length);
  return {
    title, symbols, answers: symbols, writes: true, solved: 0.7,
    about: `${all.length.toLocaleString("en")} letters stream past; at every step the network must say the next one. What it has learnt it can write by itself; the last fifth is kept for testing.`,
    features: symbols.length, outputs: symbols.length, loss: "classes", isFinite: true,
    draw: (random, steps, batch, isHeldOut) => {
      const part = isHeldOut ? all.subarray(cut) : all.subarray(0, cut), drawn = symbolsBatch(steps, batch);
      for (let b = 0; b < batch; b++) {
        const from = random.below(part.length - steps);
        for (let t = 0; t < steps; t++) {
          drawn.tokens[t * batch + b] = part[from + t];
          drawn.targets[t * batch + b] = part[from + t + 1];
        }
      }
      return drawn;
    },
  };
}

// The next value of a person's own numbers, in units of their spread; the last fifth is kept for testing.
function numbersTask(title, values) {
  const cut = cutOf(values.length), known = values.slice(0, cut);
  const mean = known.reduce((a, b) => a + b, 0) / cut;
  const spread = Math.sqrt(known.reduce((a, b) => a + (b - mean) ** 2, 0) / cut) || 1;
  const all = Float64Array.from(values, (value) => (value - mean) / spread);
  return {
    title, features: 1, outputs: 1, loss: "squares", baseline: "repeating the last value", solved: 0.6, isFinite: true, mean, spread,
    about: `${values.length} numbers, from ${Math.min(...values)} to ${Math.max(...values)}; at every step the network must say the next one. Errors are in units of their own spread; the last fifth is kept for testing.`,
    draw: (random, steps, batch, isHeldOut) => {
      const part = isHeldOut ? all.subarray(cut) : all.subarray(0, cut), drawn = numbersBatch(steps, 1, batch);
      for (let b = 0; b < batch; b++) {
        const from = random.below(part.length - steps);
        for (let t = 0; t < steps; t++) {
          drawn.x[t * batch + b] = part[from + t];
          drawn.targets[t * batch + b] = part[from + t + 1];
        }
      }
      return drawn;
    },
    simple: (drawn, at) => drawn.x[at],
  };
}

// The most frequent characters of a text; where there are more, the last place is for all of those.
function lettersOf(text) {
  const counts = new Map();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([letter]) => letter);
  return sorted.length > MOST_LETTERS ? [...sorted.slice(0, MOST_LETTERS), "\ufffd"] : sorted;
}

// What a person pasted: numbers if nearly all of it is, else text. A problem is said in one sentence.
function ownTask(pasted, steps) {
  const least = HELD_OUT * (steps + 1);
  const problem = (count, what, fewest) => ({ problem: `These are ${count} ${what}; with sequences of ${steps} steps ${Math.max(fewest, least)} are the least, as the last fifth is kept for testing: paste more, or make the sequence shorter.` });
  const words = pasted.trim().split(/[\s;,|]+/).filter(Boolean), values = words.map(Number).filter(Number.isFinite);
  if (words.length && values.length >= 0.9 * words.length) {
    if (values.length < Math.max(FEWEST_NUMBERS, least)) return problem(values.length, "numbers", FEWEST_NUMBERS);
    return numbersTask("Your numbers: the next one", values);
  }
  const text = pasted.trim().replace(/\s+/g, " "), count = [...text].length;
  if (!count) return { problem: "Paste a column of numbers or a text into the box, and training can begin." };
  if (count < Math.max(FEWEST_LETTERS, least)) return problem(count, "characters", FEWEST_LETTERS);
  return textTask("Your text: the next letter", text);
}
