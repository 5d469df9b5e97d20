"""The published weights of BERT, as Hugging Face's transformers name them (modeling_bert.py), in our encoder.

Kernels are stored there as [outputs, inputs], here as [inputs, outputs]. Scale and shift of layer normalisation are
`weight` and `bias`, or `gamma` and `beta` in files that were converted from the first ones of Google.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sixteen.errors import UserError
from sixteen.networks.parts import published

if TYPE_CHECKING:
    import keras

EMBEDDINGS = "bert.embeddings"
POSITIONS = f"{EMBEDDINGS}.position_embeddings.weight"
# What isn't read: the heads of pre-training, and the numbers from 0 on that old files hold.
LEFT_OUT = ("cls.predictions.", "cls.seq_relationship.", f"{EMBEDDINGS}.position_ids")

# Dense layers and normalisations of a block: our name, theirs.
DENSE = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output": "attention.output.dense",
    "dense1": "intermediate.dense",
    "dense2": "output.dense",
}
NORMS = {"norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}

log = logging.getLogger("sixteen")


def names(blocks: int) -> dict[str, tuple[str, ...]]:
    """Our names of an encoder's weights with theirs, of which a file has one; positions and the classifier apart."""
    dense = {"pooler": "bert.pooler.dense"}
    norms = {"embeddings_norm": f"{EMBEDDINGS}.LayerNorm"}
    for block in range(blocks):
        place = f"bert.encoder.layer.{block}"
        dense |= {f"block{block + 1}_{our}": f"{place}.{their}" for our, their in DENSE.items()}
        norms |= {f"block{block + 1}_{our}": f"{place}.{their}" for our, their in NORMS.items()}
    found: dict[str, tuple[str, ...]] = {
        "words/embeddings": (f"{EMBEDDINGS}.word_embeddings.weight",),
        "segment/embeddings": (f"{EMBEDDINGS}.token_type_embeddings.weight",),
    }
    for our, their in dense.items():
        found |= {f"{our}/kernel": (f"{their}.weight",), f"{our}/bias": (f"{their}.bias",)}
    for our, their in norms.items():
        found[f"{our}/gamma"] = (f"{their}.weight", f"{their}.gamma")
        found[f"{our}/beta"] = (f"{their}.bias", f"{their}.beta")
    return found


def load(model: "keras.Model", blocks: int, path: Path) -> None:
    """Give an encoder the weights of the safetensors file at `path`; its classifier keeps what it has.

    Of the places of tokens as many are read as a row has. UserError for a file that can't be read, and naming the tensor
    that is missing, left over, in another format or of another shape.
    """
    variables = {variable.path: variable for variable in model.weights}
    with published.opened(path) as opened:
        tensors = published.Tensors(path, opened)
        for our, theirs in names(blocks).items():
            tensor = tensors.read(*theirs)
            tensors.give(variables[our], tensor.T if our.endswith("kernel") else tensor, theirs[0])
        _positions(tensors, variables["positions/embeddings"])
        left = tensors.leave(LEFT_OUT)
    log.info("weights of %s are read; left out: %s", path, ", ".join(left) or "nothing")


def _positions(tensors: published.Tensors, variable: "keras.Variable") -> None:
    places, length = tensors.read(POSITIONS), variable.shape[0]
    if len(places) < length:
        raise UserError(
            f"expected {POSITIONS} of {tensors.path} for {length} tokens or more, came {len(places)}; lower `length` of the "
            "dataset in params.yaml"
        )
    tensors.give(variable, places[:length], POSITIONS)
