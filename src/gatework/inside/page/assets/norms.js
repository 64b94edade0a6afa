"use strict";

// Layer norm (Ba et al. 2016): W x and U h, each over all its gates, and the states that stand in a tanh, over the units.

const LEAST_VARIANCE = 1e-5; // what torch adds to a variance

// Normalises values in place to mean 0 and variance 1, and gives the mean and one over the deviation.
function normalise(values) {
  let mean = 0, variance = 0;
  for (const value of values) mean += value / values.length;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  const scale = 1 / Math.sqrt(variance + LEAST_VARIANCE);
  for (let k = 0; k < values.length; k++) values[k] = (values[k] - mean) * scale;
  return [mean, scale];
}

// From the gradient of normalised values, in place, to that of the values themselves.
function normaliseBack(d, normal, scale) {
  let mean = 0, slope = 0;
  for (let k = 0; k < d.length; k++) { mean += d[k] / d.length; slope += d[k] * normal[k] / d.length; }
  for (let k = 0; k < d.length; k++) d[k] = (d[k] - mean - normal[k] * slope) * scale;
}

// The norms of one scan, and what they made of each step: kept for the way back and for what is shown.
class Norms {
  // `gains` and `shifts` are arrays by norm: W x, U h, then each normalised state. A product that a cell lacks is empty.
  constructor(gains, shifts, steps) {
    Object.assign(this, { gains, shifts });
    this.normals = gains.map((gain) => zeros(steps * gain.length));
    this.means = gains.map(() => zeros(steps));
    this.scales = gains.map(() => zeros(steps));
  }

  // Everything that was kept, each an array of all steps.
  get all() {
    return [...this.normals, ...this.means, ...this.scales];
  }

  // Normalises the values of norm `n` at step t in place, with gain and shift.
  apply(n, t, values) {
    const gain = this.gains[n], shift = this.shifts[n], normal = this.of(n, t);
    [this.means[n][t], this.scales[n][t]] = normalise(values);
    normal.set(values);
    for (let k = 0; k < values.length; k++) values[k] = values[k] * gain[k] + shift[k];
  }

  // The way back, in place.
  back(n, t, d) {
    for (let k = 0; k < d.length; k++) d[k] *= this.gains[n][k];
    normaliseBack(d, this.of(n, t), this.scales[n][t]);
  }

  of(n, t) {
    const width = this.gains[n].length;
    return this.normals[n].subarray(t * width, t * width + width);
  }

  // One value in numbers: raw, and (raw - mean) / deviation * gain, to which the shift is added.
  numbers(n, t, k) {
    const normal = this.of(n, t)[k], mean = this.means[n][t], deviation = 1 / this.scales[n][t], gain = this.gains[n][k];
    return { raw: normal * deviation + mean, mean, deviation, gain, scaled: normal * gain, shift: this.shifts[n][k] };
  }
}
