"""The loss of detectors that look at every anchor: focal for classes, smooth L1 for boxes (arXiv:1708.02002)."""

from typing import Any

from keras import ops

from sixteen.tasks.parts import anchors as a

ALPHA, GAMMA = 0.25, 2  # weight of what is there, and the power that calms what is easy
BEND = 1 / 9  # where the loss of an offset goes over from a square to a line
# An anchor is for a box from the first overlap on, and for none below the second one.
THERE, ELSEWHERE = 0.5, 0.4


def assigned(anchors: Any, boxes: Any, classes: Any) -> tuple[Any, Any, Any]:
    """What each anchor is to find: (class int32, offsets, whether it counts for classes), float32 [batch, anchors, ...].

    `anchors` are [anchors, 4], `boxes` [batch, most, 4], empty where there is none, which so overlaps nothing, `classes`
    int32 [batch, most]. An anchor is for the box that it overlaps most, if by half; its class is -1 if it is for none. In
    between, from 0.4 on, it counts for nothing.
    """
    shares = a.overlap(anchors, boxes)
    best = ops.argmax(shares, axis=-1)
    most = ops.max(shares, axis=-1)
    there = most >= THERE
    label = ops.where(there, ops.take_along_axis(classes, best, axis=1), -1)
    offsets = a.encode(ops.take_along_axis(boxes, best[..., None], axis=1), anchors)
    return label, offsets, there | (most < ELSEWHERE)


def losses(outputs: Any, anchors: Any, targets: tuple[Any, Any], dtype: str) -> Any:
    """The loss of each picture, [batch], computed in `dtype` but for the assignment, which is float32.

    `outputs` are [batch, anchors, classes + 4]: logits, then offsets; `targets` are boxes and classes as in `assigned`. Of
    a picture, the focal losses of all anchors that count and all classes are added up and divided by how many anchors are
    for a box, 1 at least; to that comes the mean smooth L1 loss of these anchors' four offsets. Most focal losses are far
    below 1e-5 early on: in float16 they lose digits, and their gradients vanish without a scale of the loss.
    """
    label, offsets, counts = assigned(anchors, *targets)
    outputs, offsets = ops.cast(outputs, dtype), ops.cast(offsets, dtype)
    counts, there = ops.cast(counts, dtype), ops.cast(label >= 0, dtype)
    many = ops.maximum(ops.sum(there, axis=1), 1)
    wanted = ops.one_hot(label, outputs.shape[-1] - 4, dtype=dtype)
    focal = ops.sum(_focal(outputs[..., :-4], wanted), axis=-1) * counts
    smooth = ops.mean(_smooth(outputs[..., -4:] - offsets), axis=-1) * there
    return (ops.sum(focal, axis=1) + ops.sum(smooth, axis=1)) / many


def _focal(logits: Any, wanted: Any) -> Any:
    """alpha_t (1 - p_t)^gamma (-log p_t), equation 5 there: p_t is the probability of what is `wanted`, 0 or 1."""
    right = ops.where(wanted > 0, logits, -logits)
    weight = ops.where(wanted > 0, ALPHA, 1 - ALPHA)
    return ops.cast(weight, logits.dtype) * ops.sigmoid(-right) ** GAMMA * ops.softplus(-right)


def _smooth(error: Any) -> Any:
    size = ops.abs(error)
    return ops.where(size <= BEND, size * size / (2 * BEND), size - BEND / 2)
