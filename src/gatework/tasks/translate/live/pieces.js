"use strict";

// Sentences as pieces of words and back, as gatework.data.subwords does it.

// White space as Python's split() and strip() have it.
const WHITE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const BETWEEN = new RegExp(WHITE, "u"), OUTER = new RegExp(`^${WHITE}|${WHITE}$`, "gu");

const PADDING = 0, BEGIN = 1, END = 2, SPACE_OF_PIECE = "Ġ";

class Pieces {
  constructor({ pieces, merges }) {
    this.pairs = new BytePairs(pieces, merges);
    this.pieces = pieces;
  }

  encode(text) {
    const whole = text.toWellFormed(), spaced = !whole || whole.startsWith(" ") ? whole : ` ${whole}`;
    return spaced.split(/([\ue000-\ue00f])/u).flatMap((part) => {
      const placeholder = this.pairs.number.get(part);
      return placeholder > END && PLACEHOLDERS.includes(part) ? [placeholder] : this.pairs.encode(part.normalize("NFC"));
    });
  }

  decode(numbers) {
    return this.pairs.decode(numbers.filter((number) => number > END)).replace(OUTER, "");
  }

  // The words that pieces make up, and for every piece the position of its word.
  words(numbers) {
    const groups = [], places = [];
    for (const number of numbers) {
      if (!groups.length || this.pieces[number].startsWith(SPACE_OF_PIECE)) groups.push([]);
      groups.at(-1).push(number);
      places.push(groups.length - 1);
    }
    return { words: groups.map((group) => this.decode(group)), places };
  }
}

const tidied = (line) => line.split(BETWEEN).filter(Boolean).join(" ");

// A line in sentences that are no longer than what was learnt from, as gatework cuts it.
function cutLine(line, { subwords, keeping, longest }) {
  const tidy = tidied(line);
  const isShort = (text) => keeping.spans(text).length <= PLACEHOLDERS.length && subwords.encode(keeping.masked(text).text).length < longest;
  if (!tidy || isShort(tidy)) return tidy ? [tidy] : [];
  const chunks = (sentence) => {
    if (isShort(sentence)) return [sentence];
    const words = sentence.split(" "), parts = words.length > 1 ? words : [...sentence];
    const half = Math.floor(parts.length / 2), glue = words.length > 1 ? " " : "";
    return half ? [...chunks(parts.slice(0, half).join(glue)), ...chunks(parts.slice(half).join(glue))] : [sentence];
  };
  return tidy.split(/(?<=[.!?…。！？;:])\s+|(?<=[。！？])/u).filter(Boolean).flatMap(chunks);
}
