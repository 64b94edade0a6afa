"use strict";

// What the person looks at, as one object; its form in the address after "#" restores it.

const view = {
  text: "",
  values: [], // of a series: one array of variables per step
  preset: 0, // the preset that the input is, or -1 once it was changed
  layer: 0,
  direction: 0,
  colour: "contribution",
  units: [], // the unit looked at, by run
  step: -1, // -1 is the last one
  variable: 0,
  explain: -1, // a class, or -1 for the predicted one
  method: "gradient",
};

const COUNTS = ["preset", "layer", "direction", "step", "variable", "explain"];

function viewToHash(kind) {
  const parts = new URLSearchParams();
  for (const name of COUNTS) parts.set(name, view[name]);
  parts.set("colour", view.colour);
  parts.set("method", view.method);
  parts.set("units", view.units.join("."));
  if (view.preset < 0) parts.set("input", kind === "text" ? view.text : view.values.map((step) => step.map(short).join("_")).join("~"));
  return `#${parts}`;
}

const short = (value) => String(Number(value.toPrecision(7)));

// Whole numbers within their bounds are taken over, whatever else the address says is left out.
function viewFromHash(hash, kind, variables) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  for (const name of COUNTS) {
    const value = Number(parts.get(name) ?? NaN);
    if (Number.isInteger(value) && value >= -1) view[name] = value;
  }
  if (parts.has("colour")) view.colour = parts.get("colour");
  if (parts.get("method") === "integrated") view.method = "integrated";
  (parts.get("units") ?? "").split(".").forEach((unit, k) => { if (/^\d+$/.test(unit)) view.units[k] = Number(unit); });
  const input = parts.get("input");
  if (input === null || view.preset >= 0) return;
  if (kind === "text") view.text = input;
  else {
    const values = input.split("~").map((step) => step.split("_").map(Number));
    if (values.every((step) => step.length === variables && step.every(Number.isFinite))) view.values = values;
    else view.preset = 0;
  }
}
