"use strict";

// The past, whose points one drags, and the forecast with its intervals behind it.

class ForecastChart extends DraggedChart {
  // `changed(step, value)`, `choose(step)` of the past and `ahead(step)` of the future are called as the person acts.
  constructor(box, { changed, choose, ahead }) {
    super(box, { name: "forecast-chart", height: 260, room: 0.08, label: "The past: left and right choose a step, up and down change its value", changed, choose });
    this.ahead = ahead;
  }

  draw(values, quantiles, { step, chosen, median, colour, times }) {
    const count = values.length + quantiles.length;
    this.arrange(values, step, count, [...values, ...quantiles.flat()]);
    // Everything that is forecast begins at the last value, where nothing is unknown.
    const last = values[values.length - 1], from = values.length - 1, ahead = (of) => [last, ...quantiles.map(of)];
    const bands = [0, 1, 2].map((k) => {
      const high = ahead((row) => row[row.length - 1 - k]), low = ahead((row) => row[k]).reverse();
      const back = low.map((v, t) => `L${this.x(count - 1 - t).toFixed(1)} ${this.y(v).toFixed(1)}`).join("");
      return element("path", { class: "band", style: `--c: ${colour}`, d: `${this.path(high, from)}${back}Z` });
    });
    const now = this.x(values.length + chosen);
    this.svg.replaceChildren(...bands,
      element("line", { class: "now", x1: now, x2: now, y1: -8, y2: this.height + 8 }),
      element("path", { class: "past", d: this.path(values) }),
      element("path", { class: "said", style: `--c: ${colour}`, d: this.path(ahead((row) => row[median]), from) }));
    this.place(`${times[step]}: ${inFour(values[step])}`);
  }

  grabbed(event) {
    const at = this.stepAt(event);
    if (at >= this.values.length) this.ahead(at - this.values.length);
    else super.grabbed(event);
  }
}
