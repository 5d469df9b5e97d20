"""Plant errors in copies of the project, one at a time, and see whether the tests notice.

    python tests/planted/plant.py [WORD...]     all plants, or those whose area or name has one of the words

A plant is an entry of a YAML file beside this one, which is its area: `name`; `file`; the text that is `there`, exactly
once, and the text `planted` in its place; `why` it matters; `tests` (`file::test`), each of which must fail. All of these
tests are first run unharmed, in one go. A test that can't run, or ends by a timeout, notices nothing: the plant is broken.
Exits with 1 if fewer than 95 % are noticed.
"""

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
from pathlib import Path

import yaml

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ENOUGH = 0.95
TIMEOUT = 240  # seconds a test
# What a plant that is no more than a slip of the pen ends in.
SLIPS = re.compile(
    r"^E +(?:(?:Syntax|Indentation|Import|ModuleNotFound|Name)Error\b|Failed: Timeout)", re.M
)


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


def run(project: Path, tests: Iterable[str], cache: Path, workers: int) -> dict[str, str]:
    """Run tests of a copy: each one that ran, without its parameters, and how it failed (empty if it passed)."""
    report = project / "junit.xml"
    report.unlink(missing_ok=True)
    path = str(project / "src")
    # Compiled programs are shared: XLA finds them by what they compute. Bytecode is read, never written.
    environment = os.environ | {
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "SIXTEEN_CACHE": str(cache),
    }
    options = ["-n", str(workers), "-p", "no:cacheprovider", "--timeout", str(TIMEOUT)]
    command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *tests]
    subprocess.run(command, cwd=project, env=environment, capture_output=True)
    ended: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase") if report.exists() else ():
        if case.find("error") is None and case.find("skipped") is None:
            file = "/".join(case.get("classname", "").split(".")) + ".py"
            name = f"{file}::{case.get('name', '').partition('[')[0]}"
            failure = case.find("failure")
            text = "" if failure is None else f"{failure.get('message')}\n{failure.text}"
            ended[name] = ended.get(name) or text
    return ended


def verdict(plant: Plant, project: Path, cache: Path) -> str:
    """`noticed`, `not noticed`, or `broken` and why, of one plant in a copy, which is afterwards as it was."""
    file, harmed = project / plant.file, plant.text(project)
    whole = file.read_text()
    file.write_text(harmed)
    try:
        ended = run(project, plant.tests, cache, workers=0)
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
    chosen = [p for p in plants() if not words or any(w in f"{p.area} {p.name}" for w in words)]
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder, "cache")
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(cores):
            copies.put(copy(Path(folder, f"copy-{number}")))
        tests = sorted({test for plant in chosen for test in plant.tests})
        unharmed = run(copy(Path(folder, "unharmed")), tests, cache, workers=cores)
        if wrong := [test for test in tests if unharmed.get(test) != ""]:
            print("These don't pass without any plant:", *wrong, sep="\n  ")
            return 1
        verdicts = _all(chosen, copies, cache, cores)
    return _told(chosen, verdicts)


def _all(chosen: list[Plant], copies: queue.Queue[Path], cache: Path, cores: int) -> dict[str, str]:
    def one(plant: Plant) -> str:
        project = copies.get()
        begun = time.monotonic()
        try:
            return f"{verdict(plant, project, cache)} ({time.monotonic() - begun:.0f} s)"
        finally:
            copies.put(project)

    verdicts = {}
    with ThreadPoolExecutor(cores) as pool:
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
