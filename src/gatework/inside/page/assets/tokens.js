"use strict";

// Text to tokens, exactly as gatework.data.tokens does it.

const tokeniser = (() => {
  const { letter, number, mark, unspaced } = CHARACTERS;
  const first = `(?![${unspaced}])[${letter}${number}]`;
  const further = `(?![${unspaced}])[${letter}${number}${mark}]`;
  const emoji = `[${CHARACTERS.emoji}][\\u{FE0F}\\u{1F3FB}-\\u{1F3FF}]*`;
  const pattern = [
    `${first}(?:${further})*(?:'${first}(?:${further})*)*`,
    `(?=[${unspaced}])[${letter}${number}][${mark}]*`,
    `${emoji}(?:\\u{200D}${emoji})*`,
    "[\\u{1F1E6}-\\u{1F1FF}]{2}",
    "[!?]",
  ].join("|");
  return new RegExp(pattern, "gu");
})();

// Lower-cased and composed, as the tokens are found in it.
function tidied(text) {
  const whole = text.toWellFormed ? text.toWellFormed() : text; // node knows it from 20 on, browsers from 2023
  return whole.replaceAll("’", "'").toLowerCase().normalize("NFC");
}

// The tokens of a text and what stands between them: [{ token, before }], and what is left at the end.
function tokenise(text) {
  const tidy = tidied(text);
  const found = [];
  let end = 0;
  for (const match of tidy.matchAll(tokeniser)) {
    found.push({ token: match[0], before: tidy.slice(end, match.index) });
    end = match.index + match[0].length;
  }
  return { tokens: found, rest: tidy.slice(end) };
}
