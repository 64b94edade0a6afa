"use strict";

// Values as colours: 0 to 1 from the ground to blue; signed values from orange over the ground to blue.

const READABLE = 4.6;

const colours = (() => {
  let table = null, shares = null;

  const parsed = (name) => {
    const text = theme.colour(name);
    return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  };

  // 256 colours from -1 to 1, three bytes each; made anew when the theme changes.
  function ramp() {
    if (table) return table;
    const ground = parsed("--heat-ground"), high = parsed("--heat-high"), low = parsed("--heat-low");
    table = new Uint8ClampedArray(3 * 256);
    for (let k = 0; k < 256; k++) {
      const value = (k - 127.5) / 127.5, end = value < 0 ? low : high, share = Math.abs(value) ** 0.8;
      for (let n = 0; n < 3; n++) table[3 * k + n] = ground[n] + (end[n] - ground[n]) * share;
    }
    return table;
  }

  // WCAG's relative luminance.
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((byte) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  // How far a ground may go from zero to either end, half the way at most, for ink to be read on it (WCAG AA).
  function most(value) {
    const ink = luminance(parsed("--ink"));
    for (let share = 0.5; share > 0; share -= 0.02) {
      const at = place(share * Math.sign(value)), ground = luminance([...ramp().slice(at, at + 3)]);
      if ((Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05) >= READABLE) return share;
    }
    return 0;
  }

  const place = (value) => (Number.isFinite(value) ? 3 * Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * value))) : 3 * 128);

  return {
    reset: () => { table = shares = null; },
    // Writes the colours of values (steps x units), as shares of `bound`, into an image of a column per step from `from` on.
    paint(image, values, units, from, bound) {
      const colour = ramp(), bytes = image.data, columns = image.width;
      for (let t = 0; t < columns; t++) {
        for (let k = 0; k < units; k++) {
          const of = place(values[(from + t) * units + k] / bound), to = 4 * (k * columns + t);
          bytes[to] = colour[of];
          bytes[to + 1] = colour[of + 1];
          bytes[to + 2] = colour[of + 2];
          bytes[to + 3] = 255;
        }
      }
    },
    // A value as its full colour.
    full(value) {
      const colour = ramp(), at = place(value);
      return `rgb(${colour[at]} ${colour[at + 1]} ${colour[at + 2]})`;
    },
    // A ground for text.
    ground(value) {
      shares ??= { low: most(-1), high: most(1) };
      const colour = ramp(), at = place(value * (value < 0 ? shares.low : shares.high));
      return `rgb(${colour[at]} ${colour[at + 1]} ${colour[at + 2]})`;
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

// A number in four digits or so, or all of those before the point.
function inFour(value) {
  const size = Math.abs(value);
  return shown(value, size >= 1e5 ? 4 : Math.max(0, Math.min(3, 3 - Math.floor(Math.log10(size || 1)))));
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
