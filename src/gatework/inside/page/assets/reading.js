"use strict";

// What the network reads: tokens coloured by a value, one of which is chosen; the same with arrow keys.

const MOST_STEPS = 2000; // of a text, in the page; more would keep a key press waiting

// A text as a run reads it: { steps, indices, labels, from, unread }.
function readText(network, text) {
  const { tokens, rest } = tokenise(text);
  const most = Math.min(network.maxTokens || MOST_STEPS, MOST_STEPS);
  const kept = tokens.slice(-most);
  const words = kept.map(({ token, before }) => ({ text: token, before, index: network.words.get(token) ?? network.unknownIndex }));
  if (!words.length) words.push({ text: "(nothing)", before: "", index: network.unknownIndex, isNothing: true });
  const padding = network.padding === "pre" && network.maxTokens ? Math.max(0, network.maxTokens - words.length) : 0;
  const blank = { text: "", before: "", index: network.paddingIndex, isPadding: true };
  const labels = [...Array(padding).fill(blank), ...words];
  return {
    steps: labels.length,
    indices: Int32Array.from(labels, (label) => label.index),
    labels,
    from: Math.max(0, padding - 3),
    unread: tokens.length - kept.length,
    rest: kept.length ? rest : "",
  };
}

// A series as a run reads it: standardised where the recipe scales, as float32.
function readSeries(network, values) {
  const { mean, std } = network.inputScale;
  const x = Float64Array.from(values.flatMap((step) => step.map((value, k) => Math.fround((value - mean[k]) / std[k]))));
  return { steps: values.length, x, labels: values.map((step) => ({ text: step.map((v) => shown(v)).join(", ") })), from: 0, unread: 0 };
}

function stepName(reading, step) {
  const label = reading.labels[step];
  if (label.isPadding) return `step ${step + 1} (padding)`;
  return reading.indices ? `step ${step + 1} “${label.text}”` : `step ${step + 1} (${label.text})`;
}

class Strip {
  constructor(choose) {
    this.choose = choose;
    this.box = element("div", { class: "strip-of-tokens", tabindex: "0", role: "listbox", "aria-label": "Tokens as the network reads them", dir: "auto" });
    this.note = element("p", { class: "caption" });
    this.box.addEventListener("click", (event) => {
      const token = event.target.closest("[data-step]");
      if (token) this.choose(Number(token.dataset.step));
    });
    this.box.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (!by) return;
      event.preventDefault();
      const last = this.reading.steps - 1;
      this.choose(Math.max(this.reading.from, Math.min(last, by === Infinity ? last : by === -Infinity ? 0 : this.step + by)));
    });
  }

  read(reading) {
    this.reading = reading;
    this.tokens = [];
    const parts = [];
    for (let t = reading.from; t < reading.steps; t++) {
      const label = reading.labels[t];
      const isUnknown = label.index === 1 && !label.isNothing;
      const shownText = label.isPadding ? "·" : label.text;
      const token = element("span", { class: `token${isUnknown ? " unknown" : ""}${label.isPadding ? " padding" : ""}`, role: "option", id: `${this.id}-${t}`, "data-step": t }, shownText);
      parts.push(element("span", { class: "gap" }, t === reading.from && reading.unread ? "… " : label.before || (label.isPadding ? " " : "")), token);
      this.tokens.push(token);
    }
    this.box.replaceChildren(...parts, element("span", { class: "gap" }, reading.rest ?? ""));
    const unknown = reading.labels.filter((label) => label.index === 1 && !label.isNothing).length, hidden = reading.from;
    this.note.textContent = [
      reading.labels.at(-1).isNothing ? "Nothing to read: an empty text is one unknown word." : "",
      reading.unread ? `Only the last ${(reading.steps - (reading.from ? reading.from + 3 : 0)).toLocaleString("en")} tokens are read; ${reading.unread.toLocaleString("en")} before them are not.` : "",
      unknown ? `${unknown} ${unknown === 1 ? "word is" : "words are"} unknown to the network (dotted): all of them are the same to it.` : "",
      hidden ? `${hidden} more steps of padding come first.` : "",
    ].filter(Boolean).join(" ");
  }

  // `values` by step, as shares of the largest: -1 to 1.
  colour(values, words) {
    this.tokens.forEach((token, k) => {
      const t = this.reading.from + k;
      token.style.backgroundColor = colours.ground(values[t]);
      token.setAttribute("aria-label", `${stepName(this.reading, t)}, ${words(t)}`);
      token.title = words(t);
    });
  }

  mark(step) {
    this.step = step;
    this.tokens.forEach((token, k) => token.setAttribute("aria-selected", String(this.reading.from + k === step)));
    this.box.setAttribute("aria-activedescendant", `${this.id}-${step}`);
  }
}
