"use strict";

// One forecast at a time with its bands over the actual values; errors and coverage by step ahead of the drawn methods.
(() => {
  const { origins, methods, steps, by_step: errors, coverage } = data.sections.forecasts;
  const control = (name) => document.getElementById(`forecast-${name}`);
  const range = control("range");
  const boxes = [...document.querySelectorAll("input[name=forecast-drawn]")];
  const [LOW95, LOW80, MEDIAN, HIGH80, HIGH95] = [0, 1, 3, 5, 6];
  const current = () => origins[Number(range.value)];
  const chosen = () => control("method")?.value ?? methods[0];
  const drawn = () => (boxes.length ? boxes.filter((box) => box.checked).map((box) => box.value) : methods);

  // The last known value of the past, so that a forecast begins where the past ends.
  const start = ({ before: { x, y } }) => (y.length && y[y.length - 1] !== null ? [x[x.length - 1], y[y.length - 1]] : null);
  const times = (row) => (start(row) ? [start(row)[0], ...row.x] : row.x);
  const values = (row, name, level) => (start(row) ? [start(row)[1], ...row.said[name][level]] : row.said[name][level]);

  function band(row, name, low, high, opacity) {
    return { x: [...times(row), ...[...times(row)].reverse()], y: [...values(row, name, high), ...[...values(row, name, low)].reverse()],
      fill: "toself", mode: "lines", line: { width: 0 }, fillcolor: plots.faded(plots.look(name).colour, opacity), hoverinfo: "skip" };
  }

  const median = (row, name) => {
    const { colour, dash } = plots.look(name);
    return { x: times(row), y: values(row, name, MEDIAN), mode: "lines", name: plots.escaped(name),
      line: { color: colour, dash, width: name === chosen() ? 2.6 : 1.5 },
      hovertemplate: "%{fullData.name}: %{y:.4g}<extra></extra>" };
  };

  plots.add("forecast-chosen", () => {
    const row = current(), name = chosen();
    const past = { x: row.before.x, y: row.before.y, mode: "lines", line: { color: theme.colour("--ink-3"), width: 1.5 },
      hovertemplate: "%{x}: %{y:.4g}<extra></extra>" };
    const actual = { x: row.x, y: row.actual, mode: "markers", marker: { size: 7, color: theme.colour("--ring") },
      name: "actual", hovertemplate: "actual on %{x}: %{y:.4g}<extra></extra>" };
    const others = drawn().filter((other) => other !== name);
    return { traces: [past, band(row, name, LOW95, HIGH95, 0.14), band(row, name, LOW80, HIGH80, 0.22),
      ...others.map((other) => median(row, other)), median(row, name), actual],
      summary: `Forecast from ${row.from}${row.name ? ` of ${row.name}` : ""}, bands of ${name}.`,
      layout: { xaxis: plots.axis({ showgrid: false, nticks: 8 }), yaxis: plots.axis({ nticks: 6 }) } };
  });

  const lines = (by) => drawn().map((name) => {
    const { colour, dash, network } = plots.look(name);
    return { x: steps, y: by[name], mode: steps.length > 1 ? "lines" : "markers", name: plots.escaped(name),
      line: { color: colour, dash, width: network ? 2.2 : 1.5 }, marker: { color: colour },
      hovertemplate: "%{fullData.name}, %{x} ahead: %{y:.3g}<extra></extra>" };
  });
  const ahead = () => plots.axis({ showgrid: false, title: plots.titled("steps ahead"), nticks: 7, tickformat: ",d" });

  plots.add("forecast-steps", () => ({ traces: lines(errors),
    layout: { xaxis: ahead(), yaxis: plots.axis({ nticks: 6, rangemode: "tozero" }) } }));

  plots.add("forecast-coverage", () => ({ traces: lines(coverage),
    layout: { xaxis: ahead(), yaxis: plots.axis({ range: [0, 1.02], tickformat: ".0%", nticks: 6 }),
      shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 0.8, y1: 0.8,
        line: { color: theme.colour("--ring"), width: 1.5 } }] } }));

  function show() {
    const row = current();
    control("name").textContent = `${row.name ? `${row.name}, ` : ""}from ${row.from}`;
    plots.draw("forecast-chosen");
  }
  function move(by) {
    range.value = (Number(range.value) + by + origins.length) % origins.length;
    show();
  }
  control("previous").addEventListener("click", () => move(-1));
  control("next").addEventListener("click", () => move(1));
  range.addEventListener("input", show);
  control("method")?.addEventListener("change", show);
  boxes.forEach((box) => box.addEventListener("change",
    () => ["chosen", "steps", "coverage"].forEach((name) => plots.draw(`forecast-${name}`))));
  show();
})();
