"use strict";

// True against false positives of every model, and stated probabilities against what came true.
(() => {
  const { curves: roc, calibration } = data.sections.thresholds;
  const diagonal = () => ({ x: [0, 1], y: [0, 1], mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: theme.colour("--rule"), width: 1 } });

  // A network and the answer that it is part of have one colour: the second curve of a colour is dashed.
  const dashOf = (curves, k) => {
    const { colour, dash, network } = plots.look(curves[k].model);
    return curves.slice(0, k).some(({ model }) => plots.look(model).colour === colour) ? "dash" : network ? "solid" : dash;
  };

  plots.add("calibration", () => {
    const curves = calibration.map((curve, k) => {
      const { colour, marker, network } = plots.look(curve.model);
      return { x: curve.said, y: curve.share, mode: "lines+markers", name: plots.escaped(curve.model),
        line: { color: colour, width: network ? 2 : 1.4, dash: dashOf(calibration, k) },
        marker: { symbol: network ? marker : "circle-open", size: 7, color: colour },
        hovertemplate: "%{fullData.name}<br>says %{x:.2f}, is %{y:.2f}<extra></extra>" };
    });
    return { traces: [diagonal(), ...curves], layout: {
      xaxis: plots.axis({ range: [-0.02, 1.02], title: plots.titled("stated probability"), nticks: 6 }),
      yaxis: plots.axis({ range: [-0.02, 1.02], title: plots.titled("share that is of the class"), nticks: 6 }),
      margin: { l: 52, r: 8, t: 8, b: 44 } } };
  });

  plots.add("roc", () => {
    const curves = roc.map((curve, k) => {
      const { colour, network } = plots.look(curve.model);
      return { x: curve.false, y: curve.true, mode: "lines", name: `${plots.escaped(curve.model)}  ${curve.area.toFixed(3)}`,
        line: { color: colour, width: network ? 2.4 : 1.6, dash: dashOf(roc, k) },
        hovertemplate: "%{fullData.name}<br>finds %{y:.2f}, at %{x:.2f} of the others<extra></extra>" };
    });
    return { traces: [diagonal(), ...curves], layout: { showlegend: true,
      legend: { x: 0.98, y: 0.04, xanchor: "right", yanchor: "bottom", bgcolor: "rgba(0,0,0,0)",
        title: { text: "area under the curve", font: { size: 12, color: theme.colour("--ink-3") } } },
      xaxis: plots.axis({ range: [-0.01, 1.01], title: plots.titled("share of the others taken for it"), nticks: 6 }),
      yaxis: plots.axis({ range: [-0.01, 1.01], title: plots.titled("share found"), nticks: 6 }),
      margin: { l: 52, r: 8, t: 8, b: 44 } } };
  });
})();
