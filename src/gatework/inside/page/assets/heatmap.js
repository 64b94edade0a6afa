"use strict";

// One gate or state of every unit (rows) over the steps (columns), on a canvas, with its content in words beside it.

class HeatMap {
  // `choose(unit, step)` is called when the person picks a place.
  constructor(name, title, units, isGate, choose) {
    Object.assign(this, { name, units, isGate, choose });
    this.canvas = element("canvas", { tabindex: "0", role: "img", height: units });
    this.row = element("div", { class: "cross row" });
    this.column = element("div", { class: "cross column" });
    this.words = element("span", { class: "words" });
    this.area = element("div", { class: "area" }, this.canvas, this.row, this.column);
    this.figure = element("figure", { class: "map" },
      element("figcaption", {}, element("b", {}, name), title ? ` ${title} ` : " ", this.words), this.area);
    this.canvas.addEventListener("pointermove", (event) => this.told(this.placeOf(event)));
    this.canvas.addEventListener("pointerleave", () => this.told(null));
    this.canvas.addEventListener("click", (event) => { const { unit, step } = this.placeOf(event); this.choose(unit, step); });
    this.canvas.addEventListener("keydown", (event) => this.moved(event));
  }

  placeOf(event) {
    const box = this.canvas.getBoundingClientRect(), clip = (v, n) => Math.max(0, Math.min(n - 1, Math.floor(v)));
    const column = clip(((event.clientX - box.left) / box.width) * this.columns, this.columns);
    return { unit: clip(((event.clientY - box.top) / box.height) * this.units, this.units), step: this.from + column };
  }

  moved(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const clip = (v, low, high) => Math.max(low, Math.min(high, v));
    this.choose(clip(this.unit + by[0], 0, this.units - 1), clip(this.step + by[1], this.from, this.from + this.columns - 1));
  }

  // `values` are (steps x units); columns from `from` on are shown, and `labels` says what each step reads.
  draw(values, steps, from, labels) {
    Object.assign(this, { values, from, labels, columns: steps - from });
    const { canvas, units } = this;
    canvas.width = this.columns;
    let bound = 1e-9;
    for (let at = from * units; at < steps * units; at++) bound = Math.max(bound, Math.abs(values[at]));
    this.bound = this.isGate ? 1 : bound;
    const context = canvas.getContext("2d"), image = context.createImageData(this.columns, units);
    colours.paint(image, values, units, from, this.bound);
    context.putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", `${this.name}, ${units} units over ${this.columns} steps. ${this.summary()}`);
    this.told(null);
  }

  mark(unit, step) {
    Object.assign(this, { unit, step });
    this.row.style.cssText = `top: ${(100 * (unit + 0.5)) / this.units}%`;
    this.column.style.cssText = `left: ${(100 * (step - this.from + 0.5)) / this.columns}%`;
  }

  told(place) {
    this.words.textContent = place
      ? `unit ${place.unit + 1}, ${this.labels(place.step)}: ${shown(this.values[place.step * this.units + place.unit])}`
      : this.summary();
  }

  summary() {
    const { values, units, from } = this, end = values.length, count = Math.max(1, end - from * units);
    let sum = 0, open = 0, closed = 0;
    for (let at = from * units; at < end; at++) {
      sum += values[at];
      open += values[at] > 0.9;
      closed += values[at] < 0.1;
    }
    const share = (n) => `${Math.round((100 * n) / count)} %`;
    return this.isGate
      ? `mean ${shown(sum / count, 2)}, ${share(open)} above 0.9, ${share(closed)} below 0.1`
      : `from ${shown(-this.bound, 2)} to ${shown(this.bound, 2)}`;
  }
}
