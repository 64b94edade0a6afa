"use strict";

// Stacked recurrent layers in one or two directions. The steps of the cell itself, forward and backward, are CELLS[...],
// derived from step().

class Recurrent {
  // `about` is { equations, units, layers, directions, inputs }; `prefix` begins the names of the weights in `tensors`.
  constructor(about, tensors, prefix) {
    const { equations, units, layers, directions, inputs } = about;
    Object.assign(this, { units, layers, directions, inputs, tensors, prefix });
    this.cell_ = CELLS[equations];
    this.rows = this.cell_.inputGates.length * this.units;
    this.recurrentRows = this.cell_.recurrentGates.length * this.units;
    this.width = this.units * this.directions;
    this.scans = [];
    for (let layer = 0; layer < this.layers; layer++) {
      for (let direction = 0; direction < this.directions; direction++) this.scans.push(this.scanOf(layer, direction));
    }
  }

  scanOf(layer, direction) {
    const end = `_l${layer}${direction ? "_reverse" : ""}`, of = (name) => this.tensors[`${this.prefix}.${name}${end}`];
    const columns = layer === 0 ? this.inputs : this.width;
    const W = of("weight_ih"), U = of("weight_hh") ?? [], d = of("bias_hh") ?? [], p = of("weight_unit") ?? [];
    const b = of("bias_ih"), norms = of("norm_ih") ? this.normsOf(of, b, d) : null;
    return { layer, direction, columns, W, U, b, d, p, norms, known: new Map() };
  }

  // The gains and shifts of the norms of one scan; the shift of a product is its bias.
  normsOf(of, b, d) {
    const rowsOf = (name) => this.cell_.normalised.map((_, n) => of(name).subarray(n * this.units, (n + 1) * this.units));
    return { gains: [of("norm_ih"), of("norm_hh") ?? [], ...rowsOf("norm_state")], shifts: [b, d, ...rowsOf("norm_state_bias")] };
  }

  // Runs one layer in one direction, from the states `start` on where they are given. Gives every gate and state of every
  // step, and what the way back needs.
  scan(scan, products, steps, share = 1, start = null) {
    const { units, rows, recurrentRows, cell_: cell } = this, H = units;
    const named = cell.names.map(() => zeros(steps * H)), kept = Array.from({ length: cell.kept }, () => zeros(steps * H));
    const states = cell.states.map((state) => named[cell.names.indexOf(state)]);
    const a = cell.accumulators.map(() => zeros(H)), recurrent = zeros(recurrentRows), input = zeros(rows);
    const norms = scan.norms && new Norms(scan.norms.gains, scan.norms.shifts, steps), normal = cell.normalised.map(() => zeros(H));
    const all = [...named, ...kept, ...(norms ? norms.all : [])];
    const nothing = zeros(H), isWhole = share === 1 && !start, known = isWhole ? this.again(scan, products, steps, all) : 0;
    for (let n = known; n < steps; n++) {
      const t = scan.direction ? steps - 1 - n : n, before = scan.direction ? t + 1 : t - 1;
      const previous = states.map((state, s) => (n ? state.subarray(before * H, before * H + H) : start ? start[s] : nothing));
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
    if (isWhole) scan.last = { products, steps, all };
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

  // The states of both directions side by side: (steps x width).
  joined(parts, steps) {
    if (parts.length === 1) return parts[0];
    const both = zeros(steps * this.width), H = this.units;
    for (let t = 0; t < steps; t++) {
      parts.forEach((part, d) => both.set(part.subarray(t * H, t * H + H), t * this.width + d * H));
    }
    return both;
  }

  // The input products W x of `steps` vectors.
  products(scan, x, steps) {
    const products = zeros(steps * this.rows);
    for (let t = 0; t < steps; t++) addProduct(scan.W, this.rows, scan.columns, x, t * scan.columns, products, t * this.rows);
    return products;
  }

  // Reads `steps` vectors of `inputs` numbers: the top layer's output, (steps x width), and every scan's trace by layer.
  // `starts` are each layer's states before the first step, nothing where it begins anew.
  read(x, steps, starts = []) {
    const traces = [];
    for (let layer = 0; layer < this.layers; layer++) {
      const own = this.scans.filter((scan) => scan.layer === layer).map((scan) => this.scan(scan, this.products(scan, x, steps), steps, 1, starts[layer]));
      traces.push(own);
      x = this.joined(own.map((trace) => trace.states[0]), steps);
    }
    return { output: x, traces };
  }

  // One step more of layers in one direction. `product` is the lowest layer's W x; `states` are those of each layer after
  // the step before, nothing at the start. Gives the output, the states, and every gate and state by layer.
  step(product, states = []) {
    const after = [], named = [];
    let output = null;
    this.scans.forEach((scan, layer) => {
      const nothing = this.cell_.states.map(() => zeros(this.units));
      const trace = this.scan(scan, layer ? this.products(scan, output, 1) : product, 1, 1, states[layer] ?? nothing);
      after.push(trace.states);
      named.push(trace.named);
      output = trace.states[0];
    });
    return { output, states: after, named };
  }
}
