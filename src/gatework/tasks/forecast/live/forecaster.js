"use strict";

// A forecasting network, or the mean of several: what is said of the steps after a window, as forecast/model.py says it,
// in double precision.

const sum = (values) => values.reduce((a, b) => a + b, 0);

class Forecaster {
  // The weights of the other networks have names that begin with a prefix each.
  constructor(network, prefix = "") {
    const named = Object.entries(network.tensors).filter(([name]) => name.startsWith(prefix));
    Object.assign(this, network, { tensors: Object.fromEntries(named.map(([name, tensor]) => [name.slice(prefix.length), tensor])) });
    this.layers = network.stacks[`${prefix}recurrent`];
    this.others = prefix ? [] : network.others.map((other) => new Forecaster(network, other));
    this.median = this.levels.indexOf(0.5);
    this.outputs = this.law ? 3 : this.standard.length ? 2 : this.levels.length;
    this.segments = Math.ceil(this.plan.horizon / this.plan.segment);
  }

  // What the values of a window are measured from and by; the simple forecast is in that measure.
  measure(values, { seen, spread, added }) {
    const { skip, scaling, season, horizon } = this.plan, last = values.at(-1);
    const known = values.filter((_, t) => seen[t]), count = Math.max(known.length, 1), mean = sum(known) / count;
    const level = skip === "mean" ? mean : last;
    const deviation = Math.sqrt(sum(known.map((v) => (v - mean) ** 2)) / count);
    const scale = scaling === "series" ? spread : Math.max(deviation, this.leastSpread * spread);
    const simple = this.simple(values, spread, season, horizon), ahead = added.slice(values.length);
    return { level, scale, simple: simple.map((v, t) => (v + ahead[t] - level) / scale) };
  }

  simple(values, spread, season, horizon) {
    const steps = Array.from({ length: horizon }, (_, k) => k), last = values.at(-1);
    if (this.linear.length) {
      const lags = values.slice(-this.linear[0].length), mean = sum(lags) / lags.length;
      const scale = Math.max(Math.sqrt(sum(lags.map((v) => (v - mean) ** 2)) / lags.length), this.leastSpread * spread);
      return this.linear.map((weights) => last + scale * sum(weights.map((w, k) => (w * (lags[k] - last)) / scale)));
    }
    if (this.plan.skip === "seasonal") return steps.map((k) => values[values.length - season + (k % season)]);
    const level = this.plan.skip === "mean" ? sum(values) / values.length : last;
    return steps.map(() => level);
  }

  // Quantiles of every step ahead, in the values' own unit; and the trace of the window, that of the first network.
  answer(own, window) {
    const { log } = this, scaled = log ? own.map((v) => Math.log(Math.max(v, log.least) + log.offset)) : own;
    const values = scaled.map((v, t) => v - window.added[t]), measured = this.measure(values, window);
    const each = [this, ...this.others].map((network) => network.said(values, window, measured));
    const [{ said, traces, count }] = each;
    const mean = said.map((row, t) => row.map((_, k) => sum(each.map((one) => one.said[t][k])) / each.length));
    const quantiles = this.law ? mean.map((law) => this.quantilesOfCount(law)) : mean;
    const stretched = quantiles.map((row) => this.stretched(row, window.factors));
    return { quantiles: this.resting(stretched, own, window), traces, count };
  }

  // What this network says of every step ahead: quantiles, or the numbers of the law of a count.
  said(values, window, { level, scale, simple }) {
    const { log, plan } = this, { segment: size, horizon } = plan;
    const rows = values.map((v, t) => [(v - level) / scale, window.seen[t], ...window.beside[t]]);
    const count = Math.floor(rows.length / size), width = this.layers.units;
    const x = zeros(count * this.layers.inputs);
    for (let j = 0; j < count; j++) {
      const segment = Float64Array.from(rows.slice(j * size, (j + 1) * size).flat());
      x.set(linear(this.tensors, "encode", segment, this.layers.inputs).map((v) => Math.max(v, 0)), j * this.layers.inputs);
    }
    const { traces } = this.layers.read(x, count);
    const ends = traces.map(([trace]) => trace.states.map((state) => state.slice((count - 1) * width, count * width)));
    const unscaled = (number) => (log ? Math.exp(Math.min(number, 80)) - log.offset : number);
    const counted = this.counted(values.map(unscaled), window, level, scale), states = this.decoded(ends, window, counted);
    const said = simple.map((base, t) => {
      const raw = this.numbers(states[Math.floor(t / size)], t, window);
      if (this.law) return this.lawOfCount(raw, counted.mean, Math.max(unscaled(level + scale * base), 0));
      return this.quantilesOf(raw).map((added) => unscaled(level + scale * (base + added)));
    }).slice(0, horizon);
    return { said, traces, count };
  }

  // The mean of a window, above 0, and numbers that say how large its values are; see forecast/counts.py.
  counted(values, { seen }, level, scale) {
    const known = values.filter((_, t) => seen[t]).map((v) => Math.max(v, 0)), mean = (sum(known) + 0.5) / Math.max(known.length, 1);
    return { mean, sizes: Float64Array.of(Math.log(mean), Math.asinh(level), Math.log(scale)) };
  }

  decoded(ends, window, { sizes }) {
    const { tensors, layers, plan } = this, inputs = layers.inputs, states = [];
    const still = tensors["static.weight"] ? linear(tensors, "static", Float64Array.from(window.static), inputs) : zeros(inputs);
    const sized = tensors["law.size.weight"] ? linear(tensors, "law.size", sizes, inputs) : zeros(inputs);
    let before = ends;
    for (let k = 0; k < this.segments; k++) {
      const query = Float64Array.from({ length: inputs }, (_, n) => tensors.place[k * inputs + n] + still[n] + sized[n]);
      if (this.isRecursive && k) {
        const { outputs, place } = this.again, said = linear(tensors, "answer", states[k - 1], plan.segment * outputs);
        const own = Float64Array.from({ length: plan.segment }, (_, t) => said[t * outputs + place]);
        linear(tensors, "again", own, inputs).forEach((v, n) => { query[n] += v; });
      }
      const product = layers.products(layers.scans[0], query, 1), step = layers.step(product, this.isRecursive ? before : ends);
      before = step.states;
      states.push(step.output);
    }
    return states;
  }

  // The numbers that the network answers for one step.
  numbers(state, t, window) {
    const { tensors, plan, outputs } = this, size = plan.segment, answer = `${this.head}answer`, known = `${this.head}known`;
    this.cached = this.cached?.state === state ? this.cached : { state, raw: linear(tensors, answer, state, size * outputs) };
    const raw = Array.from({ length: outputs }, (_, k) => this.cached.raw[(t % size) * outputs + k]);
    if (tensors[`${known}.direct.weight`]) {
      const ahead = Float64Array.from(window.ahead[t]), wide = tensors[`${known}.features.bias`].length;
      const seen = linear(tensors, `${known}.features`, ahead, wide), mixed = linear(tensors, `${known}.state`, state, wide);
      const hidden = seen.map((v, n) => Math.max(v + mixed[n], 0));
      linear(tensors, `${known}.mix`, hidden, outputs).forEach((v, k) => { raw[k] += v; });
      linear(tensors, `${known}.direct`, ahead, outputs).forEach((v, k) => { raw[k] += v; });
    }
    return raw;
  }

  // The law of a count: its mean, its dispersion and its share of extra zeros.
  lawOfCount(raw, windowMean, simple) {
    const { FIRST_DISPERSION, FIRST_ZEROS, LOG_MEAN, LOG_DISPERSION } = this.law, follow = this.tensors["law.follow"][0];
    const within = (value, [low, high]) => Math.exp(Math.min(Math.max(value, low), high));
    const mean = within(Math.log(windowMean) + follow * Math.log((simple + 0.5) / (windowMean + 0.5)) + raw[0], LOG_MEAN);
    return [mean, within(raw[1] + FIRST_DISPERSION, LOG_DISPERSION), 1 / (1 + Math.exp(-raw[2] - FIRST_ZEROS))];
  }

  // Its quantiles, found by counting up from 0 the shares that grow from the most likely count.
  quantilesOfCount([mean, dispersion, zeros]) {
    const r = 1 / dispersion;
    const odds = mean / (mean + r), mode = Math.max(Math.floor(((r - 1) * mean) / r), 0), down = [], up = [1];
    for (let k = mode, share = 1; k > 0 && share > 1e-17; k--) down.push(share *= k / (odds * (k - 1 + r)));
    for (let k = mode, share = 1; share > 1e-17 && up.length < 1e6; k++) up.push(share *= (odds * (k + r)) / (k + 1));
    const shares = [...down.reverse(), ...up], first = mode - down.length, total = sum(shares);
    let k = 0, below = zeros + ((1 - zeros) * shares[0]) / total;
    return this.levels.map((level) => {
      if (zeros >= level) return 0;
      while (below < level && k < shares.length - 1) below += ((1 - zeros) * shares[++k]) / total;
      return first + k;
    });
  }

  // What is added to the simple forecast at one step, for every level.
  quantilesOf(raw) {
    const { outputs, median } = this;
    if (this.standard.length) return this.standard.map((z) => raw[0] + softplus(raw[1] - 1) * z);
    const levels = Array(outputs).fill(raw[median]);
    for (let k = median + 1, gap = 0; k < outputs; k++) levels[k] += gap += softplus(raw[k] - 2);
    for (let k = median - 1, gap = 0; k >= 0; k--) levels[k] -= gap += softplus(raw[k] - 2);
    return levels;
  }

  // Intervals as wide as they have to be to hold, and never crossing.
  stretched(row, factors) {
    const { median, least } = this, middle = row[median], gaps = row.map((v, k) => factors[k] * (v - middle));
    for (let k = median + 2; k < row.length; k++) gaps[k] = Math.max(gaps[k], gaps[k - 1]);
    for (let k = median - 2; k >= 0; k--) gaps[k] = Math.min(gaps[k], gaps[k + 1]);
    const ends = gaps.map((gap, k) => Math.max(k === median ? middle : middle + gap, least ?? -Infinity));
    return this.law ? ends.map(Math.round) : ends;
  }

  // 0 where the series always rested, up to the level that Laplace's rule allows, unless something happened there lately;
  // and no longer near it where the last two values say that it rests no more, as forecast/rests.py says it.
  resting(quantiles, values, { seen, rests }) {
    const { levels, median } = this, steps = quantiles.map((_, t) => this.rule(t, values, seen, rests));
    const others = quantiles.filter((_, t) => !steps[t].count && !steps[t].again), is = (row) => row.every(Number.isInteger);
    const total = levels.map((_, k) => sum(others.map((row) => row[k]))), areWhole = quantiles.every(is);
    return quantiles.map((row, t) => {
      const { count, again } = steps[t];
      if (count) return row.map((v, k) => (levels[k] <= (count + 1) / (count + 2) ? 0 : v));
      if (!again || !(total[median] > 0) || row[median] >= again) return row;
      return total.map((sum) => (again * sum) / total[median]).map((v) => (areWhole ? Math.round(v) : v));
    });
  }

  // How often a step was 0 without exception, and where it no longer is the mean of what came there lately.
  rule(t, values, seen, rests) {
    let count = 0, again = 0;
    for (const { period, counts, before } of rests.filter((rule) => rule.counts[t])) {
      const lately = before[t].map((value, k) => {
        const at = values.length + (t % period) - (k + 1) * period;
        return at < 0 ? value : seen[at] ? values[at] : null;
      });
      const last = lately.slice(0, 2);
      if (!last.some(Boolean)) count = Math.max(count, counts[t]);
      if (last.every(Boolean) && lately.includes(0)) again = sum(last) / last.length;
    }
    return { count, again: count ? 0 : again };
  }

  // How the median of one step ahead would differ if a segment of the window stood at the window's mean: why it is so.
  why(own, window, step) {
    const { segment: size } = this.plan, mean = sum(own) / own.length, whole = this.answer(own, window).quantiles[step][this.median];
    return Float64Array.from({ length: Math.floor(own.length / size) }, (_, j) => {
      const without = own.map((v, t) => (Math.floor(t / size) === j ? mean : v));
      return whole - this.answer(without, window).quantiles[step][this.median];
    });
  }
}
