"use strict";

// The past, whose points one drags, and the forecast with its intervals behind it.

const HEIGHT = 260;

class ForecastChart {
  // `changed(step, value)`, `choose(step)` of the past and `ahead(step)` of the future are called as the person acts.
  constructor(box, { changed, choose, ahead }) {
    Object.assign(this, { box, changed, choose, ahead });
    this.svg = element("svg", { class: "chart forecast-chart", viewBox: `0 -8 ${WIDTH} ${HEIGHT + 16}`, preserveAspectRatio: "none", tabindex: "0", role: "slider" });
    this.handle = element("div", { class: "handle" });
    this.ends = element("div", { class: "ends" });
    this.area = element("div", { class: "area" }, this.svg, this.handle);
    box.append(element("div", { class: "with-ends" }, this.ends, this.area));
    this.area.addEventListener("pointerdown", (event) => this.grabbed(event));
    this.svg.addEventListener("keydown", (event) => this.pressed(event));
  }

  draw(values, quantiles, { step, chosen, median, colour, times }) {
    Object.assign(this, { values, quantiles, step, times });
    const every = [...values, ...quantiles.flat()], n = values.length + quantiles.length;
    if (!this.isDragging) {
      const low = Math.min(...every), high = Math.max(...every), room = (high - low || 1) * 0.08;
      Object.assign(this, { low: low - room, high: high + room });
    }
    const y = (v) => HEIGHT - (HEIGHT * (v - this.low)) / (this.high - this.low), x = (t) => (WIDTH * (t + 0.5)) / n;
    const path = (row, from) => row.map((v, t) => `${t ? "L" : "M"}${x(from + t).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    // Everything that is forecast begins at the last value, where nothing is unknown.
    const last = values[values.length - 1], from = values.length - 1, ahead = (of) => [last, ...quantiles.map(of)];
    const bands = [0, 1, 2].map((k) => {
      const high = ahead((row) => row[row.length - 1 - k]), low = ahead((row) => row[k]).reverse();
      const back = low.map((v, t) => `L${x(n - 1 - t).toFixed(1)} ${y(v).toFixed(1)}`).join("");
      return element("path", { class: "band", style: `--c: ${colour}`, d: `${path(high, from)}${back}Z` });
    });
    const now = x(values.length + chosen);
    this.svg.replaceChildren(...bands,
      element("line", { class: "now", x1: now, x2: now, y1: -8, y2: HEIGHT + 8 }),
      element("path", { class: "past", d: path(values, 0) }),
      element("path", { class: "said", style: `--c: ${colour}`, d: path(ahead((row) => row[median]), from) }));
    this.handle.style.cssText = `left: ${(100 * (step + 0.5)) / n}%; top: ${(100 * (y(values[step]) + 8)) / (HEIGHT + 16)}%`;
    this.ends.replaceChildren(element("span", {}, shown(this.high)), element("span", {}, shown(this.low)));
    const about = { label: "The past: left and right choose a step, up and down change its value", valuenow: values[step], valuemin: this.low, valuemax: this.high, valuetext: `${times[step]}: ${shown(values[step])}` };
    for (const [key, value] of Object.entries(about)) this.svg.setAttribute(`aria-${key}`, value);
  }

  grabbed(event) {
    const box = this.area.getBoundingClientRect(), n = this.values.length + this.quantiles.length;
    const at = Math.max(0, Math.min(n - 1, Math.floor(((event.clientX - box.left) / box.width) * n)));
    if (at >= this.values.length) { this.ahead(at - this.values.length); return; }
    const isHandle = event.target === this.handle;
    this.choose(isHandle ? this.step : at);
    if (event.pointerType === "touch" && !isHandle) return; // a touch beside the handle chooses; the page may scroll
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    const moved = (e) => {
      const share = (e.clientY - box.top) / box.height;
      const value = this.low + (this.high - this.low) * (1 - (share * (HEIGHT + 16) - 8) / HEIGHT);
      this.isDragging = true;
      this.changed(this.step, Math.max(this.low, Math.min(this.high, value)));
    };
    const ended = () => {
      this.isDragging = false;
      for (const [name, listener] of [["pointermove", moved], ["pointerup", ended], ["pointercancel", ended]]) removeEventListener(name, listener);
      this.choose(this.step);
    };
    for (const [name, listener] of [["pointermove", moved], ["pointerup", ended], ["pointercancel", ended]]) addEventListener(name, listener);
  }

  pressed(event) {
    const across = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const up = { ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (across === undefined && up === undefined) return;
    event.preventDefault();
    if (across !== undefined) this.choose(Math.max(0, Math.min(this.values.length - 1, this.step + across)));
    else this.changed(this.step, this.values[this.step] + up * (this.high - this.low));
  }
}
