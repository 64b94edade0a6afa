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

function draw(place) {
  let text = place.querySelector("script").textContent;
  if (dark.matches) text = text.replace(/#[0-9a-f]{6}/g, (colour) => PARTNERS[colour] || colour);
  const figure = JSON.parse(text);
  const isNarrow = place.clientWidth < 560;
  for (const trace of figure.data) {
    if (trace.type === "bar") trace.y = trace.y.map((name) => wrapped(name, isNarrow ? 16 : 34));
  }
  if (isNarrow) {
    figure.layout.margin = { ...figure.layout.margin, l: 44, r: figure.data[0].type === "bar" ? 56 : 8 };
    figure.layout.font.size = 12;
    for (const axis of [figure.layout.xaxis, figure.layout.yaxis]) {
      if (axis?.title?.text) axis.title.text = wrapped(axis.title.text, 38);
    }
    if (figure.layout.showlegend) figure.layout.legend = { orientation: "h", y: -0.28, yanchor: "top", x: 0 };
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
dark.addEventListener("change", () => plots.forEach(draw));
