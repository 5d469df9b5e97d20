"""Trainings on sentence pairs: they learn, on both backends alike, and go on after a kill with the same bytes."""

import hashlib

import numpy as np
import pytest
from safetensors.numpy import save_file
from small_runs import CONSTANT, FLOAT32, PRECISIONS, Run, Runner, tensors

from sixteen.datasets.fragments import Fragments, read
from sixteen.networks.parts import bert

ENCODER = {"family": "encoder", "blocks": 1, "dimension": 16, "heads": 2, "mlp": 32, "dropout": 0.1}
QUANTIZED = FLOAT32 | {"low": 3, "high": 8, "gradients": 8, "ranges": "moving"}
QUANTIZED |= {"bits": {"kind": "static"}}
# Of a beta of 0.999 bfloat16 would make 1.
ADAM = {"optimizer": "adam", "learning_rate": 0.004, "beta_1": 0.9, "beta_2": 0.99, "l2": 0.0}
ADAM |= {"epsilon": 1e-4, "schedule": CONSTANT, "batch": 32}
SETTINGS = {"network": ENCODER, "task": "classify_pairs", "until": 6} | ADAM


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    entry = Fragments(kind="fragments", seed=0, words=8, train=3600, test=900)
    read(None, entry).save(folder)
    return Runner(folder, folder)


def check(found: Run) -> None:
    assert found.outcome["outcome"] == "finished"
    accuracy = found.column("test_accuracy")
    assert accuracy[0] < 0.45 and accuracy[-1] > 0.55
    assert found.facts["items"] == 6 * (3600 // 32) * 32
    assert tensors(found, "predictions")["logits"].shape == (900, 3)


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16", "mixed_float16"])
def test_pairs_are_learned(pairs, precision):
    check(pairs.run(precision, precision=PRECISIONS[precision], **SETTINGS))


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_pairs_are_learned_on_grids(pairs, backend):
    pytest.importorskip(backend)
    check(pairs.run(backend, precision=QUANTIZED, backend=backend, **SETTINGS))


def test_killed_and_called_again_gives_the_same_bytes(pairs):
    settings = SETTINGS | {"precision": QUANTIZED}
    pairs.kill("killed", said="epoch 5/", **settings)
    resumed = pairs.run("killed", **settings)
    assert resumed.deterministic() == pairs.run("whole", **settings).deterministic()


def test_training_begins_from_published_weights_and_so_does_what_observes_it(pairs, tmp_path):
    """By steps so small that they change no weight."""
    still = SETTINGS | {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 1e-30, "until": 1}
    still = {key: still[key] for key in still.keys() - {"beta_1", "beta_2", "epsilon"}}
    random = tensors(pairs.run("from-random", **still))
    held = {
        theirs[0]: random[our].T + np.float32(0.01) if our.endswith("kernel") else random[our]
        for our, theirs in bert.names(1).items()
    }
    places = random["positions/embeddings"]
    held[bert.POSITIONS] = np.concatenate([places + np.float32(1), places])
    path = tmp_path / "small.safetensors"
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in held.items()}, path)
    weights = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    begun = {"network": ENCODER | {"weights": weights}, "weights": path}

    found = pairs.run("from-published", **(still | begun))

    after = tensors(found)
    assert np.array_equal(after["positions/embeddings"], places + np.float32(1))
    assert np.array_equal(
        after["block1_query/kernel"], random["block1_query/kernel"] + np.float32(0.01)
    )
    assert np.array_equal(after["classifier/kernel"], random["classifier/kernel"])
    watch = {"every": 1, "cast_to": "float16"}
    _, facts = pairs.observe("observed", found.into, watch, **(still | begun))
    assert facts["trained_again"]
