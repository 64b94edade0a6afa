"use strict";

// The letters over time: a curve of the probability of each that is ever likely, its name above the place where it is
// written, and the blank behind them all. A line stands at the step that is heard.

const SEEN = 0.05;

class Spikes {
  // `choose(step)` is called when the person picks a place.
  constructor(choose) {
    this.now = element("div", { class: "cross column" });
    this.names = element("div", { class: "names", "aria-hidden": "true" });
    this.area = element("div", { class: "spikes" }, this.now, this.names);
    this.ticks = element("div", { class: "ticks", "aria-hidden": "true" });
    this.area.addEventListener("click", (event) => {
      const box = this.area.getBoundingClientRect();
      choose(Math.max(0, Math.min(this.steps - 1, Math.floor(((event.clientX - box.left) / box.width) * this.columns))));
    });
  }

  // `columns` is the length of the recording in steps, of which the last one may be filled up.
  draw({ shares, letters, steps, text }, nameOf, columns, secondsOfStep) {
    Object.assign(this, { steps, columns });
    const height = 100, x = (t) => Math.min(WIDTH, (WIDTH * (t + 0.5)) / columns);
    const curve = (k) => shares.map((row, t) => `${t ? "L" : "M"}${x(t).toFixed(1)} ${(height * (1 - row[k])).toFixed(1)}`).join("");
    const seen = Array.from(shares[0].keys()).filter((k) => k !== BLANK && shares.some((row) => row[k] > SEEN));
    this.svg?.remove();
    this.svg = element("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", role: "img",
      "aria-label": `The letters heard over ${shown(steps * secondsOfStep, 1)} seconds: ${text || "none"}` },
      ...[0, 0.5, 1].map((share) => element("line", { class: "grid", x1: 0, x2: WIDTH, y1: height * share, y2: height * share })),
      element("path", { class: "blank", d: curve(BLANK) }),
      ...seen.map((k) => element("path", { d: curve(k), style: `stroke: var(${this.colour(k)})` })));
    this.area.prepend(this.svg);
    this.names.replaceChildren(...letters.map(({ unit, step }) =>
      element("span", { style: `--at: ${(100 * (step + 0.5)) / columns}%; color: var(${this.colour(unit)})` }, nameOf(unit))));
    const seconds = columns * secondsOfStep, most = this.area.clientWidth / 60;
    const apart = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((each) => seconds / each <= most) ?? 20;
    this.ticks.replaceChildren(...Array.from({ length: Math.floor(seconds / apart) + 1 }, (_, k) =>
      element("span", { style: `left: ${(100 * k * apart) / seconds}%` }, `${shown(k * apart, apart < 1 ? 1 : 0)} s`)));
  }

  mark(step) {
    this.now.style.left = `${(100 * (step + 0.5)) / this.columns}%`;
  }

  colour(unit) {
    return LINES[unit % LINES.length];
  }
}
