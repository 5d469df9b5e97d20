"""How jobs begin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


# In place of the job: a module is edited after the job has begun and before it imports it. What its code is taken for, whether
# the edit reached it, and whether it reached a process that the job starts.
DIGEST = """
from sixteen.lineage import fingerprint
print(fingerprint.code_of(["sixteen.lineage.console"])["sixteen.lineage.console"])
"""
EDITED = f"""
DIGEST = {DIGEST!r}
import os, subprocess, sys, types
from pathlib import Path
from sixteen.lineage import start

IMPORTED = "import sixteen.lineage.console; print(sixteen.lineage.console.EDITED, end=' ')"

def main(*_):
    from sixteen.lineage import fingerprint, held
    file = Path(fingerprint.__file__).with_name("console.py")
    file.write_bytes(file.read_bytes().replace(b"EDITED = False", b"EDITED = True "))
    exec(IMPORTED)
    told = dict(PYTHONPATH=str(held.copy(Path("code"))))
    print(subprocess.check_output([sys.executable, "-P", "-c", IMPORTED], env=os.environ | told, text=True))
    exec(DIGEST)

sys.modules["sixteen.lineage.job"] = types.SimpleNamespace(main=main)
start.step("module:function")
"""


@pytest.fixture
def begun(tmp_path):
    """What was said before and by a job in a copy of the package, and a function that runs Python there, without a job."""
    shutil.copytree(Path(sixteen.__file__).parent, tmp_path / "sixteen")
    (tmp_path / "sixteen/lineage/.#console.py").symlink_to("what an editor leaves beside it")
    with (tmp_path / "sixteen/lineage/console.py").open("a") as file:
        file.write("EDITED = False\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(code):
        command = [sys.executable, "-c", code]
        return subprocess.check_output(command, env=environment, cwd=tmp_path, text=True).split()

    return run(DIGEST) + run(EDITED), run


def test_an_edit_does_not_reach_a_job_that_has_begun_nor_what_it_starts(begun):
    """It may come and go while a job imports, waits for a device, trains, or runs a notebook."""
    digest_of_clean, imported, by_what_it_starts, digest = begun[0]
    assert (imported, by_what_it_starts) == ("False", "False")
    assert digest == digest_of_clean


def test_a_job_leaves_nothing_of_its_code_for_others(begun):
    """Bytecode of what it holds, beside a source that was edited since, would be run by all that come later."""
    said = begun[1]("import sixteen.lineage.console as console; print(console.EDITED)")
    assert said == ["True"]


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
