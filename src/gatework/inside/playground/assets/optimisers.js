"use strict";

// How weights move by their gradients, with torch's numbers.

const NORM_EPSILON = 1e-6; // what torch adds to a norm before it divides by it

// The norm of all gradients together, which are scaled down where it is above `most` (0: never).
function clip(slopes, most) {
  let sum = 0;
  for (let k = 0; k < slopes.length; k++) sum += slopes[k] * slopes[k];
  const norm = Math.sqrt(sum), share = most / (norm + NORM_EPSILON);
  if (most > 0 && share < 1) for (let k = 0; k < slopes.length; k++) slopes[k] *= share;
  return norm;
}

// Adam (Kingma & Ba 2015).
class Adam {
  constructor(count) {
    this.means = zeros(count);
    this.squares = zeros(count);
    this.steps = 0;
  }

  step(values, slopes, rate) {
    const { means, squares } = this, n = ++this.steps;
    const size = rate / (1 - 0.9 ** n), correction = Math.sqrt(1 - 0.999 ** n);
    for (let k = 0; k < values.length; k++) {
      const slope = slopes[k];
      means[k] += 0.1 * (slope - means[k]);
      squares[k] += 0.001 * (slope * slope - squares[k]);
      values[k] -= (size * means[k]) / (Math.sqrt(squares[k]) / correction + 1e-8);
    }
  }
}

// Plain gradient descent.
class Descent {
  step(values, slopes, rate) {
    for (let k = 0; k < values.length; k++) values[k] -= rate * slopes[k];
  }
}

const OPTIMISERS = { adam: Adam, sgd: Descent };
