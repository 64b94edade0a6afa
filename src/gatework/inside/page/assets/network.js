"use strict";

// A trained network: embedding or values in, stacked recurrent layers in one or two directions, pooling, linear output.

class Network extends Recurrent {
  // `about` is what the page holds of the run; `tensors` its weights by name; `words` its vocabulary, for texts.
  constructor(about, tensors, words) {
    super(about, tensors, "recurrent");
    Object.assign(this, about, { tensors, words });
  }

  // The input products W x of every step, without bias: (steps x rows). A token's product is kept for the next time.
  inputProducts(scan, x, steps, indices) {
    if (!indices) return this.products(scan, x, steps);
    const products = zeros(steps * this.rows);
    for (let t = 0; t < steps; t++) {
      let known = scan.known.get(indices[t]);
      if (!known) {
        known = zeros(this.rows);
        addProduct(scan.W, this.rows, scan.columns, this.tensors["embedding.weight"], indices[t] * scan.columns, known);
        scan.known.set(indices[t], known);
      }
      products.set(known, t * this.rows);
    }
    return products;
  }

  // Runs the whole network. `reading` is { steps, indices } or { steps, x }; `share` scales its input (see attribution).
  run(reading, share = 1) {
    const { steps } = reading, traces = [];
    let x = reading.x, indices = reading.indices;
    for (let layer = 0; layer < this.layers; layer++) {
      const own = this.scans.filter((scan) => scan.layer === layer)
        .map((scan) => this.scan(scan, this.inputProducts(scan, x, steps, indices), steps, layer ? 1 : share));
      traces.push(own);
      x = this.joined(own.map((trace) => trace.states[0]), steps);
      indices = null;
    }
    const pooled = POOLINGS[this.pooling].forward(x, steps, this.width, this);
    const scores = Float64Array.from(this.tensors["output.bias"]);
    addProduct(this.tensors["output.weight"], this.outputs, pooled.length, pooled, 0, scores);
    return { traces, top: x, pooled, scores, steps };
  }

  // What one step contributes, gradient x input, for the gradient `dScores` of what is explained.
  // x . (W' g) = (W x) . g: the products of the way forward are all that is needed.
  contributions(result, dScores) {
    const { steps } = result, dPooled = zeros(result.pooled.length);
    addProduct(transposed(this.tensors["output.weight"], this.outputs, dPooled.length), dPooled.length, this.outputs, dScores, 0, dPooled);
    let dh = zeros(steps * this.width);
    POOLINGS[this.pooling].backward(dPooled, dh, steps, this.width, this, result.top);
    for (let layer = this.layers - 1; layer > 0; layer--) dh = this.back(result.traces[layer], dh);
    const found = zeros(steps);
    for (const trace of result.traces[0]) {
      const g = this.backScan(trace, dh);
      for (let t = 0; t < steps; t++) {
        for (let r = 0; r < this.rows; r++) found[t] += g[t * this.rows + r] * trace.products[t * this.rows + r];
      }
    }
    return found;
  }

  // The matrices with rows and columns exchanged, made when they are first needed.
  turned(scan) {
    const { W, U, columns, layer } = scan;
    scan.turned ??= { W: layer ? transposed(W, this.rows, columns) : null, U: U.length ? transposed(U, this.recurrentRows, this.units) : [] };
    return scan.turned;
  }

  // The gradient of a layer's input, from that of its output.
  back(traces, dh) {
    const { steps, scan } = traces[0], dx = zeros(steps * scan.columns);
    for (const trace of traces) {
      const g = this.backScan(trace, dh);
      for (let t = 0; t < steps; t++) addProduct(this.turned(trace.scan).W, scan.columns, this.rows, g, t * this.rows, dx, t * scan.columns);
    }
    return dx;
  }

  // The gradient of one scan's input products, (steps x rows), from that of its output.
  backScan(trace, dh) {
    const { scan, steps, named, states, kept, norms } = trace, { units: H, rows, recurrentRows, cell_: cell } = this;
    const g = zeros(steps * rows), recurrent = zeros(recurrentRows), nothing = zeros(H);
    const dNext = cell.states.map(() => zeros(H)), dPrevious = cell.states.map(() => zeros(H)), dP = cell.vectors.map(() => zeros(H));
    const dA = cell.accumulators.map(() => zeros(H)), dInner = cell.normalised.map(() => zeros(H));
    for (let n = steps - 1; n >= 0; n--) {
      const t = scan.direction ? steps - 1 - n : n, before = scan.direction ? t + 1 : t - 1;
      const previous = states.map((state) => (n ? state.subarray(before * H, before * H + H) : nothing));
      for (let k = 0; k < H; k++) dNext[0][k] += dh[t * this.width + scan.direction * H + k];
      if (dInner.length) cell.backwardNormal(H, kept, scan.p, previous, named, t * H, dNext, dInner);
      dInner.forEach((d, m) => norms.back(2 + m, t, d));
      cell.backward(H, kept, scan.p, previous, named, t * H, dNext, dInner, dA, dPrevious, dP);
      recurrent.fill(0);
      cell.accumulators.forEach(([kind, gate], m) => {
        const to = cell.inputGates.indexOf(gate) * H, also = cell.recurrentGates.indexOf(gate) * H;
        for (let k = 0; k < H; k++) {
          if (kind !== "u") g[t * rows + to + k] += dA[m][k];
          if (kind !== "x") recurrent[also + k] += dA[m][k];
        }
      });
      if (norms) [g.subarray(t * rows, t * rows + rows), recurrent].forEach((d, m) => norms.back(m, t, d));
      dNext.forEach((d, m) => d.set(dPrevious[m]));
      addProduct(this.turned(scan).U, H, recurrentRows, recurrent, 0, dNext[0]);
    }
    return g;
  }
}
