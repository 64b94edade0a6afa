"use strict";
// Light colours and their partners in a dark page.
const PARTNERS = {
  "#0069b5": "#5cadf5", "#cc5200": "#ff9455", "#00856a": "#35c9a5", "#b0559c": "#e48fd0",
  "#4a4aa8": "#a5a5f5", "#8a6a00": "#d9b740", "#a03a50": "#f08aa0", "#2f8fb5": "#7fd0ee", "#6b7a1e": "#b9cc5a",
  "#1b1b1d": "#eceae6", "#6c6c74": "#a0a0a8", "#e8e6e1": "#2b2c31", "#d9d7d2": "#3a3b40", "#fdfcfa": "#17181b",
};
const dark = matchMedia("(prefers-color-scheme: dark)");

function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length >= most) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.join("<br>");
}

// On paper: light, and no wider than a sheet, whatever the window is.
const PAPER = 640;

function draw(place, isOnPaper = false) {
  let text = place.querySelector("script").textContent;
  if (dark.matches && !isOnPaper) text = text.replace(/#[0-9a-f]{6}/g, (colour) => PARTNERS[colour] || colour);
  const figure = JSON.parse(text);
  const isNarrow = !isOnPaper && place.clientWidth < 560;
  figure.layout.width = isOnPaper ? Math.min(PAPER, place.clientWidth) : undefined;
  for (const trace of figure.data) {
    if (trace.type === "bar") trace.y = trace.y.map((name) => wrapped(name, isNarrow ? 16 : 34));
  }
  if (isNarrow) {
    figure.layout.margin = { ...figure.layout.margin, l: 44, r: figure.data[0].type === "bar" ? 56 : 8 };
    figure.layout.font.size = 12;
    for (const axis of [figure.layout.xaxis, figure.layout.yaxis]) {
      if (axis?.title?.text) axis.title.text = wrapped(axis.title.text, 38);
    }
    // Below the axis and its title, however many lines these take and however low the plot is.
    if (figure.layout.showlegend) figure.layout.legend = { orientation: "h", yref: "container", y: 0, yanchor: "bottom", x: 0 };
    const [axis, bars] = [figure.layout.xaxis, figure.data[0]];
    // A figure beside a bar to the left needs the room of its letters, of which a narrow plot has few.
    if (bars.type === "bar" && axis.range?.[0] < 0) axis.range[0] = Math.min(0, ...bars.x) - 0.3 * (Math.max(0, ...bars.x) - Math.min(0, ...bars.x));
  }
  if (figure.layout.showlegend && isNarrow && figure.data.length > 4) {
    figure.layout.height = 340 + 22 * figure.data.length;
    place.style.height = `${figure.layout.height}px`;
  }
  Plotly.react(place.querySelector(".drawing"), figure.data, figure.layout, { responsive: true, displayModeBar: false });
}

const plots = document.querySelectorAll(".plot");
for (const place of plots) {
  const drawing = document.createElement("div");
  drawing.className = "drawing";
  place.append(drawing);
  draw(place);
}
// What scrolls sideways is a stop of the keyboard, and nothing else of its kind is.
const scrollers = document.querySelectorAll(".code, .math.block, .html, .table");
function reach() {
  for (const each of scrollers) {
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
    else each.removeAttribute("tabindex");
  }
}
reach();
addEventListener("resize", reach);
addEventListener("toggle", reach, true);

const drawAll = (isOnPaper) => plots.forEach((place) => draw(place, isOnPaper));
dark.addEventListener("change", () => drawAll(false));
addEventListener("beforeprint", () => drawAll(true));
addEventListener("afterprint", () => drawAll(false));
