"""An epoch that is under way: where it began, and what its steps have told so far.

It is what a checkpoint within an epoch holds beside the weights, so that an epoch of hours can be resumed in the middle.
"""

from typing import Any, Self

import numpy as np

BEFORE, REPORTS = "before/", "reports"


class UnderWay:
    """One epoch: the weights `before` it (see `state.snapshot`) and the `updates` made by then.

    `reports` are float32 [steps so far, 4], see `Step.train`; `seconds` what these steps took.
    """

    def __init__(
        self,
        before: dict[str, np.ndarray],
        updates: int,
        reports: np.ndarray | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.before, self.updates, self.seconds = before, updates, seconds
        self.reports = np.zeros((0, 4), np.float32) if reports is None else reports

    @property
    def steps(self) -> int:
        """How many of its steps are done."""
        return len(self.reports)

    def add(self, reports: np.ndarray, seconds: float) -> None:
        """Take in what further steps told."""
        self.reports = np.concatenate([self.reports, reports])
        self.seconds += seconds

    def tensors(self) -> dict[str, np.ndarray]:
        """Its arrays, for a checkpoint."""
        return {REPORTS: self.reports} | {f"{BEFORE}{name}": x for name, x in self.before.items()}

    def about(self) -> dict[str, Any]:
        """The rest, for a checkpoint."""
        return {"under_way": {"updates": self.updates, "seconds": self.seconds}}

    @classmethod
    def of(cls, tensors: dict[str, np.ndarray], about: dict[str, Any]) -> Self | None:
        """The one that a checkpoint holds; None if that was written at the end of an epoch."""
        if REPORTS not in tensors:
            return None
        before = {n.removeprefix(BEFORE): x for n, x in tensors.items() if n.startswith(BEFORE)}
        told = about["under_way"]
        return cls(before, told["updates"], tensors[REPORTS], told["seconds"])
