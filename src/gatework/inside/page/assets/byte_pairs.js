"use strict";

// Byte-pair encoding on bytes, as the library tokenizers does it: a text is cut into words, a word into its bytes, and of
// neighbours those become one whose pair was learnt first.

const BytePairs = (() => {
  // The letter that stands for each byte in a piece: itself where it can be seen, else one from 256 on (GPT-2).
  const isSeen = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  const letters = [], byteOf = new Map();
  for (let byte = 0, unseen = 0; byte < 256; byte++) letters.push(String.fromCharCode(isSeen(byte) ? byte : 256 + unseen++));
  letters.forEach((letter, byte) => byteOf.set(letter, byte));
  const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // white space of Unicode; JavaScript's differs by two
  const WORDS = new RegExp(`'(?:s|t|re|ve|m|ll|d)| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`, "gu");
  const MOST_KNOWN = 50000; // words whose pieces are kept for the next time

  return class {
    // `pieces` by number; `merges` as "first second", the first learnt first.
    constructor(pieces, merges) {
      this.pieces = pieces;
      this.number = new Map(pieces.map((piece, k) => [piece, k]));
      this.rank = new Map(merges.map((merge, k) => [merge, k]));
      this.known = new Map();
    }

    encode(text) {
      return (text.match(WORDS) ?? []).flatMap((word) => this.word(word));
    }

    word(word) {
      let numbers = this.known.get(word);
      if (numbers) return numbers;
      numbers = this.merged(Array.from(new TextEncoder().encode(word), (byte) => letters[byte])).map((part) => this.number.get(part));
      if (this.known.size > MOST_KNOWN) this.known.clear();
      this.known.set(word, numbers);
      return numbers;
    }

    merged(parts) {
      for (;;) {
        let best = Infinity;
        for (let k = 0; k + 1 < parts.length; k++) best = Math.min(best, this.rank.get(`${parts[k]} ${parts[k + 1]}`) ?? Infinity);
        if (best === Infinity) return parts;
        const joined = [];
        for (let k = 0; k < parts.length; k++) {
          const isPair = k + 1 < parts.length && this.rank.get(`${parts[k]} ${parts[k + 1]}`) === best;
          joined.push(isPair ? parts[k] + parts[k + 1] : parts[k]);
          if (isPair) k++;
        }
        parts = joined;
      }
    }

    // The bytes that a piece stands for; a placeholder is no piece of bytes, and stands for itself.
    bytes(number) {
      if (!byteOf.has(this.pieces[number][0])) return new TextEncoder().encode(this.pieces[number]);
      return Uint8Array.from(this.pieces[number], (letter) => byteOf.get(letter));
    }

    decode(numbers) {
      return new TextDecoder().decode(Uint8Array.from(numbers.flatMap((number) => [...this.bytes(number)])));
    }
  };
})();
