"use strict";

// The word error rate by the minutes that were learnt from, and what more of them may come to.
(() => {
  const { reached, guessed } = data.sections.learning;
  plots.add("learning", () => {
    const colour = theme.colour("--ink"), pale = theme.colour("--ink-3");
    const traces = [
      { x: reached.map((p) => p[0]), y: reached.map((p) => p[1]), name: "measured", mode: "lines+markers",
        line: { color: colour, width: 2 }, marker: { color: colour, size: 7 }, hovertemplate: "%{x:.1f} minutes: %{y:.3f}<extra></extra>" },
      { x: guessed.map((p) => p[0]), y: guessed.map((p) => p[1]), name: "power law", mode: "lines",
        line: { color: pale, width: 2, dash: "dash" }, hovertemplate: "%{x:.1f} minutes: about %{y:.2f}<extra></extra>" },
    ];
    return { traces, layout: { showlegend: true,
      legend: { x: 0.98, y: 0.98, xanchor: "right", yanchor: "top", bgcolor: "rgba(0,0,0,0)" },
      xaxis: plots.axis({ type: "log", title: plots.titled("minutes learnt from"), tickvals: guessed.map((p) => p[0]), tickformat: ".3~g" }),
      yaxis: plots.axis({ title: plots.titled("word error rate"), rangemode: "tozero", nticks: 6 }), margin: { l: 52, r: 12, t: 8, b: 44 } } };
  });
})();
