"""From the values of a row of units to C++, where some are means over all of its units: one pass over the row for each.

A value is of a unit, or of the whole row where it is made of means and numbers alone. The pass that a value belongs to
is the first in which all means that it needs are known. A value of a unit that a mean has gone into and that a later
pass needs stands in the row's place between the passes; beyond the last unit it is 0 there, and so adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatework.cells._derive import topological
from gatework.cells._emit import line_of
from gatework.cells._printer import CPP, CPP_ROW
from gatework.cells._symbol import Symbol


class RowPasses:
    """The statements that turn a row into a result in its place.

    Attributes:
        numbers: The names of the numbers of the whole row, once the statements are written.
    """

    def __init__(self, result: Symbol, rows: Mapping[Symbol, str], numbers: Mapping[Symbol, str]) -> None:
        """Sorts the values that the result needs by their passes.

        Args:
            result: What the row becomes.
            rows: The names of the rows that are read; the result replaces the first.
            numbers: The names of numbers of a whole row that are known before.
        """
        self.numbers = dict(numbers)
        self._result, self._rows, self._place = result, dict(rows), next(iter(rows))
        self._needed = topological([result], {*rows, *numbers})
        self._pass: dict[Symbol, int] = dict.fromkeys((*rows, *numbers), 0)
        self._of_row = {*numbers, *(s for s in self._needed if s.operation in ("constant", "mean"))}
        for symbol in self._needed:
            self._pass[symbol] = max((self._pass[a] for a in symbol.arguments), default=0) + (
                symbol.operation == "mean"
            )
            if symbol.arguments and self._of_row.issuperset(symbol.arguments):
                self._of_row.add(symbol)

    def statements(self) -> list[str]:
        """The passes, in order; the last one stores the result."""
        last, lines, standing = self._pass[self._result], [], self._place
        for number in range(last + 1):
            lines += self._row_numbers(number)
            means = [s for s in self._needed if s.operation == "mean" and self._pass[s] == number + 1]
            kept = self._result if number == last else self._kept_after(number, standing)
            lines += [f"    V sum_of_{self._name(s)} = V::constant(0);" for s in means]
            lines += ["    for (int64_t k = 0; k < count; k += V::lanes) {", *self._one_pass(means, standing, kept)]
            lines += ["    }"]
            standing = kept
        return lines

    def _one_pass(self, means: Sequence[Symbol], standing: Symbol, kept: Symbol) -> list[str]:
        """What is done at some units: reads, what stands in the row's place afterwards, and terms of the means."""
        terms = [s.arguments[0] for s in means]
        names = {s: f"V::broadcast({name})" for s, name in self.numbers.items()}
        place = self._rows[self._place]
        names[standing] = f"{place}_k"
        reads = topological([kept, *terms], {*self.numbers, *self._rows, standing})
        read = [s for s in self._rows if s is not self._place and any(s in v.arguments for v in reads)]
        names |= {s: f"{self._rows[s]}_k" for s in read}
        lines = [f"      const V {names[s]} = {_loaded(self._rows[s])};" for s in read]
        lines.append(f"      const V {names[standing]} = {_loaded(place)};")
        if kept is not standing:
            lines += [*self._computed(kept, names), f"      store_units({names[kept]}, {place} + k, count - k);"]
        if kept is not standing and terms:
            names[kept] = "kept"
            lines.append(f"      const V kept = {_loaded(place)};")
        for mean, term in zip(means, terms, strict=True):
            total = f"sum_of_{self._name(mean)}"
            lines += [*self._computed(term, names), f"      {total} = {total} + {names[term]};"]
        return lines

    def _kept_after(self, number: int, standing: Symbol) -> Symbol:
        """The value that stands in the row's place after a pass."""
        late = [s for s in self._needed if self._pass[s] > number and s.operation != "mean"]
        read = {a for s in late for a in s.arguments if 0 < self._pass[a] <= number} - self._of_row
        if len(read) > 1:
            raise NotImplementedError("a row has one place, and two of its values are needed in a later pass")
        return read.pop() if read else standing

    def _row_numbers(self, number: int) -> list[str]:
        """The numbers of the whole row that are known before a pass."""
        lines = []
        for symbol in self._needed:
            if symbol not in self._of_row or self._pass[symbol] != number:
                continue
            if symbol.operation == "constant":
                self.numbers[symbol] = CPP_ROW.constant(float(symbol.value or 0))
                continue
            name = self.numbers[symbol] = self._name(symbol)
            statement = f"const T {name} = total_of(sum_of_{name}) / static_cast<T>(count);"
            if symbol.operation != "mean":
                statement = CPP_ROW.statement(name, symbol, [self.numbers[a] for a in symbol.arguments])
            lines.append(line_of(statement, symbol))
        return lines

    def _computed(self, output: Symbol, names: dict[Symbol, str]) -> list[str]:
        """The statements of a value of a unit, whose names are added."""
        lines = []
        for symbol in topological([output], names):
            names[symbol] = self._name(symbol)
            text = CPP.statement(names[symbol], symbol, [names[a] for a in symbol.arguments])
            lines.append(line_of(f"  {text}", symbol))
        return lines

    def _name(self, symbol: Symbol) -> str:
        return f"t{self._needed.index(symbol)}"


def _loaded(row: str) -> str:
    return f"load_units<V>({row} + k, count - k)"
