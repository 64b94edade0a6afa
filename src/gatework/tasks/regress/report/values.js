"use strict";

// One test series at a time: its input, the value that came next, and what each model and seed said.
(() => {
  const { rows, models, ranks } = data.sections.values.series;
  const control = (name) => document.getElementById(`series-${name}`);
  const range = control("range");
  const END = 14;

  const current = () => rows[ranks[control("order").value][Number(range.value)]];
  const output = () => Number(control("output")?.value ?? 0);
  const short = (value) => Number(value.toPrecision(3)).toString();

  function parts() {
    const row = current(), k = output();
    return { row, actual: row.target[k], first: row.steps - row.input[0].length + 1,
      said: models.map((name, m) => ({ name, values: row.predictions[m].map((seed) => seed[k]) })) };
  }

  function inputs({ row, first }, from = 0) {
    return row.input.map((column, k) => ({ x: column.slice(from).map((_, t) => first + from + t), y: column.slice(from),
      mode: from ? "lines+markers" : "lines", marker: { size: 4, color: theme.colour("--ink-3") },
      line: { color: theme.colour("--ink-3"), width: 1.5 }, name: row.input.length > 1 ? `input ${k + 1}` : "input",
      hovertemplate: "step %{x}: %{y:.4g}<extra></extra>" }));
  }

  const ring = ({ row, actual }) => ({ x: [row.steps + 1], y: [actual], mode: "markers", name: "actual",
    marker: { symbol: "circle-open", size: 13, color: theme.colour("--ring"), line: { width: 2 } },
    hovertemplate: "actual next value: %{y:.4g}<extra></extra>" });

  function marks({ row, said }, size) {
    return said.filter(({ values }) => values.length).map(({ name, values }) => {
      const { colour, marker, network } = plots.look(name);
      return { x: values.map(() => row.steps + 1), y: values, mode: "markers", name: plots.escaped(name),
        marker: { symbol: marker, size, color: colour, opacity: 0.85, line: { width: network ? 0 : 1.8, color: colour } },
        hovertemplate: "%{fullData.name}: %{y:.4g}<extra></extra>" };
    });
  }

  const says = ({ row, actual, said }) => `Test series ${row.index}: the actual next value is ${short(actual)}; ` +
    said.map(({ name, values }) => `${name} predicts ${values.map(short).join(", ")}`).join("; ") + ".";

  const steps = (more) => plots.axis({ showgrid: false, title: plots.titled("step"), tickformat: ",d", ...more });

  plots.add("series-whole", () => {
    const p = parts();
    return { traces: [...inputs(p), ...marks(p, 6), ring(p)], summary: says(p),
      layout: { xaxis: steps({ nticks: 8 }), yaxis: plots.axis({ nticks: 5 }),
        shapes: [{ type: "rect", xref: "x", yref: "paper", x0: p.row.steps - END + 0.5, x1: p.row.steps + 1.7, y0: 0,
          y1: 1, line: { width: 0 }, fillcolor: theme.colour("--wash"), layer: "below" }] } };
  });

  plots.add("series-end", () => {
    const p = parts();
    return { traces: [...inputs(p, Math.max(p.row.input[0].length - END, 0)), ...marks(p, 9), ring(p)], summary: says(p),
      layout: { xaxis: steps({ nticks: 5 }), yaxis: plots.axis({ nticks: 6 }) } };
  });

  plots.add("series-models", () => {
    const p = parts();
    const names = [...p.said].reverse().map(({ name }) => plots.escaped(name));
    const traces = p.said.map(({ name, values }) => {
      const { colour, marker, network } = plots.look(name);
      return { x: values, y: values.map(() => plots.escaped(name)), mode: "markers",
        marker: { symbol: marker, size: 10, color: colour, opacity: 0.75, line: { width: network ? 0 : 1.8, color: colour } },
        hovertemplate: "%{y}: %{x:.4g}<extra></extra>" };
    });
    return { traces, summary: says(p), layout: {
      xaxis: plots.axis({ nticks: 5 }), margin: { l: 60, r: 14, t: 24, b: 34 },
      yaxis: plots.axis({ type: "category", categoryarray: names, range: [-0.6, names.length - 0.4], tickfont:
        { size: 13, color: theme.colour("--ink-2") } }),
      shapes: [{ type: "line", xref: "x", yref: "paper", x0: p.actual, x1: p.actual, y0: 0, y1: 1,
        line: { color: theme.colour("--ring"), width: 1.5 } }],
      annotations: [{ xref: "x", yref: "paper", x: p.actual, y: 1, yanchor: "bottom", showarrow: false,
        text: `actual ${short(p.actual)}`, font: { color: theme.colour("--ink-2"), size: 12 } }] } };
  });

  function show() {
    const row = current();
    control("name").textContent = `Series ${row.index.toLocaleString("en")} of the test part`;
    range.setAttribute("aria-valuetext", `series ${row.index}`);
    ["whole", "end", "models"].forEach((name) => plots.draw(`series-${name}`));
  }
  function move(by) {
    range.value = (Number(range.value) + by + rows.length) % rows.length;
    show();
  }
  control("previous").addEventListener("click", () => move(-1));
  control("next").addEventListener("click", () => move(1));
  range.addEventListener("input", show);
  control("order").addEventListener("change", () => { range.value = 0; show(); });
  control("output")?.addEventListener("change", show);
  show();
})();
