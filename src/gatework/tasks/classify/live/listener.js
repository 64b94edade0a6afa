"use strict";

// A classifier of sounds: what it says of a recording, as classify/model.py says it, in double precision.

class Listener {
  constructor(network) {
    Object.assign(this, network);
    this.layers = network.stacks.recurrent;
  }

  // The probability of each class, of the whole recording and, by the states up to there alone, at each step.
  hear(recording) {
    const { layers, pooling, tensors } = this, x = Float64Array.from(recording.x), steps = x.length / layers.inputs;
    const { output, traces } = layers.read(x, steps);
    const run = { units: layers.units, tensors };
    const said = (count) => {
      const pooled = POOLINGS[pooling].forward(output.subarray(0, count * layers.width), count, layers.width, run);
      return softmaxOf(linear(tensors, "output", pooled, this.classes.length).map((score) => score / this.temperature));
    };
    const shares = Array.from({ length: steps }, (_, t) => said(t + 1));
    return { steps, traces, shares, chances: shares[steps - 1] };
  }
}
