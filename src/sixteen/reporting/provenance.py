"""Where a report comes from: the records of all that it started from, and the same as a tree to read."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen.lineage import record
from sixteen.reporting.page import settings

Records = dict[str, dict[str, Any]]


def collect(summary: Path) -> dict[str, Any]:
    """The closure of a summary's records: ``{"summary": path, "records": {path: record}}``.

    Paths are relative to the project, which is the working directory, as in the records themselves. Raises
    UserError if a record is missing or isn't as it was written.
    """
    first = record.read(summary)
    records: Records = {first["path"]: first}
    pending = list(first["parents"].values())
    while pending:
        path = pending.pop()
        if path not in records:
            records[path] = record.of(Path(), path)
            pending += records[path]["parents"].values()
    return {"summary": first["path"], "records": dict(sorted(records.items()))}


def tree(provenance: dict[str, Any], title: str) -> str:
    """The lineage as text, one node for the runs that differ in their seed alone.

    A node that stands below another one already is shown there only, and the second time in one line.
    """
    records: Records = provenance["records"]
    arms = {text: arm for arm, text in records[provenance["summary"]]["parameters"]["arms"].items()}
    lines = [title]
    seen: set[tuple[str, ...]] = set()

    def show(paths: list[str], indent: str, last: bool) -> None:
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        first = records[paths[0]]
        known = tuple(paths) in seen
        seen.add(tuple(paths))
        lines.append(f"{indent}{branch}{_headline(first, arms)}{' (as above)' if known else ''}")
        if known:
            return
        parents = _groups(_direct(records, paths), records)
        inner = indent + below
        bar = inner + ("│  " if parents else "   ")
        lines.extend(f"{bar}{line}" for line in _details([records[path] for path in paths]))
        for i, group in enumerate(parents):
            show(group, inner, i == len(parents) - 1)

    show([provenance["summary"]], "", True)
    return "\n".join(lines) + "\n"


def sentence(path: str) -> str:
    """The path of a run without fingerprint and seed: what runs of one kind have in common."""
    return "/".join(part for part in path.split("/")[:-1] if not part.startswith("seed-"))


def _direct(records: Records, paths: Iterable[str]) -> list[str]:
    """Parents of the runs, without those that are reached through another parent as well."""
    parents = {p for path in paths for p in records[path]["parents"].values()}
    further: set[str] = set()
    pending = list(parents)
    while pending:
        for ancestor in records[pending.pop()]["parents"].values():
            if ancestor not in further:
                further.add(ancestor)
                pending.append(ancestor)
    return sorted(parents - further)


def _groups(paths: list[str], records: Records) -> list[list[str]]:
    """Runs grouped by sentence, each group in the order of its seeds."""
    groups: dict[str, list[str]] = {}
    for path in sorted(paths, key=_natural):
        groups.setdefault(f"{records[path]['step']} {sentence(path)}", []).append(path)
    return list(groups.values())


def _seed(path: str) -> int:
    return next((int(part[5:]) for part in path.split("/") if part.startswith("seed-")), -1)


def _natural(path: str) -> list[str | int]:
    """Sorts resnet8 before resnet14."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def _headline(kept: dict[str, Any], arms: dict[str, str]) -> str:
    words = sentence(kept["path"]).split("/")
    if kept["step"] == "prepare":
        return f"dataset {words[-1]}"
    if kept["step"] == "summarize":
        return f"summary {kept['path']}"
    if kept["step"] == "time":
        return f"{words[2]}, {words[3]} {words[4]}"
    if kept["step"] == "evaluate":
        text = "/".join(words[3:-1])
        return f"{words[2]}, arm {arms.get(text, text)}, evaluated"
    return words[-1]


def _details(group: list[dict[str, Any]]) -> list[str]:
    """One line of identities, one of parameters, and for a dataset the digests of its bytes."""
    first = group[0]
    names = [
        f"seed {_seed(r['path'])} {r['fingerprint']}" if _seed(r["path"]) >= 0 else r["fingerprint"]
        for r in group
    ]
    lines = [", ".join(names)] if first["step"] != "summarize" else []
    if first["step"] == "prepare":
        lines += [f"read {name} sha256 {digest}" for name, digest in first["inputs"].items()]
        lines += [f"{name} sha256 {out['sha256']}" for name, out in first["outputs"].items()]
    shown = {k: v for k, v in first["parameters"].items() if k != "seed"}
    if first["step"] in ("prepare", "train", "continue_training", "quantize"):
        plain = {k: v for k, v in shown.items() if not isinstance(v, dict)}
        lines += [settings(plain)] if plain else []
        nested = {k: v for k, v in shown.items() if isinstance(v, dict)}
        # The digest of a dataset's archive stands above, as it was read.
        nested = {k: {n: p for n, p in v.items() if n != "sha256"} for k, v in nested.items()}
        lines += [f"{k}: {settings(v)}" for k, v in nested.items()]
    return lines
