"use strict";

// Weights and vocabularies as the page stores them: base 85, zlib, and the bytes of numbers sorted by significance.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";
const DIGIT = new Uint8Array(128);
for (let k = 0; k < 85; k++) DIGIT[DIGITS.charCodeAt(k)] = k;

// Five digits are four bytes; a last group of n digits is n - 1 bytes.
function decode85(text) {
  const missing = (5 - (text.length % 5)) % 5;
  const padded = text + "~".repeat(missing);
  const bytes = new Uint8Array((padded.length / 5) * 4);
  for (let from = 0, to = 0; from < padded.length; from += 5, to += 4) {
    let value = 0;
    for (let k = 0; k < 5; k++) value = value * 85 + DIGIT[padded.charCodeAt(from + k)];
    bytes[to] = value >>> 24;
    bytes[to + 1] = (value >>> 16) & 255;
    bytes[to + 2] = (value >>> 8) & 255;
    bytes[to + 3] = value & 255;
  }
  return bytes.subarray(0, bytes.length - missing);
}

async function inflated(id) {
  const text = document.getElementById(id).textContent.trim();
  const stream = new Blob([decode85(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A float16 as the number it is (IEEE 754: 1 sign, 5 exponent, 10 fraction bits).
function half(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023, sign = bits & 32768 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));

// Every tensor of a run by its name, as a Float32Array, row by row.
async function unpackTensors(id, listing) {
  const bytes = await inflated(id);
  const tensors = {};
  let at = 0;
  for (const { name, shape, bytes: width } of listing) {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(count);
    if (width === 2) {
      for (let k = 0; k < count; k++) values[k] = HALVES[bytes[at + k] | (bytes[at + count + k] << 8)];
    } else {
      const words = new Uint32Array(values.buffer);
      // Of three bytes the lowest eight bits of a float32 are zero.
      for (let plane = 0; plane < width; plane++) {
        const from = at + plane * count, shift = 8 * (4 - width + plane);
        for (let k = 0; k < count; k++) words[k] |= bytes[from + k] << shift;
      }
    }
    tensors[name] = values;
    at += count * width;
  }
  return tensors;
}

// A list of texts.
async function unpackList(id) {
  return new TextDecoder().decode(await inflated(id)).split("\n");
}

// A vocabulary as a map from word to index; 0 is padding and 1 every unknown word.
async function unpackWords(id) {
  const text = new TextDecoder().decode(await inflated(id));
  return new Map(text === "" ? [] : text.split("\n").map((word, k) => [word, k + 2]));
}
