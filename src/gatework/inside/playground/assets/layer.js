"use strict";

// One recurrent layer over a batch of sequences, forward and back through time. The steps of the cell itself are
// CELLS[...], printed from step() and its derivative: here stand only the products around them, as in csrc/scan.h.

// The shapes of a layer's weights under the names that Python gives them.
function layerShapes(cell, inputs, units) {
  const rows = cell.inputGates.length * units, also = cell.recurrentGates.length * units;
  const shapes = { weight_ih: [rows, inputs], weight_hh: [also, units], bias_ih: [rows], bias_hh: [also], weight_unit: [cell.vectors.length, units] };
  return Object.fromEntries(Object.entries(shapes).filter(([, shape]) => shape[0] > 0));
}

class Layer {
  // `weights` and `gradients` are arrays by name, as `layerShapes` lists them.
  constructor(cell, weights, gradients, { inputs, units, batch, steps }) {
    Object.assign(this, { cell, weights, gradients, inputs, units, batch, steps });
    const width = (this.width = units * batch), states = cell.states.length;
    const rows = (count, size) => Array.from({ length: count }, () => zeros(size));
    this.named = rows(cell.names.length, steps * width);
    this.kept = rows(cell.kept, steps * width);
    this.output = this.named[cell.names.indexOf("h")];
    const before = rows(states, width), stored = cell.states.map((state) => this.named[cell.names.indexOf(state)]);
    this.previous = Array.from({ length: steps }, (_, t) => (t ? stored.map((values) => values.subarray((t - 1) * width, t * width)) : before));
    this.sums = rows(cell.accumulators.length, width);
    this.dSums = rows(cell.accumulators.length, width);
    this.dNext = rows(states, width);
    this.dPrevious = rows(states, width);
    this.vectors = zeros(cell.vectors.length * width);
    this.dVectors = rows(cell.vectors.length, width);
    // Where each accumulator's rows stand: in W and b if the input product feeds it, in U and b' if the recurrent one does.
    this.places = cell.accumulators.map(([kind, gate]) => ({
      input: kind === "u" ? -1 : cell.inputGates.indexOf(gate) * units,
      recurrent: kind === "x" ? -1 : cell.recurrentGates.indexOf(gate) * units,
    }));
  }

  // `reading` is { x } with (steps, inputs, batch), or { tokens } with (steps, batch): the place of the one among zeros.
  forward(reading) {
    const { cell, units, width, batch } = this;
    this.reading = reading;
    cell.vectors.forEach((_, n) => {
      for (let k = 0; k < units; k++) this.vectors.fill(this.weights.weight_unit[n * units + k], n * width + k * batch, n * width + (k + 1) * batch);
    });
    for (let t = 0; t < this.steps; t++) {
      this.places.forEach((place, n) => this.accumulate(place, this.sums[n], t));
      cell.forward(width, this.sums, this.vectors, this.previous[t], [], this.named, this.kept, t * width);
    }
  }

  accumulate({ input, recurrent }, sum, t) {
    const { units, batch, inputs, weights, reading } = this;
    for (let k = 0; k < units; k++) {
      const bias = (input < 0 ? 0 : weights.bias_ih[input + k]) + (recurrent < 0 ? 0 : weights.bias_hh[recurrent + k]);
      sum.fill(bias, k * batch, (k + 1) * batch);
    }
    if (input >= 0 && reading.tokens) this.addColumns(input, sum, t);
    else if (input >= 0) addProduct(weights.weight_ih, input * inputs, inputs, 1, units, inputs, reading.x, t * inputs * batch, sum, 0, batch);
    if (recurrent >= 0) addProduct(weights.weight_hh, recurrent * units, units, 1, units, units, this.previous[t][0], 0, sum, 0, batch);
  }

  // The product with a one among zeros is a column of W.
  addColumns(row, sum, t) {
    const { units, batch, inputs, reading: { tokens }, weights: { weight_ih: W } } = this;
    for (let k = 0; k < units; k++) {
      for (let b = 0; b < batch; b++) sum[k * batch + b] += W[(row + k) * inputs + tokens[t * batch + b]];
    }
  }

  // Adds to the gradients of the weights, from that of the output, (steps, units, batch). Where `dX` is given, the
  // gradient of the input is added to it. Nothing flows back over the start of a piece of `truncation` steps (0: none).
  // `norms` receives, (steps, batch), the norm of the gradient of all states of a step.
  backward(dOutput, { dX = null, truncation = 0, norms = null }) {
    const { cell, width, dSums, dVectors } = this;
    this.dNext.forEach((d) => d.fill(0));
    for (let t = this.steps - 1; t >= 0; t--) {
      const { dNext, dPrevious } = this, dh = dNext[0], at = t * width;
      for (let k = 0; k < width; k++) dh[k] += dOutput[at + k];
      if (norms) this.stateNorms(norms, t);
      cell.backward(width, this.kept, this.vectors, this.previous[t], this.named, at, dNext, [], dSums, dPrevious, dVectors);
      const isCut = t === 0 || (truncation > 0 && t % truncation === 0);
      if (isCut) dPrevious.forEach((d) => d.fill(0));
      this.places.forEach((place, n) => this.spread(place, dSums[n], t, dX, isCut ? null : dPrevious[0]));
      cell.vectors.forEach((_, n) => addSums(dVectors[n], 0, this.units, this.gradients.weight_unit, n * this.units, this.batch));
      [this.dNext, this.dPrevious] = [dPrevious, dNext];
    }
  }

  // What the gradient of an accumulator gives to the weights, the biases, the input and the output before.
  spread({ input, recurrent }, d, t, dX, dBefore) {
    const { units, batch, inputs, weights, gradients, reading } = this;
    if (input >= 0) {
      addSums(d, 0, units, gradients.bias_ih, input, batch);
      if (reading.tokens) this.addToColumns(input, d, t);
      else addOuter(d, 0, units, reading.x, t * inputs * batch, inputs, gradients.weight_ih, input * inputs, batch);
      if (dX) addProduct(weights.weight_ih, input * inputs, 1, inputs, inputs, units, d, 0, dX, t * inputs * batch, batch);
    }
    if (recurrent >= 0) {
      addSums(d, 0, units, gradients.bias_hh, recurrent, batch);
      addOuter(d, 0, units, this.previous[t][0], 0, units, gradients.weight_hh, recurrent * units, batch);
      if (dBefore) addProduct(weights.weight_hh, recurrent * units, 1, units, units, units, d, 0, dBefore, 0, batch);
    }
  }

  addToColumns(row, d, t) {
    const { units, batch, inputs, reading: { tokens }, gradients: { weight_ih: dW } } = this;
    for (let k = 0; k < units; k++) {
      for (let b = 0; b < batch; b++) dW[(row + k) * inputs + tokens[t * batch + b]] += d[k * batch + b];
    }
  }

  stateNorms(norms, t) {
    const { units, batch } = this;
    for (let b = 0; b < batch; b++) {
      let sum = 0;
      for (const d of this.dNext) for (let k = 0; k < units; k++) sum += d[k * batch + b] ** 2;
      norms[t * batch + b] = Math.sqrt(sum);
    }
  }
}
