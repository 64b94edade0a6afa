"use strict";

// The gradient's norm by steps back: a panel per network, all on one logarithmic axis.
(() => {
  if (!data.inside) return;
  const { curves, steps } = data.inside;
  const known = curves.flatMap((c) => [c.start, c.trained].flatMap((at) => [...at.norm, ...(at.carried || [])])).filter((v) => v);
  // What is smaller than a float32 resolves beside 1 is of no interest.
  const low = Math.max(-12, Math.floor(Math.log10(Math.min(...known, 1e-2)))), high = Math.ceil(Math.log10(Math.max(...known, 1)) + 0.1);
  const line = (values, name, look) => ({ x: values.map((_, k) => k), y: values, name, mode: "lines", line: look, connectgaps: false,
    hovertemplate: "%{fullData.name}<br>%{x} steps back: %{y:.3g}<extra></extra>" });
  curves.forEach((curve, k) => plots.add(`gradients-${k}`, () => {
    const { colour } = plots.look(curve.name);
    const traces = [
      line(curve.start.norm, "at the start", { width: 1.6, color: plots.faded(colour, 0.75), dash: "dash" }),
      line(curve.trained.norm, "after training", { width: 2.4, color: colour })];
    if (curve.trained.carried) traces.push(line(curve.trained.carried, "kept by the gates alone", { width: 1.4, color: plots.faded(colour, 0.75), dash: "dot" }));
    const band = { type: "line", xref: "paper", x0: 0, x1: 1, y0: 0.01, y1: 0.01, line: { color: theme.colour("--ink-3"), width: 1, dash: "dot" } };
    return { traces, layout: { shapes: [band],
      xaxis: plots.axis({ range: [0, steps], showgrid: false, title: plots.titled("steps back"), nticks: 6 }),
      yaxis: plots.axis({ type: "log", range: [low, high], exponentformat: "power", nticks: 6 }) } };
  }));
})();
