"use strict";

// What texts are read as: characters with bytes for the rest, or pieces of words. Token 0 is the boundary of documents.

const BOUNDARY = 0, FIRST_BYTE = 1, FIRST_CHARACTER = 257, FIRST_PIECE = 1;

class Tokens {
  constructor({ level, characters, lists }) {
    this.pairs = level === "subword" ? new BytePairs(lists.pieces, lists.merges) : null;
    this.characters = [...(characters ?? "")];
    this.number = new Map(this.characters.map((character, k) => [character, FIRST_CHARACTER + k]));
    this.utf8 = new TextEncoder();
  }

  encode(text) {
    const whole = text.replace(/\p{Surrogate}/gu, "?");
    if (this.pairs) return this.pairs.encode(whole).map((number) => number + FIRST_PIECE);
    return [...whole].flatMap((character) => {
      const token = this.number.get(character);
      return token === undefined ? Array.from(this.utf8.encode(character), (byte) => FIRST_BYTE + byte) : [token];
    });
  }

  // What a token stands for, in UTF-8; nothing for the boundary.
  bytes(token) {
    if (token === BOUNDARY) return new Uint8Array(0);
    if (this.pairs) return this.pairs.bytes(token - FIRST_PIECE);
    return token < FIRST_CHARACTER ? Uint8Array.of(token - FIRST_BYTE) : this.utf8.encode(this.characters[token - FIRST_CHARACTER]);
  }

  // The text that each token adds: of a character that is written byte by byte, the last byte adds it.
  texts(tokens) {
    const decoder = new TextDecoder();
    return tokens.map((token) => decoder.decode(this.bytes(token), { stream: true }));
  }

  // A single token as one can read it.
  name(token) {
    if (token === BOUNDARY) return "end of text";
    const bytes = this.bytes(token);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return /^\p{Control}$/u.test(text) && text !== "\n" && text !== "\t" ? `U+${text.codePointAt(0).toString(16).padStart(4, "0")}` : text;
    } catch {
      return `byte ${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
    }
  }

  // The same with white space that can be seen.
  visible(token) {
    return this.name(token).replaceAll("\n", "⏎").replaceAll(" ", token === BOUNDARY ? " " : "␣").replaceAll("\t", "⇥");
  }
}
