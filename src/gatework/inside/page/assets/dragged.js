"use strict";

// A chart of numbers by step whose points the person drags, or moves with the arrow keys: left and right choose a step, up
// and down change its value. What is drawn beside them is each chart's own.

class DraggedChart {
  // `changed(step, value)` and `choose(step)` are called as the person acts. Of a chart of `height`, `room` is the share
  // that stays empty above and below.
  constructor(box, { name, height, room, label, changed, choose }) {
    Object.assign(this, { height, room, label, changed, choose });
    this.svg = element("svg", { class: `chart ${name}`, viewBox: `0 -8 ${WIDTH} ${height + 16}`, preserveAspectRatio: "none", tabindex: "0", role: "slider" });
    this.handle = element("div", { class: "handle" });
    this.beside = element("div", { class: "points" });
    this.ends = element("div", { class: "ends" });
    this.area = element("div", { class: "area" }, this.svg, this.beside, this.handle);
    box.append(element("div", { class: "with-ends" }, this.ends, this.area));
    this.area.addEventListener("pointerdown", (event) => this.grabbed(event));
    this.svg.addEventListener("keydown", (event) => this.pressed(event));
  }

  // Takes over the values that can be dragged, of which a missing one is NaN, and `count` steps in all; `every` number is
  // to be seen. While a point is dragged the axis stays as it is.
  arrange(values, step, count, every) {
    Object.assign(this, { values, step, count });
    if (this.isDragging) return;
    const known = every.filter(Number.isFinite), low = known.reduce((a, b) => Math.min(a, b), Infinity), high = known.reduce((a, b) => Math.max(a, b), -Infinity);
    const room = (high - low || 1) * this.room;
    Object.assign(this, known.length ? { low: low - room, high: high + room } : { low: 0, high: 1 });
  }

  x(step) { return (WIDTH * (step + 0.5)) / this.count; }

  y(value) { return this.height - (this.height * (value - this.low)) / (this.high - this.low); }

  percent(value) { return (100 * (this.y(value) + 8)) / (this.height + 16); }

  // A line through numbers from a step on; it is broken where one is missing.
  path(row, from = 0) {
    return Array.from(row, (v, t) => (Number.isFinite(v) ? `${Number.isFinite(row[t - 1]) ? "L" : "M"}${this.x(from + t).toFixed(1)} ${this.y(v).toFixed(1)}` : "")).join("");
  }

  // Puts the handle at the chosen step, and says where it is in words.
  place(words) {
    const value = Number.isFinite(this.values[this.step]) ? this.values[this.step] : (this.low + this.high) / 2;
    this.handle.style.cssText = `left: ${(100 * this.x(this.step)) / WIDTH}%; top: ${this.percent(value)}%`;
    this.ends.replaceChildren(element("span", {}, inFour(this.high)), element("span", {}, inFour(this.low)));
    const about = { label: this.label, valuenow: value, valuemin: this.low, valuemax: this.high, valuetext: words };
    for (const [key, value] of Object.entries(about)) this.svg.setAttribute(`aria-${key}`, value);
  }

  // The step at a place of the screen, which may be one that cannot be dragged.
  stepAt(event) {
    const box = this.area.getBoundingClientRect();
    return Math.max(0, Math.min(this.count - 1, Math.floor(((event.clientX - box.left) / box.width) * this.count)));
  }

  grabbed(event) {
    const box = this.area.getBoundingClientRect(), step = Math.min(this.stepAt(event), this.values.length - 1);
    const isHandle = event.target === this.handle;
    this.choose(isHandle ? this.step : step);
    if (event.pointerType === "touch" && !isHandle) return; // a touch beside the handle chooses; the page may scroll
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    const moved = (e) => {
      const share = (e.clientY - box.top) / box.height;
      const value = this.low + (this.high - this.low) * (1 - (share * (this.height + 16) - 8) / this.height);
      this.isDragging = true;
      this.changed(this.step, Math.max(this.low, Math.min(this.high, value)));
    };
    const ended = () => {
      this.isDragging = false;
      for (const [name, listener] of listeners) removeEventListener(name, listener);
      this.choose(this.step);
    };
    const listeners = [["pointermove", moved], ["pointerup", ended], ["pointercancel", ended]];
    for (const [name, listener] of listeners) addEventListener(name, listener);
  }

  pressed(event) {
    const across = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const up = { ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (across === undefined && up === undefined) return;
    event.preventDefault();
    if (across !== undefined) this.choose(Math.max(0, Math.min(this.values.length - 1, this.step + across)));
    else this.changed(this.step, (Number.isFinite(this.values[this.step]) ? this.values[this.step] : this.low) + up * (this.high - this.low));
  }
}
