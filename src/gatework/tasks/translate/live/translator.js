"use strict";

// The network: an encoder in both directions, and a decoder that looks at what it gives, a step at a time.

class Translator {
  constructor(network) {
    Object.assign(this, network);
    this.encoder = network.stacks.encoder;
    this.decoder = network.stacks["decoder.recurrent"];
    this.subwords = new Pieces(network.lists);
    this.keeping = new Keeping({ ...network.lists, copiesNames: network.copiesNames, keepsMarks: network.keepsMarks }, network.isKeeping);
    this.table = this.tensors["embedding.weight"];
    this.size = this.encoder.inputs;
    this.vocabulary = this.tensors.bias.length;
    this.vectors = new Map();
  }

  // The vector of a piece, as the layers read it.
  vector(piece) {
    let known = this.vectors.get(piece);
    if (!known) {
      known = Float64Array.from(this.table.subarray(piece * this.size, (piece + 1) * this.size), (value) => value * this.scale);
      this.vectors.set(piece, known);
    }
    return known;
  }

  // What the decoder looks at, by place, and the state that it begins in.
  encode(pieces) {
    const steps = pieces.length, { encoder } = this, x = zeros(steps * this.size), H = encoder.units;
    pieces.forEach((piece, t) => x.set(this.vector(piece), t * this.size));
    const { output, traces } = encoder.read(x, steps);
    const values = pieces.map((_, t) => output.subarray(t * encoder.width, (t + 1) * encoder.width));
    const keys = this.tensors["decoder.attention.key.weight"] ? values.map((value) => linear(this.tensors, "decoder.attention.key", value, this.keySize)) : values;
    // Both directions of each layer side by side; the one that reads backwards has ended at the first step.
    const layers = traces.map(([forwards, backwards]) => forwards.states.map((state, s) => {
      const both = [...state.subarray((steps - 1) * H, steps * H), ...backwards.states[s].subarray(0, H)];
      return Float64Array.from(both.slice(0, this.hidden));
    }));
    return { memory: { values, keys }, state: { layers, output: zeros(this.inputFeeding ? this.decoder.inputs - this.size : 0) } };
  }

  get keySize() {
    return this.tensors["decoder.attention.key.weight"].length / this.encoder.width;
  }

  // Goes on by a piece: the logarithm of every next piece's probability, where the decoder looked, and its state.
  step(piece, memory, state) {
    const x = Float64Array.from([...this.vector(piece), ...state.output]);
    const { output: hidden, states: layers } = this.decoder.step(this.decoder.products(this.decoder.scans[0], x, 1), state.layers);
    const weights = this.attention === "none" ? null : softmaxOf(this.scores(hidden, memory));
    const output = linear(this.tensors, "decoder.join", Float64Array.from([...this.context(weights, memory), ...hidden]), this.size).map(tanh);
    const logs = Float64Array.from(this.tensors.bias);
    addProduct(this.table, this.vocabulary, this.size, output, 0, logs);
    logs[PADDING] = -Infinity;
    const most = logs.reduce((a, b) => Math.max(a, b)), rest = Math.log(logs.reduce((sum, score) => sum + Math.exp(score - most), 0)) + most;
    for (let k = 0; k < logs.length; k++) logs[k] -= rest;
    return { logs, weights, state: { layers, output: this.inputFeeding ? output : state.output } };
  }

  // How well each place fits the decoder's output.
  scores(hidden, { keys }) {
    const dot = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);
    if (this.attention !== "additive") return Float64Array.from(keys, (key) => dot(hidden, key));
    const query = linear(this.tensors, "decoder.attention.query", hidden, this.keySize), weigh = this.tensors["decoder.attention.weigh.weight"];
    return Float64Array.from(keys, (key) => dot(weigh, query.map((value, k) => tanh(value + key[k]))));
  }

  context(weights, { values }) {
    if (!weights) return [];
    const sum = zeros(values[0].length);
    weights.forEach((weight, s) => { for (let k = 0; k < sum.length; k++) sum[k] += weight * values[s][k]; });
    return sum;
  }
}
