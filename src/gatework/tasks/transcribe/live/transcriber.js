"use strict";

// A network that transcribes: the probability of every letter at each step, as transcribe/model.py says it, in double
// precision; and what that comes to where the likeliest letter of each step is written.

const BLANK = 0;

class SpeechListener {
  constructor(network) {
    Object.assign(this, network);
    this.layers = network.stacks.recurrent;
  }

  // The probability of the blank, 0, and of each unit at each step, the letters that are written, and every trace.
  hear(recording) {
    const { layers, tensors, units } = this, x = Float64Array.from(recording.x), steps = x.length / layers.inputs;
    const { output, traces } = layers.read(x, steps), outputs = units.length + 1;
    const states = this.lookedAhead(output, steps);
    const shares = Array.from({ length: steps }, (_, t) =>
      softmaxOf(linear(tensors, "output", states.subarray(t * layers.width, (t + 1) * layers.width), outputs)));
    const letters = this.written(shares);
    return { steps, traces, shares, letters, text: this.textOf(letters) };
  }

  // Each state with some of those after it, where the network waits for them.
  lookedAhead(output, steps) {
    const weight = this.tensors["lookahead.weight"], { width } = this.layers;
    if (!weight) return output;
    const ahead = weight.length / width, states = zeros(steps * width);
    for (let t = 0; t < steps; t++) {
      for (let j = 0; j < ahead && t + j < steps; j++) {
        for (let k = 0; k < width; k++) states[t * width + k] += weight[j * width + k] * output[(t + j) * width + k];
      }
    }
    return states;
  }

  // The units of the likeliest path, a held one once: where each begins, and where it is likeliest.
  written(shares) {
    const letters = [];
    let before = BLANK;
    shares.forEach((row, t) => {
      const best = row.indexOf(Math.max(...row));
      const last = letters[letters.length - 1];
      if (best !== BLANK && best !== before) letters.push({ unit: best, first: t, step: t, share: row[best] });
      else if (best !== BLANK && row[best] > last.share) Object.assign(last, { step: t, share: row[best] });
      before = best;
    });
    return letters;
  }

  textOf(letters) {
    return letters.map(({ unit }) => this.units[unit - 1]).join(this.between).split(" ").filter(Boolean).join(" ");
  }
}
