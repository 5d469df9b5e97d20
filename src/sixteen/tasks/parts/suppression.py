"""Non-maximum suppression: of boxes of one class that overlap, the one with the highest score. Traced, of a fixed size."""

from typing import Any

from keras import ops

from sixteen.tasks.parts import anchors

OVERLAP = 0.5  # intersection over union above which the lower score goes
LEAST = 0.05  # the score that a box must exceed
CANDIDATES = 400  # pairs of an anchor and a class, the best of a picture, that are looked at
MOST = 100  # boxes a picture


def suppressed(boxes: Any, scores: Any) -> Any:
    """The best boxes of each picture, by falling score: float32 [batch, MOST, 6] of four sides, score and class.

    `boxes` are float32 [batch, anchors, 4], `scores` [batch, anchors, classes]. What is left over is zero.
    """
    rows = _candidates(boxes, scores)
    boxes, scores, classes = rows[..., :4], rows[..., 4], rows[..., 5]

    def step(number: Any, state: Any) -> Any:
        alive, kept = state
        best = ops.argmax(alive * scores, axis=-1)[:, None]
        # All zero once nobody is left.
        found = ops.take_along_axis(rows * alive[..., None], best[..., None], axis=1)
        same = ops.equal(classes, found[..., 5])
        gone = same & (anchors.overlap(found[..., :4], boxes)[:, 0] > OVERLAP)
        gone = gone | ops.equal(ops.arange(alive.shape[1]), ops.cast(best, "int32"))
        alive = ops.where(gone, ops.zeros_like(alive), alive)
        return alive, ops.slice_update(kept, (0, number, 0), found)

    alive = ops.cast(scores > LEAST, "float32")
    kept = ops.zeros((rows.shape[0], MOST, 6), "float32")
    return ops.fori_loop(0, MOST, step, (alive, kept))[1]


def _candidates(boxes: Any, scores: Any) -> Any:
    """The best pairs of a picture, float32 [batch, n, 6] of four sides, score and class."""
    batch, places, classes = scores.shape
    flat = ops.reshape(scores, (batch, places * classes))
    best, index = ops.top_k(flat, min(CANDIDATES, places * classes))
    index = ops.cast(index, "int32")
    chosen = ops.take_along_axis(boxes, (index // classes)[..., None], axis=1)
    label = ops.cast(index % classes, "float32")
    return ops.concatenate([chosen, best[..., None], label[..., None]], axis=-1)
