"use strict";

// The house that Jack built: an English nursery rhyme, in print since 1755. Every verse repeats the one before, so even
// a small network learns it while one watches, and one can see what it merely knows by heart.
const RHYME = (() => {
  const parts = [
    "the house that jack built", "the malt that lay in", "the rat that ate", "the cat that killed", "the dog that worried",
    "the cow with the crumpled horn that tossed", "the maiden all forlorn that milked", "the man all tattered and torn that kissed",
    "the priest all shaven and shorn that married", "the cock that crowed in the morn that waked", "the farmer sowing his corn that kept",
  ];
  return parts.map((_, n) => `this is ${parts.slice(0, n + 1).reverse().join(" ")}.`).join(" ");
})();
