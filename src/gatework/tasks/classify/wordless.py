r"""Sound in which nobody speaks, as a network hears it: made of hisses and tones, by torch's generator.

The energy of each mel band is the sum of what sounds at once: a hiss with a slope over frequency, which stays as loud
as it is, swells and sinks, jumps, or comes in knocks; and tones, a hum that lasts or notes that begin together and
decay, each with partials at whole multiples of its frequency that fall off by a power. What is left out of the sum is
nothing at all. A detector of words that has heard these in training is not surprised by a fan, a mains hum, a tune.

How often it is wrong where sounds are none of these is told by strange ones that it has not heard: notes that glide,
each as loud as it happens to be, some with odd partials alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gatework.data.features import FLOOR

_LOUDER = 4.0
"""How much louder than a recording's mean a hiss may be, in logarithms of energy, as all levels here."""
_LOUDEST_TONE = 10.0
_TEXTURE, _SLOPE = 0.5, 1.0
_SILENT, _HISSING, _SOUNDING = 0.1, 0.85, 0.6
# The most that a hiss swells or jumps, the frames that it keeps a level, and how loud and rare knocks are.
_MOVING, _KEPT, _KNOCK, _RARE = 3.0, (10, 120), 8.0, 0.02
# The range of a tone's frequency in hertz, its partials, how fast notes decay in a frame, how long they last, how many
# sound at once, how wide a partial is in bands; and of strange ones how much softer a note may be, and the octaves that
# it may glide.
_LOWEST, _HIGHEST, _PARTIALS, _DECAY, _NOTE, _CHORD, _WIDE = 40.0, 1200.0, 12, 0.12, (8, 100), 3, 0.7
_SOFTER, _GLIDE = 6.0, 0.7
_HALF_RATE = 4000.0
_MELS = 700.0


def wordless(frames: int, bands: int, loudness: float, *, is_strange: bool = False) -> Tensor:
    """Log energies of no speech, shape (frames, bands).

    Args:
        frames: How many.
        bands: How many.
        loudness: The mean of a recording's; the hiss is between nothing and somewhat louder.
        is_strange: Whether tones are such as no network learns from.
    """
    silence = torch.full((frames, bands), FLOOR)
    if _is(_SILENT):
        return silence
    level = float((loudness + _LOUDER) * torch.rand(1))
    x = silence
    is_hissing = _is(_HISSING)
    if is_hissing:
        x = torch.logaddexp(x, _hiss(frames, bands) + level)
    if not is_hissing or _is(_SOUNDING):
        x = torch.logaddexp(x, _tones(frames, bands, is_strange) + level + float(_LOUDEST_TONE * torch.rand(1)))
    return x.clamp_min(FLOOR)


def _is(chance: float) -> bool:
    return float(torch.rand(1)) < chance


def _hiss(frames: int, bands: int) -> Tensor:
    slope = _SLOPE * torch.linspace(-1, 1, bands) * torch.randn(1)
    ways = (_steady, _swelling, _jumping, _knocking)
    way = ways[int(torch.randint(len(ways), (1,)))]
    return slope + way(frames)[:, None] + _TEXTURE * torch.randn(frames, bands)


def _steady(frames: int) -> Tensor:
    return torch.zeros(frames)


def _swelling(frames: int) -> Tensor:
    turns = 2 * math.pi * torch.rand(1) * torch.arange(frames) / _KEPT[0]
    return _MOVING * torch.rand(1) * torch.sin(turns + 2 * math.pi * torch.rand(1))


def _jumping(frames: int) -> Tensor:
    kept = int(torch.randint(*_KEPT, (1,)))
    levels = _MOVING * (2 * torch.rand(-(-frames // kept) + 1) - 1)
    start = int(torch.randint(kept, (1,)))
    return levels.repeat_interleave(kept)[start : start + frames]


def _knocking(frames: int) -> Tensor:
    knocks = (torch.rand(frames) < _RARE) * _KNOCK * torch.rand(frames)
    decay, level, levels = float(torch.rand(1)), 0.0, []
    for knock in knocks.tolist():
        level = max(level * decay, knock)
        levels.append(level)
    return torch.tensor(levels)


def _tones(frames: int, bands: int, is_strange: bool) -> Tensor:
    """Tones one after the other, or one that lasts, each perhaps a chord, relative to the loudest."""
    lasting = 2 * frames if _is(0.4) else int(torch.randint(*_NOTE, (1,)))
    first, decay = int(torch.randint(lasting, (1,))), _DECAY * float(torch.rand(1)) * (lasting < frames)
    since = (torch.arange(frames) + first) % lasting
    number = (torch.arange(frames) + first) // lasting
    notes = [_note(bands, since[number == one] / lasting, is_strange) for one in range(int(number[-1]) + 1)]
    return torch.cat(notes) - decay * since[:, None]


def _note(bands: int, share: Tensor, is_strange: bool) -> Tensor:
    """The spectrum of a note at each frame, by how much of it is over: shape (frames, bands)."""
    if not is_strange:
        return _chord(bands, torch.ones(1)).expand(len(share), -1)
    glide = _GLIDE * (2 * torch.rand(1) - 1)
    higher = torch.exp2(glide * share) if _is(0.5) else torch.ones(1)
    return (_chord(bands, higher, 2 if _is(0.3) else 1) - _SOFTER * torch.rand(1)).expand(len(share), -1)


def _chord(bands: int, higher: Tensor, every: int = 1) -> Tensor:
    """The spectrum of up to three tones at once, shape (frames, bands).

    Args:
        bands: How many.
        higher: By how much their frequencies are higher at each frame, shape (frames,).
        every: Of their partials those whose orders are so far apart.
    """
    count = int(torch.randint(1, _CHORD + 1, (1,)))
    pitch = _LOWEST * (_HIGHEST / _LOWEST) ** torch.rand(count, 1)
    orders = torch.arange(1, _PARTIALS + 1, every)
    hertz, levels = higher[:, None, None] * pitch * orders, -3 * torch.rand(count, 1) * orders.log()
    levels = levels.masked_fill(hertz > _HALF_RATE, -math.inf).flatten(1)
    places = (bands * torch.log1p(hertz / _MELS) / math.log1p(_HALF_RATE / _MELS)).flatten(1)
    distance = (torch.arange(bands)[:, None] - places[:, None]) / _WIDE
    return torch.logsumexp(levels[:, None] - distance.square() / 2, 2)
