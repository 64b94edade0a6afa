"use strict";

// The dictionary that counting alone learnt from the same pairs (IBM model 1): which word goes with which.

class Lexicon {
  // Lines of a source word and its translations with their chances in 10,000ths; the first is of no word.
  constructor(lines) {
    this.translations = new Map(lines.map((line) => {
      const parts = line.split(" "), found = new Map();
      for (let k = 1; k + 1 < parts.length; k += 2) found.set(parts[k], Number(parts[k + 1]) / 10000);
      return [parts[0], found];
    }));
  }

  words(sentence) {
    return sentence.match(/[\p{L}\p{N}_]+(?:['’][\p{L}\p{N}_]+)*['’]?|[^\p{L}\p{N}_\s]/gu) ?? [];
  }

  // For every target word how likely it comes from each source word; what is left to 1 goes to no word.
  alignment(sources, targets) {
    const plain = (word) => this.words(word)[0] ?? word, nothing = this.translations.get("");
    const known = sources.map((source) => this.translations.get(plain(source)));
    return targets.map((target) => {
      const word = plain(target), chances = known.map((found) => found?.get(word) ?? 0);
      const total = chances.reduce((a, b) => a + b, nothing?.get(word) ?? 0);
      return chances.map((chance) => (total ? chance / total : 0));
    });
  }

  // A sentence word by word, each in its place, unknown words as they are.
  translated(sentence) {
    const words = this.words(sentence).map((word) => {
      const found = this.translations.get(word) ?? this.translations.get(word.toLowerCase());
      return found?.size ? found.keys().next().value : word;
    });
    return words.join(" ").replace(/\s+([.,!?;:…)\]}%»”])/g, "$1").replace(/([([{«“¿¡])\s+/g, "$1");
  }
}
