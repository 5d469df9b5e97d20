"""Energy from the processor's counters, in a folder that looks like the kernel's; bytes from tensors."""

import pytest
from small_runs import precision, recipe, resnet

from sixteen import networks


@pytest.fixture
def measure(keras_started):
    from sixteen.training import measure

    return measure


def package(folder, number, microjoules, limit):
    place = folder / f"intel-rapl:{number}"
    place.mkdir(exist_ok=True)
    (place / "energy_uj").write_text(f"{microjoules}\n")
    (place / "max_energy_range_uj").write_text(f"{limit}\n")


def test_counters_of_all_packages_add_up_over_a_wrap(measure, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "POWERCAP", tmp_path)
    package(tmp_path, 0, 9_000_000, 9_999_999)
    package(tmp_path, 1, 1_000_000, 9_999_999)
    meter = measure.energy_meter()
    package(tmp_path, 0, 1_000_000, 9_999_999)  # wrapped: 2 J
    package(tmp_path, 1, 4_000_000, 9_999_999)  # 3 J
    assert meter() == 5.0


def test_nothing_is_told_where_nothing_counts(measure, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "POWERCAP", tmp_path)
    assert measure.energy_meter() is None


def test_counts_the_bytes_of_every_kind_of_storage(measure):
    from sixteen.training import optimizers

    def counted(name):
        model = networks.build(resnet(), (8, 8, 1), 10, precision(name), l2=0.0, seed=0)
        optimizer = optimizers.build(recipe(), precision(name))
        optimizer.build(model.trainable_variables)
        return measure.state_bytes(model, optimizer, precision(name))

    exact, mixed, half, all_half = map(
        counted, ("float32", "mixed_unscaled", "float16", "all_float16")
    )
    kernels, norms, statistics = (
        4814,
        120,
        120,
    )  # numbers of convolutions and head, batch norm, its averages
    assert exact["weight_bytes"] == 4 * (kernels + norms + statistics)
    assert mixed["weight_bytes"] == half["weight_bytes"] == 2 * kernels + 4 * (norms + statistics)
    assert all_half["weight_bytes"] == 2 * (kernels + norms + statistics)
    assert [c["master_bytes"] for c in (exact, mixed, half, all_half)] == [0, 4 * kernels, 0, 0]
    assert mixed["gradient_bytes"] == exact["gradient_bytes"] == 4 * (kernels + norms)
    assert half["gradient_bytes"] == 2 * kernels + 4 * norms
    assert exact["activation_bytes"] == 2 * half["activation_bytes"] > 0
