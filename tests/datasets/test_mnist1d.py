import hashlib

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets.mnist1d import STEPS, Mnist1d, items, read, shape, templates
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.datasets.prepared.sequences import Sequences

PUBLISHED = {
    "kind": "mnist1d",
    "seed": 42,
    "train": 4000,
    "test": 1000,
    "length": 40,
    "padding": [36, 60],
    "scale": 0.4,
    "translation": 48,
    "correlated_noise": 0.25,
    "correlation": 2,
    "noise": 0.02,
    "shear": 0.75,
}
# Templates alone, each in the same place: 12 points of 48.
BARE = PUBLISHED | {
    "train": 40,
    "test": 10,
    "length": 48,
    "padding": [36, 36],
    "scale": 0,
    "translation": 1,
    "correlated_noise": 0,
    "noise": 0,
    "shear": 0,
}


def sha256(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def sequences_of(**changed):
    """The published sequences but for what is changed, as params.yaml is read."""
    return read(None, Mnist1d.model_validate(PUBLISHED | changed))


def made(**changed):
    """All sequences [50, 48] of BARE but for what is changed, sorted by label, and their labels."""
    drawn = sequences_of(**(BARE | changed))
    labels = np.concatenate([drawn.train_labels, drawn.test_labels])
    order = np.argsort(labels, kind="stable")
    return np.concatenate([drawn.train_sequences, drawn.test_sequences])[order, :, 0].astype(
        float
    ), labels[order]


def test_the_bytes_are_those_of_every_machine():
    drawn = sequences_of()
    assert (
        sha256(drawn.train_sequences)
        == "29f74895214ead827633a9c2f38ba67041dd229c8b34c5a9c95f642d8e71da76"
    )
    assert (
        sha256(drawn.train_labels)
        == "349d9015145a182689d6949b2af9d6466831b99f440cbdba8d682094f0de89d0"
    )
    assert (
        sha256(drawn.test_sequences)
        == "2afca73648b74c20c59415ef22a79ac14c658b03d11c1883d167dd72579ddc21"
    )
    assert (
        sha256(drawn.test_labels)
        == "6d4fabd193f078c2517ef7786d602c5a2ddb8b66b407873f4e14c97b935d6dbd"
    )
    assert drawn.classes == tuple("0123456789")


def test_the_first_sequence_and_labels_are_those_of_the_published_package():
    drawn = sequences_of()
    package = [-0.33200567, -0.47191037, -0.77869708, -1.00974083]
    np.testing.assert_allclose(
        drawn.train_sequences[0, :4, 0], package, rtol=0, atol=0.5 / STEPS + 1e-8
    )
    assert drawn.train_labels[:12].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1, 6, 9]


def test_the_templates_are_those_of_the_published_package():
    first = [0, 0.23693955, 0.35540933, 0.41464421, 0.4738791, 0.4738791]
    np.testing.assert_allclose(templates()[0], first + first[::-1], rtol=0, atol=1e-8)
    assert templates().shape == (10, 12)
    np.testing.assert_allclose(templates().std(1), 1 / 6)
    assert not templates()[:, [0, -1]].any()


def test_sequences_are_float32_standardised_and_of_every_class_as_many():
    drawn = sequences_of()
    train, train_labels = drawn.train_sequences, drawn.train_labels
    test, test_labels = drawn.test_sequences, drawn.test_labels
    assert (train.shape, test.shape) == ((4000, 40, 1), (1000, 40, 1))
    assert train.dtype == test.dtype == np.float32
    assert train_labels.dtype == test_labels.dtype == np.int32
    assert (np.bincount(train_labels) + np.bincount(test_labels)).tolist() == [500] * 10
    assert np.bincount(test_labels).min() > 80
    values = np.concatenate([train, test]).astype(float)
    assert abs(values.mean()) < 1e-5 and abs(values.std() - 1) < 1e-5
    assert 4 < np.abs(values).max() < 6
    assert (values * STEPS == np.rint(values * STEPS)).all()


def test_no_sequence_is_in_both_parts():
    drawn = sequences_of(train=80, test=20)
    train, test = (
        {one.tobytes() for one in part} for part in (drawn.train_sequences, drawn.test_sequences)
    )
    assert (len(train), len(test)) == (80, 20)
    assert not train & test


def test_a_sequence_without_transformations_is_its_template_and_nothing_else():
    sequences, labels = made()
    ink = np.zeros((50, 48))
    ink[:, :12] = templates()[labels]
    expected = (ink - ink.mean()) / ink.std()
    np.testing.assert_allclose(sequences, expected, rtol=0, atol=1 / STEPS)


def test_each_transformation_changes_what_it_says():
    bare, labels = made()
    zero = bare[:, 40:].mean()

    noisy = made(correlated_noise=0.25)[0]
    assert (noisy[:, 12:].std(1) > 0).all()
    assert np.corrcoef(noisy[:, 1:11].ravel(), bare[:, 1:11].ravel())[0, 1] > 0.999
    neighbours = np.corrcoef(noisy[:, 20:47].ravel(), noisy[:, 21:48].ravel())[0, 1]
    assert neighbours > 0.8
    rough = made(correlated_noise=0.25, correlation=0)[0]
    assert abs(np.corrcoef(rough[:, 20:47].ravel(), rough[:, 21:48].ravel())[0, 1]) < 0.2

    assert (bare[labels == 0].std(0) == 0).all()
    assert (made(noise=0.02)[0][labels == 0].std(0) > 0).all()
    slopes = np.diff(made(shear=0.75)[0][:, 20:48], axis=1)
    assert (np.ptp(slopes, axis=1) < 3 / STEPS).all() and len(np.unique(slopes[:, 0])) > 20

    highs = made(scale=0.4)[0][labels == 0].max(1)
    assert len(np.unique(highs)) == 5 and highs.max() / highs.min() < 1.5

    moved = made(translation=48)[0]
    starts = {int(np.argmax(row[1:] > zero + 0.1)) for row in moved[labels == 0]}
    assert len(starts) > 2

    widths = (np.abs(made(padding=[36, 60])[0] - zero) > 0.2).sum(1)
    assert len(np.unique(widths[labels == 0])) > 1


def test_another_seed_gives_other_sequences_and_what_numpy_drew_before_does_not():
    once = sequences_of(train=80, test=20).train_sequences
    np.random.seed(7)
    assert (sequences_of(train=80, test=20).train_sequences == once).all()
    assert (sequences_of(train=80, test=20, seed=43).train_sequences != once).any((1, 2)).all()


def test_they_are_prepared_with_the_size_that_the_entry_says(tmp_path):
    entry = Mnist1d.model_validate(PUBLISHED | {"train": 80, "test": 20, "length": 30})
    facts = prepare(Preparation(dataset=entry), {}, tmp_path, tmp_path)
    assert (facts["train_items"], facts["test_items"], facts["outputs"]) == items(entry)
    assert items(entry) == (80, 20, 10)
    assert facts["shape"] == list(shape(entry)) == [30, 1]
    prepared, drawn = Sequences.load(tmp_path), read(None, entry)
    assert prepared.classes == drawn.classes
    for name in ("train_sequences", "train_labels", "test_sequences", "test_labels"):
        held, own = getattr(prepared, name), getattr(drawn, name)
        assert held.dtype == own.dtype and np.array_equal(held, own), name


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2**32},
        {"train": 0},
        {"test": 0},
        {"train": 4001},
        {"length": 1},
        {"padding": [60, 36]},
        {"padding": [-1, 36]},
        {"padding": [36]},
        {"scale": 2.1},
        {"translation": 0},
        {"correlated_noise": -0.1},
        {"correlation": -1},
        {"noise": -0.1},
        {"shear": float("nan")},
    ],
    ids=str,
)
def test_a_number_out_of_its_limits_is_refused(changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        Mnist1d.model_validate(PUBLISHED | changed)
