"""Fingerprints: what a run will be, known before anything runs.

A fingerprint hashes the sentence, the parameters that the run reads, the code that it reaches and the
fingerprints of what it starts from. Times, machines and package versions are facts of an execution; they are recorded,
but not part of it.
"""

import ast
import functools
import hashlib
import json
import sys
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import held

LENGTH = 12  # hex digits of a fingerprint: 48 bits, a collision among 10,000 runs has odds of 2e-7

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def canonical(value: Any) -> bytes:
    """JSON with one spelling: sorted keys, no spaces, UTF-8, NaN refused."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of a value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def fingerprint_of(
    folder: str, parameters: dict[str, Any], code_digest: str, parents: dict[str, str]
) -> str:
    """The fingerprint of a run.

    ``folder`` is its path without the fingerprint (so that no two paths share one), ``parents`` maps a role
    to the fingerprint of the run that plays it.
    """
    identity = {"folder": folder, "parameters": parameters, "code": code_digest, "parents": parents}
    return digest(identity)[:LENGTH]


def amounts_to(
    path: str, parameters: dict[str, Any], code: dict[str, str], parents: dict[str, str]
) -> str:
    """The fingerprint of the run at a path, of digests of its modules and of paths of its parents."""
    keys = {role: parent.rpartition("/")[2] for role, parent in parents.items()}
    return fingerprint_of(path.rpartition("/")[0], parameters, digest(code), keys)


def code_of(modules: list[str]) -> dict[str, str]:
    """Digest of each module of this package that the given modules reach through imports.

    Returns ``{module: sha256}``. A module's digest is that of its syntax tree without comments, layout and
    docstrings, so that only an edit that can change a result changes it.
    """
    return _code_of(tuple(modules))


def code_digest(modules: list[str]) -> str:
    """Digest of what `code_of` returns: all runs of a step share it, thousands perhaps."""
    return _code_digest(tuple(modules))


@functools.cache
def _code_digest(modules: tuple[str, ...]) -> str:
    return digest(_code_of(modules))


@functools.cache
def _code_of(modules: tuple[str, ...]) -> dict[str, str]:
    reached: dict[str, str] = {}
    pending = list(modules)
    while pending:
        name = pending.pop()
        if name in reached or (found := _module(name)) is None:
            continue
        reached[name], imported = found
        parents = [name.rpartition(".")[0]] if "." in name else []
        pending += [*imported, *parents]
    return dict(sorted(reached.items()))


def notebook_digest(path: Path) -> str:
    """Digest of the code, prose and tags of a notebook's cells; outputs and ids don't count."""
    return digest(
        [
            (cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", []))
            for cell in _cells(path)
        ]
    )


def notebook_imports(path: Path) -> list[str]:
    """The modules that the code cells of a notebook import: a report is made by these as well."""
    code = ["".join(cell["source"]) for cell in _cells(path) if cell["cell_type"] == "code"]
    try:
        tree = ast.parse("\n".join(code))
    except SyntaxError as error:
        raise UserError(f"expected Python in the code cells of {path}, came {error.msg}") from None
    return _imports(tree, __name__.partition(".")[0])


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        raise UserError(
            f"expected the notebook {path}, found none that can be read: correct `notebook` of the study in "
            "params.yaml"
        ) from None


@functools.cache
def _module(name: str) -> tuple[str, list[str]] | None:
    """Digest and imports of a module; None if the name is no module (but a thing inside one).

    Importing them would start TensorFlow in every ``snakemake -n``.
    """
    package = name.split(".")[0]
    if (source := _source(package, name)) is None:
        return None
    tree = ast.parse(source)
    return hashlib.sha256(_shape(tree).encode()).hexdigest(), _imports(tree, package)


def _source(package: str, name: str) -> bytes | None:
    """The text of a module: as this process holds it, if it is a job of ours, and as it is on disk otherwise."""
    if held.sources and package == held.PACKAGE:
        return held.sources[name].text if name in held.sources else None
    stem = Path(sys.modules[package].__path__[0]).parent.joinpath(*name.split("."))
    found = [p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()]
    return found[0].read_bytes() if found else None


def _imports(tree: ast.AST, package: str) -> list[str]:
    """Names of a package that a syntax tree imports: modules, and perhaps things inside them."""
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in imported if name.partition(".")[0] == package]


def _shape(node: Any) -> str:
    """A syntax tree as canonical JSON, the same for every Python version.

    Empty fields are left out, since each version of Python adds some (``type_params`` in 3.12). Written at once, not by
    way of lists: every call of Snakemake waits for it.
    """
    if isinstance(node, list):
        return f"[{','.join(map(_shape, node))}]"
    if not isinstance(node, ast.AST):
        return encode_basestring(f"{type(node).__name__} {node!r}")
    kept = []
    for field in sorted(node._fields):
        value: Any = getattr(node, field, None)
        if field == "body" and isinstance(node, DOCUMENTED):
            value = value[1:] if _is_docstring(value) else value
        if field == "values" and isinstance(node, ast.JoinedStr):
            # Python 3.12 puts empty strings between nested formats.
            value = [part for part in value if not _is_empty_text(part)]
        if value is not None and value != [] and field != "kind":
            kept.append(f'"{field}":{_shape(value)}')
    return f'["{type(node).__name__}",{{{",".join(kept)}}}]'


def _is_docstring(body: list[ast.stmt]) -> bool:
    first = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str)


def _is_empty_text(node: Any) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""
