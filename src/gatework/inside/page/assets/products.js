"use strict";

// What a network is made of besides its cell: products with matrices.

// out[r] += sum over k of W[r, k] x[from + k]; eight rows at once, so that each x is read once for all of them and no
// addition waits for the one before.
function addProduct(W, rows, columns, x, from, out, to = 0) {
  let r = 0;
  for (; r + 8 <= rows; r += 8) {
    const p = r * columns, q = p + columns, s = q + columns, t = s + columns, u = t + columns, v = u + columns, w = v + columns, z = w + columns;
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let k = 0; k < columns; k++) {
      const value = x[from + k];
      a += W[p + k] * value;
      b += W[q + k] * value;
      c += W[s + k] * value;
      d += W[t + k] * value;
      e += W[u + k] * value;
      f += W[v + k] * value;
      g += W[w + k] * value;
      h += W[z + k] * value;
    }
    const at = to + r;
    out[at] += a;
    out[at + 1] += b;
    out[at + 2] += c;
    out[at + 3] += d;
    out[at + 4] += e;
    out[at + 5] += f;
    out[at + 6] += g;
    out[at + 7] += h;
  }
  for (; r < rows; r++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += W[r * columns + k] * x[from + k];
    out[to + r] += sum;
  }
}

// A matrix with rows and columns exchanged: the way back multiplies by it.
function transposed(W, rows, columns) {
  const turned = new Float32Array(W.length);
  for (let r = 0; r < rows; r++) for (let k = 0; k < columns; k++) turned[k * rows + r] = W[r * columns + k];
  return turned;
}

const zeros = (count) => new Float64Array(count);
