"""Anchors: the boxes that a detector starts from, and how boxes are told relative to them (RetinaNet, arXiv:1708.02002).

Boxes are [..., 4]: left, top, right and bottom in pixels. All is float32, whatever a network computes in: 16-bit numbers
don't tell a pixel of a large picture from its neighbour.
"""

from typing import Any

import numpy as np
from keras import ops

FIRST = 3  # the first level, whose places are 2^3 pixels apart; those of the next one twice as far
SIZE = 4  # sides of a square anchor in units of that distance: 32 pixels on level 3
SCALES = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
RATIOS = (0.5, 1.0, 2.0)  # of height to width, at the same area
EACH = len(SCALES) * len(RATIOS)  # anchors at a place
DEVIATIONS = np.array([0.1, 0.1, 0.2, 0.2], np.float32)  # by which offsets are divided


def anchors(shape: tuple[int, ...], count: int) -> np.ndarray:
    """The `count` anchors for pictures of `shape` (height, width, ...): float32 [count, 4].

    Level by level, row by row, place by place, as a network puts out; how many levels these are, their number tells.
    """
    found: list[np.ndarray] = []
    while sum(map(len, found)) < count:
        found.append(_level(shape, FIRST + len(found)))
    return np.concatenate(found).astype(np.float32)


def places(shape: tuple[int, ...], level: int) -> tuple[int, int]:
    """Rows and columns of a level: one for each stride, the last one perhaps in part."""
    return -(-shape[0] // 2**level), -(-shape[1] // 2**level)


def _level(shape: tuple[int, ...], level: int) -> np.ndarray:
    ratios = np.sqrt(np.tile(RATIOS, len(SCALES)))
    sides = SIZE * 2**level * np.repeat(SCALES, len(RATIOS))
    half = np.stack([sides / ratios, sides * ratios], 1) / 2
    rows, columns = (np.arange(many) + 0.5 for many in places(shape, level))
    middles = np.stack(np.meshgrid(columns, rows), -1)[:, :, None] * 2**level
    return np.concatenate([middles - half, middles + half], -1).reshape(-1, 4)


def overlap(boxes: Any, others: Any) -> Any:
    """Intersection over union of boxes [..., n, 4] and [..., m, 4]: [..., n, m]; 0 where both are empty. Traced."""
    boxes, others = boxes[..., :, None, :], others[..., None, :, :]
    upper = ops.maximum(boxes[..., :2], others[..., :2])
    lower = ops.minimum(boxes[..., 2:], others[..., 2:])
    shared = ops.prod(ops.maximum(lower - upper, 0.0), axis=-1)
    union = _area(boxes) + _area(others) - shared
    return shared / ops.maximum(union, 1e-8)


def encode(boxes: Any, anchors: Any) -> Any:
    """How far boxes [..., 4] lie from `anchors` [..., 4]: of the middle, in sides of the anchor, and logarithms of sides."""
    (middle, side), (at, of) = _middles(boxes), _middles(anchors)
    # A row without a box has no sides, and counts for nothing.
    sides = ops.log(ops.maximum(side, 1e-8) / of)
    return ops.concatenate([(middle - at) / of, sides], axis=-1) / DEVIATIONS


def decode(offsets: Any, anchors: Any) -> Any:
    """The boxes [..., 4] that lie so far from `anchors`: undoes `encode`. Traced."""
    at, of = _middles(anchors)
    offsets = offsets * DEVIATIONS
    middle, half = at + of * offsets[..., :2], of * ops.exp(offsets[..., 2:]) / 2
    return ops.concatenate([middle - half, middle + half], axis=-1)


def _middles(boxes: Any) -> tuple[Any, Any]:
    sides = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + sides / 2, sides


def _area(boxes: Any) -> Any:
    return ops.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
