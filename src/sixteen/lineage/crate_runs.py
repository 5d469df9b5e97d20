"""What a crate says of runs: actions of programs that read files and parameters and wrote files, step by step."""

import json
import mimetypes
from collections.abc import Iterable
from typing import Any

from sixteen.lineage.archive import Record
from sixteen.lineage.steps import STEPS

AGENT = "#agent"
SNAKEMAKE = "https://snakemake.github.io"
# What the standard library doesn't know.
ENCODINGS = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".ipynb": "application/x-ipynb+json",
    ".md": "text/markdown",
    ".safetensors": "application/octet-stream",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
}
PACKED = {"gzip": "application/gzip", "xz": "application/x-xz", "bzip2": "application/x-bzip2"}

Entity = dict[str, Any]


def refs(ids: Iterable[str]) -> Entity | list[Entity]:
    """References to entities; one alone isn't a list, as RO-Crate 1.1 has it."""
    found = [{"@id": key} for key in ids]
    return found[0] if len(found) == 1 else found


def file(key: str, name: str, digest: str, size: int | None = None) -> Entity:
    """A file with its SHA-256 and, where it is known, its size in bytes."""
    entity = {"@id": key, "@type": "File", "name": name, "sha256": digest}
    entity["encodingFormat"] = encoding(name)
    return entity | ({} if size is None else {"contentSize": str(size)})


def encoding(name: str) -> str:
    """The media type of a file by its name; of one without an ending, plain text."""
    suffix = name[name.rfind(".") :] if "." in name.rpartition("/")[2] else ".txt"
    guessed, packed = mimetypes.guess_type(name)
    known = PACKED.get(packed or "") or ENCODINGS.get(suffix) or guessed
    return known or ("text/plain" if suffix == ".txt" else "application/octet-stream")


def organizing(runs: list[Record]) -> Entity:
    """That Snakemake started each run."""
    return {
        "@id": "#organize",
        "@type": "OrganizeAction",
        "name": "Snakemake running the steps",
        "agent": {"@id": AGENT},
        "instrument": {"@id": "#snakemake"},
        "object": refs(f"#control-{run['fingerprint']}" for run in runs),
        "result": {"@id": "#workflow"},
    }


def action(run: Record, ids: dict[str, str]) -> list[Entity]:
    """One run: what it read (files, parameters), what it wrote, when, on what, and which step started it."""
    key, made = run["fingerprint"], run["execution"]
    values = [_parameter(key, *parameter) for parameter in run["parameters"].items()]
    read = [*(ids[name] for name in run["inputs"] if name in ids), *(v["@id"] for v in values)]
    versions = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    return [
        {
            "@id": f"#run-{key}",
            "@type": "CreateAction",
            "name": run["path"],
            "description": (
                f"code {run['code']['digest']}, git commit {made['git_commit']}; on {made['host']} ({made['cpu']}), "
                f"Python {made['python']}, {versions}"
            ),
            "agent": {"@id": AGENT},
            "instrument": {"@id": program(run["step"])},
            "object": refs(read),
            "result": refs(ids[f"{run['path']}/{name}"] for name in run["outputs"]),
            "startTime": made["started"],
            "endTime": made["ended"],
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
        *values,
        {
            "@id": f"#control-{key}",
            "@type": "ControlAction",
            "name": f"{run['step']} of {run['path']}",
            "instrument": {"@id": f"#step-{run['step']}"},
            "object": {"@id": f"#run-{key}"},
        },
    ]


def steps(runs: list[Record]) -> list[Entity]:
    """The steps of the workflow in the order of their first runs."""
    return [
        {
            "@id": f"#step-{step}",
            "@type": "HowToStep",
            "name": step,
            "position": str(position),
            "workExample": {"@id": program(step)},
        }
        for position, step in enumerate(dict.fromkeys(run["step"] for run in runs))
    ]


def programs(runs: list[Record]) -> list[Entity]:
    """What ran: the module of each step, the packages that it had at hand, Snakemake and Python."""
    codes: dict[str, set[str]] = {}
    packages: dict[tuple[str, str], None] = {}
    for run in runs:
        codes.setdefault(program(run["step"]), set()).add(run["code"]["digest"][:12])
        made = run["execution"]
        packages |= dict.fromkeys([*made["packages"].items(), ("python", made["python"])])
    needed = refs(_package(*package) for package in packages)
    snakemakes = [version for name, version in packages if name == "snakemake"]
    return [
        *(
            {
                "@id": key,
                "@type": "SoftwareApplication",
                "name": key[1:],
                "version": f"code {', '.join(sorted(digests))}",
                "softwareRequirements": needed,
            }
            for key, digests in codes.items()
        ),
        *(_software(_package(*package), *package) for package in packages),
        _software("#snakemake", "Snakemake", ", ".join(snakemakes) or "not recorded")
        | {"url": SNAKEMAKE},
        {"@id": SNAKEMAKE, "@type": "ComputerLanguage", "name": "Snakemake", "url": SNAKEMAKE},
    ]


def program(step: str) -> str:
    """The identifier of the module that computes a step."""
    return f"#{STEPS[step][0]}"


def _package(name: str, version: str) -> str:
    """A package URL: a name that says which package and version, and no place."""
    return f"pkg:generic/python@{version}" if name == "python" else f"pkg:pypi/{name}@{version}"


def _software(key: str, name: str, version: str) -> Entity:
    return {
        "@id": key,
        "@type": "SoftwareApplication",
        "name": name,
        "version": version,
        "url": key,
    }


def _parameter(run: str, name: str, value: Any) -> Entity:
    told = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
    return {"@id": f"#{run}-{name}", "@type": "PropertyValue", "name": name, "value": told}
