"""The kind "digits-graph-sampled": the graph of digits of the kind "digits-graph", of which nodes see some neighbours alone."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sixteen.datasets import digits_graph
from sixteen.datasets.prepared.graph import Graph
from sixteen.entry import Listed

TASK = "classify_nodes_sampled"
Fanout = Annotated[int, Field(ge=1, le=1000)]


class DigitsGraphSampled(digits_graph.DigitsGraph):
    """`sampled` is how many neighbours are drawn in each hop: as many hops as the network has layers."""

    kind: Literal["digits-graph-sampled"]  # pyright: ignore[reportIncompatibleVariableOverride]
    sampled: Annotated[Listed[Fanout], Field(min_length=1)]


def shape(entry: DigitsGraphSampled) -> tuple[int, ...]:
    """Features of a node, and how many neighbours are drawn in each hop."""
    return (*digits_graph.shape(entry), *entry.sampled)


def items(entry: DigitsGraphSampled) -> tuple[int, int, int]:
    """Training nodes, test nodes and classes."""
    return digits_graph.items(entry)


def read(archive: Path | None, entry: DigitsGraphSampled) -> Graph:
    """The graph of `digits_graph.read`."""
    return dataclasses.replace(digits_graph.read(archive, entry), neighbours=entry.sampled)
