"use strict";

// What a network is made of besides its cell: products with matrices, and the functions that step() names.

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const relu = (a) => (a > 0 ? a : 0);
const softplus = (a) => (a > 30 ? a : Math.log1p(Math.exp(a)));

// out[r] += sum over k of W[r, k] x[from + k]; four partial sums, so that no addition waits for the one before.
function addProduct(W, rows, columns, x, from, out, to = 0) {
  const whole = columns - (columns % 4);
  for (let r = 0; r < rows; r++) {
    const row = r * columns;
    let a = 0, b = 0, c = 0, d = 0;
    for (let k = 0; k < whole; k += 4) {
      a += W[row + k] * x[from + k];
      b += W[row + k + 1] * x[from + k + 1];
      c += W[row + k + 2] * x[from + k + 2];
      d += W[row + k + 3] * x[from + k + 3];
    }
    for (let k = whole; k < columns; k++) a += W[row + k] * x[from + k];
    out[to + r] += a + b + (c + d);
  }
}

// out[k] += sum over r of W[r, k] g[from + r]: the same matrix, transposed.
function addTransposedProduct(W, rows, columns, g, from, out, to = 0) {
  for (let r = 0; r < rows; r++) {
    const row = r * columns, factor = g[from + r];
    if (factor !== 0) for (let k = 0; k < columns; k++) out[to + k] += W[row + k] * factor;
  }
}

const zeros = (count) => new Float64Array(count);
