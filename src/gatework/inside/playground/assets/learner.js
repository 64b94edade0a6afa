"use strict";

// A network that learns: stacked layers of one cell, and a linear output at every step.

class Learner {
  // `options`: cell (a name of CELLS), units, layers, inputs, outputs, loss (a name of LOSSES), batch, steps, and for
  // the start: seed, scale (of every weight), forgetBias. Networks of other batches may share the weights of `owner`.
  constructor(options, owner = null) {
    Object.assign(this, options);
    this.about = CELLS[options.cell];
    this.shapes = this.listed();
    const count = Object.values(this.shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
    this.values = owner ? owner.values : zeros(count);
    this.slopes = zeros(count);
    this.weights = this.viewed(this.values);
    this.gradients = this.viewed(this.slopes);
    if (!owner) this.start();
    this.stack = Array.from({ length: this.layers }, (_, layer) => new Layer(
      this.about, namesOf(this.weights, layer), namesOf(this.gradients, layer),
      { inputs: layer ? this.units : this.inputs, units: this.units, batch: this.batch, steps: this.steps },
    ));
    this.optimiser = owner ? null : new OPTIMISERS[this.optimiser](count);
    this.result = zeros(this.steps * this.outputs * this.batch);
    this.dResult = zeros(this.result.length);
    this.dStates = Array.from({ length: 2 }, () => zeros(this.steps * this.units * this.batch));
  }

  // The shape of every weight, under the names and in the order of Python.
  listed() {
    const shapes = {};
    for (let layer = 0; layer < this.layers; layer++) {
      const inLayer = layerShapes(this.about, layer ? this.units : this.inputs, this.units);
      for (const [name, shape] of Object.entries(inLayer)) shapes[`recurrent.${name}_l${layer}`] = shape;
    }
    return { ...shapes, "output.weight": [this.outputs, this.units], "output.bias": [this.outputs] };
  }

  viewed(all) {
    let at = 0;
    return Object.fromEntries(Object.entries(this.shapes).map(([name, shape]) => [name, all.subarray(at, (at += sizeOf(shape)))]));
  }

  // Uniform between -1/sqrt(units) and 1/sqrt(units), as torch starts, times `scale`; then the forget gate's bias.
  start() {
    const random = new Random(this.seed, 1), bound = this.scale / Math.sqrt(this.units), cell = this.about;
    for (const [name, values] of Object.entries(this.weights)) {
      const [low, high] = (name.includes("weight_unit") && cell.unitRange) || [-bound, bound];
      for (let k = 0; k < values.length; k++) values[k] = random.uniform(low, high);
      if (cell.forgetGate === null || !/bias_[ih]h/.test(name)) continue;
      const gates = name.includes("bias_ih") ? cell.inputGates : cell.recurrentGates, at = gates.indexOf(cell.forgetGate);
      const isFirst = name.includes("bias_ih") || !cell.inputGates.includes(cell.forgetGate);
      if (at >= 0) values.fill(isFirst ? this.forgetBias : 0, at * this.units, (at + 1) * this.units);
    }
  }

  // Runs the batch, and says its loss; `result` has what comes out at every scored step.
  forward(batch) {
    const { units, outputs, weights, result } = this;
    let reading = batch;
    for (const layer of this.stack) {
      layer.forward(reading);
      reading = { x: layer.output };
    }
    for (let t = 0; t < this.steps; t++) {
      if (!batch.scored[t]) continue;
      const at = t * outputs * this.batch;
      for (let k = 0; k < outputs; k++) result.fill(weights["output.bias"][k], at + k * this.batch, at + (k + 1) * this.batch);
      addProduct(weights["output.weight"], 0, units, 1, outputs, units, reading.x, t * units * this.batch, result, at, this.batch);
    }
    const sizes = { count: outputs, steps: this.steps, batch: this.batch };
    return LOSSES[this.loss](result, this.dResult, batch, sizes);
  }

  // The gradient of every weight, after `forward`. `norms` receives an array of (steps, batch) for each layer.
  backward(batch, { truncation = 0, norms = null } = {}) {
    const { units, outputs, gradients, weights, dResult } = this, top = this.stack.at(-1).output;
    let [d, below] = this.dStates;
    this.slopes.fill(0);
    d.fill(0);
    for (let t = 0; t < this.steps; t++) {
      if (!batch.scored[t]) continue;
      const at = t * outputs * this.batch, states = t * units * this.batch;
      addSums(dResult, at, outputs, gradients["output.bias"], 0, this.batch);
      addOuter(dResult, at, outputs, top, states, units, gradients["output.weight"], 0, this.batch);
      addProduct(weights["output.weight"], 0, 1, units, units, outputs, dResult, at, d, states, this.batch);
    }
    for (let layer = this.layers - 1; layer >= 0; layer--) {
      below.fill(0);
      this.stack[layer].backward(d, { dX: layer ? below : null, truncation, norms: norms && norms[layer] });
      [d, below] = [below, d];
    }
  }

  // One step of training: the loss before it, and the norm of the gradient before it was clipped.
  train(batch, { rate, clipping, truncation }) {
    const loss = this.forward(batch);
    this.backward(batch, { truncation });
    const norm = clip(this.slopes, clipping);
    if (Number.isFinite(loss) && Number.isFinite(norm)) this.optimiser.step(this.values, this.slopes, rate);
    return { loss, norm };
  }
}

const sizeOf = (shape) => shape.reduce((a, b) => a * b);

// The weights of one layer by their names within it.
function namesOf(arrays, layer) {
  const inLayer = Object.entries(arrays).filter(([name]) => name.endsWith(`_l${layer}`));
  return Object.fromEntries(inLayer.map(([name, values]) => [name.slice("recurrent.".length, -`_l${layer}`.length), values]));
}
