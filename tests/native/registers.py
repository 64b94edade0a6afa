"""Whether the tiles of gemm.h stay in registers on arm64, from the listing of `objdump -d -C` on standard input.

In the loop over depth, a tile of rows x columns vectors has that many multiply-adds, nothing on the stack and no
register copied to another. Ends with 1 and names the tiles where this is not so.
"""

import re
import sys
from collections.abc import Iterator

TILE = re.compile(r"multiply_(?:transposed_)?tile<[^()]*Exact<[^()]*Vector<(\w+), \d+> ?>, (\d), (\d)>")


def functions(listing: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """The functions of a listing: their names, and the addresses and texts of their instructions."""
    for part in re.split(r"\n(?=[0-9a-f]{16} <)", listing):
        title, _, body = part.partition("\n")
        lines = re.findall(r"^ +([0-9a-f]+):\t(.*)$", body, re.MULTILINE)
        yield title, [(int(address, 16), text) for address, text in lines]


def inner_loop(instructions: list[tuple[int, str]]) -> list[str]:
    """The shortest loop that multiplies and adds; empty when there is none."""
    loops = []
    for address, text in instructions:
        jump = re.match(r"(?:b\.\w+|cbn?z)\t(?:\w+, )?([0-9a-f]+) <", text)
        if jump and (start := int(jump[1], 16)) <= address:
            loops.append([t for a, t in instructions if start <= a <= address])
    return min((loop for loop in loops if any(t.startswith("fmla") for t in loop)), key=len, default=[])


def main() -> int:
    """Check the listing; the exit code."""
    tiles, wrong = 0, 0
    for title, instructions in functions(sys.stdin.read()):
        tile = TILE.search(title)
        if not tile:
            continue
        loop = inner_loop(instructions)
        sums = sum(text.startswith("fmla") for text in loop)
        spilled = [text for text in loop if "[sp" in text or text.startswith("mov\tv")]
        tiles += 1
        if spilled or sums != int(tile[2]) * int(tile[3]):
            wrong += 1
            print(f"{tile[0]}: {sums} multiply-adds, {len(spilled)} moves to the stack or between registers")
    if not wrong:
        print(f"{tiles} tiles stay in registers")
    return 1 if wrong or not tiles else 0


if __name__ == "__main__":
    sys.exit(main())
