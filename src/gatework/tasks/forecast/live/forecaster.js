"use strict";

// A forecasting network: what it says of the steps after a window, as forecast/model.py says it, in double precision.

const sum = (values) => values.reduce((a, b) => a + b, 0);

class Forecaster {
  constructor(network) {
    Object.assign(this, network);
    this.layers = network.stacks.recurrent;
    this.median = this.levels.indexOf(0.5);
    this.outputs = this.standard.length ? 2 : this.levels.length;
    this.segments = Math.ceil(this.plan.horizon / this.plan.segment);
  }

  // What the values of a window are measured from and by; the simple forecast is in that measure.
  measure(values, { seen, spread }) {
    const { skip, scaling, season, horizon } = this.plan, last = values.at(-1);
    const known = values.filter((_, t) => seen[t]), count = Math.max(known.length, 1), mean = sum(known) / count;
    const level = skip === "mean" ? mean : last;
    const deviation = Math.sqrt(sum(known.map((v) => (v - mean) ** 2)) / count);
    const scale = scaling === "series" ? spread : Math.max(deviation, this.leastSpread * spread);
    return { level, scale, simple: this.simple(values, spread, season, horizon).map((v) => (v - level) / scale) };
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

  // Quantiles of every step ahead, in the values' own unit; and the trace of the window.
  answer(own, window) {
    const { log, plan } = this, { segment: size, horizon } = plan;
    const values = log ? own.map((v) => Math.log(Math.max(v, log.least) + log.offset)) : own;
    const { level, scale, simple } = this.measure(values, window);
    const rows = values.map((v, t) => [(v - level) / scale, window.seen[t], ...window.beside[t]]);
    const count = Math.floor(rows.length / size), width = this.layers.units;
    const x = zeros(count * this.layers.inputs);
    for (let j = 0; j < count; j++) {
      const segment = Float64Array.from(rows.slice(j * size, (j + 1) * size).flat());
      x.set(linear(this.tensors, "encode", segment, this.layers.inputs).map((v) => Math.max(v, 0)), j * this.layers.inputs);
    }
    const { traces } = this.layers.read(x, count);
    const ends = traces.map(([trace]) => trace.states.map((state) => state.slice((count - 1) * width, count * width)));
    const states = this.decoded(ends, window);
    const quantiles = simple.map((base, t) => this.quantilesOf(states[Math.floor(t / size)], t, window).map((added) => {
      const said = level + scale * (base + added);
      return log ? Math.exp(Math.min(said, 80)) - log.offset : said;
    })).slice(0, horizon);
    return { quantiles: quantiles.map((row) => this.stretched(row, window.factors)), traces, count };
  }

  decoded(ends, window) {
    const { tensors, layers, plan } = this, inputs = layers.inputs, states = [];
    const still = tensors["static.weight"] ? linear(tensors, "static", Float64Array.from(window.static), inputs) : zeros(inputs);
    let before = ends;
    for (let k = 0; k < this.segments; k++) {
      const query = Float64Array.from({ length: inputs }, (_, n) => tensors.place[k * inputs + n] + still[n]);
      if (this.isRecursive && k) {
        const said = linear(tensors, "answer", states[k - 1], plan.segment * this.outputs);
        const place = this.standard.length ? 0 : this.median;
        const own = Float64Array.from({ length: plan.segment }, (_, t) => said[t * this.outputs + place]);
        linear(tensors, "again", own, inputs).forEach((v, n) => { query[n] += v; });
      }
      const product = layers.products(layers.scans[0], query, 1), step = layers.step(product, this.isRecursive ? before : ends);
      before = step.states;
      states.push(step.output);
    }
    return states;
  }

  // What is added to the simple forecast at one step, for every level.
  quantilesOf(state, t, window) {
    const { tensors, plan, outputs, median } = this, size = plan.segment;
    this.cached = this.cached?.state === state ? this.cached : { state, raw: linear(tensors, "answer", state, size * outputs) };
    const raw = Array.from({ length: outputs }, (_, k) => this.cached.raw[(t % size) * outputs + k]);
    if (tensors["known.direct.weight"]) {
      const ahead = Float64Array.from(window.ahead[t]), wide = tensors["known.features.bias"].length;
      const seen = linear(tensors, "known.features", ahead, wide), mixed = linear(tensors, "known.state", state, wide);
      const hidden = seen.map((v, n) => Math.max(v + mixed[n], 0));
      linear(tensors, "known.mix", hidden, outputs).forEach((v, k) => { raw[k] += v; });
      linear(tensors, "known.direct", ahead, outputs).forEach((v, k) => { raw[k] += v; });
    }
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
    return gaps.map((gap, k) => Math.max(k === median ? middle : middle + gap, least ?? -Infinity));
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
