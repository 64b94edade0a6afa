"use strict";

// Charts as a task describes them: lines, bands and spans over time, or bars. A section draws its own by `charts.add()`.
const charts = (() => {
  const colours = { known: "--ink-2", expected: "--ink-3" };

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

  function band(chart, one, k, said) {
    const colour = plots.faded(said, 0.16 + 0.1 * k);
    return pieces(chart.positions, one).map(([from, to]) => ({
      x: [...chart.positions.slice(from, to), ...chart.positions.slice(from, to).reverse()],
      y: [...one.high.slice(from, to), ...one.low.slice(from, to).reverse()],
      fill: "toself", mode: "lines", line: { width: 0 }, fillcolor: colour, hoverinfo: "skip" }));
  }

  const line = (chart, curve, said) => ({ x: chart.positions, y: curve.values, name: plots.escaped(curve.name),
    mode: chart.positions.length > 1 ? "lines" : "markers", connectgaps: false,
    line: { color: curve.kind === "said" ? said : theme.colour(colours[curve.kind]), width: curve.kind === "said" ? 2.4 : 1.4, dash: curve.kind === "expected" ? "dot" : "solid" },
    hovertemplate: "%{x}<br>%{fullData.name}: %{y:.4g}<extra></extra>" });

  const span = ([first, last]) => ({ type: "rect", xref: "x", yref: "paper", x0: first, x1: last, y0: 0, y1: 1, layer: "below",
    fillcolor: plots.faded(theme.colour("--ring"), 0.22), line: { width: 1, color: plots.faded(theme.colour("--ring"), 0.5) } });

  function traces(chart, said) {
    if (!chart.bars.length) {
      return [...chart.bands.flatMap((one, k) => band(chart, one, k, said)), ...chart.curves.map((curve) => line(chart, curve, said))];
    }
    return [{ type: "bar", x: chart.positions, y: chart.bars, marker: { color: said },
      hovertemplate: "%{x}: %{y:,}<extra></extra>" }];
  }

  // What a model says has the colour that `said()` gives, in both themes.
  const add = (id, chart, said = () => theme.colour("--cell-lstm")) => plots.add(id, () => ({ traces: traces(chart, said()), layout: { bargap: 0.15, shapes: chart.spans.map(span),
    xaxis: plots.axis({ showgrid: false, nticks: 8 }), yaxis: plots.axis({ nticks: 6, title: plots.titled(plots.escaped(chart.unit)) }) } }));

  (data.charts ?? []).forEach((chart, k) => add(`chart-${k}`, chart));
  return { add };
})();
