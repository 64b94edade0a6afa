"use strict";

// The page of a language model: a beginning, a text that goes on from it, what comes next, and the gates of each token.

const SHOWN_STEPS = 240; // tokens of the text's end in the maps
const AWAY = 1000; // milliseconds between two frames from which on the page is taken to have been hidden
const FRAME = 14, PAUSE = 120; // milliseconds: of writing between two pictures of the text, and between two of the maps
const FIRST = 160; // tokens that the page writes as it is opened
const MOST_READ = 1000; // tokens of a beginning, its last ones: what stands before them is long forgotten
const TOLD = 400; // characters of what was written that a screen reader is told
const RULES = ["temperature", "top_p", "top_k", "min_p"];
const newSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

const start = (networks) => new WritingPage(networks);

class WritingPage {
  constructor(networks) {
    this.writers = networks.map((network) => new Writer(network));
    this.writer = this.writers[0];
    this.rules = { ...this.writer.rules };
    this.isWriting = false;
    this.chosen = 0; // the token that is looked at, counted from 1; 0 is the one that comes next
    this.unit = -1;
    this.layer = this.writer.layers.layers - 1;
    this.text = new LitText(at("text"), (k) => this.choose(k));
    this.choices = new Choices(at("choices"), (token) => this.take(token));
    this.build(networks);
    at("seed").value = newSeed() % 10000;
    at("input").value = DATA.examples[0] ?? "";
    this.begin();
    this.write(FIRST);
    theme.watch(() => { colours.reset(); this.look(); });
  }

  build(networks) {
    networks.forEach((network, k) => at("network").append(element("option", { value: k }, network.name)));
    DATA.examples.forEach((text, k) => at("example").append(element("option", { value: k }, text.split("\n").join(" ⏎ ").slice(0, 48) || "a new text")));
    at("example").append(element("option", { value: -1, hidden: true }, "your own"));
    at("network").addEventListener("input", () => this.change(Number(at("network").value)));
    at("example").addEventListener("input", () => { at("input").value = DATA.examples[at("example").value]; this.begin(); });
    at("input").addEventListener("input", () => { at("example").value = -1; this.begin(); });
    at("write").addEventListener("click", () => (this.isWriting ? this.stop() : this.write()));
    at("one").addEventListener("click", () => { this.stop(); this.keep(); this.go(); this.show(); });
    at("undo").addEventListener("click", () => this.undo());
    at("anew").addEventListener("click", () => { at("seed").value = newSeed() % 10000; this.begin(); this.write(); });
    at("add").addEventListener("submit", (event) => { event.preventDefault(); this.add(at("words").value); at("words").value = ""; });
    for (const name of RULES) {
      at(name).value = this.rules[name];
      at(name).addEventListener("input", () => { this.rules[name] = Number(at(name).value); this.ruled(); this.look(); });
    }
    at("lit").addEventListener("input", () => this.look());
    at("layer").addEventListener("input", () => { this.layer = Number(at("layer").value); this.unit = -1; this.look(); });
    for (const id of ["unit", "unit-number"]) at(id).addEventListener("input", () => this.chooseUnit(Math.round(Number(at(id).value)) - 1));
    this.ruled();
    this.arrange();
  }

  // What depends on the network: layers, units, maps.
  arrange() {
    const { writer } = this, { layers } = writer, cell = layers.cell_;
    at("layer").replaceChildren(...Array.from({ length: layers.layers }, (_, k) => element("option", { value: k }, `${k + 1}`)));
    at("layer-label").hidden = layers.layers < 2;
    this.layer = Math.min(this.layer, layers.layers - 1);
    for (const id of ["unit", "unit-number"]) at(id).max = layers.units;
    const what = (name) => (cell.titles[name] ? `, ${cell.titles[name]}` : "");
    at("bands").replaceChildren(...cell.names.flatMap((name, n) => [n ? "; " : "", element("b", {}, name), what(name)]));
    this.maps = cell.names.map((name) => new HeatMap(name, cell.titles[name], layers.units, cell.logistic.includes(name), (unit, step) => { this.unit = unit; this.choose(this.from + step); }));
    at("maps").replaceChildren(...this.maps.map((map) => map.figure));
    at("maps").style.cssText = `--units: ${layers.units}`;
    at("choices").style.cssText = colourOf(writer, writer.number);
  }

  ruled() {
    const { temperature, top_p: share, top_k: most, min_p: least } = this.rules;
    const said = {
      temperature: temperature === 0 ? "0, the likeliest" : temperature.toFixed(2), top_p: share === 1 ? "all" : share.toFixed(2),
      top_k: most === 0 ? "all" : String(most), min_p: least === 0 ? "all" : least.toFixed(2),
    };
    for (const name of RULES) at(`${name}-name`).textContent = said[name];
  }

  // --- the text

  get isFull() {
    return this.writer.steps.length >= this.writer.most;
  }

  get isOver() {
    return this.writer.steps.length > 1 && this.writer.steps.at(-1).token === BOUNDARY;
  }

  begin() {
    this.stop();
    this.past = [];
    const tokens = this.writer.written.encode(at("input").value), most = Math.min(MOST_READ, this.writer.most - 100);
    this.given = Math.min(tokens.length, most);
    this.writer.stand([BOUNDARY, ...tokens.slice(tokens.length - this.given)]);
    if (tokens.length > most) say(`The page reads the last ${most.toLocaleString("en")} of the ${tokens.length.toLocaleString("en")} tokens of this beginning.`);
    this.chosen = 0;
    this.show();
  }

  change(k) {
    const after = this.writer.steps.length - 1 - this.given;
    this.writer = this.writers[k];
    this.arrange();
    this.unit = -1;
    this.begin();
    if (after) this.write(after);
  }

  keep() {
    this.past.push({ tokens: this.writer.tokens, given: this.given });
  }

  undo() {
    this.stop();
    const before = this.past.pop();
    if (!before) return;
    this.writer.stand(before.tokens);
    this.given = before.given;
    this.chosen = 0;
    this.show();
  }

  // Goes on by a drawn token; says whether there is room for it.
  go() {
    const { writer } = this, k = writer.steps.length - 1;
    if (this.isFull || this.isOver) return false;
    const shares = drawnBy(this.rules, this.own(k));
    writer.read(drawn(shares, uniformAt(Math.max(0, Math.round(Number(at("seed").value) || 0)), k - this.given)));
    return true;
  }

  // The network's own chances after step `k`, without the tokens that are never drawn.
  own(k) {
    const { banned } = this.writer, chances = this.writer.chances(k);
    if (!banned.length) return chances;
    const left = Float64Array.from(chances);
    for (const token of banned) left[token] = 0;
    const sum = left.reduce((a, b) => a + b, 0);
    return left.map((chance) => chance / sum);
  }

  take(token) {
    this.stop();
    this.keep();
    const before = this.chosen || this.writer.steps.length;
    this.writer.stand([...this.writer.tokens.slice(0, before), token]);
    this.given = Math.min(this.given, before - 1);
    this.chosen = 0;
    this.show();
  }

  add(words) {
    this.stop();
    if (!words || this.isOver) return;
    this.keep();
    this.writer.stand([...this.writer.tokens, ...this.writer.written.encode(words)]);
    this.show();
  }

  // Writes until it is stopped, or `count` tokens. A hidden tab is drawn no frames: there writing rests, and goes on at
  // its pace, without catching up, once somebody looks again.
  write(count = Infinity) {
    this.keep();
    this.chosen = 0;
    this.isWriting = true;
    at("write").textContent = "Stop";
    const first = this.writer.steps.length;
    let pictured = 0, started = performance.now(), last = started;
    const frame = () => {
      const begun = performance.now(), pace = Number(at("pace").value) || Infinity;
      if (begun - last > AWAY) started += begun - last;
      const isDue = () => this.writer.steps.length - first <= (pace * (performance.now() - started)) / 1000;
      let goesOn = true;
      while (goesOn && isDue() && performance.now() - begun < FRAME) goesOn = this.writer.steps.length - first < count && this.go();
      this.speed = (1000 * (this.writer.steps.length - first)) / (performance.now() - started);
      if (!goesOn) this.stop();
      const isPictured = !goesOn || performance.now() - pictured > PAUSE;
      if (isPictured) { this.show(); pictured = performance.now(); }
      last = performance.now();
      if (goesOn) this.frame = requestAnimationFrame(frame);
    };
    this.frame = requestAnimationFrame(frame);
  }

  stop() {
    if (!this.isWriting) return;
    cancelAnimationFrame(this.frame);
    this.isWriting = false;
    at("write").textContent = "Write";
    if (this.isFull) say(`The page keeps ${this.writer.most.toLocaleString("en")} tokens: begin another text, or undo.`);
    else if (this.isOver) say("The text has ended, as a document of the training part does.");
    tell(this.writer.written.texts(this.writer.tokens.slice(this.past.at(-1)?.tokens.length ?? 0)).join("").slice(-TOLD));
    this.show();
  }

  // --- what is looked at

  choose(k) {
    this.chosen = k >= 1 && k < this.writer.steps.length ? k : 0;
    this.look();
  }

  chooseUnit(unit) {
    if (!(unit >= 0 && unit < this.writer.layers.units)) return;
    this.unit = unit;
    this.look();
  }

  // The unit whose memory moves most, to begin with.
  liveliest() {
    const { steps, layers, states } = this.writer, memory = states.at(-1), recent = steps.slice(-SHOWN_STEPS);
    let best = 0, most = -1;
    for (let unit = 0; unit < layers.units; unit++) {
      const values = recent.map((step) => step.named[this.layer][memory][unit]), moved = Math.max(...values) - Math.min(...values);
      if (moved > most) [best, most] = [unit, moved];
    }
    return best;
  }

  // The text, then what depends on the place that is looked at.
  show() {
    const { writer } = this, { steps } = writer;
    this.text.draw(steps, writer.written.texts(writer.tokens), (token) => writer.written.visible(token), this.given);
    at("undo").disabled = !this.past.length;
    at("one").disabled = at("write").disabled = !this.isWriting && (this.isFull || this.isOver);
    const characters = (from, to) => [...writer.written.texts(writer.tokens.slice(from, to)).join("")].length;
    const cost = (from, to) => steps.slice(from, to).reduce((sum, step) => sum + step.bits, 0) / Math.max(1, characters(from, to));
    const part = (name, from, to) => (to > from ? `${name}: ${characters(from, to).toLocaleString("en")} characters, ${cost(from, to).toFixed(2)} bits each` : "");
    at("figures").textContent = [part("The beginning", 1, this.given + 1), part("written", this.given + 1, steps.length),
      this.speed ? `${Math.round(this.speed).toLocaleString("en")} tokens a second` : ""].filter(Boolean).join(" · ");
    this.look();
  }

  look() {
    const { writer, text } = this, { steps, layers } = writer;
    if (this.unit < 0 || this.unit >= layers.units) this.unit = this.liveliest();
    const before = (this.chosen || steps.length) - 1, taken = this.chosen ? steps[this.chosen].token : -1;
    const own = this.own(before);
    this.choices.draw(own, drawnBy(this.rules, own), (token) => writer.written.visible(token), taken);
    at("next-title").replaceChildren(this.chosen ? "Instead of " : "What comes next", this.chosen ? element("bdi", {}, writer.written.visible(taken)) : "");
    text.mark(this.chosen);
    for (const id of ["unit", "unit-number"]) at(id).value = this.unit + 1;
    at("layer").value = this.layer;
    this.lightText();
    this.drawMaps();
  }

  lightText() {
    const { writer, layer, unit } = this, cell = writer.layers.cell_, isLit = at("lit").checked;
    const bound = cell.names.map((name, n) => (cell.logistic.includes(name) ? 1 : writer.steps.reduce((most, step) => Math.max(most, Math.abs(step.named[layer][n][unit])), 1e-9)));
    this.text.light(isLit ? cell.names.length : 0, (step) => cell.names.map((_, n) => colours.full(step.named[layer][n][unit] / bound[n])));
  }

  drawMaps() {
    const { writer, layer, unit } = this, { steps, layers } = writer, cell = layers.cell_, H = layers.units;
    this.from = Math.max(steps.length > 1 ? 1 : 0, Math.min(steps.length - SHOWN_STEPS, this.chosen ? Math.max(1, this.chosen - SHOWN_STEPS / 2) : Infinity));
    const part = steps.slice(this.from, this.from + SHOWN_STEPS), last = (this.chosen || steps.length - 1) - this.from;
    const named = cell.names.map((_, n) => {
      const values = new Float64Array(part.length * H);
      part.forEach((step, t) => values.set(step.named[layer][n], t * H));
      return values;
    });
    const name = (t) => `token ${this.from + t} “${writer.written.visible(part[t].token)}”`;
    this.maps.forEach((map, n) => { map.draw(named[n], part.length, 0, name); map.mark(unit, last); });
    at("curves").replaceChildren(...unitCharts(layers, { named, steps: part.length }, unit, last, 0, (t) => this.choose(this.from + t)));
  }
}
