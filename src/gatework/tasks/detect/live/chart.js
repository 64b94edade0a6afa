"use strict";

// The rows of one column, whose points one drags, with what is expected of them and what stands out.

class DetectChart extends DraggedChart {
  // `changed(step, value)` and `choose(step)` are called as the person acts.
  constructor(box, { changed, choose }) {
    super(box, { name: "detect-chart", height: 260, room: 0.08, label: "The rows: left and right choose one, up and down change its value", changed, choose });
  }

  // `values`, `expected`, `low` and `high` are numbers by row; `spans` are the flagged ones, [first, last].
  draw(values, { expected, low, high, spans, step, colour, times }) {
    this.arrange(values, step, values.length, [...values, ...expected]);
    const within = (v) => Math.max(this.low, Math.min(this.high, v)), wide = WIDTH / this.count;
    const rects = spans.map(([first, last]) => element("rect", { class: "flagged", x: this.x(first) - wide / 2, width: wide * (last - first + 1), y: -8, height: this.height + 16 }));
    this.svg.replaceChildren(...rects, ...this.band(low.map(within), high.map(within), colour),
      element("line", { class: "now", x1: this.x(step), x2: this.x(step), y1: -8, y2: this.height + 8 }),
      element("path", { class: "said", style: `--c: ${colour}`, d: this.path(expected) }),
      element("path", { class: "past", d: this.path(values) }));
    this.place(`${times[step]}: ${inFour(values[step])}`);
  }

  // What would not be flagged, from `low` to `high`; it is broken where nothing is expected.
  band(low, high, colour) {
    const first = low.findIndex(Number.isFinite);
    if (first < 0) return [];
    const known = [...low.keys()].filter((t) => Number.isFinite(low[t])), points = (row, steps) => steps.map((t) => `${this.x(t).toFixed(1)} ${this.y(row[t]).toFixed(1)}`).join("L");
    return [element("path", { class: "band", style: `--c: ${colour}`, d: `M${points(high, known)}L${points(low, [...known].reverse())}Z` })];
  }
}
