"use strict";

// One network's translation: its words, one of which is chosen; the sentence lit by where the network looked; the picture
// of all of it.

const MARKED = 0.3; // a share of the dictionary from which on its alignment is marked
const END_MARK = "⏎";

class Said {
  constructor(network, k) {
    this.network = network;
    this.words = [];
    this.chosen = -1;
    this.line = element("div", { class: "said", tabindex: "0", role: "listbox", "aria-label": `Translation by ${network.name}, word by word`, dir: "auto" });
    this.confidence = element("p", { class: "confidence" });
    this.sources = element("div", {});
    this.pictures = element("div", { class: "pictures", tabindex: "0", role: "region", "aria-label": `Attention of ${network.name}` });
    this.coverage = element("p", { class: "caption" });
    const note = `${network.parameters.toLocaleString("en")} parameters${network.around && ` · ${network.around}`}`;
    this.box = element("article", { class: "run", style: colourOf(network, k) },
      element("h3", {}, element("span", { class: "key", style: colourOf(network, k) }, network.name), element("small", {}, note)),
      this.line, this.confidence, this.sources, this.pictures, this.coverage);
    this.line.id = `said-${k}`;
    for (const kind of ["pointerover", "click"]) this.line.addEventListener(kind, (event) => this.pointed(event.target.closest("[data-k]")));
    this.line.addEventListener("keydown", (event) => this.moved(event));
  }

  pointed(word) {
    if (word) this.choose(Number(word.dataset.k));
  }

  moved(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!by || !this.words.length) return;
    event.preventDefault();
    this.choose(Math.max(0, Math.min(this.words.length - 1, this.chosen + by)));
  }

  // A new answer, none of which is shown yet.
  take(answer) {
    this.answer = answer;
    this.words = answer.parts.flatMap((part, p) => part.target.map((text, row) => ({ text, part, p, row })));
    this.line.replaceChildren();
    this.line.removeAttribute("aria-activedescendant");
    this.chosen = -1;
    this.shown = 0;
    this.confidence.textContent = this.coverage.textContent = "";
    const hasAttention = this.network.attention !== "none";
    this.chips = answer.parts.map(({ source }) => [...source, END_MARK].map((word, s) => element("li", s === source.length ? { class: "end", title: "the end of the sentence" } : {}, element("span", {}, word))));
    this.sources.replaceChildren(...(hasAttention && this.chips.length ? [element("h4", {}, "Where it looks"), ...this.chips.map((chips) => element("ol", { class: "looked-at", dir: "auto" }, ...chips))] : []));
    this.rows = [];
    this.pictures.replaceChildren(...(hasAttention ? answer.parts.map((part) => this.picture(part)) : [element("p", { class: "caption" }, "This network has no attention: it sees the sentence through the encoder’s last state alone.")]));
  }

  picture({ source, target, weights, lexicon }) {
    const columns = [...source, END_MARK];
    const head = element("thead", {}, element("tr", {}, element("td", {}), ...columns.map((word) => element("th", { scope: "col" }, element("span", {}, word)))));
    const rows = target.map((word, row) => {
      const cells = columns.map((from, s) => element("td", { title: `${word} ← ${from}: ${Math.round(100 * weights[row][s])} %`, class: lexicon[row][s] >= MARKED ? "in-dictionary" : "" }));
      const made = element("tr", { hidden: true }, element("th", { scope: "row" }, word), ...cells);
      cells.forEach((cell, s) => cell.style.setProperty("--w", weights[row][s].toFixed(3)));
      const number = this.rows.push(made) - 1;
      made.addEventListener("pointerover", () => this.choose(number));
      return made;
    });
    return element("table", { class: "picture" }, element("caption", { class: "hidden" }, "How much the network looked at each word of the sentence (columns) as it wrote each of its own (rows)"), head, element("tbody", {}, ...rows));
  }

  // Shows one word more; says whether there is another.
  more() {
    const text = this.words[this.shown]?.text;
    if (text === undefined) { this.finish(); return false; }
    const k = this.shown++;
    const word = element("span", { class: "word new", role: "option", "aria-selected": "false", "data-k": k, id: `${this.line.id}-${k}` }, text);
    this.line.append(k ? " " : "", word);
    if (this.rows[k]) this.rows[k].hidden = false;
    this.choose(k);
    if (this.shown === this.words.length) this.finish();
    return this.shown < this.words.length;
  }

  finish() {
    const { confidence, text } = this.answer, { low } = this.network;
    this.confidence.replaceChildren(...(text ? [`confidence ${confidence.toFixed(2)}`, confidence < low ? element("span", { class: "unsure" }, ", unsure") : ""] : []));
    this.cover();
  }

  // What was hardly looked at, and what more than once.
  cover() {
    if (this.network.attention === "none") return;
    const out = [], twice = [], plain = (word) => word.match(/[\p{L}\p{N}].*[\p{L}\p{N}]|[\p{L}\p{N}]/u)?.[0];
    this.answer.parts.forEach((part, p) => coverageOf(part).forEach((sum, s) => {
      const word = plain(part.source[s]);
      this.chips[p][s].classList.toggle("left-out", Boolean(word) && sum < this.network.leftOut);
      if (word && sum < this.network.leftOut) out.push(word);
      if (word && sum > this.network.saidTwice) twice.push(word);
    }));
    const said = (words, what) => (words.length ? `${what}: ${words.join(", ")}. ` : "");
    this.coverage.textContent = said(out, "Hardly looked at, and so perhaps left out") + said(twice, "Looked at for several words, and so perhaps said twice");
  }

  choose(k) {
    if (k >= this.shown) return;
    const select = (place, isChosen) => {
      this.line.querySelector(`[data-k="${place}"]`)?.setAttribute("aria-selected", String(isChosen));
      this.rows[place]?.classList.toggle("chosen", isChosen);
    };
    select(this.chosen, false);
    this.chosen = k;
    select(k, true);
    this.line.setAttribute("aria-activedescendant", `${this.line.id}-${k}`);
    const { part, p, row } = this.words[k];
    if (!part.weights) return;
    this.chips.flat().forEach((chip) => { chip.style.setProperty("--w", 0); chip.classList.remove("in-dictionary"); });
    this.chips[p].forEach((chip, s) => {
      chip.style.setProperty("--w", part.weights[row][s].toFixed(3));
      chip.classList.toggle("in-dictionary", part.lexicon[row][s] >= MARKED);
    });
    const seen = [...part.source, "the end"].map((word, s) => [word, part.weights[row][s]]).filter(([, weight]) => weight >= 0.1).sort((a, b) => b[1] - a[1]);
    this.line.querySelector(`[data-k="${k}"]`).setAttribute("aria-label", `${part.target[row]}, from ${seen.map(([word, weight]) => `${word} ${Math.round(100 * weight)} %`).join(", ")}`);
  }
}
