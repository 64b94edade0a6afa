"use strict";

// Values as colours: 0 to 1 from the ground to blue; signed values from orange over the ground to blue.

const colours = (() => {
  let table = null;

  const parsed = (name) => {
    const text = theme.colour(name);
    return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  };
  const mixed = (a, b, share) => a.map((channel, k) => channel + (b[k] - channel) * share);

  // 256 colours from -1 to 1; made anew when the theme changes.
  function ramp() {
    if (table) return table;
    const ground = parsed("--heat-ground"), high = parsed("--heat-high"), low = parsed("--heat-low");
    table = Array.from({ length: 256 }, (_, k) => {
      const value = (k - 127.5) / 127.5;
      return mixed(ground, value < 0 ? low : high, Math.abs(value) ** 0.8);
    });
    return table;
  }

  const place = (value) => Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * value)));

  return {
    reset: () => { table = null; },
    // The colour of a value from -1 to 1, as [red, green, blue].
    of: (value) => ramp()[place(Number.isFinite(value) ? value : 0)],
    // A ground for text: half the way, so that the ink on it stands out (WCAG AA).
    ground(value) {
      const [r, g, b] = ramp()[place(Number.isFinite(value) ? value * 0.5 : 0)];
      return `rgb(${r.toFixed(0)} ${g.toFixed(0)} ${b.toFixed(0)})`;
    },
  };
})();

// Numbers as people write them, with a true minus sign.
function shown(value, digits = 3) {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? size.toExponential(digits - 1) : size.toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

// An element with attributes and children; text stays text.
function element(name, attributes = {}, ...children) {
  const isDrawing = ["svg", "line", "path", "circle", "rect", "text", "g", "title"].includes(name);
  const made = isDrawing ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
