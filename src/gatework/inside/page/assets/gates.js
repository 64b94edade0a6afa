"use strict";

// Gates and memory of a layer in a part's own page: curves of one unit, maps of all, and the controls that choose.
// The elements stand in _gates.html; of layers in both directions, `direction` says which one is looked at.

class GatesPanel {
  // `choose(place)` is called with a step of the trace, and `changed()` as the person chooses a layer or a unit.
  constructor({ choose, changed }) {
    Object.assign(this, { choose, changed, direction: 0 });
    at("layer").addEventListener("input", () => { this.layer = Number(at("layer").value); changed(); });
    for (const id of ["unit", "unit-number"]) at(id).addEventListener("input", () => { this.unit = Math.round(Number(at(id).value)) - 1; changed(); });
  }

  // Takes over the layers that are looked at.
  arrange(layers) {
    const cell = layers.cell_;
    at("layer").replaceChildren(...Array.from({ length: layers.layers }, (_, k) => element("option", { value: k }, `${k + 1}`)));
    at("layer-label").hidden = layers.layers < 2;
    for (const id of ["unit", "unit-number"]) at(id).max = layers.units;
    Object.assign(this, { layers, layer: layers.layers - 1, unit: 0 });
    at("layer").value = this.layer;
    this.maps = cell.names.map((name) => new HeatMap(name, cell.titles[name], layers.units, cell.logistic.includes(name), (unit, place) => { this.unit = unit; this.choose(place); }));
    at("maps").replaceChildren(...this.maps.map((map) => map.figure));
    at("maps").style.cssText = `--units: ${layers.units}`;
  }

  // Shows the traces of `count` steps, of which one is looked at; `labels(place)` says what each reads.
  show(traces, count, place, labels) {
    const trace = { ...traces[this.layer][this.direction], steps: count };
    this.unit = Math.max(0, Math.min(this.layers.units - 1, this.unit || 0));
    this.maps.forEach((map, n) => { map.draw(trace.named[n], count, 0, labels); map.mark(this.unit, place); });
    for (const id of ["unit", "unit-number"]) at(id).value = this.unit + 1;
    at("curves").replaceChildren(...unitCharts(this.layers, trace, this.unit, place, 0, this.choose));
  }
}
