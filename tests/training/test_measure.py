"""Energy from the processor's counters, in a folder that looks like the kernel's."""

from sixteen.training import measure


def package(folder, number, microjoules, limit):
    place = folder / f"intel-rapl:{number}"
    place.mkdir(exist_ok=True)
    (place / "energy_uj").write_text(f"{microjoules}\n")
    (place / "max_energy_range_uj").write_text(f"{limit}\n")


def test_counters_of_all_packages_add_up_over_a_wrap(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "POWERCAP", tmp_path)
    package(tmp_path, 0, 9_000_000, 9_999_999)
    package(tmp_path, 1, 1_000_000, 9_999_999)
    meter = measure.energy_meter()
    package(tmp_path, 0, 1_000_000, 9_999_999)  # wrapped: 2 J
    package(tmp_path, 1, 4_000_000, 9_999_999)  # 3 J
    assert meter() == 5.0


def test_nothing_is_told_where_nothing_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "POWERCAP", tmp_path)
    assert measure.energy_meter() is None
