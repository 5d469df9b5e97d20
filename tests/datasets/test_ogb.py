"""Small archives in the format of the Open Graph Benchmark."""

import gzip
import re
import zipfile

import numpy as np
import pytest

from sixteen.datasets import ogbn_arxiv, ogbn_products
from sixteen.errors import UserError

ENTRY = ogbn_arxiv.OgbnArxiv(
    kind="ogbn-arxiv", url="https://example.org/arxiv.zip", bytes=1, sha256="0" * 64
)
FEATURES = np.random.default_rng(0).normal(3, 2, (5, 128)).round(4)
FEATURES[:, 7] = 0.25


def lines(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def tables():
    """A graph of five papers."""
    return {
        "raw/edge": lines([[0, 1], [3, 1], [1, 0], [4, 2]]),
        "raw/node-feat": lines(FEATURES.tolist()),
        "raw/node-label": lines([[4], [39], [0], [4], [7]]),
        "raw/node_year": lines([[2017]] * 5),
        "raw/num-node-list": "5\n",
        "raw/num-edge-list": "4\n",
        "split/time/train": "0\n3\n",
        "split/time/valid": "2\n",
        "split/time/test": "4\n1\n",
    }


@pytest.fixture
def archive(tmp_path):
    def make(tables):
        path = tmp_path / "arxiv.zip"
        with zipfile.ZipFile(path, "w") as written:
            for name, text in tables.items():
                written.writestr(f"arxiv/{name}.csv.gz", gzip.compress(text.encode()))
        return path

    return make


def test_the_official_split_and_the_edges_both_ways(archive, tables):
    graph = ogbn_arxiv.read(archive(tables), ENTRY)
    assert graph.edges.tolist() == [[1, 0, 3, 4, 1, 2], [0, 1, 1, 2, 3, 4]]
    assert graph.train_nodes.tolist() == [0, 3] and graph.train_labels.tolist() == [4, 4]
    assert graph.validation_nodes.tolist() == [2]
    assert graph.test_nodes.tolist() == [4, 1] and graph.test_labels.tolist() == [7, 39]
    assert graph.classes == tuple(map(str, range(40)))
    assert graph.shape == ogbn_arxiv.shape(ENTRY) and ogbn_arxiv.items(ENTRY)[2] == 40


def test_features_are_standardised_column_by_column(archive, tables):
    features = ogbn_arxiv.read(archive(tables), ENTRY).features
    wanted = FEATURES - FEATURES.mean(0)
    wanted[:, np.arange(128) != 7] /= np.delete(FEATURES, 7, 1).std(0)
    assert features == pytest.approx(wanted, abs=1e-5)
    assert not features[:, 7].any()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("raw/edge", "0,1\n3,5\n1,0\n4,2\n", "nodes from 0 to 4 in edges, came 5"),
        ("raw/edge", "0,1,2\n", "2 columns in arxiv/raw/edge.csv.gz .*, came 3"),
        ("raw/edge", "", "4 edges in .*, as it says itself, came 0"),
        ("raw/edge", "0,one\n", "numbers in arxiv/raw/edge.csv.gz"),
        ("raw/num-node-list", "6\n", "6 nodes in .*, as it says itself, came 5"),
        ("raw/node-label", "4\n39\n0\n4\n", "a label for each of 5 nodes, came 4 labels"),
        ("raw/node-label", "4\n39\n0\n4\n40\n", "from 0 to 39 .*test part, came 40 of node 4"),
        ("raw/node-label", "4\n39\n\n4\nnan\n", "numbers in arxiv/raw/node-label.csv.gz"),
        ("raw/node-feat", lines(FEATURES[:, :100].tolist()), "128 columns .*, came 100"),
        ("split/time/test", "4\n3\n", "each node once .*, came node 3 2 times"),
        ("split/time/test", "5\n", "from 0 to 4 in the test part, came 5"),
        ("split/time/train", "", "nodes in the train part, came none"),
        ("raw/node-feat", None, "the member arxiv/raw/node-feat.csv.gz"),
        ("split/time/valid", None, "the member arxiv/split/time/valid.csv.gz"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(archive, tables, name, text, words):
    tables = {k: v for k, v in (tables | {name: text}).items() if v is not None}
    with pytest.raises(UserError, match=rf"expected .*{words}.*; (mend|fetch)"):
        ogbn_arxiv.read(archive(tables), ENTRY)


def test_features_that_are_no_numbers_are_refused(archive, tables):
    tables["raw/node-feat"] = (
        tables["raw/node-feat"].replace("0.25", "nan", 2).replace("nan", "0.25", 1)
    )
    with pytest.raises(UserError, match="came nan in column 7 of node 1"):
        ogbn_arxiv.read(archive(tables), ENTRY)


def test_an_empty_graph_is_refused(archive, tables):
    tables |= {"raw/edge": "", "raw/num-edge-list": "0\n"}
    with pytest.raises(UserError, match="nodes and edges, came 5 nodes and 0 edges"):
        ogbn_arxiv.read(archive(tables), ENTRY)


@pytest.mark.parametrize("harm", ["cut", "no zip", "no gzip", "password", "foreign"])
def test_a_broken_archive_is_refused(archive, tables, harm):
    path = archive(tables)
    content = path.read_bytes()
    if harm == "no gzip":
        with zipfile.ZipFile(path, "w") as written:
            for name in tables:
                written.writestr(f"arxiv/{name}.csv.gz", "0,1\n")
    elif harm in ("password", "foreign"):
        # The flag, or the number of the compression, in the heads of members and in the list of them.
        at, value = (6, 1) if harm == "password" else (8, 99)
        damaged = bytearray(content)
        for head, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            for found in re.finditer(re.escape(head), content):
                damaged[found.start() + at + further] = value
        path.write_bytes(damaged)
    else:
        path.write_bytes(content[: len(content) // 2] if harm == "cut" else b"0" * 500)
    with pytest.raises(UserError, match=r"zip of the Open Graph Benchmark .*; fetch it again"):
        ogbn_arxiv.read(path, ENTRY)


def test_another_digest_is_refused_before_anything_is_read(archive, tables, tmp_path):
    from sixteen.datasets.prepared.prepare import Preparation, prepare

    inputs = {"archive": archive(tables)}
    with pytest.raises(UserError, match=r"expected .*arxiv\.zip with sha256 0{64}, came"):
        prepare(Preparation(dataset=ENTRY), inputs, tmp_path, tmp_path)


def test_products_have_their_own_layout_and_features_as_they_are(tmp_path):
    features = FEATURES[:, :100]
    tables = {
        "raw/edge": lines([[0, 1], [2, 1]]),
        "raw/node-feat": lines(features.tolist()),
        "raw/node-label": lines([[46], [0], [1], [2], [3]]),
        "raw/num-node-list": "5\n",
        "raw/num-edge-list": "2\n",
        **{f"split/sales_ranking/{n}": f"{i}\n" for i, n in enumerate(("train", "valid", "test"))},
    }
    path = tmp_path / "products.zip"
    with zipfile.ZipFile(path, "w") as written:
        for name, text in tables.items():
            written.writestr(f"products/{name}.csv.gz", gzip.compress(text.encode()))
    about = {"url": "https://example.org/products.zip", "bytes": 1, "sha256": "0" * 64}
    entry = ogbn_products.OgbnProducts(kind="ogbn-products", sampled=[32, 32], **about)
    graph = ogbn_products.read(path, entry)
    assert graph.shape == ogbn_products.shape(entry) == (100, 32, 32)
    assert np.array_equal(graph.features, features.astype(np.float32))
    assert graph.edges.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]
    assert graph.train_labels.tolist() == [46] and graph.test_nodes.tolist() == [2]
    assert len(graph.classes) == ogbn_products.items(entry)[2] == 47
