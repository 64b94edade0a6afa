"use strict";

// What kind of departure a flagged row belongs to, as detect/kinds.py says it.

const KEPT_ROWS = 1500, BEFORE_SPAN = 96, USUAL_ROWS = 400, DAY = 86_400_000_000;

class KindWatch {
  constructor({ values, stamps, flags, hasDays, gap }) {
    Object.assign(this, { hasDays, gap, values: values.map((row) => row.map((v) => v ?? NaN)), stamps: [...stamps], flags: flags.map(Boolean) });
  }

  // The number of each flagged row's kind, −1 for other rows. `values` are standardised; `known` are kinds
  // that are told by what flagged a row, −1 elsewhere.
  run(values, stamps, isFlagged, causes, known) {
    const before = this.flags.length;
    this.values.push(...values);
    this.stamps.push(...stamps);
    this.flags.push(...isFlagged);
    return isFlagged.map((is, row) => (!is ? -1 : known[row] >= 0 ? known[row] : this.kind(before + row, causes[row])));
  }

  kind(row, variable) {
    const oldest = Math.max(row + 1 - KEPT_ROWS, 0);
    const values = this.values.slice(oldest, row + 1).map((r) => r[variable]), flags = this.flags.slice(oldest, row + 1);
    const first = startOf(flags, this.gap), begin = Math.max(first - BEFORE_SPAN, 0);
    return shapeOf(departure(values, flags, this.season(oldest, row), first).slice(begin));
  }

  // Rows of a day, 0 where the rows kept do not show two before this one.
  season(oldest, row) {
    const steps = [];
    for (let t = oldest + 1; t <= row; t++) steps.push(this.stamps[t] - this.stamps[t - 1]);
    const step = this.hasDays && steps.length ? quantileOf(steps, 0.5) : 0, exact = step > 0 ? DAY / step : 0;
    // A half is rounded to the even number, as Python does.
    const season = exact % 1 === 0.5 ? 2 * Math.round(exact / 2) : Math.round(exact);
    return season > 3 && 2 * season + BEFORE_SPAN < row + 1 - oldest ? season : 0;
  }
}

// Where the span begins that the last row belongs to.
function startOf(flags, gap) {
  const rows = [...flags.keys()].filter((t) => flags[t]);
  let first = rows.length - 1;
  while (first && rows[first] - rows[first - 1] <= gap + 1) first--;
  return rows[first];
}

// What values are beyond what is usual, 0 where that is not known.
function departure(values, flags, season, first) {
  const isUsual = values.map((v, t) => isNumber(v) && !flags[t]);
  const usual = values.slice(0, first).filter((_, t) => isUsual[t]).slice(-USUAL_ROWS), level = usual.length ? meanOf(usual) : 0;
  const rest = values.map((value, t) => {
    const days = season ? [t - season, t - 2 * season].filter((back) => back >= 0 && isUsual[back]).map((back) => values[back]) : [];
    const left = value - (days.length ? meanOf(days) : level);
    return isNumber(left) ? left : 0;
  });
  const before = rest.slice(0, first).filter((_, t) => isUsual[t]).slice(-USUAL_ROWS), noise = before.length ? deviationOf(before) : 0;
  return rest.map((v) => Math.sign(v) * Math.max(Math.abs(v) - noise, 0));
}

// The number of the kind by the shape that explains most of a departure's squares: spike, step or ramp; else a pattern.
function shapeOf(values) {
  const energy = values.reduce((a, v) => a + v * v, 0), rows = values.length, pattern = 4;
  if (energy === 0) return pattern;
  const best = [0, 0, 0];
  let sum = 0, placed = 0, recent = 0;
  for (let t = rows - 1; t >= 0; t--) {
    const count = rows - t;
    sum += values[t];
    placed += t * values[t];
    recent += values[t] ** 2 - (t + 3 < rows ? values[t + 3] ** 2 : 0);
    const ramp = placed - (t - 1) * sum;
    best[0] = Math.max(best[0], recent);
    best[1] = Math.max(best[1], sum ** 2 / count);
    best[2] = Math.max(best[2], ramp ** 2 / ((count * (count + 1) * (2 * count + 1)) / 6));
  }
  const shares = best.map((v, k) => v / energy + 1e-9 * (2 - k)), most = shares.indexOf(Math.max(...shares));
  return best[most] / energy >= 0.5 ? most : pattern;
}
