"""The largest batch that fits, found by trying."""

from collections.abc import Callable

PARTS = 32  # the answer is exact to one part in so many, or to one item


def largest(fits: Callable[[int], bool], start: int, stride: int, limit: int) -> int | None:
    """The largest batch of at most `limit` that fits, or None where `limit` itself does.

    From `start` on, strides double until a batch doesn't fit; then the interval is halved until it is the `resolution` of
    what fits. So a new search strides from the recipe's batch by as much, and one that looks again at
    what an earlier one found strides by that part of it, and is done in two tries where it finds the same. 0 where not
    even one item fits.
    """
    fitting, failing, batch = 0, limit + 1, start
    while fitting < batch < failing:
        if fits(batch):
            fitting, batch, stride = batch, min(batch + stride, limit), 2 * stride
        else:
            failing = batch
    while failing - fitting > resolution(fitting):
        middle = (fitting + failing) // 2
        if fits(middle):
            fitting = middle
        else:
            failing = middle
    return None if fitting == limit else fitting


def resolution(batch: int) -> int:
    """To how many items a largest batch is known: one in `PARTS` of it, and at least one."""
    return max(1, batch // PARTS)
