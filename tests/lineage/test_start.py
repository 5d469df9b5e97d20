"""How jobs begin."""

import os
import subprocess
import sys

# In place of the job: which threads the sums of NumPy would take.
JOB = """
import sys, types
from sixteen.lineage import start

def main(*_):
    import numpy, threadpoolctl
    print([library["num_threads"] for library in threadpoolctl.threadpool_info()])

sys.modules["sixteen.lineage.job"] = types.SimpleNamespace(main=main)
start.step("module:function")
"""


def test_sums_take_one_thread_whatever_the_environment_says():
    """By snakemake, in a bundle and by hand: with two their last bits would be others."""
    for threads in ({}, {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}):
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        done = subprocess.run(
            [sys.executable, "-c", JOB], env=environment | threads, capture_output=True, text=True
        )
        assert done.stdout == "[1]\n", done.stderr
