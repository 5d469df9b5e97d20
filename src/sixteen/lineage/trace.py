"""Where a file comes from: the run that wrote its bytes, and everything that run started from.

A file is found by its SHA-256 among the outputs of all records, so that a renamed copy is found and a
modified one is not. Whatever is said to match was hashed while it was said.
"""

import html
import json
import os
import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.archive import Archive, Check, Record, check, sources

SEED = r"/seed-(\d+)/[^/]+\Z"  # how the path of a run of one seed ends; a network may be called seed-7 too
LONG = 250  # characters of a parameter beyond which only its length is told


@dataclass(frozen=True)
class Found:
    """A traced file: its digest, the run that wrote these bytes, and the name that it gave them."""

    sha256: str
    path: str
    name: str
    others: int  # further runs that wrote the same bytes


def find(archive: Archive, file: Path) -> Found:
    """The run that made the bytes of a file. Raises UserError if no record knows them."""
    if not file.is_file():
        raise UserError(f"expected a file to trace, found none at {file}: give the path of a file")
    sha256 = record.sha256_of(file)
    place = _place(archive, file)
    if file.name == record.NAME or place is None:
        kept = _as_record(file)
        if kept is not None and archive.records.get(kept["path"], {}).get("seal") == kept["seal"]:
            return Found(sha256, kept["path"], record.NAME, 0)
    makers = archive.makers.get(sha256, [])
    if place in makers:
        return Found(sha256, *place, others=len(makers) - 1)
    if makers and (place is None or place[1] not in archive.records[place[0]]["outputs"]):
        return Found(sha256, *makers[0], others=len(makers) - 1)
    raise UserError(_refusal(archive, file, sha256, place))


def _place(archive: Archive, file: Path) -> tuple[str, str] | None:
    """Run and name inside it, if a file lies in the folder of a run or of a published report."""
    inside = Path(os.path.relpath(file, archive.root)).as_posix()
    folders = {path: path for path in archive.records}
    folders |= {folder: path for path, folder in archive.published.items()}
    for folder, path in folders.items():
        if inside.startswith(f"{folder}/"):
            return path, inside.removeprefix(f"{folder}/")
    return None


def _as_record(file: Path) -> Record | None:
    try:
        content = file.read_bytes()
        kept = json.loads(content)
        whole = kept["seal"] == record.seal_of(kept) and content == record.text_of(kept).encode()
        return kept if whole else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _refusal(archive: Archive, file: Path, sha256: str, place: tuple[str, str] | None) -> str:
    """Why these bytes cannot be traced, with the run that they pretend to be of, if there is one."""
    reports = archive.root.resolve() / "reports"
    what = {reports: "is the list of the reports", reports / "questions": "joins several reports"}
    if (said := what.get(file.resolve().parent)) and file.name == "index.html":
        return (
            f"{file} {said}, which no run makes: trace one of them, `sixteen trace reports/<study>`"
        )
    inside = embedded(file)
    if place is not None and place[1] in (outputs := archive.records[place[0]]["outputs"]):
        return (
            f"{file} isn't what {place[0]} wrote: its record says sha256 {outputs[place[1]]['sha256'][:12]}…, "
            f"found {sha256[:12]}…; restore it with `dvc checkout`"
        )
    if place is not None:
        return (
            f"{file} lies in the folder of {place[0]}, whose record doesn't know it: no run made it"
        )
    if inside is not None:
        reported = (
            p
            for p, kept in archive.records.items()
            if inside["summary"] in kept["parents"].values()
        )
        known = next(reported, None)
        differs = (
            f"its bytes differ from the record of {known}" if known else "its report isn't here"
        )
        return (
            f"{file} says inside that it is figure {inside['figure']} of study {inside['study']}, drawn from "
            f"{inside['summary']}, but {differs}"
        )
    hint = f"; {len(archive.broken)} damaged records were left out, see `sixteen verify`"
    return (
        f"no record in this folder knows the bytes of {file} (sha256 {sha256[:12]}…): it was modified, or its "
        f"run isn't here{hint if archive.broken else ''}"
    )


def embedded(file: Path) -> dict[str, str] | None:
    """What a figure says of itself under the key ``sixteen`` inside a PNG or SVG; None if nothing."""
    try:
        if file.suffix.lower() == ".svg":
            text = re.search(r"<dc:description>(.*?)</dc:description>", file.read_text(), re.DOTALL)
            said = json.loads(html.unescape(text[1] if text else "null"))["sixteen"]
        else:
            with Image.open(file) as image:
                said = json.loads(image.info["sixteen"])
        told = {key: said[key] for key in ("figure", "study", "summary")}
        return told if all(isinstance(value, str) for value in told.values()) else None
    except Exception:  # damaged bytes make decoders raise nearly anything; then it says nothing
        return None


def tell(archive: Archive, found: Found) -> tuple[str, bool]:
    """The lineage of a found file as text to read, and whether all that was compared is as recorded."""
    tree = _Tree(archive)
    tree.show([found.path], "", "", "")
    kept = archive.records[found.path]
    head = [f"{found.name} of {found.path}", f"sha256 {found.sha256}, as recorded"]
    if found.others:
        more = "1 more run" if found.others == 1 else f"{found.others} more runs"
        head.append(f"the same bytes were written by {more} as well, which isn't shown here")
    runs = [archive.records[path] for path in archive.closure(found.path)]
    foot = [
        f"checked    {len(runs)} runs: {tree.total or 'nothing of them is in this clone'}",
        *(f"made with  {line}" for line in _counted(_machine(run) for run in runs)),
        *(f"code       {line}" for line in _counted(_commit(run) for run in runs)),
        f"again      {kept['execution']['command']}  (with params.yaml and code as they were)",
        f"the bytes  dvc pull {found.path}",
    ]
    if archive.broken:
        foot.append(
            f"left out   damaged records, see `sixteen verify`: {', '.join(archive.broken)}"
        )
    folded = [line for text in foot for line in _fold(text, "", " " * 11)]
    return "\n".join([*head, "", *tree.lines, "", *folded]), tree.total.clean


class _Tree:
    """One node for the runs that differ in their seed alone; each is shown in full once."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.lines: list[str] = []
        self.total = Check()
        self.shown: set[str] = set()  # paths of runs
        self.told: set[str] = set()  # groups of parameters

    def show(self, paths: list[str], indent: str, branch: str, below: str) -> None:
        """Add the node of some runs, then those that it starts from."""
        runs = [self.archive.records[path] for path in paths]
        title = f"{indent}{branch}{runs[0]['step']}  {_title(paths)}"
        if self.shown.issuperset(paths):
            self.lines.append(f"{title}  (see above)")
            return
        self.shown.update(paths)
        self.lines.append(title)
        groups = self._parents(paths)
        bar = f"{indent}{below}{'│  ' if groups else '   '}"
        checked = check(self.archive, paths)
        self.total += checked
        for line in self._details(paths, runs, checked):
            self.lines += _fold(line, bar, "  ")
        # Not folded, so that whoever searches for the name of a file finds it.
        self.lines += [f"{bar}DIFFERS from its record: {name}" for name in checked.differing]
        self.lines += [
            f"{bar}DIFFERS from what was written: {name}" for name in checked.disagreeing
        ]
        for i, group in enumerate(groups):
            last = i == len(groups) - 1
            self.show(group, indent + below, *(("└─ ", "   ") if last else ("├─ ", "│  ")))

    def _parents(self, paths: list[str]) -> list[list[str]]:
        """The runs that these start from, but those that another one leads to; grouped by sentence."""
        records = self.archive.records
        direct = {p for path in paths for p in records[path]["parents"].values() if p in records}
        further = {p for path in direct for p in self.archive.closure(path)[1:]}
        groups: dict[str, list[str]] = {}
        for path in sorted(direct - further, key=lambda path: (_sentence(path), _seed(path) or 0)):
            groups.setdefault(_sentence(path), []).append(path)
        return list(groups.values())

    def _details(self, paths: list[str], runs: list[Record], checked: Check) -> list[str]:
        lines = []
        if len(paths) > 1:
            lines.append(", ".join(f"seed {_seed(r['path'])} {r['fingerprint']}" for r in runs))
        lines += [str(checked), _when(runs)]
        for name, digest in sources(runs[0]).items():
            lines.append(f"read {name} sha256 {digest} ({self._source(name, digest)})")
        if runs[0]["step"] == "prepare":
            lines += [f"wrote {n} sha256 {o['sha256']}" for n, o in runs[0]["outputs"].items()]
        shared = {
            key: value
            for key, value in runs[0]["parameters"].items()
            if all(run["parameters"].get(key) == value for run in runs)
        }
        return [*lines, *self._settings(shared)]

    def _settings(self, parameters: dict[str, Any]) -> list[str]:
        """Plain values in one line, then each group of values in its own, once in the whole tree."""
        plain, groups, known = [], [], []
        for key, value in parameters.items():
            text = f"{key} {_compact(value)}"
            if not isinstance(value, dict | list):
                plain.append(text)
            elif text in self.told:
                known.append(key)
            else:
                self.told.add(text)
                long = len(text) > LONG
                groups.append(f"{key}: {f'{len(value)} entries' if long else _compact(value)}")
        lines = [", ".join(plain)] if plain else []
        return [*lines, *groups, *([f"{', '.join(known)} as above"] if known else [])]

    def _source(self, name: str, digest: str) -> str:
        """How a file that no run made stands now; it is free to change after it was read."""
        file = self.archive.root / os.path.expandvars(name)
        if not file.is_file():
            return "not here"
        return "bytes match" if record.sha256_of(file) == digest else "has changed since"


def _sentence(path: str) -> str:
    """The path of a run without seed and fingerprint: what runs of one kind have in common."""
    return re.sub(SEED, "", path) if _seed(path) is not None else path.rpartition("/")[0]


def _seed(path: str) -> int | None:
    found = re.search(SEED, path)
    return int(found[1]) if found else None


def _title(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{_sentence(paths[0])}, {len(paths)} seeds"


def _when(runs: list[Record]) -> str:
    starts = sorted(run["execution"]["started"] for run in runs)
    seconds = sorted(run["execution"]["seconds"] for run in runs)
    devices = sorted({run["facts"]["device"] for run in runs if "device" in run["facts"]})
    moments = (f"{datetime.fromisoformat(t):%Y-%m-%d %H:%M:%S}" for t in (starts[0], starts[-1]))
    took = dict.fromkeys(f"{s:.1f} s" for s in (seconds[0], seconds[-1]))
    each = " each" if len(runs) > 1 else ""
    on = f", on {', '.join(devices)}" if devices else ""
    return f"started {' to '.join(dict.fromkeys(moments))} UTC, took {' to '.join(took)}{each}{on}"


def _compact(value: Any) -> str:
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, dict):
        inner = {
            k: f"({_compact(v)})" if isinstance(v, dict) else _compact(v) for k, v in value.items()
        }
        return ", ".join(f"{k} {v}" for k, v in inner.items())
    if isinstance(value, list):
        return ", ".join(_compact(item) for item in value)
    return str(value)


def _machine(run: Record) -> str:
    made = run["execution"]
    versions = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    memory = f"{made['memory_bytes'] / 2**30:.0f} GiB"
    return f"{made['host']} ({made['cpu']}, {made['cores']} cores, {memory}), Python {made['python']}, {versions}"


def _commit(run: Record) -> str:
    commit = run["execution"]["git_commit"]
    if commit is None:
        return "git commit not known: in no git repository, or git couldn't be asked"
    return f"git commit {commit}" + (
        " with uncommitted changes" if run["execution"]["git_dirty"] else ""
    )


def _counted(lines: Iterable[str]) -> list[str]:
    """Each distinct line once; where there are several, with the number of runs that it holds for."""
    counts = Counter(lines)
    return [line if len(counts) == 1 else f"{n} runs: {line}" for line, n in counts.items()]


def _fold(text: str, indent: str, hanging: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=100,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
