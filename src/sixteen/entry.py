"""Entries: typed, frozen pieces of params.yaml and of papers/, each defined beside the code that reads it.

Types are strict (10.0 is no whole number, "10" neither), an unknown key is an error, NaN and infinity are refused,
and nothing has a default: a key may only be absent where that means that there is none of it.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, Union

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")

NAME = r"[a-z0-9]+(?:[-_][a-z0-9]+)*"
# \A and \z, since $ would take a newline at the end.
Name = Annotated[str, Field(pattern=rf"\A{NAME}\z", max_length=80)]
# No control characters but ends of lines and tabs, and none that turn the direction of what follows.
PRINTED = r"\A[^\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*\z"
Text = Annotated[str, Field(min_length=1, pattern=PRINTED)]
Sha256 = Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
Format = Literal["float32", "float16", "bfloat16"]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
# Layers, units, filters; and what multiplies them. Above that is a slip of the finger and no network.
Size = Annotated[int, Field(ge=1, le=65_536)]
Multiple = Annotated[float, Field(gt=0, le=64)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
# YAML and JSON know lists alone; what they hold stays strict.
Listed = Annotated[tuple[Item, ...], Field(strict=False)]


class Entry(BaseModel):
    """One entry: compared by value, never changed, dumped to the JSON that a fingerprint hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def plain(self) -> dict[str, Any]:
        """The entry as JSON knows it."""
        return self.model_dump(mode="json")


def union_of(package: str, path: Iterable[str], base: type[Entry], key: str) -> Any:
    """The union of all subclasses of `base` in the modules of a package, told apart by the field `key`.

    Modules are found by looking into the folder, so that a new one needs no list to be entered in, and the code of
    one is no part of what another's fingerprint reaches.
    """
    choices: list[type[Entry]] = []
    for module in pkgutil.iter_modules(path):
        if not module.ispkg:
            loaded = importlib.import_module(f"{package}.{module.name}")
            choices += [
                member
                for _, member in inspect.getmembers(loaded, inspect.isclass)
                if issubclass(member, base) and member.__module__ == loaded.__name__
            ]
    return Annotated[Union[tuple(choices)], Field(discriminator=key)]  # noqa: UP007
