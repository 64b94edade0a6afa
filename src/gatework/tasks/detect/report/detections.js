"use strict";

// What a detector said: the series over its expected band, the score, and spans that zoom the plot when chosen.
(() => {
  const { series, variables } = data.sections.detections;
  const control = (name) => document.getElementById(`detection-${name}`);
  const plot = control("plot");
  const LIMIT = 0.5;
  let range = null;

  const current = () => series[Number(control("series")?.value ?? 0)];
  const shown = () => current().variables[Number(control("variable")?.value ?? 0)];

  function traces() {
    const one = current(), part = shown(), found = [];
    if (part.low) {
      const edge = { x: one.time, mode: "lines", line: { width: 0 }, hoverinfo: "skip", connectgaps: false };
      found.push({ ...edge, y: part.low }, { ...edge, y: part.high, fill: "tonexty", fillcolor: plots.faded(theme.colour("--ink-3"), 0.28) });
      found.push({ x: one.time, y: part.expected, mode: "lines", name: "expected", line: { width: 1, dash: "dot",
        color: theme.colour("--ink-3") }, hovertemplate: "expected %{y:.4g}<extra></extra>" });
    }
    found.push({ x: one.time, y: part.actual, mode: "lines", name: "actual", line: { width: 1.3, color: theme.colour("--ink") },
      hovertemplate: "%{x|%Y-%m-%d %H:%M}: %{y:.4g}<extra></extra>" });
    found.push({ x: one.time, y: one.score, mode: "lines", yaxis: "y2", line: { width: 1, color: theme.colour("--ink-2") },
      hovertemplate: "score %{y:.3f}<extra></extra>" });
    found.push({ x: one.spans.map((span) => span.peak), y: one.spans.map((span) => span.score), yaxis: "y2", mode: "markers",
      marker: { size: 9, color: theme.colour("--ring") },
      hovertemplate: "span %{text}, score %{y:.3f}: click to see it<extra></extra>",
      text: one.spans.map((span) => span.number.toString()) });
    return found;
  }

  function shapes() {
    const one = current();
    const bands = one.spans.map((span) => ({ type: "rect", xref: "x", yref: "paper", x0: span.start, x1: span.end, y0: 0, y1: 1,
      layer: "below", fillcolor: plots.faded(theme.colour("--ring"), 0.22), line: { width: 1, color: plots.faded(theme.colour("--ring"), 0.5) } }));
    const ends = one.ends.filter((end) => end !== null).map((end) => ({ type: "line", xref: "x", yref: "paper", x0: end, x1: end,
      y0: 0, y1: 1, line: { width: 1, dash: "dot", color: theme.colour("--ink-3") } }));
    const limit = { type: "line", xref: "paper", yref: "y2", x0: 0, x1: 1, y0: LIMIT, y1: LIMIT,
      line: { width: 1, color: theme.colour("--ink-3") } };
    return [...bands, ...ends, limit];
  }

  plots.add("detection-plot", () => {
    const one = current();
    return { traces: traces(), summary: `${one.spans.length} flagged ${one.spans.length === 1 ? "span" : "spans"} in ${one.time.length.toLocaleString("en")} rows.`, layout: {
      xaxis: plots.axis({ type: "date", showgrid: false, anchor: "y2", nticks: 8, ...(range ? { range } : {}) }),
      yaxis: plots.axis({ domain: [0.34, 1], nticks: 6 }),
      yaxis2: plots.axis({ domain: [0, 0.26], range: [0, 1], tickvals: [0, 0.5, 1], fixedrange: true }),
      shapes: shapes() } };
  });

  function zoom(span) {
    const margin = Math.max(2 * (span.end - span.start), 60 * typical());
    range = [span.start - margin, span.end + margin];
    plots.draw("detection-plot");
    plot.scrollIntoView({ block: "nearest" });
  }

  // The usual time between two rows, in milliseconds.
  function typical() {
    const { time } = current();
    return time.length > 1 ? (time[time.length - 1] - time[0]) / (time.length - 1) : 1000;
  }

  function list() {
    control("list").hidden = !current().spans.length;
    const body = control("spans").tBodies[0];
    body.replaceChildren(...current().spans.map((span) => {
      const row = document.createElement("tr");
      const cell = (label, text) => {
        const td = document.createElement("td");
        td.dataset.label = label;
        td.textContent = text;
        return td;
      };
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Show ${span.number}`;
      button.addEventListener("click", () => zoom(span));
      const first = document.createElement("th");
      first.scope = "row";
      first.append(button);
      row.append(first, cell("from", span.from), cell("to", span.to), cell(span.rows === 1 ? "row" : "rows", span.rows.toLocaleString("en")),
        cell("score", span.score.toFixed(3)), cell("kind", span.kind ?? ""), cell("why", span.why));
      return row;
    }));
  }

  function show() {
    range = null;
    list();
    plots.draw("detection-plot");
  }
  plot.on("plotly_click", ({ points }) => {
    // A click anywhere in a span counts: on its mark, or on a line that runs through it.
    const { x } = points[0];
    const at = typeof x === "number" ? x : Date.parse(`${x.replace(" ", "T")}Z`);
    const span = current().spans.find(({ start, end }) => start <= at && at <= end);
    if (span) zoom(span);
  });
  plot.on("plotly_relayout", (change) => {
    if ("xaxis.range[0]" in change) range = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (change["xaxis.autorange"]) range = null;
  });
  control("whole").addEventListener("click", show);
  control("series")?.addEventListener("change", show);
  control("variable")?.addEventListener("change", () => plots.draw("detection-plot"));
  list();
})();
