"use strict";

// The rules by which the next token is taken from its scores, in the order of gatework.decoding.Sampling: banned tokens,
// top-k, top-p and min-p on the probabilities at temperature 1, the temperature, a draw.

// The chance of each token at temperature 1, nothing but the banned ones left out.
function chancesOf(scores, banned) {
  const left = Float64Array.from(scores);
  for (const token of banned) left[token] = -Infinity;
  return softmaxOf(left);
}

// The chance with which each token is drawn.
function drawnBy(rules, chances) {
  const { temperature, top_k: most, top_p: share, min_p: least } = rules, out = zeros(chances.length);
  const order = [...chances.keys()].filter((token) => chances[token] > 0).sort((a, b) => chances[b] - chances[a] || a - b);
  if (temperature === 0) { out[order[0]] = 1; return out; }
  let kept = most > 0 ? order.slice(0, most) : order;
  if (share < 1) {
    const wanted = share * kept.reduce((sum, token) => sum + chances[token], 0);
    let sum = 0, count = 0;
    while (count < kept.length && sum < wanted) sum += chances[kept[count++]];
    kept = kept.slice(0, count);
  }
  kept = kept.filter((token) => chances[token] >= least * chances[order[0]]);
  const powers = kept.map((token) => Math.exp(Math.log(chances[token] / chances[order[0]]) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  kept.forEach((token, k) => { out[token] = powers[k] / sum; });
  return out;
}

// The token at which the sum of the chances, in the order of the tokens, passes a number from 0 to below 1.
function drawn(shares, uniform) {
  let left = uniform, last = 0;
  for (let token = 0; token < shares.length; token++) {
    if (shares[token] > 0) last = token;
    left -= shares[token];
    if (left < 0) return token;
  }
  return last;
}

// A number from 0 to below 1 that depends on seed and place alone: SplitMix64, as gatework draws by it.
const uniformAt = (() => {
  const ALL = (1n << 64n) - 1n, STEP = 0x9E3779B97F4A7C15n;
  const mixed = (z) => {
    z = ((z ^ (z >> 30n)) * 0xBF58476D1CE4E5B9n) & ALL;
    z = ((z ^ (z >> 27n)) * 0x94D049BB133111EBn) & ALL;
    return z ^ (z >> 31n);
  };
  return (seed, place) => {
    let z = BigInt(seed) & ALL;
    for (const part of [0n, BigInt(place)]) z = mixed((z + (part + 1n) * STEP) & ALL);
    return Number(z >> 11n) / 2 ** 53;
  };
})();
