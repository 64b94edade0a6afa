"use strict";
// Looks through the parts of all lessons and the terms; what it shows is text, never markup.
const ENTRIES = /* entries */ [];
const MOST = 12, AROUND = 70;
const field = document.getElementById("search"), list = document.getElementById("hits"), said = document.getElementById("hit-count");

// A part is a hit if every word begins one of its own; a word in the title counts more than one in the text.
function hits(query) {
  const words = query.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  for (const entry of ENTRIES) {
    let score = 0;
    const starts = words.map((word) => new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "iu"));
    const isHit = starts.every((start) => {
      const inTitle = start.test(entry.title);
      score += inTitle ? 10 : 1;
      return inTitle || start.test(entry.text);
    });
    if (isHit) found.push({ entry, score, start: starts[0] });
  }
  return found.sort((a, b) => b.score - a.score);
}

function shown({ entry, start }) {
  const item = document.createElement("li"), link = document.createElement("a"), of = document.createElement("span");
  link.href = entry.page;
  link.textContent = entry.title;
  of.textContent = entry.of && ` · ${entry.of}`;
  const at = Math.max(0, entry.text.search(start)), from = Math.max(0, at - AROUND), to = at + AROUND;
  const text = document.createElement("p");
  text.textContent = (from > 0 ? "…" : "") + entry.text.slice(from, to) + (to < entry.text.length ? "…" : "");
  item.append(link, of, text);
  return item;
}

field.addEventListener("input", () => {
  const found = hits(field.value);
  list.replaceChildren(...found.slice(0, MOST).map(shown));
  said.textContent = !field.value.trim() ? "" : found.length === 1 ? "1 part" : found.length ? `${found.length} parts` : "Nothing; try another word.";
});
field.form.addEventListener("submit", (event) => event.preventDefault());
