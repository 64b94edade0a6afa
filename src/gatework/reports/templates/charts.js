"use strict";

// Charts as a task describes them: lines, bands and spans over time, or bars. A section draws its own by `charts.add()`.
const charts = (() => {
  const colours = { known: "--ink-2", forecast: "--cell-lstm", expected: "--ink-3", score: "--ink-3" };

  // A band as closed pieces: plotly cannot fill across a gap.
  function pieces(positions, { low, high }) {
    const found = [];
    let start = null;
    positions.forEach((_, k) => {
      const isThere = low[k] !== null && high[k] !== null;
      if (isThere && start === null) start = k;
      if (start !== null && (!isThere || k === positions.length - 1)) {
        found.push([start, isThere ? k + 1 : k]);
        start = null;
      }
    });
    return found;
  }

  function band(chart, one, k) {
    const colour = plots.faded(theme.colour("--cell-lstm"), 0.16 + 0.1 * k);
    return pieces(chart.positions, one).map(([from, to]) => ({
      x: [...chart.positions.slice(from, to), ...chart.positions.slice(from, to).reverse()],
      y: [...one.high.slice(from, to), ...one.low.slice(from, to).reverse()],
      fill: "toself", mode: "lines", line: { width: 0 }, fillcolor: colour, hoverinfo: "skip" }));
  }

  const line = (chart, curve) => ({ x: chart.positions, y: curve.values, name: plots.escaped(curve.name),
    mode: chart.positions.length > 1 ? "lines" : "markers", connectgaps: false,
    line: { color: theme.colour(colours[curve.kind]), width: curve.kind === "forecast" ? 2.4 : 1.4, dash: curve.kind === "expected" ? "dot" : "solid" },
    hovertemplate: "%{x}<br>%{fullData.name}: %{y:.4g}<extra></extra>" });

  const span = ([first, last]) => ({ type: "rect", xref: "x", yref: "paper", x0: first, x1: last, y0: 0, y1: 1, layer: "below",
    fillcolor: plots.faded(theme.colour("--ring"), 0.22), line: { width: 1, color: plots.faded(theme.colour("--ring"), 0.5) } });

  function traces(chart) {
    if (!chart.bars.length) {
      return [...chart.bands.flatMap((one, k) => band(chart, one, k)), ...chart.curves.map((curve) => line(chart, curve))];
    }
    return [{ type: "bar", x: chart.positions, y: chart.bars, marker: { color: theme.colour("--cell-lstm") },
      hovertemplate: "%{x}: %{y:,}<extra></extra>" }];
  }

  const add = (id, chart) => plots.add(id, () => ({ traces: traces(chart), layout: { bargap: 0.15, shapes: chart.spans.map(span),
    xaxis: plots.axis({ showgrid: false, nticks: 8 }), yaxis: plots.axis({ nticks: 6, title: plots.titled(plots.escaped(chart.unit)) }) } }));

  (data.charts ?? []).forEach((chart, k) => add(`chart-${k}`, chart));
  return { add };
})();
