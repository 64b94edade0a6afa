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

  // The bands of every frame, the highest band first, as a map shows them.
  bandsOf(recording) {
    const { bands } = this, turned = zeros(recording.frames * bands);
    for (let t = 0; t < recording.frames; t++) {
      for (let k = 0; k < bands; k++) turned[t * bands + bands - 1 - k] = recording.x[t * bands + k];
    }
    return turned;
  }
}
