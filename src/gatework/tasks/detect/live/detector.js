"use strict";

// A detecting network and its thresholds: what it says of the rows of a stretch, as detect/online_scorer.py says it, in
// double precision.

class Detector {
  constructor(network) {
    Object.assign(this, network);
    this.isRestoring = this.scorer === "reconstruction";
    this.isLabelled = this.scorer === "label";
    this.layers = this.stacks.layers ?? this.stacks.encoder;
    this.judgeNames = this.isLabelled ? ["odds of the label"] : [...this.judges.map((judge) => judge.of), ...(this.isRelated ? this.judges.map((judge) => `other columns, ${judge.of}`) : []), ...this.valueRules];
  }

  // `own` are the values of the rows, one list a row, NaN where missing. Gives scores, what is expected, who judged what,
  // and the trace of the layers.
  answer(own, window) {
    const { mean, std, last } = window.carried, isFirst = !last.length;
    const scaled = own.map((row) => row.map((v, k) => (v - mean[k]) / std[k]));
    const filled = [isFirst ? mean.map(() => 0) : last[0]];
    for (const row of scaled) filled.push(row.map((v, k) => (isNumber(v) ? v : filled.at(-1)[k])));
    const isForecast = !this.isRestoring && !this.isLabelled;
    const clipped = filled.slice(isForecast ? 0 : 1, isForecast ? -1 : undefined).map((row) => row.map((v) => Math.max(-this.farthest, Math.min(this.farthest, v))));
    const inputs = clipped.map((row, t) => [...row, ...window.beside[t]]);
    const { outputs, ...traced } = this.isRestoring ? this.restored(inputs, window) : this.followed(inputs, window);
    if (this.isLabelled) return { ...this.labelled(outputs, window), ...traced };
    const expected = outputs.map((row, t) => row.map((v, k) => (isForecast ? (isFirst && t === 0 ? NaN : clipped[t][k] + v) : v)));
    return { ...this.judged(own, scaled, expected, window), ...traced };
  }

  // The output of the layers after every row, and their trace.
  followed(inputs, window) {
    const count = inputs.length, width = this.layers.units, { state } = window.carried;
    // Of each layer the states before the first row; Python holds them by state and layer.
    const states = state === null ? [] : this.layers.cell_.states.length > 1 ? state : [state];
    const starts = state === null ? [] : states[0].map((_, layer) => states.map((of) => Float64Array.from(of[layer].flat())));
    const { output, traces } = this.layers.read(Float64Array.from(inputs.flat()), count, starts);
    const rows = this.tensors["output.bias"].length;
    const outputs = inputs.map((_, t) => Array.from(linear(this.tensors, "output", output.subarray(t * width, (t + 1) * width), rows)));
    return { outputs, traces, from: 0, count };
  }

  // What an autoencoder restores of every row, as the last of the rows that it reads at once.
  restored(inputs, window) {
    const { context, stacks } = this, rows = [...(window.carried.state ?? []), ...inputs], before = rows.length - inputs.length;
    window.known ??= new Map();
    const outputs = inputs.map((_, t) => {
      const stop = before + t + 1;
      if (stop < context) return this.columns.map(() => NaN);
      const part = rows.slice(stop - context, stop), key = part.flat().join(), known = window.known.get(`${this.number} ${t}`);
      if (known?.key === key) return known.said;
      const { output } = stacks.encoder.read(Float64Array.from(part.flat()), context), width = stacks.encoder.units;
      const code = Array.from(output.subarray((context - 1) * width)), beside = part.map((row) => row.slice(this.columns.length));
      const hidden = stacks.decoder.read(Float64Array.from(beside.flatMap((row) => [...code, ...row])), context).output;
      const said = Array.from(linear(this.tensors, "output", hidden.subarray((context - 1) * stacks.decoder.units), this.columns.length));
      window.known.set(`${this.number} ${t}`, { key, said });
      return said;
    });
    const seen = rows.slice(-Math.max(context, inputs.length)), from = Math.max(0, inputs.length - seen.length);
    const { traces } = stacks.encoder.read(Float64Array.from(seen.slice(-inputs.length).flat()), inputs.length - from);
    return { outputs, traces, from, count: inputs.length - from };
  }

  labelled(outputs, window) {
    const scores = outputs.map(([odds]) => sigmoid(odds - window.carried.limit)), none = outputs.map(() => -1);
    const nothing = outputs.map(() => this.columns.map(() => NaN));
    const judged = [{ ratios: outputs.map(([odds]) => this.columns.map(() => Math.exp(odds - window.carried.limit))) }];
    return { scores, causes: none, kinds: none, expected: nothing, low: nothing, high: nothing, judged, factor: 1 };
  }

  judged(own, scaled, expected, window) {
    const { judges, related, relation, rules, kinds: carriedKinds, mean, std } = window.carried, { factor } = this;
    const errors = scaled.map((row, t) => row.map((v, k) => Math.abs(v - expected[t][k])));
    const byError = judges.map((carried, n) => new Judge(carried, this.judges[n].rule).run(errors));
    const byValue = rules.map((carried, n) => new VALUE_RULES[this.valueRules[n]](carried).run(own));
    const againstOthers = relation ? relationErrors(scaled, relation) : [];
    const byRelation = related.map((carried, n) => new Judge(carried, this.judges[n].rule).run(againstOthers));
    const judged = [...byError, ...byRelation, ...byValue];
    const causes = [], highest = [];
    own.forEach((row, t) => {
      const most = row.map((_, k) => judged.map((one) => one.ratios[t][k]).reduce((a, b) => (isNumber(b) && b > a ? b : a), -1));
      const cause = most.indexOf(Math.max(...most));
      causes.push(cause);
      highest.push(most[cause]);
    });
    const flags = highest.map((ratio) => ratio > factor), stuck = this.valueRules.indexOf("stuck");
    const isAbove = (some, t) => some.some((one) => one.ratios[t][causes[t]] > factor);
    const known = own.map((_, t) => {
      if (stuck >= 0 && isAbove([byValue[stuck]], t)) return this.kinds.indexOf("stuck");
      return isAbove(byRelation, t) && !isAbove([...byError, ...byValue], t) ? this.kinds.indexOf("relation") : -1;
    });
    const kinds = new KindWatch(carriedKinds).run(scaled, window.stamps, flags, causes, known);
    const ends = (sign) => expected.map((row, t) => row.map((v, k) => (v + sign * factor * byError[0].thresholds[t][k]) * std[k] + mean[k]));
    const scores = highest.map((ratio) => (ratio < 0 ? NaN : ratio / (ratio + factor)));
    return { scores, causes: causes.map((cause, t) => (highest[t] < 0 ? -1 : cause)), kinds, judged, factor, expected: ends(0), low: ends(-1), high: ends(1) };
  }
}

// How far each value is from what the other columns of its row say of it, as detect/relations.py says it.
function relationErrors(scaled, { weights, last }) {
  let filled = last[0];
  return scaled.map((row) => {
    filled = row.map((v, k) => (isNumber(v) ? v : filled[k]));
    return row.map((v, k) => (isNumber(v) ? Math.abs(filled.reduce((sum, of, n) => sum + of * weights[n][k], 0)) : NaN));
  });
}

// Stretches of flagged rows, [first, last]; those with at most `gap` others between them are one.
function spansOf(scores, gap) {
  const spans = [];
  scores.forEach((score, t) => {
    if (!(score > 0.5)) return;
    if (spans.length && t - spans.at(-1)[1] <= gap + 1) spans.at(-1)[1] = t;
    else spans.push([t, t]);
  });
  return spans;
}
