"""The kind "ogbn-products": products of Amazon and which are bought together, from the archive of the Open Graph Benchmark.

2,449,029 products, each with 100 principal components of its description's words, in 47 categories; trained on those that
are sold most. As arXiv:2403.02243 ran it: some neighbours of a node are sampled in each hop, in tests too.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sixteen.datasets.archives.ogb import Layout, read_nodes
from sixteen.datasets.prepared.entry import Downloaded
from sixteen.datasets.prepared.graph import Graph
from sixteen.entry import Listed

TASK = "classify_nodes_sampled"
LAYOUT = Layout(folder="products", split="sales_ranking", features=100, classes=47)
Fanout = Annotated[int, Field(ge=1, le=1000)]


class OgbnProducts(Downloaded):
    """The official archive; `sampled` is how many neighbours are drawn in each hop, [32, 32] in arXiv:2403.02243."""

    kind: Literal["ogbn-products"]
    sampled: Annotated[Listed[Fanout], Field(min_length=1)]


def shape(entry: OgbnProducts) -> tuple[int, ...]:
    """Features of a node, and how many neighbours are drawn in each hop."""
    return (LAYOUT.features, *entry.sampled)


def items(entry: OgbnProducts) -> tuple[int, int, int]:
    """Training nodes, test nodes and classes."""
    return (196_615, 2_213_091, LAYOUT.classes)


def read(archive: Path, entry: OgbnProducts) -> Graph:
    """Read the archive as `sixteen.datasets.archives.ogb.read_nodes` does."""
    return read_nodes(archive, LAYOUT, standardised=False, neighbours=entry.sampled)
