"""Plain vision transformers (arXiv:2205.01580)."""

import numpy as np
import pytest
from pydantic import ValidationError
from small_networks import build, network

from sixteen import networks
from sixteen.errors import UserError
from sixteen.networks.plain_vit import sines

S16 = {"blocks": 12, "patch": 16, "dimension": 384, "heads": 6, "mlp": 1536}


def test_s16_is_the_published_one_but_for_places_and_the_class_token():
    """timm's vit_small_patch16_224 has 22,050,664 parameters, 197 x 384 of which are places and 384 the class token."""
    model = build(network("plain_vit", **S16), (224, 224, 3), classes=1000)
    assert model.count_params() == 22_050_664 - 197 * 384 - 384
    assert networks.layers(network("plain_vit", **S16)) == 74


def test_places_are_sines_and_cosines_of_column_and_row():
    """Written anew from the paper's code: omega = 1 / 10000^(i / (d/4 - 1)); [sin x, cos x, sin y, cos y]."""
    found = sines(3, 5, 16)
    for place in range(15):
        y, x = divmod(place, 5)
        omega = np.array([1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3), 1e-4])
        wanted = [np.sin(x * omega), np.cos(x * omega), np.sin(y * omega), np.cos(y * omega)]
        np.testing.assert_allclose(found[place], np.concatenate(wanted), atol=1e-6)


def test_the_order_of_patches_matters_by_their_places_alone():
    """Without places, a transformer that averages its tokens gives any order of them the same logits."""
    entry = network("plain_vit", blocks=1, patch=2, dimension=8, heads=2, mlp=16)
    model = build(entry, (4, 4, 1))
    image = np.random.default_rng(0).standard_normal((1, 4, 4, 1)).astype(np.float32)
    turned = image[:, [2, 3, 0, 1]]
    here, there = np.asarray(model(image)), np.asarray(model(turned))
    assert not np.allclose(here, there, atol=1e-4)


def test_what_cannot_be_cut_is_refused_in_a_sentence():
    with pytest.raises(UserError, match=r"whole patches of 3x3, came 8x8; choose"):
        build(network("plain_vit", **S16 | {"patch": 3}))
    with pytest.raises(ValidationError, match="multiple of 4 and of `heads`, 5, came 384"):
        network("plain_vit", **S16 | {"heads": 5})
