"use strict";

// The page of translation: a sentence, the translations of every network, and beside them what a dictionary says.

const TYPED = 350; // milliseconds without a key press before a sentence is translated
const WORD = 220; // milliseconds between two words
const LONGEST_SHOWN = 40; // words of a translation that come one by one

const start = (networks) => new TranslationPage(networks);

class TranslationPage {
  constructor(networks) {
    this.networks = networks.map((network) => new Translator(network));
    this.lexicons = networks.map((network) => new Lexicon(network.lists.lexicon));
    this.said = this.networks.map((network, k) => new Said(network, k));
    at("said").append(...this.said.map(({ box }) => box));
    DATA.examples.forEach((text, k) => at("example").append(element("option", { value: k }, text.slice(0, 60) || "an empty sentence")));
    at("example").append(element("option", { value: -1, hidden: true }, "your own"));
    const [{ beam }] = networks;
    for (const count of new Set([1, beam, 5])) at("beam").append(element("option", { value: count }, count === 1 ? "word by word, the likeliest" : `beam of ${count}`));
    at("beam").value = beam;
    at("example").addEventListener("input", () => this.useExample(Number(at("example").value)));
    at("beam").addEventListener("input", () => this.translate());
    at("again").addEventListener("click", () => this.translate());
    at("input").addEventListener("input", () => { at("example").value = -1; clearTimeout(this.typing); this.typing = setTimeout(() => this.translate(), TYPED); });
    this.useExample(0);
  }

  useExample(k) {
    at("input").value = DATA.examples[k] ?? "";
    at("example").value = k;
    this.translate();
  }

  // Translates at once, and shows it word by word.
  translate() {
    clearTimeout(this.typing);
    clearTimeout(this.coming);
    const text = at("input").value, beam = Number(at("beam").value);
    this.answers = this.networks.map((network, k) => translatedLine(network, this.lexicons[k], text, beam));
    this.said.forEach((said, k) => said.take(this.answers[k]));
    this.tell(text);
    const isSlow = !matchMedia("(prefers-reduced-motion: reduce)").matches && Math.max(...this.said.map(({ words }) => words.length)) <= LONGEST_SHOWN;
    if (isSlow) this.come();
    else this.finish();
  }

  come() {
    const goesOn = this.said.map((said) => said.more()).some(Boolean);
    // A hidden tab's timers wait for a second and more: nobody sees the words come one by one.
    if (goesOn && !document.hidden) this.coming = setTimeout(() => this.come(), WORD);
    else this.finish();
  }

  // All at once.
  finish() {
    clearTimeout(this.coming);
    this.said.forEach((said) => { while (said.more()); });
    tell(this.answers.map(({ text }, k) => (text ? `${this.networks[k].name}: ${text}` : "")).join(" "));
    document.body.dataset.said = this.answers.map(({ text }) => text).join(" | ");
  }

  tell(text) {
    const reference = this.networks[0].references[at("example").value];
    const rows = [["known translation", reference], ["dictionary, word by word", tidied(text) && this.lexicons[0].translated(tidied(text))]];
    at("beside").replaceChildren(...rows.filter(([, said]) => said).flatMap(([name, said]) => [element("dt", {}, name), element("dd", {}, element("bdi", {}, said))]));
    delete document.body.dataset.said;
  }
}
