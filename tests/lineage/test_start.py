"""How jobs begin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import sixteen

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


# In place of the job: what a module's code is taken for, before and after it is imported, while its file is edited.
EDITED = """
import sys, types
from pathlib import Path
from sixteen.lineage import start

def main(*_):
    from sixteen.lineage import fingerprint
    name = "sixteen.lineage.console"
    file = Path(fingerprint.__file__).with_name("console.py")
    clean = file.read_bytes()

    def digest():
        fingerprint.forget()
        return fingerprint.code_of([name])[name]

    for text in (clean, clean + b"x = 1\\n") if sys.argv[1] == "clean" else (clean + b"x = 1\\n", clean):
        file.write_bytes(text)
        __import__(name)
        print(digest())

sys.modules["sixteen.lineage.job"] = types.SimpleNamespace(main=main)
start.step("module:function")
"""


def test_the_code_of_a_job_is_what_it_imported_whatever_becomes_of_the_file(tmp_path):
    """An edit may come and go while a job waits for a device."""
    shutil.copytree(Path(sixteen.__file__).parent, tmp_path / "sixteen")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    told = {}
    for first in ("clean", "edited"):
        shutil.copy(
            Path(sixteen.__file__).parent / "lineage/console.py", tmp_path / "sixteen/lineage"
        )
        command = [sys.executable, "-c", EDITED, first]
        told[first] = subprocess.check_output(command, env=environment, text=True).split()
    assert told["clean"][0] == told["clean"][1]
    assert told["edited"][0] == told["edited"][1] != told["clean"][0]
