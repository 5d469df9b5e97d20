"""The step that turns any kind of dataset into its prepared form: the same archive and entry give the same bytes."""

import importlib
from pathlib import Path
from typing import Any

from sixteen.datasets import AnyDataset
from sixteen.datasets.archives.members import digest
from sixteen.entry import Entry
from sixteen.errors import UserError


class Preparation(Entry):
    """What the step reads."""

    dataset: AnyDataset


def prepare(
    parameters: Preparation, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Write `dataset.safetensors` into the folder `into`; returns the facts of the form.

    Reads inputs["archive"], which kinds that come with a package don't need, or the `archives` of the entry by their roles.
    UserError if a digest is not the `sha256` of the entry, if the kind refuses what is in it, or if all test items are in the
    training set.
    """
    entry = parameters.dataset
    for role, archive in inputs.items():
        told = entry.archives.get(role, entry)
        _verify(archive, getattr(told, "sha256"))  # noqa: B009 (kinds with an archive have one)
    kind = importlib.import_module(f"sixteen.datasets.{entry.kind.replace('-', '_')}")
    several = len(entry.archives) > 1
    dataset = kind.read(inputs if several else inputs.get("archive"), entry)
    dataset.save(into)
    facts = dataset.facts()
    if (many := facts["test_items"]) == facts.get("seen_items"):
        raise UserError(
            f"expected test items that aren't trained on, came all {many:,} of them in the training set too; put others "
            "into the test set"
        )
    return facts


def _verify(archive: Path, expected: str | None) -> None:
    found = digest(archive)
    if expected is None:
        raise UserError(
            f"expected the sha256 of {archive} in params.yaml, came null; it is {found}: if that is the data that you mean, "
            "put it there"
        )
    if found != expected:
        raise UserError(
            f"expected {archive} with sha256 {expected}, came {found}; "
            "put the right data there, or mend the sha256 if the data is meant to be another"
        )
