"""Progress of a training: a bar on a terminal, else one plain line an epoch on the logger `sixteen`."""

import logging
import sys
import time
from typing import Any

from tqdm import tqdm

log = logging.getLogger("sixteen")


class Progress:
    """Counts steps and tells of each epoch."""

    def __init__(self, first: int, last: int, steps: int) -> None:
        """Epochs `first` + 1 to `last` are to be trained, in so many steps each."""
        self.last = last
        self.epochs = last - first
        self.bar = None
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.epochs * steps, unit="step", leave=False)
        self.started = time.monotonic()
        self.done = 0

    def tick(self) -> None:
        """Count one step."""
        if self.bar is not None:
            self.bar.update()

    def epoch(self, trained: dict[str, Any], timed: dict[str, Any]) -> None:
        """Tell of an epoch: its row of history.csv, and that of timing.csv."""
        self.done += 1
        if self.bar is not None:
            self.bar.set_description(f"epoch {trained['epoch']}/{self.last}")
            self.bar.set_postfix(
                loss=f"{trained['loss']:.4g}", accuracy=f"{trained['test_accuracy']:.2%}"
            )
            return
        left = (time.monotonic() - self.started) / self.done * (self.epochs - self.done)
        log.info(
            "epoch %d/%d: loss %.4g, test accuracy %.2f %%, %.0f images/s, %.0f s left",
            trained["epoch"],
            self.last,
            trained["loss"],
            100 * trained["test_accuracy"],
            timed["images_per_second"],
            left,
        )

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.bar is not None:
            self.bar.close()
