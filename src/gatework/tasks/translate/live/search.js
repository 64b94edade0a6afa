"use strict";

// The likeliest translation: a beam search, of which a beam of 1 takes the likeliest piece each time.

const LONGER = 1.5, MORE = 10; // the most pieces of a translation: so many times the source's, and so many more

// The best `count` of { log } among rows of logarithms, the best first; of equal ones the first.
function bestOf(logs, count) {
  const best = [];
  for (let k = 0; k < logs.length; k++) {
    if (best.length === count && logs[k] <= logs[best.at(-1)]) continue;
    let to = best.length;
    while (to > 0 && logs[best[to - 1]] < logs[k]) to--;
    best.splice(to, 0, k);
    if (best.length > count) best.pop();
  }
  return best;
}

// What may come next where these placeholders are still to come, a bit for each.
function allowed(logs, wanted, isKeeping) {
  if (!isKeeping) return logs;
  const isEnding = wanted && logs[END] === logs.reduce((a, b) => Math.max(a, b)), after = FIRST_PLACEHOLDER + PLACEHOLDERS.length;
  return logs.map((log, piece) => {
    const isPlaceholder = piece >= FIRST_PLACEHOLDER && piece < after;
    if (isPlaceholder) return wanted >> (piece - FIRST_PLACEHOLDER) & 1 ? log : -Infinity;
    return isEnding || (wanted && piece === END) ? -Infinity : log;
  });
}

// The logarithms of how much each place was looked at, where that is less than 1.
function shortfall(steps) {
  const sums = steps[0].weights.map((_, s) => steps.reduce((sum, { weights }) => sum + weights[s], 0));
  return sums.reduce((total, sum) => total + Math.log(Math.min(Math.max(sum, 1e-10), 1)), 0);
}

// Translates the pieces of a sentence with so many placeholders: { steps: [{ piece, log, weights }], log, isComplete }, the
// end not among the steps.
function translated(network, pieces, beam, placeholders) {
  const { memory, state } = network.encode([...pieces, END]), limit = Math.floor(LONGER * pieces.length) + MORE;
  const score = ({ log, length, seen }) => log / ((5 + length) / 6) ** network.lengthPenalty + (seen ? network.coveragePenalty * shortfall(seen) : 0);
  const without = (wanted, piece) => (piece >= FIRST_PLACEHOLDER && piece < FIRST_PLACEHOLDER + PLACEHOLDERS.length ? wanted & ~(1 << (piece - FIRST_PLACEHOLDER)) : wanted);
  const results = [];
  let running = [{ piece: BEGIN, log: 0, steps: [], state, wanted: (1 << placeholders) - 1 }];
  for (let length = 1; results.length < beam && running.length; length++) {
    const candidates = running.flatMap(({ piece, log, steps, state: before, wanted }) => {
      const { logs, weights, state: after } = network.step(piece, memory, before), open = allowed(logs, wanted, network.isKeeping);
      return bestOf(open, 2 * beam).filter((next) => open[next] > -Infinity).map((next) => ({
        piece: next, log: log + logs[next], steps: [...steps, { piece: next, log: logs[next], weights }], state: after,
        wanted: network.isKeeping ? without(wanted, next) : 0 }));
    }).sort((a, b) => b.log - a.log).slice(0, 2 * beam);
    for (const { piece, log, steps } of candidates.slice(0, beam)) {
      const seen = network.coveragePenalty && network.attention !== "none" ? steps : null;
      if (piece === END && results.length < beam) results.push({ steps: steps.slice(0, -1), log, length, seen, isComplete: true });
    }
    running = candidates.filter(({ piece }) => piece !== END).slice(0, beam);
    if (length < limit) continue;
    for (const { log, steps } of running) if (results.length < beam) results.push({ steps, log, length, isComplete: false });
    break;
  }
  return results.sort((a, b) => score(b) - score(a))[0];
}

// A line, sentence by sentence: of each its words, those of its translation, where each of these was looked for, and what
// the dictionary says. `weights` has a row for each word of the translation, a column for each of the source and its end.
function translatedLine(network, lexicon, line, beam) {
  const { subwords } = network;
  const parts = cutLine(line, network).map((sentence) => {
    const { text: masked, values } = network.keeping.masked(sentence), pieces = subwords.encode(masked);
    const found = translated(network, pieces, beam, values.length), numbers = found.steps.map((step) => step.piece);
    const source = subwords.words(pieces), target = subwords.words(numbers);
    const weights = network.attention === "none" ? null : byWord(found.steps, source, target);
    const [words, said] = [source, target].map((side) => filledWords(side.words, values));
    return { ...found, source: words, target: said, weights, lexicon: lexicon.alignment(words, said),
      text: network.keeping.ended(sentence, filled(subwords.decode(numbers), values, /^\p{Lu}/u.test(sentence))) };
  });
  const log = parts.reduce((sum, part) => sum + part.log, 0), count = parts.reduce((sum, part) => sum + part.steps.length + 1, 0);
  return { parts, text: parts.map((part) => tidied(part.text)).filter(Boolean).join(" "), confidence: count ? Math.exp(log / count) : 1 };
}

// Weights summed over the pieces of a source's word, and the mean over those of the translation's.
function byWord(steps, source, target) {
  const rows = target.words.map(() => zeros(source.words.length + 1)), counts = target.words.map(() => 0);
  steps.forEach(({ weights }, t) => {
    const row = rows[target.places[t]];
    counts[target.places[t]]++;
    weights.forEach((weight, s) => { row[s < source.places.length ? source.places[s] : source.words.length] += weight; });
  });
  return rows.map((row, k) => row.map((sum) => sum / counts[k]));
}

// How much each word of the source was looked at in all; about 1 where it was said once.
function coverageOf({ source, weights }) {
  return source.map((_, s) => weights.reduce((sum, row) => sum + row[s], 0));
}
