"use strict";

// One forecast at a time with its bands over the actual values; errors and coverage by step ahead for every method.
(() => {
  if (!data.forecasts) return;
  const { origins, models, steps } = data.forecasts;
  const control = (name) => document.getElementById(`forecast-${name}`);
  const range = control("range");
  const [LOW95, LOW80, MEDIAN, HIGH80, HIGH95] = [0, 1, 3, 5, 6];
  const current = () => origins[Number(range.value)];

  function band(row, name, low, high, opacity) {
    const said = row.said[name];
    return { x: [...row.x, ...[...row.x].reverse()], y: [...said[high], ...[...said[low]].reverse()], fill: "toself",
      mode: "lines", line: { width: 0 }, fillcolor: plots.faded(plots.look(name).colour, opacity), hoverinfo: "skip" };
  }

  const median = (row, name, chosen) => {
    const { colour, dash } = plots.look(name);
    return { x: row.x, y: row.said[name][MEDIAN], mode: "lines", name: plots.escaped(name),
      line: { color: name === chosen ? colour : plots.faded(colour, 0.55), dash, width: name === chosen ? 2.5 : 1.2 },
      hovertemplate: "%{fullData.name}: %{y:.4g}<extra></extra>" };
  };

  plots.add("forecast-chosen", () => {
    const row = current(), chosen = control("model").value;
    const past = { x: row.before.x, y: row.before.y, mode: "lines", line: { color: theme.colour("--ink-3"), width: 1.5 },
      hovertemplate: "%{x}: %{y:.4g}<extra></extra>" };
    const actual = { x: row.x, y: row.actual, mode: "markers", marker: { size: 7, color: theme.colour("--ring") },
      name: "actual", hovertemplate: "actual on %{x}: %{y:.4g}<extra></extra>" };
    return { traces: [past, band(row, chosen, LOW95, HIGH95, 0.14), band(row, chosen, LOW80, HIGH80, 0.22),
      ...models.map((name) => median(row, name, chosen)), actual],
      summary: `Forecast from ${row.from}${row.name ? ` of ${row.name}` : ""}, bands of ${chosen}.`,
      layout: { xaxis: plots.axis({ showgrid: false, nticks: 8 }), yaxis: plots.axis({ nticks: 6 }) } };
  });

  const lines = (values) => models.map((name) => {
    const { colour, dash, network } = plots.look(name);
    return { x: steps, y: values(name), mode: "lines", name: plots.escaped(name),
      line: { color: colour, dash, width: network ? 2.2 : 1.3 },
      hovertemplate: "%{fullData.name}, %{x} ahead: %{y:.3g}<extra></extra>" };
  });
  const ahead = () => plots.axis({ showgrid: false, title: plots.titled("steps ahead"), nticks: 7 });

  plots.add("forecast-steps", () => ({ traces: lines((name) => data.forecasts.by_step[name]),
    layout: { xaxis: ahead(), yaxis: plots.axis({ nticks: 6, rangemode: "tozero" }) } }));

  plots.add("forecast-coverage", () => ({ traces: lines((name) => data.forecasts.coverage[name]["80"]),
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
  control("model").addEventListener("change", show);
  show();
})();
