"use strict";

// The text: each token in the colour of its surprise, with gates and states of one unit as bands under it.

const FULL_BITS = 8, BAND = 3; // bits of the full colour; pixels of a band

class LitText {
  // `choose(k)` is called when the person picks token `k`.
  constructor(box, choose) {
    Object.assign(this, { box, choose, tokens: [], chosen: -1 });
    box.addEventListener("click", (event) => {
      const token = event.target.closest("[data-k]");
      if (token) choose(Number(token.dataset.k));
    });
    box.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -20, ArrowDown: 20, Home: -Infinity, End: Infinity }[event.key];
      if (!by) return;
      event.preventDefault();
      choose(Math.max(1, Math.min(this.tokens.length, this.chosen + by)));
    });
  }

  // `steps` are the writer's, the first of them the boundary, which is not shown; `texts` what each adds. Elements are kept
  // where the token is the same.
  draw(steps, texts, names, given) {
    const isAtEnd = this.box.scrollTop + this.box.clientHeight > this.box.scrollHeight - 40;
    let same = 0;
    while (same < this.tokens.length && same + 1 < steps.length && this.tokens[same].step === steps[same + 1]) same++;
    for (const { element: gone } of this.tokens.splice(same)) gone.remove();
    for (let k = same + 1; k < steps.length; k++) {
      const step = steps[k], text = texts[k];
      const shownText = text === "" ? "·" : text.replaceAll("\n", "⏎\n");
      const title = `${names(step.token)}: ${step.bits.toFixed(2)} bits, chance ${(100 * 2 ** -step.bits).toPrecision(2)} %`;
      const made = element("span", { "data-k": k, id: `token-${k}`, role: "option", "aria-selected": "false", "aria-label": `token ${k}, ${title}`, title }, shownText);
      made.style.setProperty("--bits", Math.min(1, step.bits / FULL_BITS).toFixed(3));
      this.box.append(made);
      this.tokens.push({ step, element: made, bands: "" });
    }
    this.tokens.forEach(({ element: token }, k) => {
      const kinds = `${k < given ? "given" : ""} ${["", "\n"].includes(texts[k + 1]) ? "mark" : ""}`.trim();
      if (token.className !== kinds) token.className = kinds;
    });
    if (isAtEnd || !this.tokens.length) this.box.scrollTop = this.box.scrollHeight;
  }

  // Bands under each token: `values(step)` gives a colour for each of `count` bands.
  light(count, values) {
    this.box.style.setProperty("--bands-height", `${count * BAND}px`);
    for (const token of this.tokens) {
      const bands = count ? values(token.step).map((colour, n) => `${colour} ${n * BAND}px ${n * BAND + BAND}px`).join(", ") : "";
      if (token.bands === bands) continue;
      token.bands = bands;
      token.element.style.backgroundImage = bands ? `linear-gradient(to bottom, ${bands})` : "none";
    }
  }

  // Marks token `k`, counted from 1; none where it is the one that comes next.
  mark(k) {
    this.tokens[this.chosen - 1]?.element.setAttribute("aria-selected", "false");
    this.chosen = k;
    const token = this.tokens[k - 1]?.element;
    if (token) {
      token.setAttribute("aria-selected", "true");
      this.box.setAttribute("aria-activedescendant", token.id);
      const { offsetTop: top } = token, { scrollTop: from, clientHeight: height } = this.box;
      if (top < from || top + token.offsetHeight > from + height) this.box.scrollTop = top - height / 2;
    } else this.box.removeAttribute("aria-activedescendant");
  }
}
