import ml_dtypes
import numpy as np
import pytest

from sixteen.analysis.tolerance import Tolerance, tolerance

FORMATS = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16]


def of_softmax(first: list[list[float]], second: list[list[float]]) -> Tolerance:
    with np.errstate(divide="ignore"):
        return tolerance(*(np.maximum(np.log(np.array(rows)), -800) for rows in (first, second)))


def test_delta_and_gamma_of_known_outputs() -> None:
    compared = of_softmax(
        [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.5, 0.4, 0.1]],
        [[0.6, 0.3, 0.1], [0.4, 0.5, 0.1], [0.46, 0.44, 0.1]],
    )
    assert compared.delta == pytest.approx([0.1, 0.1, 0.04])
    assert compared.gamma == pytest.approx([0.5, 0.1, 0.1])
    assert list(compared.agree) == [True, False, True]
    assert list(compared.certified) == [True, False, True]


def test_gamma_is_that_of_the_first_network_and_logits_may_be_shifted() -> None:
    one = np.log([[0.9, 0.1]]) + 50.0
    other = np.log([[0.6, 0.4]]) - 700.0
    assert tolerance(one, other).gamma == pytest.approx([0.8])
    assert tolerance(other, one).gamma == pytest.approx([0.2])
    assert tolerance(one, other).delta == pytest.approx([0.3])


def test_an_image_at_the_limit_is_not_certified() -> None:
    """Gamma = 2 delta exactly leaves a tie, in which either class may be named first."""
    compared = of_softmax([[0.3, 0.7], [0.7, 0.3]], [[0.5, 0.5], [0.5, 0.5]])
    assert not compared.certified.any()


def near_ties(rng: np.random.Generator, n: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of which the second ones tie in the two largest classes of the first."""
    first = rng.dirichlet(np.full(classes, 0.7), size=n) + 1e-12
    second = first.copy()
    order = np.argsort(first, axis=1)[:, -2:]
    mean = np.take_along_axis(first, order, axis=1).mean(axis=1, keepdims=True)
    np.put_along_axis(second, order, np.repeat(mean, 2, axis=1), axis=1)
    return np.log(first), np.log(second)


@pytest.mark.parametrize("second_format", FORMATS)
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_lemma_holds_for_every_pair_of_outputs(classes, second_format) -> None:
    rng = np.random.default_rng(classes)
    certified = 0
    for scale in (1e-3, 0.1, 1.0, 8.0):
        first = rng.normal(0, scale, size=(20_000, classes))
        coarse = np.round(first * 4) / 4  # with ties
        for spread in (0.0, 1e-7, 1e-3, 0.3, 1.0):
            second = first + rng.normal(0, scale * spread, size=first.shape)
            for one, other in ((first, second), (coarse, np.round(second * 4) / 4)):
                compared = tolerance(one.astype(np.float32), other.astype(second_format))
                assert compared.agree[compared.certified].all()
                certified += compared.certified.sum()
    assert certified > 100_000  # or the test would show nothing


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_lemma_holds_where_rounding_decides(classes) -> None:
    first, second = near_ties(np.random.default_rng(classes), 100_000, classes)
    compared = tolerance(first, second)
    assert compared.gamma == pytest.approx(2 * compared.delta)
    assert compared.agree[compared.certified].all()
