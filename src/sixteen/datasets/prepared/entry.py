"""The base of what params.yaml says of a dataset."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from sixteen.entry import Count, Entry, Sha256

Number = TypeVar("Number", bound=int)
Normalisation = Literal["scalar", "channel", "unit"]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]  # what NumPy's legacy generator takes


def _rising(ends: tuple[int, int]) -> tuple[int, int]:
    if ends[0] > ends[1]:
        raise ValueError(f"expected a lowest and a highest value, came {list(ends)}")
    return ends


# A lowest and a highest whole number, both included. Limits are put on the numbers: Range[Annotated[int, ...]].
Range = Annotated[tuple[Number, Number], Field(strict=False), AfterValidator(_rising)]
# The last part of a URL names the file; nothing in it means anything to a shell, to Snakemake or to a file system.
Url = Annotated[
    str,
    Field(
        pattern=r"\A(https?|file)://[A-Za-z0-9._~:/-]*/[A-Za-z0-9_][A-Za-z0-9._-]*\z",
        description="http, https or file; letters, digits and . _ ~ : / - alone; ends in a file name",
    ),
]


class Archive(Entry):
    """A file that is fetched, and believed by its digest alone."""

    url: Url
    bytes: Count
    sha256: Sha256


class Dataset(Entry):
    """A dataset by its `kind`, the name of a module of `sixteen.datasets`, whose subclass has the other fields."""

    kind: str

    @property
    def archives(self) -> dict[str, Archive]:
        """What is fetched for it, by its role among the inputs of `prepare`."""
        return {}


class Downloaded(Archive, Dataset):
    """A dataset that is one archive."""

    @property
    def archives(self) -> dict[str, Archive]:
        """The dataset itself."""
        return {"archive": self}
