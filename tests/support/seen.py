"""What a page must not do to a reader, as scripts that a browser answers with a list of the places that do it."""

from __future__ import annotations

# Text whose contrast with its ground is below that of WCAG AA: 4.5, and 3 where it is large.
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, ground) => [0, 1, 2].map((k) => top[k] * top[3] + ground[k] * (1 - top[3])).concat(1);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const lineage = (node) => (node ? [node, ...lineage(node.parentElement)] : []);
  const groundOf = (node) => lineage(node).map((each) => channels(getComputedStyle(each).backgroundColor))
    .filter((colour) => colour[3]).reverse().reduce((ground, colour) => over(colour, ground), [255, 255, 255, 1]);
  return [...document.querySelectorAll("body *")].flatMap((node) => {
    const text = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join(" ").trim();
    const { width, height } = node.getBoundingClientRect(), style = getComputedStyle(node);
    if (!text || width < 2 || height < 2 || node.closest("svg, canvas, option, :disabled, script, .hidden")) return [];
    const ground = groundOf(node), opacities = lineage(node).map((each) => getComputedStyle(each).opacity);
    const ink = channels(style.color);
    ink[3] *= opacities.reduce((all, each) => all * each, 1);
    const [low, high] = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    return contrast < (isLarge ? 3 : 4.5) ? [`${contrast.toFixed(2)} ${node.className}: ${text.slice(0, 40)}`] : [];
  });
}"""

# What scrolls sideways by itself and cannot be reached from the keyboard.
UNREACHABLE = """() => [...document.querySelectorAll("body *")]
  .filter((node) => node.scrollWidth > node.clientWidth + 1)
  .filter((node) => ["auto", "scroll"].includes(getComputedStyle(node).overflowX))
  .filter((node) => node.tabIndex < 0 && !node.querySelector("a, button, input, select, textarea, [tabindex]"))
  .map((node) => node.outerHTML.slice(0, 80))"""

# A picture, to whoever hears a page, in which something can be reached that is not told.
HIDDEN_CONTROLS = """() => [...document.querySelectorAll("[role=img]")]
  .filter((node) => node.querySelector("a, button, input, select, textarea, [tabindex='0']"))
  .map((node) => node.outerHTML.slice(0, 80))"""
