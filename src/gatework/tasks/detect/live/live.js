"use strict";

// The page of a detector: drag a point, and see what is expected, what stands out and why, and the gates.

const start = (networks) => new DetectPage(networks);

const MOST_REASONS = 8;

class DetectPage {
  constructor(networks) {
    this.detectors = networks.map((network) => new Detector(network));
    this.detector = this.detectors[0];
    const choose = (step) => { this.step = step; this.show(); };
    this.chart = new DetectChart(at("series"), { choose, changed: (step, value) => { this.values[step][this.column] = value; choose(step); } });
    this.gates = new GatesPanel({ choose: (place) => choose(place + this.answered.from), changed: () => this.show() });
    networks.forEach((network, k) => at("network").append(element("option", { value: k }, network.name)));
    at("network").addEventListener("input", () => { this.detector = this.detectors[at("network").value]; this.arrange(); });
    at("window").addEventListener("input", () => this.begin());
    at("column").addEventListener("input", () => { this.column = Number(at("column").value); this.show(); });
    at("reset").addEventListener("click", () => this.begin());
    this.arrange();
    theme.watch(() => { colours.reset(); this.show(); });
  }

  arrange() {
    const { layers, windows, columns } = this.detector;
    at("window").replaceChildren(...windows.map((window, k) => element("option", { value: k }, window.title)));
    at("window-label").hidden = windows.length < 2;
    at("column").replaceChildren(...columns.map((name, k) => element("option", { value: k }, name)));
    at("column-label").hidden = at("of-column").hidden = columns.length < 2;
    this.gates.arrange(layers);
    this.begin();
  }

  // Shows a stretch as it was, at the row that stands out most.
  begin() {
    const { detector } = this;
    this.window = detector.windows[at("window").value || 0];
    this.values = this.window.values.map((row) => row.map((v) => v ?? NaN));
    const { scores, causes } = detector.answer(this.values, this.window), most = scores.reduce((a, b) => (b > a ? b : a), 0);
    this.step = Math.max(0, scores.indexOf(most));
    this.column = Math.max(0, causes[this.step]);
    this.show();
  }

  show() {
    const { detector, window, values, step, column } = this, answered = detector.answer(values, window);
    this.answered = answered;
    at("column").value = column;
    const of = (rows) => rows.map((row) => row[column]), spans = spansOf(answered.scores, detector.gap);
    const colour = colourOf(detector, detector.number).replace("--c: ", "");
    const [expected, low, high] = [answered.expected, answered.low, answered.high].map(of);
    this.chart.draw(of(values), { expected, low, high, spans, step, colour, times: window.times });
    this.tell(answered, spans);
    this.weigh(answered);
    this.explain(answered);
    const place = Math.max(0, step - answered.from);
    this.gates.show(answered.traces, answered.count, place, (k) => window.times[k + answered.from]);
    document.body.dataset.said = answered.scores[step];
  }

  // The chosen row in words: what it is, whether it stands out, as what and by which column.
  tell({ scores, kinds, causes, expected, low, high }, spans) {
    const { detector, window, values, step, column } = this, was = window.values[step][column] ?? NaN, is = values[step][column];
    at("point").textContent = `${window.times[step]}: ${inFour(is)}${Object.is(is, was) ? "" : `, was ${inFour(was)}`}`;
    const score = scores[step], name = detector.columns[causes[step]];
    const beside = isNumber(expected[step][column]) ? ` Expected: ${inFour(expected[step][column])}, and ${inFour(low[step][column])} to ${inFour(high[step][column])} of a single row would not stand out.` : "";
    const kind = kinds[step] >= 0 ? `: ${detector.kinds[kinds[step]]}` : "", by = name && detector.columns.length > 1 ? ` of ${name}` : "";
    const words = !isNumber(score) ? "No score: nothing to compare with." : score > 0.5 ? `Anomalous${kind}${by}, score ${shown(score, 2)}.` : `As usual, score ${shown(score, 2)} of the 0.5 from which a row stands out.`;
    at("said").textContent = words + beside;
    at("spans").textContent = spans.length ? `${spans.length} span${spans.length > 1 ? "s" : ""} stand${spans.length > 1 ? "" : "s"} out here: ${spans.map(([a, b]) => (a === b ? window.times[a] : `${window.times[a]} to ${window.times[b]}`)).slice(0, 5).join("; ")}.` : "Nothing stands out here.";
  }

  // The score by everything that judges the column, over the rows.
  weigh({ judged, factor }) {
    const { detector, step, column } = this;
    const lines = judged.map((one, n) => ({ name: detector.judgeNames[n], colour: LINES[n % LINES.length], values: Float64Array.from(one.ratios, (row) => row[column] / (row[column] + factor)) }));
    const label = `Scores of ${detector.columns[column]}: ${lines.map((line) => `${line.name} ${shown(line.values[step], 2)}`).join(", ")}. A row stands out above 0.5.`;
    at("scores").replaceChildren(lineChart(lines, { from: 0, low: 0, high: 1, limit: 0.5, step, label, choose: (k) => { this.step = k; this.show(); } }));
  }

  // Error against threshold, of every column and judge, the farthest above it first.
  explain({ judged, factor }) {
    const { detector, window, step } = this, { std } = window.carried;
    const reasons = detector.columns.flatMap((name, v) => judged.map((one, n) => ({ name, v, judge: detector.judgeNames[n], one, times: one.ratios[step][v] / factor })));
    const listed = reasons.filter(({ times }) => isNumber(times)).sort((a, b) => b.times - a.times).slice(0, MOST_REASONS);
    const said = ({ one, v }) => {
      if (one.told) return one.told(step, v);
      return one.smoothed ? `error ${inFour(one.smoothed[step][v] * std[v])}, threshold ${inFour(factor * one.thresholds[step][v] * std[v])}` : "";
    };
    at("reasons").replaceChildren(...listed.map((reason) => element("tr", { class: reason.times > 1 ? "above" : null },
      ...(detector.columns.length > 1 ? [element("td", {}, reason.name)] : []), element("td", {}, reason.judge), element("td", {}, said(reason)), element("td", { class: "number" }, `${shown(reason.times, 2)} ×`))));
  }
}
