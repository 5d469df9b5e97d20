"""Archives of the Open Graph Benchmark for classifying nodes (Hu et al., arXiv:2005.00687; snap.stanford.edu/ogb/data).

A zip of gzipped tables without headers, one line an edge, a node or a number: `raw/edge`, `node-feat`, `node-label`,
`num-node-list`, `num-edge-list`, and a split of nodes into `train`, `valid` and `test`.
"""

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError

# What the archive calls a part, and what it is here.
SPLIT = {"train": "train", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Layout:
    """Where an archive keeps its tables, how many features a node has, and how many classes there are."""

    folder: str
    split: str
    features: int
    classes: int


def read_nodes(
    archive: Path, layout: Layout, standardised: bool, neighbours: tuple[int, ...]
) -> Graph:
    """Read an archive: undirected, with the official split; classes are numbers.

    With `standardised` features have mean 0 and deviation 1 over all nodes, column by column (a column of equal numbers is 0).
    UserError for an archive that is damaged, lacks a table, or contradicts itself.
    """
    broken = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, OSError)
    foreign = (
        RuntimeError,
        NotImplementedError,
    )  # with a password, or a compression of other programs
    try:
        with zipfile.ZipFile(archive) as opened:
            tables = _Tables(opened, archive, layout.folder)
            edges, features, labels = _raw(tables, layout)
            parts = {
                part: tables.read(f"split/{layout.split}/{name}", np.int64, 1)[:, 0]
                for name, part in SPLIT.items()
            }
    except (*broken, *foreign) as error:
        raise UserError(
            f"expected a zip of the Open Graph Benchmark at {archive}, came a file that cannot be read as one "
            f"({error}); fetch it again"
        ) from error
    names = tuple(str(label) for label in range(layout.classes))
    if standardised and np.isfinite(features).all():
        features = _standardised(features)
    return Graph.of(features, edges, labels, parts, names, neighbours=neighbours)


def _raw(tables: "_Tables", layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges [2, edges], features and labels, as many as the archive says."""
    edges = tables.read("raw/edge", np.int64, 2).T
    features = tables.read("raw/node-feat", np.float32, layout.features)
    labels = tables.read("raw/node-label", np.int64, 1)[:, 0]
    for name, found in (("node", len(features)), ("edge", edges.shape[1])):
        told = int(tables.read(f"raw/num-{name}-list", np.int64, 1).sum())
        if told != found:
            raise UserError(
                f"expected {told} {name}s in {tables.archive}, as it says itself, came {found}; fetch it again"
            )
    return edges, features, labels


class _Tables:
    """The tables in an opened archive."""

    def __init__(self, opened: zipfile.ZipFile, archive: Path, folder: str) -> None:
        self.opened, self.archive, self.folder = opened, archive, folder
        self.names = set(opened.namelist())

    def read(self, name: str, dtype: Any, columns: int) -> np.ndarray:
        """The table of that name, [rows, columns]."""
        # Here, not above: every plan imports all kinds, and must not wait for pandas.
        import pandas as pd

        member = f"{self.folder}/{name}.csv.gz"
        if member not in self.names:
            raise UserError(
                f"expected the member {member} in {self.archive}, came an archive without it; fetch the official archive"
            )
        try:
            with self.opened.open(member) as file:
                read = pd.read_csv(file, header=None, dtype=dtype, compression="gzip")
        except pd.errors.EmptyDataError:
            return np.zeros((0, columns), dtype)
        except (ValueError, OverflowError) as error:
            raise UserError(
                f"expected numbers in {member} of {self.archive}, came others ({error}); fetch the official archive"
            ) from error
        if read.shape[1] != columns:
            raise UserError(
                f"expected {columns} columns in {member} of {self.archive}, came {read.shape[1]}; "
                "fetch the official archive"
            )
        return read.to_numpy()


def _standardised(features: np.ndarray) -> np.ndarray:
    """Float32 with mean 0 and deviation 1 in each column, computed in float64."""
    means, deviations = features.mean(0, np.float64), features.std(0, np.float64)
    return ((features - means) / np.where(deviations == 0, 1, deviations)).astype(np.float32)
