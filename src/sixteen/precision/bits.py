"""Bits over time: with how many a step of low-precision training computes its forward pass (arXiv:2403.02243).

A schedule moves between the fewest and the most forward bits that a precision allows, `low` and `high`; the gradients
of layer outputs keep theirs. Cyclic schedules are those of the paper, section 3: a profile of growth g and decay v (in
time upside down) or h (mirrored) over each of `cycles` equal parts of a phase of training.

What the paper leaves open is taken from its authors' code: a cycle is int(T / n) + 1 of the T steps long, so that the
last one is cut, and bits are rounded half to even. A short phase so ends below `high`.
"""

import math
from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sixteen.entry import Count, Entry, NotNegative

FULL = 32  # bits that stand for float32 as it is
MOST = 16  # bits of a grid
STEEPNESS = 4  # k of the exponential profile


class Static(Entry):
    """The most bits throughout."""

    kind: Literal["static"]


class Window(Entry):
    """The fewest bits for `epochs` from `start` epochs after the beginning of the phase on, the most before and after.

    From the beginning, it is the deficit of arXiv:2403.02243; further on, the window that is moved over a run.
    """

    kind: Literal["window"]
    start: NotNegative
    epochs: NotNegative


class Cyclic(Entry):
    """Up and down between the fewest and the most bits, after `start` epochs with the most.

    `repeated` grows in every cycle; the triangular forms decay in the cycles 0, 2, 4... and grow in 1, 3, 5..., so
    that they begin and end with the most bits. Their decay is the growth upside down (`triangular-v`) or mirrored
    (`triangular-h`), which is the same for the symmetric profiles cosine and linear.
    """

    kind: Literal["cyclic"]
    profile: Literal["cosine", "linear", "exponential", "rex"]
    form: Literal["repeated", "triangular-h", "triangular-v"]
    cycles: Count
    start: NotNegative


BitSchedule = Annotated[Static | Window | Cyclic, Field(discriminator="kind")]


def of_steps(
    schedule: BitSchedule, low: int, high: int, first: int, last: int, steps: int
) -> np.ndarray:
    """Forward bits of each step of a phase of `last` - `first` epochs of `steps` each: int64 [(last - first) * steps]."""
    return np.rint(low + (high - low) * height(schedule, (last - first) * steps, steps)).astype(int)


def height(schedule: BitSchedule, total: int, steps: int) -> np.ndarray:
    """How far from the fewest (0) to the most bits (1) a phase of `total` steps, `steps` an epoch, is: float64 [total]."""
    times = np.arange(total)
    match schedule:
        case Static():
            return np.ones(total)
        case Window():
            begin, end = schedule.start * steps, (schedule.start + schedule.epochs) * steps
            return np.where((times >= begin) & (times < end), 0.0, 1.0)
        case Cyclic():
            waited = min(round(schedule.start * steps), total)
            return np.concatenate([np.ones(waited), _cycles(schedule, total - waited)])


def bit_cost(forward: np.ndarray, gradients: int) -> float:
    """Mean cost of the steps with these `forward` bits, as a share of steps in float32.

    The paper's count of bit operations: a forward product of two tensors of q bits costs q^2, each of two backward
    products of q by `gradients` bits the product of both; in float32, all are 32^2 (arXiv:2403.02243, section 3). A
    model of the hardware that isn't there yet: on today's, layers on grids are slower than float32.
    """
    costs = forward.astype(np.float64) ** 2 + 2.0 * forward * gradients
    return float(costs.mean() / (3 * FULL**2))


def _cycles(schedule: Cyclic, total: int) -> np.ndarray:
    length = int(total / schedule.cycles) + 1
    cycle, step = np.divmod(np.arange(total), length)
    z = step / length
    growth, decay = _growth(schedule.profile), _decay(schedule)
    falls = (schedule.form != "repeated") & (cycle % 2 == 0)
    return np.where(falls, decay(z), growth(z))


def _growth(profile: str) -> Callable[[np.ndarray], np.ndarray]:
    """From 0 to 1 while z goes from 0 to 1."""
    match profile:
        case "cosine":
            return lambda z: (1 - np.cos(math.pi * z)) / 2
        case "linear":
            return lambda z: z
        case "exponential":
            return lambda z: 1 - np.exp(-STEEPNESS * z)
        case _:
            return lambda z: 1 - _rex(1 - z)


def _decay(schedule: Cyclic) -> Callable[[np.ndarray], np.ndarray]:
    growth = _growth(schedule.profile)
    if schedule.form == "triangular-h":
        return lambda z: growth(1 - z)
    return lambda z: 1 - growth(z)


def _rex(u: np.ndarray) -> np.ndarray:
    """The reflected exponential (Chen, Wolfe and Kyrillidis, arXiv:2107.04197), from 0 to 1."""
    return u / (0.1 + 0.9 * u)
