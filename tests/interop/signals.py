"""What a site shows and says, so that the other end can tell whose it is: one colour, one tone."""

import math
from dataclasses import dataclass

RATE = 48_000
WIDTH, HEIGHT, PICTURES_PER_SECOND = 320, 180, 10
# Share of a second's energy that must lie at the tone: Opus keeps a sine nearly whole, another tone has none.
PURE = 0.5
# Decoded colours differ from what was encoded by a few steps of 255.
NEAR = 24


@dataclass(frozen=True)
class Signal:
    """Luma and chroma of the picture by BT.601, and as 0xAARRGGBB; hertz of the voice."""

    argb: int
    y: int
    u: int
    v: int
    tone: int

    def shows(self, y: float, u: float, v: float) -> bool:
        return all(abs(a - b) < NEAR for a, b in ((self.y, y), (self.u, u), (self.v, v)))

    def sounds(self, samples: list[float]) -> bool:
        energy = sum(sample * sample for sample in samples)
        return energy > 0 and power_at(self.tone, samples) > PURE * energy

    def wave(self, start: int, count: int) -> list[int]:
        step = 2 * math.pi * self.tone / RATE
        return [int(8000 * math.sin(step * (start + n))) for n in range(count)]


# Far apart in every component that counts.
RED = Signal(0xFFFF0000, 81, 90, 240, 440)
BLUE = Signal(0xFF0000FF, 41, 240, 110, 1000)
GREEN = Signal(0xFF00FF00, 145, 54, 34, 1700)


def power_at(tone: int, samples: list[float]) -> float:
    """Goertzel's filter: the energy of `samples` that lies at `tone`."""
    turn = 2 * math.cos(2 * math.pi * tone / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = before * before + last * last - turn * before * last
    return 2 * power / len(samples)
