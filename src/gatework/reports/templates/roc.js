"use strict";

// True against false positives of every model.
plots.add("roc", () => {
  const curves = data.roc.curves.map((curve) => {
    const { colour, dash, network } = plots.look(curve.model);
    return { x: curve.false, y: curve.true, mode: "lines", name: `${plots.escaped(curve.model)}  ${curve.area.toFixed(3)}`,
      line: { color: colour, width: network ? 2.4 : 1.6, dash: network ? "solid" : dash },
      hovertemplate: "%{fullData.name}<br>finds %{y:.2f}, at %{x:.2f} of the others<extra></extra>" };
  });
  const chance = { x: [0, 1], y: [0, 1], mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: theme.colour("--rule"), width: 1 } };
  return { traces: [chance, ...curves], layout: { showlegend: true,
    legend: { x: 0.98, y: 0.04, xanchor: "right", yanchor: "bottom", bgcolor: "rgba(0,0,0,0)",
      title: { text: "area under the curve", font: { size: 12, color: theme.colour("--ink-3") } } },
    xaxis: plots.axis({ range: [-0.01, 1.01], title: plots.titled("share of the others taken for it"), nticks: 6 }),
    yaxis: plots.axis({ range: [-0.01, 1.01], title: plots.titled("share found"), nticks: 6 }),
    margin: { l: 52, r: 8, t: 8, b: 44 } } };
});
