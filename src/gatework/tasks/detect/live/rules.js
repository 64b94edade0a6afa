"use strict";

// From which error on a row is anomalous, as detect/smoothing.py, thresholds.py and value_rules.py say it. Each is made
// from what it carried up to the first row of a stretch, and goes on row by row.

const isNumber = Number.isFinite;

// The last values, at most `size` of them.
class Ring {
  constructor({ size, values }) { Object.assign(this, { size, values: [...values] }); }

  get length() { return this.values.length; }

  add(value) {
    this.values.push(value);
    if (this.values.length > this.size) this.values.shift();
  }
}

const meanOf = (values) => values.reduce((a, b) => a + b, 0) / values.length;

function deviationOf(values) {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
}

// The value below which a share of the others lies, between the two nearest.
function quantileOf(values, share) {
  const sorted = Float64Array.from(values).sort(), place = share * (sorted.length - 1), low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}

class MeanSmoothing {
  constructor(carried) { Object.assign(this, carried, { recent: carried.recent.map((row) => [...row]), count: [...carried.count] }); }

  // What the rows' errors are smoothed to; a row without one stays without, and the first errors count in no mean.
  run(errors) {
    const count = [...this.count], joined = [...this.recent];
    return errors.map((row, t) => {
      row.forEach((error, v) => { count[v] += isNumber(error); });
      joined.push(row.map((error, v) => (count[v] > this.leftOut ? error : NaN)));
      return row.map((error, v) => {
        const known = joined.slice(t, t + this.rows).map((r) => r[v]).filter(isNumber);
        return isNumber(error) && count[v] >= this.leftOut + this.least ? meanOf(known) : NaN;
      });
    });
  }
}

class ExponentialSmoothing {
  constructor({ share, mean }) { Object.assign(this, { share, mean: mean.map((v) => v ?? NaN) }); }

  run(errors) {
    return errors.map((row) => row.map((error, v) => {
      if (!isNumber(error)) return NaN;
      return (this.mean[v] = isNumber(this.mean[v]) ? (1 - this.share) * this.mean[v] + this.share * error : error);
    }));
  }
}

class RankSmoothing {
  constructor(carried) {
    Object.assign(this, carried, { mean: new MeanSmoothing(carried.mean), past: carried.past.map((ring) => new Ring(ring)) });
    this.sorted = carried.sorted.map((values) => [...values]);
  }

  run(errors) {
    return this.mean.run(errors.map((row) => {
      if (this.seen % this.every === 0) this.sorted = this.past.map((ring) => Float64Array.from(ring.values).sort());
      this.seen += 1;
      const ranks = row.map((error, v) => (isNumber(error) && this.sorted[v].length >= 30 ? (countBelow(this.sorted[v], error) / this.sorted[v].length) ** this.power : NaN));
      row.forEach((error, v) => { if (isNumber(error)) this.past[v].add(error); });
      return ranks;
    }));
  }
}

// How many of sorted values are less than another.
function countBelow(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

class QuantileThreshold {
  constructor(carried) { Object.assign(this, carried, { errors: new Ring(carried.errors) }); }

  step(error) {
    if (this.untilUpdate === 0 && this.errors.length) {
      this.level = quantileOf(this.errors.values, this.quantile);
      this.untilUpdate = 20;
    }
    this.untilUpdate = Math.max(this.untilUpdate - 1, 0);
    const threshold = this.margin * (this.level + this.floor);
    this.errors.add(Math.min(error, threshold));
    return threshold;
  }
}

class LikelihoodThreshold {
  constructor(carried) { Object.assign(this, carried, { errors: new Ring(carried.errors) }); }

  step(error) {
    if (this.untilUpdate === 0 && this.errors.length) {
      this.threshold = Math.max(meanOf(this.errors.values) + this.deviations * deviationOf(this.errors.values), this.floor);
      this.untilUpdate = this.every;
    }
    this.untilUpdate = Math.max(this.untilUpdate - 1, 0);
    this.errors.add(Math.min(error, this.threshold));
    return this.threshold;
  }
}

class DynamicThreshold {
  constructor(carried) { Object.assign(this, carried, { errors: new Ring(carried.errors) }); }

  step(error) {
    if (this.untilUpdate === 0 && this.errors.length) {
      this.threshold = Math.max(this.calmest(this.errors.values), this.floor);
      this.untilUpdate = this.every;
    }
    this.untilUpdate = Math.max(this.untilUpdate - 1, 0);
    this.errors.add(error);
    return this.threshold;
  }

  calmest(errors) {
    const mean = meanOf(errors), std = deviationOf(errors);
    if (std === 0) return mean;
    let best = -Infinity, chosen = mean + 12 * std;
    for (let z = 2; z <= 12; z += 0.5) {
      const epsilon = mean + z * std, usual = errors.filter((e) => !(e > epsilon)), above = errors.length - usual.length;
      if (!above) break;
      const runs = errors.filter((e, k) => e > epsilon && !(k && errors[k - 1] > epsilon)).length;
      const gain = (mean - meanOf(usual)) / mean + (std - deviationOf(usual)) / std, value = gain / (above + runs ** 2);
      if (value >= best) [best, chosen] = [value, epsilon];
    }
    const usual = errors.filter((e) => !(e > chosen)), most = Math.max(...errors);
    if (usual.length === errors.length) return chosen;
    return most >= (1 + this.decrease) * Math.max(...usual) ? chosen : most * (1 + this.decrease);
  }
}

class PeaksThreshold {
  constructor(carried) { Object.assign(this, carried, { peaks: new Ring(carried.peaks) }); }

  step(error) {
    const threshold = Math.max(this.reached(), this.floor);
    if (error <= threshold) {
      this.rows += 1;
      if (error > this.base) {
        this.peaks.add(error - this.base);
        this.above += 1;
        if (this.above >= 1.05 * this.fittedAt) {
          this.fittedAt = this.above;
          [this.shape, this.scale] = pareto(this.peaks.values);
        }
      }
    }
    return threshold;
  }

  reached() {
    if (!this.above) return this.base;
    const ratio = (this.probability * this.rows) / this.above;
    if (Math.abs(this.shape) < 1e-6) return this.base - this.scale * Math.log(ratio);
    return this.base + (this.scale / this.shape) * (ratio ** -this.shape - 1);
  }
}

// The shape and scale of a generalised Pareto law of excesses, by a search over shape ÷ scale; no shape below 0.
function pareto(excesses) {
  if (!excesses.length) return [0, 0];
  const mean = meanOf(excesses), largest = Math.max(...excesses);
  if (excesses.length < 5 || largest <= 0) return [0, mean];
  const spaced = (low, high, count) => Array.from({ length: count }, (_, k) => low * (high / low) ** (k / (count - 1)));
  const ratios = [...spaced(1e-4, 0.99, 60).reverse().map((v) => -v / largest), ...spaced(1e-4, 100, 90).map((v) => v / mean)];
  let best = -Infinity, fit = null;
  for (const ratio of ratios) {
    const shape = meanOf(excesses.map((v) => Math.log1p(ratio * v))), likelihood = -Math.log(shape / ratio) - shape;
    if (shape >= 0 && shape <= 0.5 && likelihood > best) [best, fit] = [likelihood, [shape, shape / ratio]];
  }
  return fit && best > -Math.log(mean) - 1 ? fit : [0, mean];
}

const THRESHOLDS = { quantile: QuantileThreshold, pot: PeaksThreshold, dynamic: DynamicThreshold, likelihood: LikelihoodThreshold };

// How many times as large the last errors are as those that a rule began with.
class Growth {
  constructor(carried) { Object.assign(this, carried, { recent: new Ring(carried.recent) }); }

  step(error) {
    const begun = this.usual + this.floor;
    if (this.untilUpdate === 0 && 2 * this.recent.length >= this.recent.size && begun > 0) {
      const median = quantileOf(this.recent.values, 0.5), times = (median + this.floor) / begun;
      this.times = times >= this.least && median > this.most ? times : 1;
      this.untilUpdate = this.every;
    }
    this.untilUpdate = Math.max(this.untilUpdate - 1, 0);
    this.recent.add(error);
    return this.times;
  }
}

// The errors of one series at one scale, with a rule for each column.
class Judge {
  constructor({ smoothing, rules, growths }, rule) {
    const kind = "past" in smoothing ? RankSmoothing : "rows" in smoothing ? MeanSmoothing : ExponentialSmoothing;
    this.smoothing = new kind(smoothing);
    this.rules = rules.map((carried) => new THRESHOLDS[rule](carried));
    this.growths = growths.map((carried) => new Growth(carried));
  }

  // The threshold of an error, which grows with errors that stay large.
  limit(error, v) {
    const times = this.growths[v]?.step(error) ?? 1;
    return times * this.rules[v].step(error / times);
  }

  // Smoothed errors, their thresholds, and how many times these they are.
  run(errors) {
    const smoothed = this.smoothing.run(errors), last = this.rules.map((rule, v) => (this.growths[v]?.times ?? 1) * rule.last);
    const thresholds = smoothed.map((row) => row.map((error, v) => (last[v] = isNumber(error) ? this.limit(error, v) : last[v])));
    return { smoothed, thresholds, ratios: smoothed.map((row, t) => row.map((error, v) => error / Math.max(thresholds[t][v], Number.MIN_VALUE))) };
  }
}

const LOUDEST = 1.5;

class StuckRule {
  constructor({ extent, stuck, allowed, settled }) {
    const endless = (limits) => limits.map((limit) => limit ?? Infinity);
    Object.assign(this, { rest: extent.rest, last: stuck.last.map((v) => v ?? NaN), repeated: [...stuck.run], allowed: endless(allowed), settled: endless(settled) });
  }

  run(values) {
    const repeats = values.map((row) => row.map((value, v) => {
      if (isNumber(value)) [this.repeated[v], this.last[v]] = [value === this.last[v] && value !== this.rest[v] ? this.repeated[v] + 1 : 0, value];
      return this.repeated[v];
    }));
    const ratioOf = (count, v) => (count > this.settled[v] ? 0 : Math.min(count / this.allowed[v], LOUDEST));
    const ratios = values.map((row, t) => row.map((value, v) => (isNumber(value) ? ratioOf(repeats[t][v], v) : NaN)));
    const most = (v) => (isNumber(this.allowed[v]) ? `more than ${Math.floor(this.allowed[v])} repeats stand out` : "this column often repeats itself");
    return { ratios, told: (t, v) => `repeated ${repeats[t][v]} times; ${most(v)}` };
  }
}

class RangeRule {
  constructor(carried) { Object.assign(this, carried, { recent: carried.recent.map((ring) => new Ring(ring)) }); }

  run(values) {
    const bounds = [];
    const ratios = values.map((row) => {
      if (this.rows % 25 === 0) this.limits = this.grown();
      this.rows += 1;
      bounds.push(row.map((_, v) => {
        const [low, high] = [this.limits[0][v], this.limits[1][v]], { least, most, rest } = this.extent;
        // An end at which a column rests is a bound, until the range has moved.
        const margin = (end, begun) => (end === begun[v] && end === rest[v] ? 0.01 : 0.5) * this.std[v];
        return [low - margin(low, least), high + margin(high, most)];
      }));
      return row.map((value, v) => {
        const [low, high] = bounds.at(-1)[v];
        if (isNumber(value)) this.recent[v].add(value);
        return isNumber(value) ? Math.min(Math.abs(value - (low + high) / 2) / ((high - low) / 2), LOUDEST) : NaN;
      });
    });
    return { ratios, told: (t, v) => `between ${inFour(bounds[t][v][0])} and ${inFour(bounds[t][v][1])} is usual` };
  }

  // The ends of each column's range: those of the training rows, until values beyond them last or come again and again.
  grown() {
    const ends = this.recent.map(({ values }, v) => [
      -upperEnd(values.map((value) => -value), -this.extent.least[v], -this.outer[0][v]),
      upperEnd(values, this.extent.most[v], this.outer[1][v]),
    ]);
    return [0, 1].map((k) => ends.map((end) => end[k]));
  }
}

// Where the upper end of a range lies, once what lasts and what comes again and again have been learnt.
function upperEnd(recent, end, bound) {
  if (recent.filter((value) => value > end).length >= 100) return Math.max(...recent);
  const last = recent.slice(-1500), peaks = [];
  let before = -Infinity;
  last.forEach((value, row) => {
    if (!(value > bound)) return;
    if (row - before > 49) peaks.push(value);
    else peaks[peaks.length - 1] = Math.max(peaks.at(-1), value);
    before = row;
  });
  if (last.length - before <= 49) peaks.pop();  // still under way
  return peaks.length >= 3 ? peaks.sort((a, b) => b - a)[2] : end;
}

class RecordRule {
  constructor({ limits }) { [this.least, this.most] = limits.map((row) => row.map((v) => v ?? NaN)); }

  run(values) {
    const bounds = [];
    const ratios = values.map((row) => {
      bounds.push(row.map((_, v) => [this.least[v] - 0.03 * (this.most[v] - this.least[v]), this.most[v] + 0.03 * (this.most[v] - this.least[v])]));
      return row.map((value, v) => {
        const [low, high] = bounds.at(-1)[v], apart = Math.abs(value - (low + high) / 2), reach = (high - low) / 2;
        if (!isNumber(value)) return NaN;
        this.least[v] = isNumber(this.least[v]) ? Math.min(this.least[v], value) : value;
        this.most[v] = isNumber(this.most[v]) ? Math.max(this.most[v], value) : value;
        if (reach > 0) return Math.min(apart / reach, LOUDEST);
        return apart > 0 ? LOUDEST : 0;
      });
    });
    return { ratios, told: (t, v) => `a record is below ${inFour(bounds[t][v][0])} or above ${inFour(bounds[t][v][1])}` };
  }
}

const VALUE_RULES = { stuck: StuckRule, "outside the training range": RangeRule, "beyond every value so far": RecordRule };
