"use strict";

// Random numbers that a seed determines (C. Doty-Humphrey's sfc32), so that every network sees the same data, and a
// link shows the same training again.
class Random {
  constructor(...seeds) {
    [this.a, this.b, this.c, this.d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
    for (const seed of seeds) {
      this.a ^= seed | 0;
      for (let k = 0; k < 12; k++) this.bits();
    }
  }

  bits() {
    const sum = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  // Uniform on [low, high), 0 to 1 where nothing is given.
  uniform(low = 0, high = 1) {
    return low + ((high - low) * this.bits()) / 2 ** 32;
  }

  below(count) {
    return Math.floor(this.uniform(0, count));
  }

  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}
