"""Progress of a training: one plain line an epoch on the logger `sixteen`, and on a terminal a bar below."""

import contextlib
import logging
import sys
import time
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

log = logging.getLogger("sixteen")


class Progress:
    """Counts steps and tells of each epoch."""

    def __init__(self, first: int, last: int, steps: int) -> None:
        """Epochs `first` + 1 to `last` are to be trained, in so many steps each."""
        self.last = last
        self.epochs = last - first
        self.bar = None
        self.around = contextlib.ExitStack()
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.epochs * steps, unit="step", leave=False)
            self.around.enter_context(logging_redirect_tqdm([log]))
        self.started = time.monotonic()
        self.done = 0

    def tick(self) -> None:
        """Count one step."""
        if self.bar is not None:
            self.bar.update()

    def epoch(self, trained: dict[str, Any], timed: dict[str, Any]) -> None:
        """Tell of an epoch: its row of history.csv, and that of timing.csv."""
        self.done += 1
        tested = f"loss {trained['loss']:.4g}, test loss {trained['test_loss']:.4g}"
        if "test_accuracy" in trained:
            tested += f", test accuracy {100 * trained['test_accuracy']:.2f} %"
        if self.bar is not None:
            self.bar.set_description(f"epoch {trained['epoch']}/{self.last}")
            self.bar.set_postfix_str(tested)
        left = (time.monotonic() - self.started) / self.done * (self.epochs - self.done)
        log.info(
            "epoch %d/%d: %s, %.0f items/s, %.0f s left",
            trained["epoch"],
            self.last,
            tested,
            timed["items_per_second"],
            left,
        )

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.around.close()
        if self.bar is not None:
            self.bar.close()
