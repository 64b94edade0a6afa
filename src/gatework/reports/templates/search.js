"use strict";

// A search: every trial in order, by epoch, and by each option's value.
(() => {
  if (!data.search) return;
  const { trials, axis, sign, space } = data.search;
  const known = trials.filter((trial) => trial.best !== null);
  const said = (trial) => `${trial.name}: ${trial.shown}<br>${plots.escaped(trial.ending)}`;
  const marks = (x, size) => ({ x, y: known.map((t) => t.best), mode: "markers", text: known.map(said), hovertemplate: "%{text}<extra></extra>",
    marker: { size: known.map((t) => (t.is_chosen ? size + 4 : size)), symbol: known.map((t) => (t.number === 0 ? "diamond" : "circle") + (t.is_complete ? "" : "-open")),
      color: known.map((t) => theme.colour(t.is_chosen ? "--cell-gru" : "--cell-lstm")), line: { width: 1.4 } } });
  const yaxis = () => plots.axis({ ...axis });

  plots.add("search-history", () => {
    const best = [];
    known.forEach((t) => best.push(best.length && sign * best[best.length - 1] < sign * t.best ? best[best.length - 1] : t.best));
    const line = { x: known.map((t) => t.number + 1), y: best, mode: "lines", line: { shape: "hv", width: 1.6, color: theme.colour("--ink-3") },
      hovertemplate: "best so far: %{y:.4g}<extra></extra>" };
    return { traces: [line, marks(known.map((t) => t.number + 1), 8)],
      layout: { xaxis: plots.axis({ showgrid: false, title: plots.titled("trial"), nticks: 10, tickformat: ",d" }), yaxis: yaxis() } };
  });

  plots.add("search-epochs", () => ({
    traces: known.map((t) => {
      const colour = theme.colour(t.is_chosen ? "--cell-gru" : t.number === 0 ? "--ink-2" : "--cell-lstm");
      return { x: t.scores.map((_, k) => k + 1), y: t.scores, mode: t.scores.length > 1 ? "lines" : "markers", connectgaps: false,
        line: { width: t.is_chosen || t.number === 0 ? 2.6 : 1.2, color: t.is_complete ? colour : plots.faded(colour, 0.5), dash: t.number === 0 ? "dot" : "solid" },
        marker: { color: colour }, name: t.name, hovertemplate: `${t.name}<br>epoch %{x}: %{y:.4g}<extra></extra>` };
    }),
    layout: { xaxis: plots.axis({ showgrid: false, title: plots.titled("epoch"), nticks: 10, tickformat: ",d" }), yaxis: yaxis() } }));

  space.forEach((option, k) => plots.add(`search-option-${k}`, () => {
    const value = (t) => t.values[option.name];
    const xaxis = option.words ? { type: "category", categoryorder: "array", categoryarray: option.words.map(plots.escaped) } : { ...option.axis };
    return { traces: [marks(known.map((t) => (option.words ? plots.escaped(String(value(t))) : value(t))), 6)],
      layout: { xaxis: plots.axis({ showgrid: false, ...xaxis }), yaxis: yaxis() } };
  }));
})();
