"""The kind "ogbn-arxiv": papers of arXiv in computer science and what they cite, from the archive of the Open Graph Benchmark.

169,343 papers, each with the mean of its words' embeddings, in 40 subjects; trained on papers until 2017, tested on those
since 2019. As arXiv:2403.02243 ran it: citations count both ways, and features are standardised.
"""

from pathlib import Path
from typing import Literal

from sixteen.datasets.archives.ogb import Layout, read_nodes
from sixteen.datasets.prepared.entry import Downloaded
from sixteen.datasets.prepared.graph import Graph

TASK = "classify_nodes"
LAYOUT = Layout(folder="arxiv", split="time", features=128, classes=40)


class OgbnArxiv(Downloaded):
    """The official archive."""

    kind: Literal["ogbn-arxiv"]


def shape(entry: OgbnArxiv) -> tuple[int]:
    """Features of a node."""
    return (LAYOUT.features,)


def items(entry: OgbnArxiv) -> tuple[int, int, int]:
    """Training nodes, test nodes and classes."""
    return (90_941, 48_603, LAYOUT.classes)


def read(archive: Path, entry: OgbnArxiv) -> Graph:
    """Read the archive as `sixteen.datasets.archives.ogb.read_nodes` does."""
    return read_nodes(archive, LAYOUT, standardised=True, neighbours=())
