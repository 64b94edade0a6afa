"use strict";

// BLEU of every model over groups of source lengths.
(() => {
  const { names, curves } = data.sections.lengths;
  plots.add("lengths-bleu", () => ({
    traces: curves.map((curve) => {
      const { colour, marker, dash, network } = plots.look(curve.model);
      return { x: names, y: curve.bleu, mode: "lines+markers", name: plots.escaped(curve.model),
        line: { color: colour, width: network ? 2.4 : 1.6, dash: network ? "solid" : dash },
        marker: { symbol: network ? marker : "circle-open", size: 7, color: colour },
        hovertemplate: "%{fullData.name}<br>%{x}: BLEU %{y:.1f}<extra></extra>" };
    }),
    layout: { showlegend: curves.length > 1,
      xaxis: plots.axis({ type: "category", title: plots.titled("words of the source") }),
      yaxis: plots.axis({ rangemode: "tozero", title: plots.titled("BLEU") }),
      margin: { l: 52, r: 8, t: 8, b: 44 } },
  }));
})();
