"""Graphs as they are prepared: undirected, each edge once, and what is refused."""

import numpy as np
import pytest

from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError

CLASSES = ("a", "b")


def made(nodes=6, **changes):
    about = {
        "features": np.arange(2.0 * nodes).reshape(nodes, 2),
        "edges": np.array([[0, 1, 4, 2, 2], [1, 0, 2, 4, 2]]),
        "labels": np.array([0, 1, 0, 0, 0, 1]),
        "train": [0, 1],
        "validation": [2],
        "test": [5, 3],
    } | changes
    parts = {part: np.array(about.pop(part), int) for part in ("train", "validation", "test")}
    return Graph.of(**about, parts=parts, classes=CLASSES)


def test_edges_go_both_ways_each_once_and_are_sorted_by_target_and_source():
    graph = made(edges=np.array([[4, 0, 1, 3, 3], [2, 1, 0, 3, 0]]))
    assert graph.edges.tolist() == [[1, 3, 0, 4, 0, 3, 2], [0, 0, 1, 2, 3, 3, 4]]
    assert graph.edges.dtype == np.int32
    assert graph.facts()["edges"] == 4


def test_parts_have_the_labels_of_their_nodes():
    graph = made()
    assert graph.test_nodes.tolist() == [5, 3] and graph.test_labels.tolist() == [1, 0]
    assert graph.train_labels.tolist() == [0, 1] and graph.validation_labels.tolist() == [0]
    assert graph.features.dtype == np.float32 and graph.shape == (2,)


def test_a_saved_graph_comes_back_and_has_the_same_bytes_again(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made().save(tmp_path / name)
    first, second = (tmp_path / name / "dataset.safetensors" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    loaded = Graph.load(tmp_path / "one")
    for name, value in vars(made()).items():
        assert np.array_equal(getattr(loaded, name), value), name
    assert loaded.facts() == {
        "train_items": 2,
        "validation_items": 1,
        "test_items": 2,
        "outputs": 2,
        "shape": [2],
        "nodes": 6,
        "edges": 3,
        "majority_accuracy": 0.5,
        "best_accuracy": None,
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"edges": np.zeros((2, 0), int)}, "with nodes and edges, came 6 nodes and 0 edges"),
        ({"edges": np.array([[0], [6]])}, "from 0 to 5 in edges, came 6"),
        ({"edges": np.array([[-1], [2]])}, "from 0 to 5 in edges, came -1"),
        ({"features": np.full((6, 2), np.nan)}, "came nan in column 0 of node 0"),
        ({"labels": np.array([0, 1])}, "for each of 6 nodes, came 2 labels"),
        ({"labels": np.array([0, 1, 0, -1, 0, 1])}, "of the test part, came -1 of node 3"),
        ({"labels": np.array([0, 2, 0, 1, 0, 1])}, "from 0 to 1 .* train part, came 2 of node 1"),
        ({"test": [5, 6]}, "from 0 to 5 in the test part, came 6"),
        ({"test": [5, 1]}, "once in train, validation or test, came node 1 2 times"),
        ({"test": [5, 5]}, "came node 5 2 times"),
        ({"test": []}, "nodes in the test part, came none"),
        ({"train": []}, "nodes in the train part, came none"),
    ],
)
def test_what_is_no_graph_is_refused_in_a_sentence(changes, words):
    with pytest.raises(UserError, match=rf"expected .*{words}.*; (mend|take)"):
        made(**changes)


def test_nodes_of_no_part_need_no_label():
    assert made(labels=np.array([0, 1, 0, 1, -1, 1])).facts()["nodes"] == 6
