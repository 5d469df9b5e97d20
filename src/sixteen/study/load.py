"""Read params.yaml and papers/, and refuse in one sentence each what they may not say.

Types know keys, kinds and ranges; what a type can't know (a name that must exist elsewhere, a number that its format
can't hold) is in `checks`.
"""

from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.study import checks, reading
from sixteen.study.paper import PAPERS, Paper
from sixteen.study.parameters import NAMED, Parameters

FILE = Path("params.yaml")


def load(root: Path = Path()) -> Parameters:
    """Read and check params.yaml and papers/. Raises UserError with the mistakes, see `reading.listed`."""
    content = reading.read(root / FILE)
    papers = {
        path.stem: reading.checked(Paper, reading.read(path), path.relative_to(root).as_posix())
        for path in sorted((root / PAPERS).glob("[!.]*.yaml"))
    }
    return parse(content, papers)


def parse(content: Any, papers: dict[str, Paper]) -> Parameters:
    """Parameters from what params.yaml holds. Raises UserError with the mistakes, see `reading.listed`."""
    if not isinstance(content, dict):
        raise UserError(f"{FILE}: expected named values, came {content!r}")
    if "papers" in content:
        raise UserError(f"{FILE}, papers: expected no such key: each paper is a file of {PAPERS}/")
    resolved, unknown = _with_names(content)
    if unknown:
        raise UserError(reading.listed(unknown))
    parameters = reading.checked(Parameters, resolved | {"papers": papers}, str(FILE))
    if mistakes := list(checks.mistakes(parameters)):
        raise UserError(reading.listed(f"{FILE}, {mistake}" for mistake in mistakes))
    return parameters


def _with_names(content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The content with named parts in place of their names, and a sentence for each name that is unknown."""
    content, unknown = dict(content), []
    for section, keys in NAMED.items():
        entries = content.get(section)
        if not isinstance(entries, dict):
            continue
        content[section] = {
            name: dict(e) if isinstance(e, dict) else e for name, e in entries.items()
        }
        for name, entry in content[section].items():
            for key, source in keys.items():
                if not isinstance(entry, dict) or entry.get(key) is None:
                    continue
                known = content.get(source)
                if (
                    not isinstance(known, dict)
                    or not isinstance(entry[key], str)
                    or entry[key] not in known
                ):
                    names = ", ".join(known) if isinstance(known, dict) else "there is none"
                    unknown.append(
                        f"{FILE}, {section}/{name}/{key}: expected a name under `{source}` ({names}), came "
                        f"{entry[key]!r}"
                    )
                else:
                    entry[key] = known[entry[key]]
    return content, unknown
