"use strict";

// What a translation keeps as it is: placeholders stand for it, as gatework.tasks.translate.kept has it.

const PLACEHOLDERS = Array.from({ length: 16 }, (_, k) => String.fromCharCode(0xe000 + k));
const FIRST_PLACEHOLDER = END + 1;

const Keeping = (() => {
  const WORD = "[\\p{L}\\p{N}_]", NO_WORD = `(?<!${WORD})`;
  const RULES = new RegExp([
    "(?<placeholder>[\\ue000-\\ue00f])",
    "</?[A-Za-z][^<>]*>",
    "&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);",
    "(?:https?:\\/\\/|www\\.)[^\\s<>\"]*[^\\s<>\".,;:!?)\\]'’»]",
    "(?<![A-Za-z0-9._%+\\-])[A-Za-z0-9._%+\\-]+@[A-Za-z0-9\\-]+(?:\\.[A-Za-z0-9\\-]+)+",
    `${NO_WORD}(?<!\\p{Nd}[.,:\\/’'\\-])\\p{Nd}+(?:[.,:\\/’'\\-]\\p{Nd}+)*(?!${WORD})`,
    `(?<word>${NO_WORD}${WORD}+(?:[\\-’']${WORD}+)*)`,
  ].join("|"), "gu");
  const BEGINNING = new RegExp(`(?:^|[.!?…:;])[^\\p{L}\\p{N}_]*$`, "u"), LOOKED_BACK = 8;
  const FIRST_WIDE = 0x2e80;

  const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
  const edge = (letter, look) => (/[\p{L}\p{N}]/u.test(letter) && letter.codePointAt(0) < FIRST_WIDE ? `(?${look}${WORD})` : "");
  const pattern = (term) => {
    const [first, ...rest] = term, upper = first.toUpperCase();
    const isFree = /\p{Ll}/u.test(first) && [...upper].length === 1;
    return `${edge(first, "<!")}${isFree ? `[${escaped(first)}${escaped(upper)}]` : escaped(first)}${escaped(rest.join(""))}${edge([...term].at(-1), "!")}`;
  };

  return class {
    // Words of the training sentences, whether names are copied, and a glossary, a tab between a term and its translation.
    constructor({ words, copiesNames, keepsMarks, glossary }, isKeeping) {
      Object.assign(this, { words: new Set(words), copiesNames, keepsMarks, isKeeping, glossary: new Map(glossary.filter(Boolean).map((line) => line.split("\t"))) });
      const terms = [...this.glossary.keys()].sort((a, b) => [...b].length - [...a].length);
      this.terms = terms.length ? new RegExp(terms.map(pattern).join("|"), "gu") : null;
    }

    isNew(word, text, start) {
      const before = start > LOOKED_BACK ? ` ${text.slice(start - LOOKED_BACK, start)}` : text.slice(0, start);
      const isBeginning = start > LOOKED_BACK ? /[.!?…:;][^\p{L}\p{N}_]*$/u.test(before) : BEGINNING.test(before);
      const isName = [...word].length > 1 && /^\p{Lu}/u.test(word) && !isBeginning;
      return (/\p{Nd}/u.test(word) || (this.copiesNames && isName)) && !this.words.has(word.toLowerCase());
    }

    // What is kept of a sentence, in its order: { start, end, value }.
    spans(text) {
      if (!this.isKeeping) return [];
      const found = [];
      for (const { 0: term, index } of this.terms ? text.matchAll(this.terms) : []) {
        const value = this.glossary.get(term) ?? this.glossary.get(term[0].toLowerCase() + term.slice(1));
        found.push({ start: index, end: index + term.length, value });
      }
      for (const { 0: value, index, groups } of text.matchAll(RULES)) {
        if (!groups.word || this.isNew(value, text, index)) found.push({ start: index, end: index + value.length, value });
      }
      const kept = [];
      for (const span of found.sort((a, b) => a.start - b.start || b.end - a.end)) {
        if (span.start >= (kept.at(-1)?.end ?? 0)) kept.push(span);
      }
      return kept;
    }

    // A translation with a mark at its end where its source has one, and without where that has none.
    ended(source, translation) {
      const hasMark = (text) => /[.!?…。！？]$/u.test(text);
      if (!this.keepsMarks || !translation || hasMark(source) === hasMark(translation)) return translation;
      if (!hasMark(source)) return translation.replace(/[.!?…。！？ ]+$/u, "");
      return /[.!?…]$/u.test(source) ? translation + source.at(-1) : translation;
    }

    // A sentence with placeholders, and what they stand for.
    masked(text) {
      const spans = this.spans(text).slice(0, PLACEHOLDERS.length);
      let written = "", at = 0;
      spans.forEach(({ start, end }, k) => { written += text.slice(at, start) + PLACEHOLDERS[k]; at = end; });
      return { text: written + text.slice(at), values: spans.map(({ value }) => value) };
    }
  };
})();

const TAG_NAME = /^<(\/?)([A-Za-z][^\s/>]*)/u;

// Whether every tag that closes another closes the last one that is open.
function isNested(values) {
  const tags = values.map((value) => value.match(TAG_NAME)).filter(Boolean), opened = [];
  const closed = new Set(tags.filter(([, slash]) => slash).map(([, , name]) => name));
  for (const [, slash, name] of tags) {
    if (slash && opened.pop() !== name) return false;
    if (!slash && closed.has(name)) opened.push(name);
  }
  return !opened.length;
}

// A translation with what its placeholders stand for; what it lacks comes before its last mark.
function filled(text, values, isCapital) {
  const wanted = new Map(values.map((value, k) => [PLACEHOLDERS[k], value]));
  const lacking = [...wanted.keys()].filter((placeholder) => !text.includes(placeholder));
  if (lacking.length) {
    const at = text.search(/\s*[.!?…。！？]*$/u);
    text = `${text.slice(0, at)} ${lacking.join(" ")}${text.slice(at)}`.replace(OUTER, "");
  }
  let written = [...text].filter((letter) => wanted.has(letter)).map((letter) => wanted.get(letter));
  if (!isNested(written)) {
    const tags = values.filter((value) => TAG_NAME.test(value));
    written = written.map((value) => (TAG_NAME.test(value) ? tags.shift() ?? value : value));
  }
  if (isCapital && wanted.has(text[0]) && !written[0].includes(".")) {
    const [first, ...rest] = written[0];
    written[0] = first.toUpperCase() + rest.join("");
  }
  return [...text].map((letter) => (wanted.has(letter) ? written.shift() : PLACEHOLDERS.includes(letter) ? "" : letter)).join("");
}

// Words with what their placeholders stand for.
const filledWords = (words, values) => words.map((word) => [...word].map((letter) => values[PLACEHOLDERS.indexOf(letter)] ?? letter).join(""));
