"use strict";

// The loss of single batches jumps; its geometric mean, recent ones counting most, is what is drawn and judged.
const KEPT = 0.9; // the share of what was that stays at each step

const SEQUENCES = 16; // held-out sequences that are looked at
const JUDGED_EVERY = 10; // steps between two scores on the part kept for testing, where data are not endless

const smoothed = (before, loss) => (before === null || !(before > 0) || !Number.isFinite(loss) ? loss : before ** KEPT * Math.max(loss, 1e-12) ** (1 - KEPT));
