"use strict";

// What all plots share: the page's data, one look per model, and drawing again when the theme changes.
const data = JSON.parse(document.getElementById("data").textContent);

const plots = (() => {
  const drawers = new Map();
  const NARROW = 420;
  const touch = matchMedia("(pointer: coarse)").matches;
  const config = { responsive: true, displaylogo: false, displayModeBar: touch ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"], doubleClick: "reset" };

  const look = (name) => {
    const model = data.models[name];
    return { ...model, colour: theme.colour(model.colour) };
  };

  // "#rrggbb" with an opacity, for thin lines that lie over each other.
  const faded = (colour, opacity) => {
    const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    return `rgba(${channels.join(",")},${opacity})`;
  };

  const axis = (more) => ({ gridcolor: theme.colour("--grid"), zeroline: false, showline: false, ticks: "",
    tickfont: { color: theme.colour("--ink-3"), size: 12 }, automargin: true, ...more });

  // Ticks of an axis of whole numbers up to this one: each of a few once, not "2, 2" for 1.5 and 2.
  const whole = (most) => ({ tickformat: ",d", ...(most > 6 ? { nticks: 6 } : { dtick: 1, tick0: 0 }) });
  const titled = (text) => ({ text, standoff: 6, font: { color: theme.colour("--ink-3"), size: 12 } });

  const layout = (more) => ({
    font: { family: getComputedStyle(document.documentElement).getPropertyValue("--sans").trim(), size: 13,
      color: theme.colour("--ink-2") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, autosize: true,
    margin: { l: 44, r: 10, t: 8, b: 34 }, dragmode: touch ? false : "zoom", hovermode: "closest",
    hoverlabel: { bgcolor: theme.colour("--wash"), bordercolor: theme.colour("--rule"),
      font: { color: theme.colour("--ink"), size: 12 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.colour("--ink-3"), activecolor: theme.colour("--ink") },
    ...more });

  function draw(id) {
    const { traces, layout: wanted, summary } = drawers.get(id)();
    const element = document.getElementById(id);
    // A narrow plot has room for few dates, which are else turned on their side.
    if (wanted.xaxis && element.clientWidth < NARROW) wanted.xaxis.nticks = Math.min(wanted.xaxis.nticks ?? 4, 4);
    Plotly.react(element, traces, layout(wanted), config);
    // The label says what the picture shows; its buttons stay to be reached.
    for (const drawing of element.querySelectorAll(".main-svg")) drawing.setAttribute("aria-hidden", "true");
    if (summary) element.setAttribute("aria-label", summary);
  }

  function add(id, drawer) {
    if (!document.getElementById(id)) return;
    drawers.set(id, drawer);
    draw(id);
  }

  // Names at the right end of lines, pushed apart so that none covers another. `share` is 0 at the axis' foot, 1 at its top.
  function endLabels(ends, height) {
    const gap = 16 / height;
    const sorted = [...ends].sort((a, b) => a.share - b.share);
    sorted.forEach((end, k) => { end.at = k ? Math.max(end.share, sorted[k - 1].at + gap) : end.share; });
    const over = sorted.length ? Math.max(0, sorted[sorted.length - 1].at - 1) : 0;
    return sorted.map((end) => ({ xref: "paper", yref: "paper", x: 1, y: end.at - over, xanchor: "left",
      yanchor: "middle", xshift: 6, showarrow: false, text: escaped(end.text), font: { color: end.colour, size: 13 } }));
  }

  // Plotly reads a few HTML tags in its texts; a name from data must stay a name.
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  theme.watch(() => drawers.forEach((_, id) => draw(id)));
  return { add, draw, look, faded, axis, whole, titled, endLabels, escaped };
})();
