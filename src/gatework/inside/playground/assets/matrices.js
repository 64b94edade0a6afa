"use strict";

// Products of small matrices, which is where nearly all time goes. Four rows times four columns at once: each number
// that is read serves four products, and the sixteen sums stay in registers. A value of a batch is stored unit by unit,
// the sequences of the batch side by side.

// What everything is computed in. Numbers of double precision cost no more here: the processor widens single ones anyway.
const Numbers = Float64Array;
const zeros = (count) => new Numbers(count);

// out[r, b] += sum over k of W[r, k] X[k, b], where W[r, k] stands at w + r * down + k * across.
function addProduct(W, w, down, across, rows, columns, X, x, out, o, batch) {
  const wholeRows = rows & ~3, whole = batch & ~3;
  for (let r = 0; r < wholeRows; r += 4) {
    for (let b = 0; b < whole; b += 4) {
      let p = w + r * down, q = x + b, at = o + r * batch + b;
      let a0 = out[at], a1 = out[at + 1], a2 = out[at + 2], a3 = out[at + 3];
      at += batch;
      let b0 = out[at], b1 = out[at + 1], b2 = out[at + 2], b3 = out[at + 3];
      at += batch;
      let c0 = out[at], c1 = out[at + 1], c2 = out[at + 2], c3 = out[at + 3];
      at += batch;
      let d0 = out[at], d1 = out[at + 1], d2 = out[at + 2], d3 = out[at + 3];
      for (let k = 0; k < columns; k++, p += across, q += batch) {
        const x0 = X[q], x1 = X[q + 1], x2 = X[q + 2], x3 = X[q + 3];
        let weight = W[p];
        a0 += weight * x0; a1 += weight * x1; a2 += weight * x2; a3 += weight * x3;
        weight = W[p + down];
        b0 += weight * x0; b1 += weight * x1; b2 += weight * x2; b3 += weight * x3;
        weight = W[p + 2 * down];
        c0 += weight * x0; c1 += weight * x1; c2 += weight * x2; c3 += weight * x3;
        weight = W[p + 3 * down];
        d0 += weight * x0; d1 += weight * x1; d2 += weight * x2; d3 += weight * x3;
      }
      at = o + r * batch + b;
      out[at] = a0; out[at + 1] = a1; out[at + 2] = a2; out[at + 3] = a3;
      at += batch;
      out[at] = b0; out[at + 1] = b1; out[at + 2] = b2; out[at + 3] = b3;
      at += batch;
      out[at] = c0; out[at + 1] = c1; out[at + 2] = c2; out[at + 3] = c3;
      at += batch;
      out[at] = d0; out[at + 1] = d1; out[at + 2] = d2; out[at + 3] = d3;
    }
  }
  // What is left over at the right and at the bottom.
  for (let r = 0; r < rows; r++) {
    for (let b = r < wholeRows ? whole : 0; b < batch; b++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += W[w + r * down + k * across] * X[x + k * batch + b];
      out[o + r * batch + b] += sum;
    }
  }
}

// out[r, k] += sum over b of D[r, b] X[k, b]: what a matrix W receives where D is the gradient of W X.
function addOuter(D, d, rows, X, x, columns, out, o, batch) {
  const wholeRows = rows & ~3, whole = columns & ~3;
  for (let r = 0; r < wholeRows; r += 4) {
    for (let k = 0; k < whole; k += 4) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      let c0 = 0, c1 = 0, c2 = 0, c3 = 0, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
      for (let p = d + r * batch, q = x + k * batch, end = p + batch; p < end; p++, q++) {
        const x0 = X[q], x1 = X[q + batch], x2 = X[q + 2 * batch], x3 = X[q + 3 * batch];
        let g = D[p];
        a0 += g * x0; a1 += g * x1; a2 += g * x2; a3 += g * x3;
        g = D[p + batch];
        b0 += g * x0; b1 += g * x1; b2 += g * x2; b3 += g * x3;
        g = D[p + 2 * batch];
        c0 += g * x0; c1 += g * x1; c2 += g * x2; c3 += g * x3;
        g = D[p + 3 * batch];
        d0 += g * x0; d1 += g * x1; d2 += g * x2; d3 += g * x3;
      }
      let at = o + r * columns + k;
      out[at] += a0; out[at + 1] += a1; out[at + 2] += a2; out[at + 3] += a3;
      at += columns;
      out[at] += b0; out[at + 1] += b1; out[at + 2] += b2; out[at + 3] += b3;
      at += columns;
      out[at] += c0; out[at + 1] += c1; out[at + 2] += c2; out[at + 3] += c3;
      at += columns;
      out[at] += d0; out[at + 1] += d1; out[at + 2] += d2; out[at + 3] += d3;
    }
  }
  for (let r = 0; r < rows; r++) {
    for (let k = r < wholeRows ? whole : 0; k < columns; k++) {
      let sum = 0;
      for (let b = 0; b < batch; b++) sum += D[d + r * batch + b] * X[x + k * batch + b];
      out[o + r * columns + k] += sum;
    }
  }
}

// out[r] += sum over b of D[r, b].
function addSums(D, d, rows, out, o, batch) {
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let at = d + r * batch, end = at + batch; at < end; at++) sum += D[at];
    out[o + r] += sum;
  }
}
