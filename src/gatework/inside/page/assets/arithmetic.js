"use strict";

// The equations of one step of one unit, in letters and filled in with that step's numbers.

// Where a step's numbers come from: the named values now, the states before, and the products of the accumulators.
function numbersOf(network, trace, unit, step) {
  const { cell_: cell, units: H, rows } = network, { scan, named, norms, products, steps } = trace;
  const before = scan.direction ? step + 1 : step - 1, isFirst = before < 0 || before >= steps;
  const at = (name, t) => named[cell.names.indexOf(name)][t * H + unit];
  const h = named[cell.names.indexOf(cell.states[0])];
  const parts = {};
  cell.gates.forEach((gate) => {
    const [row, also] = [cell.inputGates, cell.recurrentGates].map((gates) => (gates.includes(gate) ? gates.indexOf(gate) * H + unit : -1));
    let recurrent = 0;
    const terms = [];
    for (let k = 0; k < H && !isFirst && also >= 0; k++) {
      const term = scan.U[also * H + k] * h[before * H + k];
      recurrent += term;
      terms.push([k, term]);
    }
    terms.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    const own = { input: products[step * rows + row], recurrent, b: scan.b[row], d: scan.d[also] ?? 0, terms };
    if (norms && row >= 0) own.inputNorm = norms.numbers(0, step, row);
    if (norms && also >= 0) own.recurrentNorm = norms.numbers(1, step, also);
    own.input = own.inputNorm?.scaled ?? own.input;
    own.recurrent = own.recurrentNorm?.scaled ?? own.recurrent;
    parts[gate] = own;
  });
  const vector = (name) => scan.p[cell.vectors.indexOf(name) * H + unit];
  const norm = (state) => norms.numbers(2 + cell.normalised.indexOf(state), step, unit);
  return { now: (name) => at(name, step), before: (name) => (isFirst ? 0 : at(name, before)), vector, norm, parts };
}

const FUNCTION_NAMES = { sigmoid: "σ", relu: "max(0, ·)", maximum: "max", minimum: "min" };
const SIGNS = { add: "+", sub: "−", mul: "×", div: "÷", gt: ">", ge: "≥", eq: "=" };

// Negative numbers stand in brackets where something comes before them.
const number = (value, outer) => (value < 0 && outer ? `(${shown(value)})` : shown(value));

const bracketed = (inner, isInside) => (isInside ? ["(", ...inner, ")"] : inner);

function letter(name, when) {
  return [element("i", {}, name), element("sub", {}, when)];
}

const product = (matrix, gate, factor, when) => [element("i", {}, matrix), element("sub", {}, gate), "·", ...letter(factor, when)];
const inputProduct = (gate) => product("W", gate, "x", "t");
const recurrentProduct = (gate) => product("U", gate, "h", "t−1");

// What writes a tree as a line: of numbers, or where these are null of letters. Products bind closer than sums.
function writer(numbers, isNormalised) {
  const normed = (inner) => (isNormalised ? ["norm(", ...inner, ")"] : inner);

  function line(tree, outer = 0) {
    const [kind, ...rest] = tree;
    if (kind === "constant") return bracketed([String(rest[0]).replace("-", "−")], rest[0] < 0 && outer);
    if (kind === "named") return numbers ? [number(numbers.now(rest[0]), outer)] : letter(rest[0], "t");
    if (kind === "input") return given(rest[0], outer);
    if (kind === "norm") return numbers ? [number(resultOf(numbers.norm(rest[0])), outer)] : ["norm(", ...line(rest[1]), ")"];
    if (kind === "neg") return ["−", ...line(rest[0], 3)];
    if (SIGNS[kind]) {
      const strength = kind === "mul" || kind === "div" ? 2 : 1;
      const inner = [...line(rest[0], strength), ` ${SIGNS[kind]} `, ...line(rest[1], strength + (kind === "add" ? 0 : kind === "mul" ? 0 : 1))];
      return bracketed(inner, strength < outer);
    }
    if (kind === "where") return bracketed([...line(rest[1]), " if ", ...line(rest[0]), " else ", ...line(rest[2])], outer);
    const inside = rest.flatMap((argument, k) => (k ? [", ", ...line(argument)] : line(argument)));
    return [FUNCTION_NAMES[kind] ?? kind, "(", ...inside, ")"];
  }

  // a_f is the gate's two products and bias added; x_n and u_n are one product each with its own bias; c is c of before.
  function given(name, outer) {
    const [kind, gate] = name.split("_", 2);
    if (kind === "p" && gate) return numbers ? [number(numbers.vector(gate), outer)] : [element("i", {}, "p"), element("sub", {}, gate)];
    if (!gate) return numbers ? [number(numbers.before(name), outer)] : letter(name, "t−1");
    const bias = (mark) => [element("i", {}, `b${mark}`), element("sub", {}, gate)];
    let parts, values;
    const own = numbers && numbers.parts[gate];
    if (kind === "a") {
      parts = [normed(inputProduct(gate)), normed(recurrentProduct(gate)), bias("")];
      values = own && [own.input, own.recurrent, own.b + own.d];
    } else if (kind === "x") {
      parts = [normed(inputProduct(gate)), bias("")];
      values = own && [own.input, own.b];
    } else {
      parts = [normed(recurrentProduct(gate)), bias("′")];
      values = own && [own.recurrent, own.d];
    }
    const joined = own ? values.map((v, k) => [number(v, k || outer === 1)]) : parts;
    const inner = joined.flatMap((part, k) => (k ? [" + ", ...part] : part));
    return bracketed(inner, outer > 1);
  }

  return line;
}

const resultOf = (norm) => norm.scaled + norm.shift;

// Every norm of the unit in letters and numbers; the shift of a product is its bias, which stands in the equations.
function normLines(cell, numbers) {
  const line = writer(null, true), found = [];
  const add = (letters, { raw, mean, deviation, gain, scaled, shift }, isState) => found.push(element("div", { class: "equation" },
    element("div", { class: "letters" }, "norm(", ...letters, ")"),
    element("div", { class: "numbers" }, `= (${shown(raw)} − ${number(mean, 1)}) ÷ ${shown(deviation)} × ${number(gain, 1)}`,
      isState ? ` + ${number(shift, 1)}` : "", " = ", element("b", {}, shown(isState ? scaled + shift : scaled)))));
  for (const gate of cell.gates) {
    const { inputNorm, recurrentNorm } = numbers.parts[gate];
    if (inputNorm) add(inputProduct(gate), inputNorm);
    if (recurrentNorm) add(recurrentProduct(gate), recurrentNorm);
  }
  const visit = ([kind, ...rest], seen) => {
    if (kind === "norm" && !seen.has(rest[0])) { seen.add(rest[0]); add(line(rest[1]), numbers.norm(rest[0]), true); }
    rest.filter(Array.isArray).forEach((inner) => visit(inner, seen));
  };
  const seen = new Set();
  cell.equations.forEach(({ tree }) => visit(tree, seen));
  return found;
}

function arithmetic(network, trace, unit, step) {
  const numbers = numbersOf(network, trace, unit, step), { cell_: cell } = network, isNormalised = Boolean(trace.norms);
  const letters = writer(null, isNormalised), filled = writer(numbers, isNormalised);
  const lines = cell.equations.map(({ name, tree }) => element("div", { class: "equation" },
    element("div", { class: "letters" }, ...letter(name, "t"), " = ", ...letters(tree)),
    element("div", { class: "numbers" }, "= ", ...filled(tree), " = ", element("b", {}, shown(numbers.now(name))))));
  const largest = cell.recurrentGates.map((gate) => element("li", {},
    ...recurrentProduct(gate), ": ",
    numbers.parts[gate].terms.slice(0, 4).map(([k, term]) => `unit ${k + 1} ${term < 0 ? "" : "+"}${shown(term)}`).join(", ") || "nothing before the first step"));
  const details = (title, ...inside) => element("details", {}, element("summary", {}, title), ...inside);
  return [
    ...lines,
    details(`The largest parts of each recurrent product${isNormalised ? ", before its norm" : ""}`, element("ul", {}, ...largest)),
    ...(isNormalised ? [details("The norms: less the mean, divided by the deviation, times the gain; a state’s plus its shift", ...normLines(cell, numbers))] : []),
  ];
}
