"use strict";

// Bits per character of each network by minutes of training, and the line of the n-grams with the place where it is passed.
(() => {
  const { curves, level, name, minute } = data.sections.crossing;
  plots.add("crossing", () => {
    const longest = Math.max(...curves.flatMap((curve) => curve.minutes), 0);
    const traces = curves.map((curve) => {
      const { colour, dash } = plots.look(curve.model);
      return { x: curve.minutes, y: curve.bits, name: plots.escaped(curve.model), mode: curve.bits.length > 1 ? "lines" : "markers",
        line: { color: colour, width: 2.4, dash }, marker: { color: colour },
        hovertemplate: "%{fullData.name}<br>%{x:.2f} minutes: %{y:.3f} bits<extra></extra>" };
    });
    const shapes = level === null ? [] : [{ type: "line", x0: 0, x1: 1, xref: "paper", y0: level, y1: level,
      line: { color: theme.colour("--ink-3"), width: 1.4, dash: "dash" } }];
    // The first epochs may cost twice the bits of all later ones, which would flatten the rest.
    const bits = curves.flatMap((curve) => curve.bits).filter((value) => value !== null).concat(level ?? []);
    const [low, high] = [Math.min(...bits), Math.min(Math.max(...bits), 1.9 * Math.min(...bits))];
    const pad = 0.08 * (high - low) || 0.1;
    const annotations = level === null ? [] : [{ x: 1, xref: "paper", xanchor: "right", y: level, yanchor: "bottom", showarrow: false,
      text: `${plots.escaped(name)}  ${level.toFixed(3)}`, font: { size: 12, color: theme.colour("--ink-2") } }];
    if (minute !== null && level !== null) {
      shapes.push({ type: "line", x0: minute, x1: minute, y0: 0, y1: 1, yref: "paper",
        line: { color: theme.colour("--grid"), width: 1.4 } });
    }
    return { traces, layout: { shapes, annotations,
      xaxis: plots.axis({ range: [-0.02 * longest, 1.02 * longest], title: plots.titled("minutes of training"), nticks: 8 }),
      yaxis: plots.axis({ range: [low - pad, high + pad], title: plots.titled("bits per character"), nticks: 7 }), margin: { l: 48, r: 12, t: 8, b: 44 } } };
  });
})();
