"""Entries of networks and precisions, and how tests build them."""

from typing import Any

from pydantic import TypeAdapter

from sixteen import networks
from sixteen.precision.entry import FLOAT32, Precision

FLOAT16 = FLOAT32.model_copy(update={"compute": "float16", "loss": "float16"})
BFLOAT16 = FLOAT32.model_copy(update={"compute": "bfloat16", "loss": "bfloat16"})
PRECISIONS: dict[str, Precision] = {
    "float32": FLOAT32,
    "float16": FLOAT16,
    "mixed": FLOAT16.model_copy(update={"master_weights": True}),
    "all_float16": FLOAT16.model_copy(update={"batch_norm": "float16"}),
    "bfloat16": BFLOAT16,
}
_FAMILIES = TypeAdapter(networks.AnyNetwork)


def network(family: str, **fields: Any) -> networks.Network:
    """The entry with these fields, read as params.yaml is."""
    return _FAMILIES.validate_python({"family": family, **fields})


def build(network, shape=(8, 8, 1), precision=FLOAT32, l2=0.0, seed=0, classes=10):
    return networks.build(network, shape, classes, precision, l2, seed)


def variables(model):
    return {v.path: v.numpy() for v in model.weights}
