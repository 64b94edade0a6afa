"use strict";

// Accuracy by the number of labels, with and without the pre-training.
(() => {
  const curves = data.sections.labels;
  plots.add("labels", () => {
    const colours = [theme.colour("--ink"), theme.colour("--ink-3")];
    const traces = curves.map((curve, place) => ({ x: curve.labels, y: curve.accuracy, name: curve.name, mode: "lines+markers",
      line: { color: colours[place], width: 2, dash: place ? "dash" : "solid" }, marker: { color: colours[place], size: 7 },
      hovertemplate: "%{fullData.name}<br>%{x:,} labels: %{y:.3f}<extra></extra>" }));
    return { traces, layout: { showlegend: true,
      legend: { x: 0.98, y: 0.04, xanchor: "right", yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
      xaxis: plots.axis({ type: "log", title: plots.titled("labels"), tickvals: curves.flatMap((curve) => curve.labels) }),
      yaxis: plots.axis({ title: plots.titled("accuracy"), nticks: 6 }), margin: { l: 52, r: 12, t: 8, b: 44 } } };
  });
})();
