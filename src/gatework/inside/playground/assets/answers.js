"use strict";

// What each network says of one held-out sequence beside what is right, and how it does on all of them.

class AnswerPanel {
  constructor(entry, number) {
    Object.assign(this, { entry, number });
    this.score = element("p", { class: "score" }, "…");
    this.detail = element("p", { class: "caption" });
    this.body = element("div");
    this.figure = element("div", { class: "run" }, element("h3", {}, element("span", { class: "key", style: `--c: var(${entry.colour})` }, entry.name)), this.score, this.detail, this.body);
    this.figure.style.setProperty("--c", `var(${entry.colour})`);
    this.chart = null;
  }

  draw(state, network) {
    const { task, example } = state;
    this.score.replaceChildren(...this.scored(task, network));
    this.detail.textContent = this.detailed(task, network);
    this.detail.hidden = !this.detail.textContent;
    if (!example) return;
    if (task.loss === "classes") this.drawSymbols(task, example, network);
    else if (network.all) this.drawScatter(example, network);
    else this.drawSeries(task, example, network);
  }

  scored(task, { loss, right, explodedAt }) {
    if (explodedAt !== null) return ["exploded"];
    if (task.loss === "classes") return [`${Math.round(100 * right)} %`, element("small", {}, " right")];
    return [lossText(loss), element("small", {}, " mean squared error")];
  }

  detailed(task, { loss, baseline, ahead, explodedAt }) {
    if (explodedAt !== null) return `At step ${explodedAt} its loss was more than a million times that of ${task.baseline}.`;
    if (task.floor !== null && task.isTrap) {
      const under = loss < task.floor ? "Below the noise, which no prediction can be: it copies. " : "";
      return `${under}As a prediction of the next step it scores ${lossText(ahead)}.`;
    }
    const times = baseline / loss;
    if (!(times > 0)) return "";
    if (times > 1.1) return `${times >= 10 ? Math.round(times) : times.toFixed(1)} times better than ${task.baseline} (${lossText(baseline)}).`;
    return times > 0.9 ? `No better than ${task.baseline} (${lossText(baseline)}).` : `Worse than ${task.baseline} (${lossText(baseline)}).`;
  }

  // The symbols read, what should be said and what is said, one below the other.
  drawSymbols(task, { tokens, targets, scored }, { said, written }) {
    const columns = tokens.map((token, t) => {
      const read = visible(task.symbols[token]);
      if (!scored[t]) return element("span", {}, read, element("i", {}, " "), element("i", {}, " "));
      const answer = task.answers[said.values[t]] ?? "–", isRight = said.values[t] === targets[t];
      return element("span", {}, read, element("i", {}, visible(short(task.answers[targets[t]]))),
        element("i", { class: isRight ? "yes" : "no", style: `--sure: ${said.chances[t].toFixed(2)}` }, visible(short(answer))));
    });
    const wrong = scored.reduce((n, is, t) => n + (is && said.values[t] !== targets[t]), 0), asked = scored.reduce((a, b) => a + b);
    const label = `Reads ${tokens.map((token) => task.symbols[token]).join("")}; ${asked - wrong} of ${asked} answers are right.`;
    const parts = [element("div", { class: "strip-of-symbols", role: "img", "aria-label": label }, ...columns)];
    if (written !== null) parts.push(element("p", { class: "written" }, element("small", {}, "It writes:"), written));
    this.body.replaceChildren(...parts);
  }

  // The series and the prediction for each of its steps.
  drawSeries({ mean, spread }, example, { said }) {
    this.ready(150, { x: "step" });
    const inUnits = (values) => Array.from(values, (value) => mean + spread * value), targets = inUnits(example.targets);
    const lines = [{ values: targets, class: "actual" }, { values: inUnits(said.values), colour: this.entry.colour, dash: DASHES[this.number % DASHES.length] }];
    this.chart.draw({ lines, x: [0, targets.length - 1], y: spanOf(targets), label: "The right values as a thin dark line, and those that the network says." });
  }

  // All held-out sequences: what is right across, what is said upwards.
  drawScatter(example, { all }) {
    this.ready(190, { x: "right" });
    const span = spanOf(example.all), dots = example.all.map((x, k) => ({ x, y: all[k], colour: this.entry.colour }));
    const diagonal = { values: span, unit: span[1] - span[0], from: span[0], class: "actual" };
    dots[example.number].isChosen = true;
    this.chart.draw({ lines: [diagonal], dots: dots.filter(({ y }) => Number.isFinite(y)), x: span, y: span, label: `${dots.length} sequences: the answer of the network upwards, the right one across; on the line they agree.` });
  }

  ready(height, names) {
    if (this.chart) return;
    this.chart = new Chart(height, names);
    this.body.replaceChildren(this.chart.svg);
  }
}

// Three digits, without an exponent as long as people read it so.
function lossText(value) {
  if (!(Math.abs(value) >= 1e-5 && Math.abs(value) < 1e4)) return value === 0 ? "0" : tickText(Number(value.toPrecision(2)));
  return Number(value.toPrecision(3)).toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
}

const short = (answer) => (answer === "none" ? "–" : answer.length > 1 ? answer[0] : answer);
const visible = (symbol) => (symbol === " " ? "␣" : symbol);

function spanOf(values) {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || 1) * 0.12;
  return [low - room, high + room];
}
