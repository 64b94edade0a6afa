"use strict";

// A series whose points the person drags, or moves with the arrow keys: left and right choose a step, up and down change it.

class SeriesInput {
  // `changed(step, variable, value)` and `choose(step)` are called as the person acts.
  constructor(box, { changed, choose }) {
    Object.assign(this, { box, changed, choose, height: 200 });
    this.svg = element("svg", { class: "chart series-chart", viewBox: `0 -8 ${WIDTH} ${this.height + 16}`, preserveAspectRatio: "none", tabindex: "0", role: "slider" });
    this.handle = element("div", { class: "handle" });
    this.points = element("div", { class: "points" });
    this.ends = element("div", { class: "ends" });
    this.area = element("div", { class: "area" }, this.svg, this.points, this.handle);
    box.append(element("div", { class: "with-ends" }, this.ends, this.area));
    this.area.addEventListener("pointerdown", (event) => this.grabbed(event));
    this.svg.addEventListener("keydown", (event) => this.pressed(event));
  }

  get(step) { return this.values[step][this.variable]; }

  draw(values, variable, step, markers) {
    Object.assign(this, { values, variable, step });
    const own = Float64Array.from(values, (row) => row[variable]);
    const every = [...own, ...markers.map((m) => m.value)];
    if (!this.isDragging) {
      const low = Math.min(...every), high = Math.max(...every), room = (high - low || 1) * 0.15;
      Object.assign(this, { low: low - room, high: high + room });
    }
    const y = (v) => this.height - (this.height * (v - this.low)) / (this.high - this.low);
    const percent = (v) => (100 * (y(v) + 8)) / (this.height + 16);
    const x = (t) => (100 * (t + 0.5)) / (values.length + 1);
    const zero = this.low < 0 && this.high > 0 ? [element("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) })] : [];
    const path = Array.from(own, (v, t) => `${t ? "L" : "M"}${((WIDTH * x(t)) / 100).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    this.svg.replaceChildren(...zero, element("path", { d: path }));
    this.points.replaceChildren(
      ...markers.map((m) => element("span", { class: `marker${m.isAnswer ? " answer" : ""}`, title: `${m.name} ${shown(m.value)}`, style: `left: ${x(values.length)}%; top: ${percent(m.value)}%; --c: var(${m.colour})` })));
    this.handle.style.cssText = `left: ${x(step)}%; top: ${percent(own[step])}%`;
    this.ends.replaceChildren(element("span", {}, shown(this.high, 2)), element("span", {}, shown(this.low, 2)));
    const words = `step ${step + 1} of ${values.length}: ${shown(own[step])}`;
    const about = { label: "The series: left and right choose a step, up and down change its value", valuenow: own[step], valuemin: this.low, valuemax: this.high, valuetext: words };
    for (const [key, value] of Object.entries(about)) this.svg.setAttribute(`aria-${key}`, value);
  }

  grabbed(event) {
    const box = this.area.getBoundingClientRect(), n = this.values.length;
    const step = Math.max(0, Math.min(n - 1, Math.round(((event.clientX - box.left) / box.width) * (n + 1) - 0.5)));
    const isHandle = event.target === this.handle;
    this.choose(isHandle ? this.step : step);
    if (event.pointerType === "touch" && !isHandle) return; // a touch beside the handle chooses; the page may scroll
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    const moved = (e) => {
      const share = (e.clientY - box.top) / box.height;
      const value = this.low + (this.high - this.low) * (1 - (share * (this.height + 16) - 8) / this.height);
      this.isDragging = true;
      this.changed(this.step, this.variable, Math.max(this.low, Math.min(this.high, value)));
    };
    const ended = () => {
      this.isDragging = false;
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", ended);
      removeEventListener("pointercancel", ended);
      this.choose(this.step);
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", ended);
    addEventListener("pointercancel", ended);
  }

  pressed(event) {
    const across = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const up = { ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (across === undefined && up === undefined) return;
    event.preventDefault();
    if (across !== undefined) this.choose(Math.max(0, Math.min(this.values.length - 1, this.step + across)));
    else this.changed(this.step, this.variable, this.get(this.step) + up * (this.high - this.low));
  }
}
