"""Learning rates over time: a factor on the recipe's rate for each step, from the epoch alone.

Every schedule begins with `warmup` epochs in which the rate rises linearly, step by step, to its first value. Epochs
count from the start of the sentence; where `restarts` is true, from the start of the phase instead, so that the same
schedule begins anew after a switch of precision.
"""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Listed, Share


class _Schedule(Entry):
    warmup: Annotated[float, Field(ge=0)]
    restarts: bool


class Constant(_Schedule):
    """The recipe's rate throughout."""

    kind: Literal["constant"]


class Step(_Schedule):
    """Times `factor` at the end of each of the epochs `at`."""

    kind: Literal["step"]
    at: Annotated[Listed[Count], Field(min_length=1)]
    factor: Annotated[float, Field(gt=0, lt=1)]


class Cosine(_Schedule):
    """Half a cosine from the recipe's rate to `end` times it, over so many `epochs` (arXiv:1608.03983, equation 5)."""

    kind: Literal["cosine"]
    epochs: Count
    end: Share


class Linear(_Schedule):
    """A line from the recipe's rate to `end` times it, over so many `epochs`."""

    kind: Literal["linear"]
    epochs: Count
    end: Share


class Plateau(_Schedule):
    """Times `factor` whenever the mean training loss of an epoch hasn't fallen below its least for `patience` epochs."""

    kind: Literal["plateau"]
    factor: Annotated[float, Field(gt=0, lt=1)]
    patience: Count


Schedule = Annotated[Constant | Step | Cosine | Linear | Plateau, Field(discriminator="kind")]
