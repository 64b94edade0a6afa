"use strict";

// Predicted against actual, one panel per model on shared axes; or the error against actual.
(() => {
  const { actual, panels } = data.sections.values.scatter;
  const errors = panels.map((panel) => panel.predicted.map((p, k) => (p === null ? null : p - actual[k])));
  const padded = (values) => {
    const known = values.filter((v) => v !== null);
    const low = Math.min(...known), high = Math.max(...known), pad = (high - low || 1) * 0.05;
    return [low - pad, high + pad];
  };
  const wide = padded([...actual, ...panels.flatMap((panel) => panel.predicted)]);
  const across = padded(actual);
  const tall = padded([0, ...errors.flat()]);
  const shows = () => document.querySelector("input[name=scatter]:checked").value;

  panels.forEach((panel, k) => plots.add(`scatter-${k}`, () => {
    const { colour, marker, network } = plots.look(panel.model);
    const isError = shows() === "errors";
    const ends = isError ? across : wide;
    return {
      traces: [
        { x: ends, y: isError ? [0, 0] : wide, mode: "lines", hoverinfo: "skip",
          line: { color: theme.colour("--ink-3"), width: 1 } },
        { x: actual, y: isError ? errors[k] : panel.predicted, mode: "markers", marker: { symbol: network ? marker :
            "circle-open", size: 5, color: colour, opacity: 0.55, line: { width: network ? 0 : 1 } },
          hovertemplate: `actual %{x:.4g}<br>${isError ? "error" : "predicted"} %{y:.4g}<extra></extra>` }],
      layout: { xaxis: plots.axis({ range: ends, title: plots.titled("actual"), nticks: 5 }),
        yaxis: plots.axis({ range: isError ? tall : wide, nticks: 6,
          title: plots.titled(isError ? "predicted − actual" : "predicted") }), margin: { l: 52, r: 8, t: 8, b: 40 } } };
  }));
  document.querySelectorAll("input[name=scatter]").forEach((choice) =>
    choice.addEventListener("change", () => panels.forEach((_, k) => plots.draw(`scatter-${k}`))));
})();
