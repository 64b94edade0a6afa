"use strict";

// What the network reads: tokens coloured by a value, one of which is chosen; the same with arrow keys.

const MOST_STEPS = 2000; // of a text, in the page; more would keep a key press waiting

// A text as a run reads it: { steps, indices, labels, from, unread }.
function readText(network, text) {
  const { tokens, rest } = tokenise(text);
  const most = Math.min(network.maxTokens || MOST_STEPS, MOST_STEPS);
  const kept = tokens.slice(-most);
  const words = kept.map(({ token, before }, k) => {
    const pair = k ? network.words.get(`${kept[k - 1].token} ${token}`) : null;
    return { text: token, before, index: pair ?? network.words.get(token) ?? network.unknownIndex };
  });
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

// Sets what is not so already: whatever is set makes the browser lay out and paint.
function update(element, properties) {
  for (const [name, value] of Object.entries(properties)) if (element[name] !== value) element[name] = value;
}

class Strip {
  constructor(choose) {
    this.choose = choose;
    this.box = element("div", { class: "strip-of-tokens", tabindex: "0", role: "listbox", "aria-label": "Tokens as the network reads them", dir: "auto" });
    this.note = element("p", { class: "caption" });
    this.end = element("span", { class: "gap" });
    this.box.append(this.end);
    Object.assign(this, { gaps: [], tokens: [] });
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

  // Elements are kept from one reading to the next: a key press changes few of them.
  read(reading) {
    this.reading = reading;
    const count = reading.steps - reading.from;
    while (this.tokens.length < count) {
      const gap = element("span", { class: "gap" }), token = element("span", { role: "option" });
      this.end.before(gap, token);
      this.gaps.push(gap);
      this.tokens.push(token);
    }
    while (this.tokens.length > count) {
      this.gaps.pop().remove();
      this.tokens.pop().remove();
    }
    this.tokens.forEach((token, k) => {
      const t = reading.from + k, label = reading.labels[t], isUnknown = label.index === 1 && !label.isNothing;
      update(this.gaps[k], { textContent: k === 0 && reading.unread ? "… " : label.before || (label.isPadding ? " " : "") });
      update(token, { textContent: label.isPadding ? "·" : label.text, className: `token${isUnknown ? " unknown" : ""}${label.isPadding ? " padding" : ""}`, id: `${this.id}-${t}` });
      token.dataset.step = t;
    });
    update(this.end, { textContent: reading.rest ?? "" });
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
      const ground = colours.ground(values[t]), title = words(t);
      if (token.ground !== ground) token.style.backgroundColor = token.ground = ground;
      update(token, { ariaLabel: `${stepName(this.reading, t)}, ${title}`, title });
    });
  }

  mark(step) {
    this.step = step;
    this.tokens.forEach((token, k) => update(token, { ariaSelected: String(this.reading.from + k === step) }));
    this.box.setAttribute("aria-activedescendant", `${this.id}-${step}`);
  }
}
