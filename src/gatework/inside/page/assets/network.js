"use strict";

// A trained network: embedding or values in, stacked recurrent layers in one or two directions, pooling, linear output.
// The steps of the cell itself, forward and backward, are CELLS[...], derived from step().

class Network {
  // `about` is what the page holds of the run; `tensors` its weights by name; `words` its vocabulary, for texts.
  constructor(about, tensors, words) {
    Object.assign(this, about);
    this.tensors = tensors;
    this.words = words;
    this.cell_ = CELLS[about.equations];
    this.rows = this.cell_.inputGates.length * this.units;
    this.recurrentRows = this.cell_.recurrentGates.length * this.units;
    this.width = this.units * this.directions;
    this.scans = [];
    for (let layer = 0; layer < this.layers; layer++) {
      for (let direction = 0; direction < this.directions; direction++) this.scans.push(this.scanOf(layer, direction));
    }
  }

  scanOf(layer, direction) {
    const end = `_l${layer}${direction ? "_reverse" : ""}`, of = (name) => this.tensors[`recurrent.${name}${end}`];
    const columns = layer === 0 ? this.inputs : this.width;
    const W = of("weight_ih"), U = of("weight_hh") ?? [], d = of("bias_hh") ?? [], p = of("weight_unit") ?? [];
    const b = of("bias_ih"), norms = of("norm_ih") ? this.normsOf(of, b, d) : null;
    const back = {
      W: layer ? transposed(W, this.rows, columns) : null,
      U: U.length ? transposed(U, this.recurrentRows, this.units) : [],
    };
    return { layer, direction, columns, W, U, back, b, d, p, norms, known: new Map() };
  }

  // The gains and shifts of the norms of one scan; the shift of a product is its bias.
  normsOf(of, b, d) {
    const rowsOf = (name) => this.cell_.normalised.map((_, n) => of(name).subarray(n * this.units, (n + 1) * this.units));
    return { gains: [of("norm_ih"), of("norm_hh") ?? [], ...rowsOf("norm_state")], shifts: [b, d, ...rowsOf("norm_state_bias")] };
  }

  // The input products W x of every step, without bias: (steps x rows). A token's product is kept for the next time.
  inputProducts(scan, x, steps, indices) {
    const products = zeros(steps * this.rows);
    for (let t = 0; t < steps; t++) {
      if (!indices) { addProduct(scan.W, this.rows, scan.columns, x, t * scan.columns, products, t * this.rows); continue; }
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

  // Runs one layer in one direction. Gives every gate and state of every step, and what the way back needs.
  scan(scan, products, steps, share = 1) {
    const { units, rows, recurrentRows, cell_: cell } = this, H = units;
    const named = cell.names.map(() => zeros(steps * H)), kept = Array.from({ length: cell.kept }, () => zeros(steps * H));
    const states = cell.states.map((state) => named[cell.names.indexOf(state)]);
    const a = cell.accumulators.map(() => zeros(H)), recurrent = zeros(recurrentRows), input = zeros(rows);
    const norms = scan.norms && new Norms(scan.norms.gains, scan.norms.shifts, steps), normal = cell.normalised.map(() => zeros(H));
    const all = [...named, ...kept, ...(norms ? norms.all : [])];
    const nothing = zeros(H), known = share === 1 ? this.again(scan, products, steps, all) : 0;
    for (let n = known; n < steps; n++) {
      const t = scan.direction ? steps - 1 - n : n, before = scan.direction ? t + 1 : t - 1;
      const previous = states.map((state) => (n ? state.subarray(before * H, before * H + H) : nothing));
      if (norms) recurrent.fill(0);
      else recurrent.set(scan.d);
      addProduct(scan.U, recurrentRows, H, previous[0], 0, recurrent);
      for (let r = 0; r < rows; r++) input[r] = share * products[t * rows + r] + (norms ? 0 : scan.b[r]);
      if (norms) [input, recurrent].forEach((product, n) => norms.apply(n, t, product));
      this.accumulate(a, input, recurrent);
      if (normal.length) cell.inner(H, a, scan.p, previous, normal);
      normal.forEach((state, n) => norms.apply(2 + n, t, state));
      cell.forward(H, a, scan.p, previous, normal, named, kept, t * H);
    }
    if (share === 1) scan.last = { products, steps, all };
    return { scan, named, states, kept, norms, products, steps, share };
  }

  // What one has typed leaves the steps before it as they were: copies those of the run before, and says how many.
  again({ last, direction }, products, steps, all) {
    if (!last) return 0;
    const { rows } = this, most = Math.min(steps, last.steps);
    const at = (n, count) => (direction ? count - 1 - n : n);
    const isSame = (n) => {
      const here = at(n, steps) * rows, there = at(n, last.steps) * rows;
      for (let r = 0; r < rows; r++) if (products[here + r] !== last.products[there + r]) return false;
      return true;
    };
    let known = 0;
    while (known < most && isSame(known)) known++;
    if (known) {
      const to = direction ? steps - known : 0, from = direction ? last.steps - known : 0;
      all.forEach((values, k) => {
        const width = values.length / steps;
        values.set(last.all[k].subarray(from * width, (from + known) * width), to * width);
      });
    }
    return known;
  }

  // The accumulators of step(): a_<gate> is both products, x_<gate> the input's alone, u_<gate> the recurrent one alone.
  accumulate(a, input, recurrent) {
    this.cell_.accumulators.forEach(([kind, gate], n) => {
      const from = this.cell_.inputGates.indexOf(gate) * this.units, also = this.cell_.recurrentGates.indexOf(gate) * this.units;
      for (let k = 0; k < this.units; k++) {
        a[n][k] = (kind === "u" ? 0 : input[from + k]) + (kind === "x" ? 0 : recurrent[also + k]);
      }
    });
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

  // The states of both directions side by side: (steps x width).
  joined(parts, steps) {
    if (parts.length === 1) return parts[0];
    const both = zeros(steps * this.width), H = this.units;
    for (let t = 0; t < steps; t++) {
      parts.forEach((part, d) => both.set(part.subarray(t * H, t * H + H), t * this.width + d * H));
    }
    return both;
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

  // The gradient of a layer's input, from that of its output.
  back(traces, dh) {
    const { steps, scan } = traces[0], dx = zeros(steps * scan.columns);
    for (const trace of traces) {
      const g = this.backScan(trace, dh);
      for (let t = 0; t < steps; t++) addProduct(trace.scan.back.W, scan.columns, this.rows, g, t * this.rows, dx, t * scan.columns);
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
      addProduct(scan.back.U, H, recurrentRows, recurrent, 0, dNext[0]);
    }
    return g;
  }
}
