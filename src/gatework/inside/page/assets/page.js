"use strict";

// The page: unpacks the networks, runs them whenever the input changes, and draws what is looked at.

const DATA = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const INTEGRAL_POINTS = 24;
const PAUSE = 180; // milliseconds without a key press before integrated gradients are computed
const STRETCH = 12; // milliseconds of computing after which the page is let draw and listen

class Page {
  constructor(networks) {
    this.networks = networks;
    this.kind = DATA.kind;
    this.answers = null;
    view.units = [];
    if (networks.every((n) => n.classes.length === 2)) view.explain = 1;
    viewFromHash(location.hash, this.kind, DATA.variables);
    this.build();
    if (view.preset >= 0) this.usePreset(Math.min(view.preset, DATA.presets.length - 1));
    else this.showInput();
    theme.watch(() => { colours.reset(); this.draw(); });
    this.compute();
  }

  // --- what stands in the page before anything is computed

  build() {
    this.columns = this.networks.map((network, k) => this.column(network, k));
    DATA.presets.forEach((preset, k) => at("preset").append(element("option", { value: k }, preset.label)));
    at("preset").append(element("option", { value: -1, hidden: true }, "your own"));
    this.options("layer", Math.max(...this.networks.map((n) => n.layers)), (k) => `${k + 1}`);
    at("direction-label").hidden = this.networks.every((n) => n.directions === 1);
    this.options("variable", DATA.variables, (k) => DATA.variable_names[k] ?? `${k + 1}`);
    const classes = this.networks[0].classes;
    at("explain-label").hidden = !classes.length;
    ["the predicted class", ...classes].forEach((name, k) => at("explain").append(element("option", { value: k - 1 }, name)));
    const names = [...new Set(this.networks.flatMap((n) => n.cell_.names))];
    at("colour").append(element("option", { value: "contribution" }, "contribution to the answer"),
      ...names.map((name) => element("option", { value: name }, `${name}: ${this.title(name)} of the chosen unit`)));
    view.colour = ["contribution", ...names].includes(view.colour) ? view.colour : "contribution";
    view.layer = Math.min(view.layer, Math.max(...this.networks.map((n) => n.layers)) - 1);
    view.direction = Math.min(view.direction, 1);
    view.explain = Math.min(view.explain, classes.length - 1);
    for (const name of ["layer", "direction", "variable", "explain", "step"]) at(name).addEventListener("input", () => { view[name] = Number(at(name).value); this.changed(name); });
    for (const name of ["colour", "method"]) at(name).addEventListener("input", () => { view[name] = at(name).value; this.changed(name); });
    at("preset").addEventListener("input", () => { this.usePreset(Number(at("preset").value)); this.compute(); });
    at("link").addEventListener("click", () => this.copyLink());
    addEventListener("hashchange", () => this.restore());
    if (this.kind === "text") at("input").addEventListener("input", () => { view.text = at("input").value; this.edited(); });
    else this.series = new SeriesInput(at("input"), { choose: (step) => this.choose(0, step), changed: (step, variable, value) => { view.values[step][variable] = value; this.edited(); } });
  }

  options(id, count, name) {
    for (let k = 0; k < count; k++) at(id).append(element("option", { value: k }, name(k)));
    at(`${id}-label`).hidden = count < 2;
  }

  title(name) {
    return this.networks.find((n) => n.cell_.names.includes(name)).cell_.titles[name] || "value";
  }

  column(network, k) {
    const colour = `--cell-${network.cell.replaceAll("_", "-")}`;
    const head = (note) => element("h3", {}, element("span", { class: "key", style: `--c: var(${colour}, var(--cell-other-${k % 5}))` }, network.name), element("small", {}, note));
    const place = (id, note, ...children) => at(id).append(element("article", { class: "run", style: `--c: var(${colour}, var(--cell-other-${k % 5})); --units: ${network.units}` }, head(note), ...children));
    const made = { colour, prediction: element("div", {}), bars: element("div", {}), charts: element("div", {}), equations: element("div", { class: "equations" }) };
    made.time = element("small", {});
    place("predictions", `${network.parameters.toLocaleString("en")} parameters${network.around && ` · ${network.around}`}`, made.prediction, element("p", { class: "caption" }, made.time));
    if (this.kind === "text") {
      made.strip = new Strip((step) => this.choose(k, step));
      made.strip.id = `token-${k}`;
    }
    place("reading", "", ...(made.strip ? [made.strip.box, made.strip.note] : [made.bars]));
    made.maps = network.cell_.names.map((name) => new HeatMap(name, network.cell_.titles[name], network.units, network.cell_.logistic.includes(name),
      (unit, step) => { view.units[k] = unit; this.choose(k, step); }));
    place("maps", network.cell_.title, element("div", { class: "maps" }, ...made.maps.map((map) => map.figure)));
    made.number = element("input", { type: "number", min: 1, max: network.units, "aria-label": `Unit of ${network.name}` });
    made.range = element("input", { type: "range", min: 1, max: network.units, "aria-label": `Unit of ${network.name}` });
    for (const input of [made.number, made.range]) input.addEventListener("input", () => {
      const unit = Math.round(Number(input.value)) - 1;
      if (unit >= 0 && unit < network.units) { view.units[k] = unit; this.look(); }
    });
    made.where = element("span", {});
    place("units", "", element("div", { class: "unit-bar" }, element("label", {}, "Unit ", made.number), made.range, made.where), made.charts, made.equations);
    return made;
  }

  // --- the input

  usePreset(k) {
    view.preset = k;
    const preset = DATA.presets[k];
    this.answers = preset.answer;
    if (this.kind === "text") view.text = preset.text;
    else view.values = preset.values.map((step) => [...step]);
    this.showInput();
  }

  showInput() {
    if (this.kind === "text" && at("input").value !== view.text) at("input").value = view.text;
    at("preset").value = view.preset;
  }

  edited() {
    view.preset = -1;
    this.answers = null;
    at("preset").value = -1;
    this.compute();
  }

  restore() {
    if (location.hash === this.hash) return;
    viewFromHash(location.hash, this.kind, DATA.variables);
    if (view.preset >= 0) this.usePreset(Math.min(view.preset, DATA.presets.length - 1));
    else { this.answers = null; this.showInput(); }
    this.compute();
  }

  async copyLink() {
    this.remember();
    try {
      await navigator.clipboard.writeText(location.href);
      this.say("The link is copied.");
    } catch {
      this.say("The link stands in the address bar.");
    }
  }

  say(words) {
    at("status").textContent = words;
    clearTimeout(this.silence);
    this.silence = setTimeout(() => { at("status").textContent = ""; }, 4000);
  }

  // --- computing

  compute() {
    const started = performance.now();
    this.results = this.networks.map((network, k) => {
      const before = performance.now();
      const reading = this.kind === "text" ? readText(network, view.text) : readSeries(network, view.values);
      const result = network.run(reading), target = this.target(network, result);
      const contributions = gradientTimesInput(network, result, target);
      const milliseconds = performance.now() - before;
      if (this.columns[k].strip) this.columns[k].strip.read(reading);
      return { reading, result, target, contributions, milliseconds };
    });
    view.units = this.networks.map((network, k) => Math.min(view.units[k] ?? this.liveliest(k), network.units - 1));
    this.draw();
    this.milliseconds = performance.now() - started;
    this.integrate();
  }

  // The unit whose memory moves most, to begin with.
  liveliest(k) {
    const { states, steps } = this.trace(k), memory = states.at(-1), { units } = this.networks[k];
    const moves = Array.from({ length: units }, (_, unit) => {
      let low = Infinity, high = -Infinity;
      for (let t = 0; t < steps; t++) { low = Math.min(low, memory[t * units + unit]); high = Math.max(high, memory[t * units + unit]); }
      return high - low;
    });
    return moves.indexOf(Math.max(...moves));
  }

  target(network, result) {
    if (!network.classes.length) return 0;
    return view.explain >= 0 ? view.explain : result.scores.indexOf(Math.max(...result.scores));
  }

  // Integrated gradients take many runs: they are computed once the person pauses, a stretch at a time.
  integrate() {
    clearTimeout(this.pause);
    if (document.body.dataset.state) document.body.dataset.state = "ready";
    if (view.method !== "integrated") return;
    const results = this.results;
    this.pause = setTimeout(async () => {
      let rested = performance.now();
      const rest = async () => {
        if (performance.now() - rested < STRETCH) return true;
        await new Promise((go) => { setTimeout(go, 0); });
        rested = performance.now();
        return this.results === results && view.method === "integrated";
      };
      for (const [k, own] of results.entries()) {
        const found = await integratedGradients(this.networks[k], own.reading, own.target, INTEGRAL_POINTS, rest);
        if (!found) return;
        own.contributions = found;
      }
      this.draw();
      document.body.dataset.state = "integrated";
    }, PAUSE);
  }

  changed(name) {
    if (name === "explain" || name === "method") this.compute();
    else if (name === "layer" || name === "direction" || name === "variable") this.draw();
    else this.look();
  }

  // --- drawing

  trace(k) {
    const { traces } = this.results[k].result, own = traces[Math.min(view.layer, traces.length - 1)];
    return own[Math.min(view.direction, own.length - 1)];
  }

  // Everything; `look()` alone where only the chosen unit or step changed.
  draw() {
    if (!this.results) return;
    this.results.forEach(({ reading, result, milliseconds }, k) => {
      const network = this.networks[k], column = this.columns[k], trace = this.trace(k);
      column.prediction.replaceChildren(...prediction(network, result, this.answers));
      column.time.textContent = `${reading.steps - (reading.from ? reading.from + 3 : 0)} steps in ${milliseconds.toFixed(0)} ms`;
      column.maps.forEach((map, n) => map.draw(trace.named[n], reading.steps, reading.from, (step) => stepName(reading, step)));
    });
    this.look();
  }

  // Networks may read different numbers of steps (`maxTokens`, padding), but all end at the same one: steps are counted
  // in the longest reading, and the same step of another run is as far from the end.
  longest() {
    return this.results.reduce((a, b) => (b.reading.steps > a.reading.steps ? b : a)).reading;
  }

  choose(k, step) {
    view.step = step + this.longest().steps - this.results[k].reading.steps;
    this.look();
  }

  look() {
    const longest = this.longest(), last = longest.steps - 1;
    if (view.step > last) view.step = -1;
    const step = view.step < 0 ? last : Math.max(longest.from, view.step);
    Object.assign(at("step"), { min: longest.from, max: last });
    at("step").value = step;
    at("step-name").textContent = stepName(longest, step);
    this.results.forEach((own, k) => this.lookAt(own, k, Math.max(own.reading.from, own.reading.steps - 1 - (last - step))));
    if (this.series) this.series.draw(view.values, view.variable, step, this.markers());
    at("colour-help").textContent = this.colourHelp();
    at("method").parentElement.hidden = view.colour !== "contribution";
    at("explain-label").hidden = view.colour !== "contribution" || !this.networks[0].classes.length;
    for (const name of ["layer", "direction", "variable", "explain", "colour", "method"]) at(name).value = view[name];
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.remember(), 300);
  }

  remember() {
    clearTimeout(this.writing);
    this.hash = viewToHash(this.kind);
    history.replaceState(null, "", this.hash);
  }

  lookAt(own, k, step) {
    const network = this.networks[k], column = this.columns[k], trace = this.trace(k), unit = view.units[k], { reading } = own;
    const choose = (t) => this.choose(k, t);
    const name = view.colour === "contribution" ? -1 : network.cell_.names.indexOf(view.colour);
    const values = name >= 0 ? Float64Array.from({ length: reading.steps }, (_, t) => trace.named[name][t * network.units + unit])
      : view.colour === "contribution" ? own.contributions : new Float64Array(reading.steps).fill(NaN);
    let largest = 1e-12;
    values.forEach((value) => { if (Math.abs(value) > largest) largest = Math.abs(value); });
    const words = (t) => `${view.colour} ${shown(values[t])}`;
    if (column.strip) {
      column.strip.colour(values.map((v) => v / largest), words);
      column.strip.mark(step);
    } else {
      column.bars.replaceChildren(barChart(values, { from: reading.from, step, choose, label: `${view.colour} by step; at step ${step + 1} ${shown(values[step])}` }),
        element("p", { class: "caption" }, Number.isFinite(values[step]) ? `step ${step + 1}: ${shown(values[step])}; the longest bar is ${shown(largest)}` : `the ${network.cell} has no ${view.colour}`));
    }
    column.maps.forEach((map) => map.mark(unit, step));
    column.number.value = unit + 1;
    column.range.value = unit + 1;
    column.where.textContent = `at ${stepName(reading, step)}`;
    column.charts.replaceChildren(...unitCharts(network, trace, unit, step, reading.from, choose));
    const folds = () => [...column.equations.querySelectorAll("details")], open = folds().map((fold) => fold.open);
    column.equations.replaceChildren(...arithmetic(network, trace, unit, step));
    folds().forEach((fold, n) => { fold.open = Boolean(open[n]); });
  }

  markers() {
    if (DATA.variables !== 1 || this.networks.some((n) => n.classes.length || n.outputs !== 1)) return [];
    const found = this.networks.map((network, k) => ({ name: network.name, colour: this.columns[k].colour, value: valuesOf(network, this.results[k].result.scores)[0] }));
    return Array.isArray(this.answers) ? [...found, { name: "actual", colour: "--ink", value: this.answers[0], isAnswer: true }] : found;
  }

  colourHelp() {
    if (view.colour !== "contribution") return `${view.colour} of the chosen unit of each network, blue above zero, orange below.`;
    const { classes } = this.networks[0], targets = new Set(this.results.map((own) => own.target));
    const name = targets.size === 1 ? `“${classes[this.results[0].target]}”` : "the class that each network predicts";
    const what = classes.length ? `for ${name}` : "for a higher value";
    return `Blue speaks ${what}, orange against it: how much each step moved the answer, by ${view.method === "integrated" ? "integrated gradients" : "gradient × input"}.`;
  }
}

(async () => {
  const words = await Promise.all([...document.querySelectorAll("[id^=words-]")].map((holder) => unpackWords(holder.id)));
  const tensors = await Promise.all(DATA.runs.map((run, k) => unpackTensors(`weights-${k}`, run.tensors)));
  window.gatework = new Page(DATA.runs.map((run, k) => new Network(run, tensors[k], words[run.vocabulary])));
  at("status").textContent = "";
  document.body.dataset.state = "ready";
})().catch((error) => {
  at("status").textContent = "This browser cannot run the page: it needs one of the year 2023 or later.";
  throw error;
});
