"""How the script of a rule begins: quiet on Ctrl-C, before anything is imported that takes time."""

import os
import signal
from typing import Literal


def quietly() -> None:
    """End on Ctrl-C without a word and with status 130, until `job.explained` has words for it."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def step(name: str, device: Literal["shared", "alone"] | None = None) -> None:
    """Run the job of a step, see `job.main`."""
    quietly()
    from sixteen.lineage import job

    job.main(name, device)
