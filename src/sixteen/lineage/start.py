"""How the script of a rule begins: quiet on Ctrl-C, before anything is imported that takes time."""

import os
import signal
from typing import Literal

from sixteen.lineage import held

# NumPy's sums end in other last bits with other numbers of threads. Snakemake sets these to the cores of a job, a bundle and
# a shell to nothing; training has threads of its own, which are parameters.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def quietly() -> None:
    """End on Ctrl-C without a word and with status 130, until `job.explained` has words for it."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def step(name: str, device: Literal["shared", "alone"] | None = None) -> None:
    """Run the job of a step, see `job.main`."""
    quietly()
    os.environ |= dict.fromkeys(THREADS, "1")  # before NumPy is imported
    held.hold()
    from sixteen.lineage import job

    job.main(name, device)
