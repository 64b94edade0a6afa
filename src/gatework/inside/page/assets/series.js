"use strict";

// A series whose points the person drags, with what each network says of it as dots at the right end.

class SeriesInput extends DraggedChart {
  // `changed(step, variable, value)` and `choose(step)` are called as the person acts.
  constructor(box, { changed, choose }) {
    const label = "The series: left and right choose a step, up and down change its value";
    super(box, { name: "series-chart", height: 200, room: 0.15, label, choose, changed: (step, value) => changed(step, this.variable, value) });
  }

  draw(values, variable, step, markers) {
    this.variable = variable;
    const own = values.map((row) => row[variable]);
    this.arrange(own, step, values.length + 1, [...own, ...markers.map((m) => m.value)]);
    const zero = this.low < 0 && this.high > 0 ? [element("line", { class: "grid", x1: 0, x2: WIDTH, y1: this.y(0), y2: this.y(0) })] : [];
    this.svg.replaceChildren(...zero, element("path", { d: this.path(own) }));
    const right = (100 * this.x(values.length)) / WIDTH;
    this.beside.replaceChildren(
      ...markers.map((m) => element("span", { class: `marker${m.isAnswer ? " answer" : ""}`, title: `${m.name} ${shown(m.value)}`, style: `left: ${right}%; top: ${this.percent(m.value)}%; --c: var(${m.colour})` })));
    this.place(`step ${step + 1} of ${values.length}: ${shown(own[step])}`);
  }
}
