"""Runs are carried to a machine that has neither Snakemake nor DVC nor pandas, made there, and come home checked."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "workflow"))
from small_project import STUDY, Project, change_second_rate, make_project
from small_slurm import wait_for

from sixteen.bundles import contents
from sixteen.errors import UserError
from sixteen.training.tensors import save_checkpoint

# What such a machine hasn't.
ABSENT = (
    "snakemake",
    "dvc",
    "pandas",
    "papermill",
    "yaml",
    "sklearn",
    "scipy",
    "seaborn",
    "matplotlib",
    "jupyter",
)
BARE = f"""
import sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"{{name}} isn't on this machine")

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="session")
def packed(tmp_path_factory) -> Project:
    """The small project with its dataset prepared, and the bundle of its study beside it."""
    project = make_project(tmp_path_factory.mktemp("packed") / "project")
    refused = project.call(f"sixteen pack {STUDY} ../there.zip", status=1)
    assert not (project.folder.parent / "there.zip").exists()
    command = refused[refused.index("snakemake --cores all") : refused.rindex("`")]
    project.call(command)
    project.call(f"sixteen pack {STUDY} ../there.zip")
    return project


@pytest.fixture
def there(packed, tmp_path) -> Path:
    """A folder of another machine, with the bundle and nothing else but a Python that lacks most packages."""
    folder = tmp_path / "machine"
    folder.mkdir()
    shutil.copy(packed.folder.parent / "there.zip", folder)
    (folder / "python").mkdir()
    (folder / "python/sitecustomize.py").write_text(BARE)
    return folder


@pytest.fixture
def home(packed, tmp_path) -> Project:
    """A copy of the project, to which the runs come back."""
    shutil.copytree(packed.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def on(machine: Path, arguments: str, status: int = 0, **environment: str) -> str:
    """Call a bundle on a machine, expect its exit status, return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments.split()],
        cwd=machine,
        env=os.environ | {"PYTHONPATH": str(machine / "python"), **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def test_runs_made_elsewhere_are_those_that_would_be_made_here(there, home, tmp_path):
    shutil.copytree(home.folder, tmp_path / "local", symlinks=True)
    local = Project(tmp_path / "local")
    local.call(f"snakemake --cores 2 {STUDY}")

    # A pause in each training, so that one begun beside what it starts from is there too early on any machine.
    told = on(there, "there.zip --minutes 3 --at-once 2", CHEAP_PAUSE="0.5")

    assert "0 failed" in told
    home.call(f"sixteen take {there}/there-made.zip")
    taken = home.runs()
    assert {path.split("/")[-3].partition("-")[0] for path in taken if "seed-" in path} == {
        "trained", "quantized", "continued", "observed"
    }  # fmt: skip
    for path in taken:
        kept, other = (
            json.loads((p.folder / path / "record.json").read_text()) for p in (home, local)
        )
        assert kept["outputs"] == other["outputs"]
    planned = home.call(f"snakemake -n --cores 2 {STUDY}")
    rules = set(re.findall(r"^ *rule ([\w-]+)", planned, re.M))
    assert rules == {"evaluate", "summarize", "report", "publish", "index", STUDY}
    home.call(f"snakemake --cores 2 {STUDY}")
    home.call("sixteen verify")
    assert home.runs() == local.runs()


def test_runs_that_nothing_here_goes_on_from_are_told(there, home):
    """Somebody changed a parameter while the runs were made elsewhere."""
    on(there, "there.zip --minutes 3")
    commit = home.call("git rev-parse HEAD").strip()
    stale = [
        path for path in json.loads(listed(there / "there-made.zip"))["made"] if "second" in path
    ]
    home.edit(change_second_rate)

    told = home.call(f"sixteen take {there}/there-made.zip")

    assert f"{len(stale)} of " in told and "runs aren't planned here" in told
    assert f"(git commit {commit})" in told
    assert set(stale) < home.runs()


def test_a_run_that_was_made_here_while_it_was_taken_stays(there, home):
    on(there, "there.zip --minutes 3")
    bundle = there / "there-made.zip"
    path = next(p for p in json.loads(listed(bundle))["made"] if "/trained-in-" in p)
    lock = home.folder / ".sixteen/locks" / Path(path).name
    lock.parent.mkdir(exist_ok=True)
    with lock.open("a") as job:
        fcntl.flock(job, fcntl.LOCK_EX)
        taking = home.start(f"sixteen take {bundle}")
        arrived = home.folder / "results/.taken" / path / "record.json"
        wait_for(arrived.exists, "the run to arrive")
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(
                home.folder, [name for name in archive.namelist() if name.startswith(f"{path}/")]
            )
        (home.folder / path / "mine").touch()
    told, _ = taking.communicate(timeout=60)

    assert taking.returncode == 0, told
    assert " 1 were here" in told
    assert (home.folder / path / "mine").exists()


def test_a_record_says_where_its_code_came_from(there, home):
    on(there, "there.zip --minutes 3")
    home.call(f"sixteen take {there}/there-made.zip")

    commit = home.call("git rev-parse HEAD").strip()
    made = [json.loads((home.folder / path / "record.json").read_text()) for path in home.runs()]
    assert {kept["execution"]["git_commit"] for kept in made} == {commit}
    assert (
        sum("packed" in kept["execution"] for kept in made) == len(made) - 1
    )  # the data were prepared here


def test_it_stops_in_time_and_goes_on_from_what_there_was(there, home):
    first = on(there, "there.zip --minutes 0.25", CHEAP_PAUSE="0.6")
    assert " 0 failed" in first
    assert not first.startswith("16 of")
    home.call(f"sixteen take {there}/there-made.zip")
    some = home.runs()
    assert any("/trained-in-" in path for path in some)
    home.call(f"sixteen pack {STUDY} {there}/rest.zip")

    on(there, "rest.zip --minutes 3 --at-once 2")

    assert not some & set(json.loads(listed(there / "rest-made.zip"))["made"])
    home.call(f"sixteen take {there}/rest-made.zip")
    assert "nothing of" in home.call(f"sixteen pack {STUDY} {there}/none.zip", status=1)


def test_a_checkpoint_travels_both_ways(home, there):
    plans = (home.folder / ".sixteen/plan").glob("*.json")
    begun = next(path.stem for path in plans if json.loads(path.read_text())["step"] == "train")
    scratch = Path(".sixteen/scratch", begun, "checkpoint.safetensors")
    half_way = checkpoint(home.folder / scratch, 1)
    home.call(f"sixteen pack {STUDY} {there}/begun.zip")
    (home.folder / scratch).unlink()

    told = on(there, "begun.zip --minutes 0.01")  # no time for a run

    assert told.startswith("0 of")
    assert "1 checkpoints" in home.call(f"sixteen take {there}/begun-made.zip")
    assert (home.folder / scratch).read_bytes() == half_way


def listed(bundle: Path) -> bytes:
    """What a bundle says of itself."""
    with zipfile.ZipFile(bundle) as archive:
        return archive.read(".sixteen/bundle.json")


def checkpoint(path: Path, epochs: Any, steps: int = 0) -> bytes:
    """Write what a training left after so many epochs, and steps of the next one; returns the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {"reports": np.zeros((steps, 4), np.float32)} if steps else {}
    tensors["weight"] = np.full(3, steps, np.float32)
    save_checkpoint(path, tensors, {"epochs_done": epochs})
    return path.read_bytes()


@pytest.mark.parametrize(
    ("here", "brought", "taken"), [((1, 0), (2, 0), 1), ((2, 0), (1, 9), 0), ((1, 7), (1, 9), 1), ((1, 9), (1, 9), 0)]
)  # fmt: skip
def test_the_checkpoint_that_is_further_stays(home, tmp_path, here, brought, taken):
    scratch = ".sixteen/scratch/0123456789ab/checkpoint.safetensors"
    theirs = checkpoint(tmp_path / scratch, *brought)
    ours = checkpoint(home.folder / scratch, *here)
    bundle_of(tmp_path / "made.zip", {scratch: theirs})
    assert f"{taken} checkpoints" in home.call(f"sixteen take {tmp_path}/made.zip")
    assert (home.folder / scratch).read_bytes() == (theirs if taken else ours)


@pytest.mark.parametrize("epochs", [10**6, "5", None, [1], "another's"])
def test_a_checkpoint_that_training_would_not_go_on_from_is_left(home, tmp_path, epochs):
    scratch = ".sixteen/scratch/0123456789ab/checkpoint.safetensors"
    theirs = checkpoint(tmp_path / scratch, epochs)
    if epochs == "another's":
        theirs = checkpoint(tmp_path / "ba9876543210/checkpoint.safetensors", 2)
    if epochs == 10**6:
        theirs = theirs[:-1] + bytes([theirs[-1] ^ 1])
    ours = checkpoint(home.folder / scratch, 1)
    bundle_of(tmp_path / "made.zip", {scratch: theirs})
    assert "0 checkpoints" in home.call(f"sixteen take {tmp_path}/made.zip")
    assert (home.folder / scratch).read_bytes() == ours


@pytest.mark.parametrize("spoil", [{"content": b"x"}, {"absent": True}, {"beside": True}])
def test_a_bundle_that_is_refused_leaves_the_checkpoint_that_is_here(home, tmp_path, spoil):
    scratch = ".sixteen/scratch/0123456789ab/checkpoint.safetensors"
    theirs = checkpoint(tmp_path / scratch, 9)
    ours = checkpoint(home.folder / scratch, 1)
    beside = {".sixteen/scratch/0123456789ab/a/../../b": b"x"} if spoil.get("beside") else {}
    bundle_of(
        tmp_path / "made.zip",
        {scratch: theirs} | beside,
        spoil.get("content"),
        spoil.get("absent", False),
    )
    assert "expected a bundle" in home.call(f"sixteen take {tmp_path}/made.zip", status=1)
    assert (home.folder / scratch).read_bytes() == ours
    assert not list(home.folder.glob(".sixteen/.taken*"))


def bundle_of(
    path: Path, files: dict[str, bytes], content: bytes | None = None, absent: bool = False
) -> None:
    """A bundle without runs; with other `content` of its files than listed, or without them."""
    digests = {name: hashlib.sha256(whole).hexdigest() for name, whole in files.items()}
    about = {"made": [], "studies": [STUDY], "files": digests}
    with zipfile.ZipFile(path, "w") as archive:
        for name, whole in () if absent else files.items():
            archive.writestr(name, whole if content is None else content)
        archive.writestr(".sixteen/bundle.json", json.dumps(about))


def test_runs_come_home_where_results_are_on_another_file_system(there, home):
    on(there, "there.zip --minutes 3")
    if os.stat("/dev/shm").st_dev == os.stat(home.folder).st_dev:
        pytest.skip("/dev/shm is no other file system here")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        shutil.rmtree(home.folder / "results")
        (home.folder / "results").symlink_to(elsewhere)
        home.call(f"sixteen take {there}/there-made.zip")
        assert any("/trained-in-" in path for path in home.runs())


@pytest.mark.parametrize("about", [
    {"files": []}, {"files": None}, {"files": {"logs/": "0"}}, {"made": [3]}, {"made": 3}, {"studies": None}, {"studies": 4},
    {"studies": ["$(id)"]}])  # fmt: skip
def test_a_bundle_that_says_nonsense_of_itself_is_refused(home, tmp_path, about):
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        told = {"made": [], "studies": [STUDY], "files": {}} | about
        archive.writestr(".sixteen/bundle.json", json.dumps(told))
    said = home.call(f"sixteen take {tmp_path}/odd.zip", status=1)
    assert "expected a bundle" in said and "Traceback" not in said


def test_flipped_bits_of_a_bundle_are_told_in_a_sentence(tmp_path):
    path = tmp_path / "made.zip"
    files = {f"results/{name}": bytes(range(40)) for name in "abc"}
    bundle_of(path, files)
    whole, refused = path.read_bytes(), 0
    for bit in range(0, 8 * len(whole), 7):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        try:
            with contents.opened([path]) as bundle:
                bundle.extract(files, tmp_path / "into")
        except UserError:
            refused += 1
    assert refused > 0.3 * len(whole) * 8 / 7


def test_parts_are_as_small_as_asked_for_and_make_a_whole(there, home):
    on(there, "there.zip --minutes 3 --part-megabytes 0.05")

    parts = sorted(there.glob("there-made.zip.*"))
    assert len(parts) > 2
    assert max(part.stat().st_size for part in parts) <= 50_000
    refused = home.call(f"sixteen take {parts[0]} {parts[1]}", status=1)
    assert "of a bundle in parts name all, in order" in refused
    before = home.runs()
    home.call(f"sixteen take {' '.join(map(str, parts))}")
    assert len(home.runs()) > len(before)

    on(there, "there.zip --minutes 3")

    assert list(there.glob("there-made.zip*")) == [there / "there-made.zip"]


def test_what_was_changed_on_the_way_is_refused(there, home):
    on(there, "there.zip --minutes 3")
    before = home.runs()

    change(there / "there-made.zip", "history.csv", lambda content: content.replace(b"0.", b"1."))

    assert "isn't as it was packed" in home.call(f"sixteen take {there}/there-made.zip", status=1)
    assert home.runs() == before


def forge(bundle: Path, change_record) -> str:
    """Change the record of a training that was made, its seal with it; returns the path of the run."""
    from sixteen.lineage import record

    path = ""

    def anew(content: bytes) -> bytes:
        nonlocal path
        kept = json.loads(content)
        path = kept["path"]
        change_record(kept)
        return record.text_of(kept | {"seal": record.seal_of(kept)}).encode()

    change(bundle, "record.json", anew, relist=True)
    return path


def test_what_doesnt_fit_its_record_is_refused(there, home):
    on(there, "there.zip --minutes 3")
    before = home.runs()

    change(there / "there-made.zip", "history.csv", lambda text: text + b"1,2\n", relist=True)

    told = home.call(f"sixteen take {there}/there-made.zip", status=1)
    assert re.search(
        "expected the run results/.* in .*there-made.zip as it was made, .*history.csv differs from its",
        told,
    )
    assert ".taken" not in told and "dvc checkout" not in told
    assert home.runs() == before


@pytest.mark.parametrize("name", ["more.py", ".hidden"])
def test_what_no_record_names_doesnt_come_with_a_run(there, home, name):
    on(there, "there.zip --minutes 3")
    before = home.runs()
    with zipfile.ZipFile(there / "there-made.zip") as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    about = json.loads(files[".sixteen/bundle.json"])
    path = f"{about['made'][0]}/{name}"
    files[path], about["files"][path] = b"x", hashlib.sha256(b"x").hexdigest()
    with zipfile.ZipFile(there / "there-made.zip", "w") as archive:
        for each, content in (files | {".sixteen/bundle.json": json.dumps(about)}).items():
            archive.writestr(each, content)
    told = home.call(f"sixteen take {there}/there-made.zip", status=1)
    assert f"the files that its record names, came {path} too" in told
    assert home.runs() == before


def test_what_isnt_what_its_fingerprint_says_is_refused(there, home):
    on(there, "there.zip --minutes 3")

    path = forge(there / "there-made.zip", lambda kept: kept["parameters"].update(seed=99))

    told = home.call(f"sixteen take {there}/there-made.zip", status=1)
    assert f"expected the run {path} in {there}/there-made.zip as it was made" in told
    assert "states a fingerprint that its contents don't amount to" in told
    assert path not in home.runs()


def test_what_started_from_other_bytes_is_refused(there, home):
    on(there, "there.zip --minutes 3")

    def other(kept):
        kept["inputs"] = {name: "0" * 64 for name in kept["inputs"]}

    path = forge(there / "there-made.zip", other)

    assert "started from another data/prepared/" in home.call(
        f"sixteen take {there}/there-made.zip", status=1
    )
    assert path not in home.runs()


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_runs_at_once_than_asked_for(there, most):
    told = on(there, f"there.zip --minutes 3 --at-once {most}", CHEAP_PAUSE="0.2")

    assert " 0 failed" in told
    made = [
        json.loads(path.read_text())
        for path in (there / "there-work").glob("results/**/record.json")
    ]
    spans = [
        (kept["execution"]["started"], kept["execution"]["ended"])
        for kept in made
        if "train" in kept["step"]
    ]
    # To the second: a run that begins in the second in which another ends isn't beside it.
    beside = max(
        sum(a < begun < b for a, b in spans) + sum(a == begun for a, b in spans)
        for begun, _ in spans
    )
    assert beside <= most


@pytest.mark.parametrize(
    "name", [".sixteen/scratch/../owned/x", ".sixteen/scratch/0123456789ab/../../../x", "x/y"]
)
def test_a_bundle_puts_nothing_beside_runs_and_checkpoints(home, tmp_path, name):
    marks = [home.folder / "src/sixteen/cli.py", home.folder / ".sixteen/plan"]
    odd, strange = tmp_path / "odd.zip", "src/sixteen/0123456789ab"
    files = {name: b"x", f"{strange}/record.json": b"{}"}
    digests = {key: hashlib.sha256(content).hexdigest() for key, content in files.items()}
    for made in ([], [strange], [f"results/../{strange}"]):
        about = {"made": made, "studies": [STUDY], "files": digests}
        with zipfile.ZipFile(odd, "w") as archive:
            for key, content in files.items():
                archive.writestr(key, content)
            archive.writestr(".sixteen/bundle.json", json.dumps(about))
        told = home.call(f"sixteen take {odd}", status=1 if made or "0123" in name else 0)
        assert "Traceback" not in told
        if made:
            assert "expected runs below data/prepared and results" in told
        assert all(mark.exists() for mark in marks)
        assert not list(home.folder.parent.rglob("x"))
        assert not (home.folder / strange).exists()


def test_a_run_that_failed_is_named_and_the_others_are_packed(there, home):
    change(
        there / "there.zip",
        "sixteen/precision/quantize.py",
        lambda _: b"raise OSError('no luck')\n",
        relist=True,
    )

    told = on(there, "there.zip --minutes 3", status=1)

    assert "failed: results/digits/resnet8/" in told
    assert "Traceback" not in told.rpartition("packed in:")[2]
    home.call(f"sixteen take {there}/there-made.zip")
    assert any("/trained-in-" in path for path in home.runs())


def test_a_machine_without_the_packages_is_told_which(there):
    told = on(there, "-S there.zip --minutes 1", status=1)

    assert "found no PIL, keras, ml_dtypes, numpy, pydantic, safetensors, tqdm" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("content", [b"", b"PK no zip", None])
def test_what_is_no_bundle_is_refused(home, content, tmp_path):
    path = tmp_path / "odd.zip"
    if content is not None:
        path.write_bytes(content)
    for command in ("take", "run --minutes 1"):
        told = home.call(f"sixteen {command} {path}", status=1)
        assert "expected a bundle" in told and "Traceback" not in told
    assert not path.with_name("odd-work").exists()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--minutes abc", "above 0, came abc"),
        ("--minutes nan", "above 0, came nan"),
        ("--minutes 1 --at-once 1.5", "whole number from 1, came 1.5"),
    ],
)
def test_an_option_that_is_no_such_number_is_refused(home, option, told):
    assert told in home.call(f"sixteen run a.zip {option}", status=2)


def change(bundle: Path, ends: str, by, relist: bool = False) -> None:
    """Write a bundle anew with one file changed, and its digest in the list if asked for."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in files if name.endswith(ends))
    files[name] = by(files[name])
    if relist:
        about = json.loads(files[".sixteen/bundle.json"])
        about["files"][name] = hashlib.sha256(files[name]).hexdigest()
        files[".sixteen/bundle.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(bundle, "w") as archive:
        for key, content in files.items():
            archive.writestr(key, content)
