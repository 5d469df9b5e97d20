"""How jobs begin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import sixteen
from sixteen.lineage import fingerprint

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


# In place of the job: a module is edited after the job has begun and before it imports it. What its code is taken for, whether
# the edit reached it, and whether it reached a process that the job starts.
EDITED = """
import os, subprocess, sys, types
from pathlib import Path
from sixteen.lineage import start

IMPORTED = "import sixteen.lineage.console; print(hasattr(sixteen.lineage.console, 'EDITED'), end=' ')"

def main(*_):
    from sixteen.lineage import fingerprint, held
    file = Path(fingerprint.__file__).with_name("console.py")
    file.write_bytes(file.read_bytes() + b"EDITED = True\\n")
    exec(IMPORTED)
    told = {"PYTHONPATH": f"{held.copy(Path('code'))}"}
    print(subprocess.check_output([sys.executable, "-P", "-c", IMPORTED], env=os.environ | told, text=True))
    print(fingerprint.code_of(["sixteen.lineage.console"])["sixteen.lineage.console"])

sys.modules["sixteen.lineage.job"] = types.SimpleNamespace(main=main)
start.step("module:function")
"""


def test_an_edit_does_not_reach_a_job_that_has_begun_nor_what_it_starts(tmp_path):
    """It may come and go while a job imports, waits for a device, trains, or runs a notebook."""
    shutil.copytree(Path(sixteen.__file__).parent, tmp_path / "sixteen")
    name, environment = "sixteen.lineage.console", os.environ | {"PYTHONPATH": str(tmp_path)}
    run = {"env": environment, "cwd": tmp_path, "text": True}
    told = subprocess.check_output([sys.executable, "-c", EDITED], **run)
    assert told.split() == ["False", "False", fingerprint.code_of([name])[name]]


def test_code_of_a_job_is_that_of_its_source_whatever_bytecode_says(tmp_path):
    """Python believes bytecode of a source of the same second and size."""
    shutil.copytree(Path(sixteen.__file__).parent, tmp_path / "sixteen")
    file = tmp_path / "sixteen/lineage/console.py"
    clean, status = file.read_bytes(), file.stat()
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run = {"env": environment, "text": True}
    importing = "import sixteen.lineage.console as console; print(console.EVERY)"
    for every in (b"1", b"2"):
        file.write_bytes(clean + b"EVERY = " + every)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert subprocess.check_output([sys.executable, "-c", importing], **run) == "1\n"
    job = f"from sixteen.lineage import held; held.hold(); {importing}"
    assert subprocess.check_output([sys.executable, "-c", job], **run) == "2\n"
