"""Plant errors in copies of the project, one at a time, and see whether the tests notice.

    python tests/planted/plant.py [WORD...]     all plants, or those of these areas, or with a word in their name

A plant is an entry of a YAML file beside this one, which is its area: `name`; `file`; the text that is `there`, exactly
once, and the text `planted` in its place; `why` it matters; `tests` (`file::test`), each of which must fail. All of these
tests are first run unharmed. A test that can't run, or ends by a timeout, notices nothing: the plant is broken.
Exits with 1 if fewer than 95 % are noticed.
"""

import itertools
import multiprocessing
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import yaml

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ENOUGH = 0.95
TIMEOUT = 600  # seconds a test
# What a plant that is no more than a slip of the pen ends in.
SLIPS = re.compile(
    r"^E +(?:(?:Syntax|Indentation|Import|ModuleNotFound|Name)Error\b|Failed: Timeout)", re.M
)

# Each run is a fork of a process that has imported what takes long, but nothing of the project.
WARM = multiprocessing.get_context("forkserver")
SLOW = ["tensorflow", "keras", "sklearn.datasets", "scipy.stats", "pandas", "seaborn", "nbconvert"]


@dataclass(frozen=True)
class Plant:
    """One error; see the top of this module."""

    name: str
    file: str
    there: str
    planted: str
    why: str
    tests: tuple[str, ...]
    area: str

    def text(self, project: Path) -> str:
        """The file with the error in it. ValueError if what should be there isn't there exactly once."""
        whole = (project / self.file).read_text()
        if (found := whole.count(self.there)) != 1:
            raise ValueError(
                f"expected the text of plant {self.name!r} ({self.area}.yaml) once in {self.file}, came {found} "
                "times: mend its `there`"
            )
        return whole.replace(self.there, self.planted)


def plants() -> list[Plant]:
    """All plants, area by area. TypeError for an unknown or a missing key."""
    return [
        Plant(**entry | {"tests": tuple(entry["tests"])}, area=file.stem)
        for file in sorted(HERE.glob("*.yaml"))
        for entry in yaml.safe_load(file.read_text())
    ]


def copy(into: Path) -> Path:
    """A copy of what git knows, or would add; without compiled bytecode, which could be that of another text."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, into / name)
    return into


def run(project: Path, tests: Iterable[str], cache: Path) -> dict[str, str]:
    """Run tests of a copy: each one that ran, without its parameters, and how it failed (empty if it passed)."""
    report = project / "junit.xml"
    report.unlink(missing_ok=True)
    process = WARM.Process(target=_pytest, args=(project, tuple(tests), cache, report))
    process.start()
    process.join()
    ended: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase") if report.exists() else ():
        if case.find("error") is None and case.find("skipped") is None:
            file = "/".join(case.get("classname", "").split(".")) + ".py"
            name = f"{file}::{case.get('name', '').partition('[')[0]}"
            failure = case.find("failure")
            text = "" if failure is None else f"{failure.get('message')}\n{failure.text}"
            ended[name] = ended.get(name) or text
    return ended


def _pytest(project: Path, tests: tuple[str, ...], cache: Path, report: Path) -> None:
    """In a process of its own: pytest, in silence."""
    import pytest

    os.chdir(project)
    sys.path[:0] = [source := str(project / "src")]
    # Compiled programs are shared: XLA finds them by what they compute. Bytecode is read, never written.
    os.environ |= {
        "PYTHONPATH": source,
        "PYTHONDONTWRITEBYTECODE": "1",
        "SIXTEEN_CACHE": str(cache),
    }
    sys.dont_write_bytecode = True
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    options = ["-n", "0", "-p", "no:cacheprovider", "--timeout", str(TIMEOUT)]
    # Plugins that were loaded beforehand can't be rewritten any more, and needn't be.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning", f"--junitxml={report}"]
    pytest.main([*options, *tests])


def verdict(plant: Plant, project: Path, cache: Path) -> str:
    """`noticed`, `not noticed`, or `broken` and why, of one plant in a copy, which is afterwards as it was."""
    file, harmed = project / plant.file, plant.text(project)
    whole = file.read_text()
    file.write_text(harmed)
    try:
        ended = run(project, plant.tests, cache)
    finally:
        file.write_text(whole)
    for test in plant.tests:
        if test not in ended:
            return f"broken: {test} couldn't run"
        if slip := SLIPS.search(ended[test]):
            return f"broken: {test} ended in {slip[0]}"
    return "noticed" if all(ended[test] for test in plant.tests) else "not noticed"


def main(words: list[str]) -> int:
    """Plant, print progress and the table of areas, return the exit code."""
    chosen = [p for p in plants() if not words or any(w == p.area or w in p.name for w in words)]
    if not chosen:
        print(
            f"expected an area or a part of a name in {HERE}, came {' '.join(words)}",
            file=sys.stderr,
        )
        return 2
    print("The tests alone, without any plant, then each plant:", flush=True)
    cores = len(os.sched_getaffinity(0))
    _warm_up()
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder, "cache")
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(cores):
            copies.put(copy(Path(folder, f"copy-{number}")))
        with ThreadPoolExecutor(cores) as pool:
            if wrong := _wrong(chosen, copies, cache, pool):
                print("These don't pass without any plant:", *wrong, sep="\n  ")
                return 1
            verdicts = _all(chosen, copies, cache, pool)
    return _told(chosen, verdicts)


def _warm_up() -> None:
    """Start the process that is forked; what TensorFlow says on the way is for nobody."""
    WARM.set_forkserver_preload(SLOW)
    kept, silence = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    forkserver.ensure_running()
    os.dup2(kept, 2)


def _wrong(
    chosen: list[Plant], copies: queue.Queue[Path], cache: Path, pool: ThreadPoolExecutor
) -> list[str]:
    """The tests that fail in the project as it is; run file by file."""
    tests = sorted({test for plant in chosen for test in plant.tests})

    def one(of_file: list[str]) -> list[str]:
        project = copies.get()
        ended = run(project, of_file, cache)
        copies.put(project)
        return [test for test in of_file if ended.get(test) != ""]

    files = {
        file: list(of_file)
        for file, of_file in itertools.groupby(tests, key=lambda test: test.partition("::")[0])
    }
    wrong = []
    for number, (file, found) in enumerate(
        zip(files, pool.map(one, files.values()), strict=True), 1
    ):
        wrong += found
        print(f"{number}/{len(files)} {file}: {len(files[file])} tests", flush=True)
    return wrong


def _all(
    chosen: list[Plant], copies: queue.Queue[Path], cache: Path, pool: ThreadPoolExecutor
) -> dict[str, str]:
    """What is said of each plant by name."""

    def one(plant: Plant) -> str:
        project, begun = copies.get(), time.monotonic()
        said = verdict(plant, project, cache)
        copies.put(project)
        return f"{said} ({time.monotonic() - begun:.0f} s)"

    verdicts = {}
    futures = {pool.submit(one, plant): plant for plant in chosen}
    for number, future in enumerate(as_completed(futures), 1):
        plant = futures[future]
        verdicts[plant.name] = future.result()
        said = f"{number}/{len(chosen)} {plant.area}: {plant.name}: {verdicts[plant.name]}"
        print(said, flush=True)
    return verdicts


def _told(chosen: list[Plant], verdicts: dict[str, str]) -> int:
    print(f"\n{'area':<20} noticed  not")
    for area in sorted({plant.area for plant in chosen}):
        of_area = [verdicts[plant.name] for plant in chosen if plant.area == area]
        noticed = sum(said.startswith("noticed") for said in of_area)
        print(f"{area:<20} {noticed:7}  {len(of_area) - noticed:3}")
    missed = [plant for plant in chosen if not verdicts[plant.name].startswith("noticed")]
    for plant in missed:
        print(f"{plant.area}: {plant.name}: {verdicts[plant.name]}")
    share = 1 - len(missed) / len(chosen)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} noticed ({100 * share:.0f} %)")
    return int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
