"use strict";

// A network that reads token after token, with every gate and state of each, so that one can go back to any of them.

const MOST_BYTES = 96e6, MOST_TOKENS = 4000; // of what is kept

class Writer {
  constructor(network) {
    Object.assign(this, network);
    this.layers = network.stacks.recurrent;
    this.written = new Tokens(network);
    this.vocabulary = this.tensors.bias.length;
    this.names = this.layers.cell_.names;
    this.states = this.layers.cell_.states.map((state) => this.names.indexOf(state));
    this.steps = []; // of each token that was read: { token, named: by layer the gates and states, bits }
    const perToken = 4 * this.layers.layers * this.layers.units * this.names.length;
    this.most = Math.max(300, Math.min(MOST_TOKENS, Math.floor(MOST_BYTES / perToken)));
  }

  get tokens() {
    return this.steps.map((step) => step.token);
  }

  // Stands where exactly these tokens were read: what they share with those before is not read again.
  stand(tokens) {
    let same = 0;
    while (same < tokens.length && same < this.steps.length && this.steps[same].token === tokens[same]) same++;
    this.steps.length = same;
    for (const token of tokens.slice(same, this.most)) this.read(token);
  }

  read(token) {
    const { layers } = this, before = this.steps.at(-1);
    const states = before?.named.map((named) => this.states.map((state) => named[state]));
    const bits = before ? -Math.log2(this.chances(this.steps.length - 1)[token]) : 0;
    const { named } = layers.step(this.product(token), states);
    this.steps.push({ token, bits, named: named.map((values) => values.map((one) => Float32Array.from(one))) });
  }

  // W x of the lowest layer for a token, kept for the next time.
  product(token) {
    const [scan] = this.layers.scans, width = this.layers.inputs;
    let known = scan.known.get(token);
    if (!known) {
      const table = this.tensors["embedding.weight"];
      known = this.layers.products(scan, table.subarray(token * width, token * width + width), 1);
      scan.known.set(token, known);
    }
    return known;
  }

  // The score of every token after step `k`.
  scores(k) {
    const hidden = this.steps[k].named.at(-1)[this.states[0]], { tensors, layers } = this;
    const features = linear(tensors, "projection", hidden, layers.inputs), scores = Float64Array.from(tensors.bias);
    addProduct(tensors["embedding.weight"], this.vocabulary, features.length, features, 0, scores);
    return scores;
  }

  // The chance of every token after step `k`; that of the last step is kept, as several ask for it.
  chances(k) {
    if (this.last?.step !== this.steps[k]) this.last = { step: this.steps[k], chances: softmaxOf(this.scores(k)) };
    return this.last.chances;
  }
}
