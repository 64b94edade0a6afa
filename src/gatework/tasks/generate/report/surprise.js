"use strict";

// Colours the text by the surprise of the network, or by that of the n-grams.
(() => {
  const text = document.getElementById("surprise");
  document.querySelectorAll('input[name="surprise"]').forEach((choice) =>
    choice.addEventListener("change", () => text.classList.toggle("by-counts", choice.value === "counts")));
})();
