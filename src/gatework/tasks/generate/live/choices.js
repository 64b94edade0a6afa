"use strict";

// The likeliest next tokens as bars that can be clicked: the network's own chance, and that by which it is drawn.

const MOST_CHOICES = 12;

class Choices {
  constructor(box, take) {
    this.box = box;
    this.rows = Array.from({ length: MOST_CHOICES }, (_, k) => {
      const name = element("span", { class: "token-name" }), own = element("i", { class: "own" }), byRules = element("i", { class: "by-rules" });
      const figure = element("span", { class: "figure" });
      const button = element("button", { type: "button", onclick: () => take(this.tokens[k]) },
        element("span", { class: "key-of", "aria-hidden": "true" }, k < 9 ? String(k + 1) : ""), " ", name, " ", element("span", { class: "bar" }, byRules, own), figure);
      const row = element("li", {}, button);
      box.append(row);
      return { row, button, name, own, byRules, figure };
    });
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !/^[1-9]$/.test(event.key) || Number(event.key) > this.tokens.length) return;
      event.preventDefault();
      take(this.tokens[Number(event.key) - 1]);
    });
  }

  // `chances` are the network's own, `shares` those by which a token is drawn; `taken` is the one that stands there.
  draw(chances, shares, visible, taken) {
    const order = [...chances.keys()].filter((token) => chances[token] > 0).sort((a, b) => chances[b] - chances[a] || a - b);
    this.tokens = order.slice(0, MOST_CHOICES);
    const percent = (share) => (share >= 0.1 ? `${(100 * share).toFixed(0)} %` : `${(100 * share).toPrecision(share >= 0.001 ? 2 : 1)} %`);
    const words = (share) => (share < 1e-5 ? "< 0.001 %" : percent(share));
    const longest = Math.max(...this.tokens.map((token) => Math.max(chances[token], shares[token])));
    const width = (share) => `${((100 * share) / longest).toFixed(2)}%`;
    this.rows.forEach(({ row, button, name, own, byRules, figure }, k) => {
      const token = this.tokens[k];
      row.hidden = token === undefined;
      if (row.hidden) return;
      name.textContent = visible(token);
      own.style.setProperty("--own", width(chances[token]));
      byRules.style.setProperty("--by-rules", width(shares[token]));
      byRules.hidden = shares[token] === 0;
      figure.textContent = words(chances[token]);
      button.className = [shares[token] === 0 ? "is-cut" : "", token === taken ? "taken" : ""].join(" ").trim();
      // What is seen stands in the name as it is seen, for those who say what to press.
      button.setAttribute("aria-label", `${k < 9 ? `${k + 1} ` : ""}${visible(token)} ${words(chances[token])} by the network, ${shares[token] ? `drawn with ${words(shares[token])}` : "never drawn by these rules"}${token === taken ? ", stands there" : ""}`);
    });
  }
}
