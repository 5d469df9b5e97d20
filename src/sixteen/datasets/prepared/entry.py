"""The base of what params.yaml says of a dataset."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Sha256

Normalisation = Literal["scalar", "channel", "unit"]
# The last part of a URL names the file; nothing in it means anything to a shell, to Snakemake or to a file system.
Url = Annotated[
    str,
    Field(
        pattern=r"\A(https?|file)://[A-Za-z0-9._~:/-]*/[A-Za-z0-9_][A-Za-z0-9._-]*\z",
        description="http, https or file; letters, digits and . _ ~ : / - alone; ends in a file name",
    ),
]


class Dataset(Entry):
    """A dataset by its `kind`, the name of a module of `sixteen.datasets`, whose subclass has the other fields."""

    kind: str


class Downloaded(Dataset):
    """A dataset whose archive is fetched, and believed by its digest alone."""

    url: Url
    bytes: Count
    sha256: Sha256
