"""Trainings on graphs: they learn, on both backends alike, and go on after a kill with the same bytes."""

import pytest
from small_runs import CONSTANT, FLOAT32, PRECISIONS, Run, Runner, tensors

from sixteen.datasets import digits_graph_sampled
from sixteen.datasets.digits_graph import DigitsGraph, read

GCN = {"family": "gcn", "hidden": 16, "layers": 2, "dropout": 0.2, "aggregation": "quantized"}
QUANTIZED = FLOAT32 | {"low": 3, "high": 8, "gradients": 8, "ranges": "moving"}
QUANTIZED |= {"bits": {"kind": "static"}}
ADAM = {"optimizer": "adam", "learning_rate": 0.02, "beta_1": 0.9, "beta_2": 0.999, "l2": 0.0}
ADAM |= {"epsilon": 1e-4, "schedule": CONSTANT, "batch": 1}
SETTINGS = {"network": GCN, "task": "classify_nodes", "until": 30} | ADAM


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodes")
    entry = DigitsGraph(kind="digits-graph", neighbours=5, seed=0, train_per_class=20)
    read(None, entry).save(folder)
    return Runner(folder, folder)


def check(found: Run) -> None:
    assert found.outcome["outcome"] == "finished"
    accuracy = found.column("test_accuracy")
    assert accuracy[0] < 0.3 and accuracy[-1] > 0.85
    assert found.column("train_accuracy")[-1] > 0.9
    assert found.facts["items"] == 30 * 200


@pytest.mark.parametrize("precision", ["float32", "float16", "quantized"])
def test_a_whole_graph_is_learned(nodes, precision):
    entry = QUANTIZED if precision == "quantized" else PRECISIONS[precision]
    check(nodes.run(precision, precision=entry, **SETTINGS))


def test_jax_learns_it_as_well(nodes):
    pytest.importorskip("jax")
    check(nodes.run("jax", precision=QUANTIZED, backend="jax", **SETTINGS))


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampled")
    about = {"neighbours": 5, "seed": 0, "train_per_class": 20, "sampled": [4, 4]}
    digits_graph_sampled.read(
        None, digits_graph_sampled.DigitsGraphSampled(kind="digits-graph-sampled", **about)
    ).save(folder)
    return Runner(folder, folder)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_sampled_neighbours_are_enough(sampled, backend):
    pytest.importorskip(backend)
    settings = SETTINGS | {"task": "classify_nodes_sampled", "batch": 50, "until": 8}
    settings |= {"network": GCN | {"family": "sage"}, "precision": QUANTIZED}
    found = sampled.run(backend, backend=backend, **settings)
    assert found.column("test_accuracy")[-1] > 0.85
    assert found.facts["items"] == 8 * 200
    assert len(tensors(found, "predictions")["logits"]) == 1597


def test_killed_and_called_again_gives_the_same_bytes(nodes):
    settings = SETTINGS | {"precision": QUANTIZED, "until": 8}
    nodes.kill("killed", said="epoch 7/", **settings)
    resumed = nodes.run("killed", **settings)
    assert resumed.deterministic() == nodes.run("whole", **settings).deterministic()
