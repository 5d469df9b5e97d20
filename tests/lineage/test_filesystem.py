"""What is told of a file system that fails, whoever raises it."""

import errno
import shutil
from pathlib import Path

import pytest

from sixteen.lineage import filesystem

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),  # of a tree of files
        RuntimeError(".sixteen/cache/x.tmp; No space left on device"),  # of TensorFlow
        ValueError("I/O error: No space left on device (os error 28)"),  # of safetensors
    ],
)
def test_a_full_disk_is_named_by_the_folders_that_stand_on_it(error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert filesystem.about(error).startswith(
        "no space is left for what is written here: free some"
    )
    for place in ("results", "logs", ".sixteen"):
        Path(place).mkdir()
    usage = shutil.disk_usage(tmp_path)
    free = {"results": 2**30, "logs": 2**30, ".sixteen": 4096}
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=free[f"{place}"]))
    assert filesystem.about(error).startswith("no space is left for .sixteen: free some")


def test_a_file_that_cannot_be_written_is_named():
    error = OSError(errno.ENOSPC, "No space left on device", "results/x")
    assert "no space is left for results/x:" in filesystem.about(error)
    error = OSError(errno.EACCES, "Permission denied", "a", None, "results/y")
    assert "results/y can't be written" in filesystem.about(error)


def test_what_is_no_matter_of_disks_is_a_defect():
    for error in (ValueError("no"), OSError(errno.EINVAL, "no"), OSError(errno.ENOENT, "no")):
        assert filesystem.about(error) is None
