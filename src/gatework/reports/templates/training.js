"use strict";

// A single run's learning rate, gradient norm and time, by epoch.
(() => {
  (data.training ?? []).forEach((panel, k) => plots.add(`training-${k}`, () => ({
    traces: [{ x: panel.epoch, y: panel.values, mode: panel.epoch.length > 1 ? "lines" : "markers",
      line: { color: theme.colour("--ink-2"), width: 2 }, marker: { color: theme.colour("--ink-2") },
      hovertemplate: "epoch %{x}: %{y:.4g}<extra></extra>" }],
    layout: { xaxis: plots.axis({ showgrid: false, title: plots.titled("epoch"), ...plots.whole(Math.max(...panel.epoch)) }),
      yaxis: plots.axis({ ...panel.axis }) } })));
})();
