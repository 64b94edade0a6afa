"use strict";

// The form: the task, the networks, and a slider for every knob. `changed` is called after each change of a setting.

class Knobs {
  constructor(cells, tasks, changed) {
    Object.assign(this, { cells, changed });
    const option = (value, text) => element("option", { value }, text);
    byId("task").append(...Object.entries(tasks).map(([name, { title }]) => option(name, title)), option("own", "Your own numbers or text"));
    byId("compare").append(...Object.entries(COMPARISONS).map(([name, { title }]) => option(name, title)));
    byId("cell").append(...Object.entries(cells).map(([name, cell]) => option(name, cell.title)));
    byId("cells").append(...Object.entries(cells).map(([name, { title }]) => element("label", {}, element("input", { type: "checkbox", value: name }), title)));
    this.sliders = Object.entries(KNOBS).map(([name, knob]) => this.slider(name, knob));
    byId("knob-list").append(...this.sliders.map(({ figure }) => figure));
    for (const name of ["task", "compare", "cell"]) byId(name).addEventListener("change", (event) => this.set(name, event.target.value));
    byId("cells").addEventListener("change", () => this.chooseCells());
    byId("own").addEventListener("input", () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.set("own", byId("own").value), 500); });
    byId("knobs").addEventListener("submit", (event) => event.preventDefault());
  }

  set(name, value) {
    settings[name] = value;
    this.changed();
  }

  slider(name, { title, values, why, text = String }) {
    const input = element("input", { type: "range", id: `knob-${name}`, min: 0, max: values.length - 1, step: 1, "aria-describedby": `why-${name}` });
    const output = element("output", { for: `knob-${name}` });
    const show = (place) => { output.textContent = text(values[place]); input.setAttribute("aria-valuetext", text(values[place])); };
    input.addEventListener("input", () => show(input.valueAsNumber));
    input.addEventListener("change", () => this.set(name, values[input.valueAsNumber]));
    const figure = element("div", { class: "knob" }, element("div", { class: "head" }, element("label", { for: `knob-${name}` }, title), output), input, element("p", { class: "why", id: `why-${name}` }, why));
    return { figure, update: () => { input.value = values.indexOf(settings[name]); show(input.valueAsNumber); } };
  }

  // At least one network, and no more than fit side by side.
  chooseCells() {
    const chosen = [...byId("cells").querySelectorAll(":checked")].map((box) => box.value);
    if (chosen.length && chosen.length <= MOST_NETWORKS) return this.set("cells", chosen);
    byId("problem").textContent = chosen.length ? `${MOST_NETWORKS} networks fit side by side; take one away first.` : "One network is the least.";
    this.update();
  }

  update() {
    for (const name of ["task", "compare", "cell", "own"]) byId(name).value = settings[name];
    byId("own-box").hidden = settings.task !== "own";
    byId("cells").hidden = settings.compare !== "cells";
    byId("cell-label").hidden = settings.compare === "cells";
    const fitting = comparable(settings.compare, this.cells);
    for (const option of byId("cell").options) option.disabled = !fitting.includes(option.value);
    for (const option of byId("compare").options) option.disabled = !comparable(option.value, this.cells).length;
    for (const box of byId("cells").querySelectorAll("input")) box.checked = settings.cells.includes(box.value);
    this.sliders.forEach((slider) => slider.update());
  }
}

const byId = (id) => document.getElementById(id);
