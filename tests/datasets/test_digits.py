"""The bundled digits against the package that brings them."""

import collections

import numpy as np
from sklearn.datasets import load_digits

from sixteen.datasets.digits import Digits, items, read


def test_every_digit_is_there_once_with_its_own_label_and_every_fifth_of_a_class_is_for_testing():
    bundled, seen = load_digits(), collections.Counter()
    expected = {True: [], False: []}
    for image, label in zip(bundled.images, bundled.target, strict=True):
        seen[label] += 1
        pixels = np.round(image * 255 / 16).astype(np.uint8)
        expected[seen[label] % 5 == 0].append((pixels[..., None].tobytes(), int(label)))
    digits = read(None, Digits(kind="digits", normalisation="scalar"))
    found = {
        False: (digits.train_images, digits.train_labels),
        True: (digits.test_images, digits.test_labels),
    }
    for part, (images, labels) in found.items():
        assert [image.tobytes() for image in images] == [image for image, _ in expected[part]]
        assert labels.tolist() == [label for _, label in expected[part]]
    counts = (len(digits.train_labels), len(digits.test_labels), len(digits.classes))
    assert counts == items(Digits(kind="digits", normalisation="scalar"))


def test_no_digit_is_in_both_parts():
    digits = read(None, Digits(kind="digits", normalisation="scalar"))
    train, test = (
        {image.tobytes() for image in part} for part in (digits.train_images, digits.test_images)
    )
    assert not train & test


def test_a_class_can_be_told_by_the_mean_of_its_training_images():
    """Labels belong to their images: the nearest mean, far from a network, is right on most of the test set."""
    digits = read(None, Digits(kind="digits", normalisation="scalar"))
    flat = digits.train_images.reshape(-1, 64).astype(float)
    means = np.array([flat[digits.train_labels == label].mean(0) for label in range(10)])
    tested = digits.test_images.reshape(-1, 1, 64).astype(float)
    nearest = ((tested - means) ** 2).sum(2).argmin(1)
    assert (nearest == digits.test_labels).mean() > 0.85
