"use strict";

// The equations of one step of one unit, in letters and filled in with that step's numbers.

// Where a step's numbers come from: the named values now, the states before, and the products of the accumulators.
function numbersOf(network, trace, unit, step) {
  const { cell_: cell, units: H, rows } = network, { scan, named, products, steps } = trace;
  const before = scan.direction ? step + 1 : step - 1, isFirst = before < 0 || before >= steps;
  const at = (name, t) => named[cell.names.indexOf(name)][t * H + unit];
  const h = named[cell.names.indexOf(cell.states[0])];
  const parts = {};
  cell.gates.forEach((gate) => {
    const row = cell.inputGates.indexOf(gate) * H + unit, also = cell.recurrentGates.indexOf(gate) * H + unit;
    let recurrent = 0;
    const terms = [];
    for (let k = 0; k < H && !isFirst && also >= 0; k++) {
      const term = scan.U[also * H + k] * h[before * H + k];
      recurrent += term;
      terms.push([k, term]);
    }
    terms.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    parts[gate] = { input: products[step * rows + row], recurrent, b: scan.b[row], d: scan.d[also] ?? 0, terms };
  });
  const vector = (name) => scan.p[cell.vectors.indexOf(name) * H + unit];
  return { now: (name) => at(name, step), before: (name) => (isFirst ? 0 : at(name, before)), vector, parts };
}

const FUNCTION_NAMES = { sigmoid: "σ", relu: "max(0, ·)", maximum: "max", minimum: "min" };
const SIGNS = { add: "+", sub: "−", mul: "×", div: "÷", gt: ">", ge: "≥", eq: "=" };

// A tree as a line of letters (`numbers` null) or of numbers. Products bind closer than sums.
function line(tree, numbers, outer = 0) {
  const [kind, ...rest] = tree;
  if (kind === "constant") return [String(rest[0])];
  if (kind === "named") return numbers ? [number(numbers.now(rest[0]), outer)] : letter(rest[0], "t");
  if (kind === "input") return accumulated(rest[0], numbers, outer);
  if (kind === "neg") return ["−", ...line(rest[0], numbers, 3)];
  if (SIGNS[kind]) {
    const strength = kind === "mul" || kind === "div" ? 2 : 1;
    const inner = [...line(rest[0], numbers, strength), ` ${SIGNS[kind]} `, ...line(rest[1], numbers, strength + (kind === "add" ? 0 : kind === "mul" ? 0 : 1))];
    return strength < outer ? ["(", ...inner, ")"] : inner;
  }
  if (kind === "where") return [...line(rest[1], numbers), " if ", ...line(rest[0], numbers), " else ", ...line(rest[2], numbers)];
  const inside = rest.flatMap((argument, k) => (k ? [", ", ...line(argument, numbers)] : line(argument, numbers)));
  return [FUNCTION_NAMES[kind] ?? kind, "(", ...inside, ")"];
}

// Negative numbers stand in brackets where something comes before them.
const number = (value, outer) => (value < 0 && outer ? `(${shown(value)})` : shown(value));

function letter(name, when) {
  return [element("i", {}, name), element("sub", {}, when)];
}

// a_f is the gate's two products and bias added; x_n and u_n are one product each with its own bias; c is c of before.
function accumulated(name, numbers, outer) {
  const [kind, gate] = name.split("_", 2);
  if (kind === "p" && gate) return numbers ? [number(numbers.vector(gate), outer)] : [element("i", {}, "p"), element("sub", {}, gate)];
  if (!gate) return numbers ? [number(numbers.before(name), outer)] : letter(name, "t−1");
  const input = () => [element("i", {}, "W"), element("sub", {}, gate), "·", ...letter("x", "t")];
  const recurrent = () => [element("i", {}, "U"), element("sub", {}, gate), "·", ...letter("h", "t−1")];
  const bias = (mark) => [element("i", {}, `b${mark}`), element("sub", {}, gate)];
  let parts, values;
  const own = numbers && numbers.parts[gate];
  if (kind === "a") {
    parts = [input(), recurrent(), bias("")];
    values = own && [own.input, own.recurrent, own.b + own.d];
  } else if (kind === "x") {
    parts = [input(), bias("")];
    values = own && [own.input, own.b];
  } else {
    parts = [recurrent(), bias("′")];
    values = own && [own.recurrent, own.d];
  }
  const joined = own ? values.map((v, k) => [number(v, k)]) : parts;
  const inner = joined.flatMap((part, k) => (k ? [" + ", ...part] : part));
  return outer > 1 ? ["(", ...inner, ")"] : inner;
}

function arithmetic(network, trace, unit, step) {
  const numbers = numbersOf(network, trace, unit, step);
  const lines = network.cell_.equations.map(({ name, tree }) => element("div", { class: "equation" },
    element("div", { class: "letters" }, ...letter(name, "t"), " = ", ...line(tree, null)),
    element("div", { class: "numbers" }, "= ", ...line(tree, numbers), " = ", element("b", {}, shown(numbers.now(name))))));
  const largest = network.cell_.recurrentGates.map((gate) => element("li", {},
    element("i", {}, "U"), element("sub", {}, gate), "·", ...letter("h", "t−1"), ": ",
    numbers.parts[gate].terms.slice(0, 4).map(([k, term]) => `unit ${k + 1} ${term < 0 ? "" : "+"}${shown(term)}`).join(", ") || "nothing before the first step"));
  return [
    ...lines,
    element("details", {}, element("summary", {}, "The largest parts of each recurrent product"), element("ul", {}, ...largest)),
  ];
}
