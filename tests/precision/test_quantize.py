import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from sixteen.errors import UserError
from sixteen.precision.casts import error_of, round_to_nearest
from sixteen.precision.quantize import Quantization, quantize

BFLOAT16 = ml_dtypes.bfloat16


def run(folder: Path, tensors: dict[str, np.ndarray], to: str, outcome: str = "finished") -> Path:
    start, into = folder / "start", folder / "into"
    start.mkdir(parents=True)
    into.mkdir()
    save_file(tensors, start / "weights.safetensors")
    told = {"outcome": outcome, "epochs_done": 7, "epoch": None, "step": None, "hint": None}
    (start / "outcome.json").write_text(json.dumps(told))
    facts = quantize(Quantization(to=to), {"start": start}, into, folder)
    (folder / "facts.json").write_text(json.dumps(facts))
    return into


def every_float16() -> np.ndarray:
    patterns = np.arange(2**16, dtype=np.uint16).view(np.float16)
    return patterns[np.isfinite(patterns)]


def test_every_float16_number_survives_the_way_to_float32_and_back() -> None:
    numbers = every_float16()
    back = round_to_nearest(numbers.astype(np.float32), "float16", "w")
    assert back.tobytes() == numbers.tobytes()


@pytest.mark.parametrize(("to", "unit_roundoff"), [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_random_bit_patterns_stay_within_the_bound_and_nearly_reach_it(to, unit_roundoff) -> None:
    patterns = np.random.default_rng(0).integers(0, 2**32, 400_000, dtype=np.uint32)
    numbers = patterns.view(np.float32)
    numbers = numbers[np.isfinite(numbers) & (np.abs(numbers) < 65504)]
    cast = round_to_nearest(numbers, to, "w")
    assert error_of(numbers, cast)["within_bound"]
    normal = np.abs(numbers) >= float(ml_dtypes.finfo(to).smallest_normal)
    relative = np.abs(cast.astype(np.float64) - numbers)[normal] / np.abs(numbers[normal])
    assert 0.99 * unit_roundoff < relative.max() <= unit_roundoff


def test_a_cast_that_truncates_leaves_the_bound() -> None:
    numbers = np.float32([1 + 2**-11 + 2**-12])
    truncated = np.float16([1])
    assert not error_of(numbers, truncated)["within_bound"]


def test_an_element_beyond_its_bound_is_not_made_up_for_by_others() -> None:
    numbers = np.float32([1 + 2**-11 + 2**-12, *[1] * 1000])
    truncated = numbers.copy()
    truncated[0] = 1
    assert not error_of(numbers, truncated.astype(np.float16))["within_bound"]


def test_below_the_normal_numbers_the_bound_is_half_a_step() -> None:
    halfway = np.float32([2**-25, 3 * 2**-25])
    error = error_of(halfway, round_to_nearest(halfway, "float16", "w"))
    assert error["within_bound"]
    assert error["max_error"] == 2**-25
    assert error["bound_norm"] == pytest.approx(2**-25 * np.sqrt(2))


def test_ties_go_to_the_even_neighbour() -> None:
    step = 2**-10
    numbers = np.float32([1 + step / 2, 1 + 3 * step / 2, -1 - step / 2, 1 + step / 2 + 2**-20])
    cast = round_to_nearest(numbers, "float16", "w")
    assert cast.tolist() == [1, 1 + 2 * step, -1, 1 + step]


def test_from_a_weight_too_large_for_the_format_nothing_goes_on(tmp_path: Path) -> None:
    """It is told, and its study goes on with the other runs: that the format is too small is a result."""
    tensors = {"a": np.float32([1, 2**-30]), "stem/kernel": np.float32([1 + 2**-12, -70000])}
    into = run(tmp_path, tensors, "float16")
    outcome = json.loads((into / "outcome.json").read_text())
    assert (outcome["outcome"], outcome["epoch"], outcome["step"]) == ("diverged", 7, 0)
    assert "float16 can't hold 70000, a weight of tensor 'stem/kernel'" in outcome["hint"]
    assert "65504: cast to bfloat16" in outcome["hint"]
    table = pd.read_csv(into / "tensors.csv").set_index("tensor")
    lost = table.loc["stem/kernel"]
    assert (lost["max_abs"], lost["within_bound"], lost["elements"]) == (70000, False, 2)
    assert lost[["max_error", "mean_error", "relative_error", "error_norm"]].isna().all()
    assert table.loc["a", "max_error"] == 2**-30 and table.loc["a", "within_bound"]
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert (facts["max_error"], facts["relative_error"]) == (None, None)
    assert (facts["underflowed"], facts["within_bound"]) == (1, False)


def test_a_number_just_below_what_a_format_cannot_hold_stays() -> None:
    assert round_to_nearest(np.float32([65519.0]), "float16", "w") == 65504
    assert np.isfinite(round_to_nearest(np.float32([-70000]), "bfloat16", "w").astype(np.float32))
    assert np.isfinite(round_to_nearest(np.float32([-70000]), "bfloat16", "w").astype(np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_refused_by_name(bad) -> None:
    with pytest.raises(UserError, match=f"came {bad} in tensor 'w'"):
        round_to_nearest(np.float32([1, bad]), "float16", "w")


def test_numbers_lost_to_zero_and_subnormal_ones_are_counted() -> None:
    numbers = np.float32([0, 1e-9, -(2**-26), 2**-24, 2**-15, 2**-14, 1])
    error = error_of(numbers, round_to_nearest(numbers, "float16", "w"))
    assert (error["underflowed"], error["subnormal"]) == (2, 2)


def test_table_and_facts_say_what_the_cast_did(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kernel, bias = rng.normal(size=(4, 3)).astype(np.float32), np.zeros(3, np.float32)
    into = run(tmp_path, {"b": bias, "a": kernel, "steps": np.int64([3])}, "float16")
    table = pd.read_csv(into / "tensors.csv").set_index("tensor")
    error = kernel.astype(np.float64) - kernel.astype(np.float16)
    assert list(table.index) == ["a", "b"]
    assert table.loc["a", "max_abs"] == pytest.approx(np.abs(kernel).max())
    assert table.loc["a", "mean_error"] == pytest.approx(np.abs(error).mean())
    assert table.loc["a", "error_norm"] == pytest.approx(np.linalg.norm(error))
    norm = np.linalg.norm(kernel.astype(np.float64))
    assert table.loc["a", "relative_error"] == pytest.approx(np.linalg.norm(error) / norm)
    assert table.loc["a", "bound_norm"] == pytest.approx(norm * 2**-11)
    assert table.loc["b", "relative_error"] == 0
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["elements"] == 15
    assert facts["max_error"] == np.abs(error).max()
    assert facts["relative_error"] == pytest.approx(table.loc["a", "relative_error"])
    assert facts["within_bound"] is True


def test_facts_are_those_of_all_tensors_as_one_vector(tmp_path: Path) -> None:
    """Of tensors that are alike in nothing: size, error, underflow."""
    rng = np.random.default_rng(1)
    tensors = {
        "a": rng.normal(size=(40, 3)).astype(np.float32),
        "b": (100 * rng.normal(size=7)).astype(np.float32),
        "c": np.float32([1e-9, 2e-9, 1]),
        "d": np.float32([1e-9]),
    }
    run(tmp_path, tensors, "float16")
    facts = json.loads((tmp_path / "facts.json").read_text())
    whole = np.concatenate([tensor.ravel() for tensor in tensors.values()]).astype(np.float64)
    error = whole - whole.astype(np.float16)
    assert facts == {
        "elements": 131,
        "max_error": np.abs(error).max(),
        "relative_error": pytest.approx(np.linalg.norm(error) / np.linalg.norm(whole), rel=1e-9),
        "underflowed": 3,
        "within_bound": True,
    }


def test_one_tensor_beyond_its_bound_is_told_of_all(tmp_path: Path, monkeypatch) -> None:
    def truncated(weights, to, name):
        return np.trunc(weights).astype(np.float16) if name == "b" else weights.astype(np.float16)

    monkeypatch.setattr("sixteen.precision.quantize.round_to_nearest", truncated)
    run(tmp_path, {name: np.float32([1.5, 2.25]) for name in "abc"}, "float16")
    assert json.loads((tmp_path / "facts.json").read_text())["within_bound"] is False


@pytest.mark.parametrize(("to", "dtype"), [("float16", np.float16), ("bfloat16", BFLOAT16)])
def test_weights_have_the_format_and_integers_stay(tmp_path: Path, to, dtype) -> None:
    tensors = {"w": np.float32([[0.1, 0.2]]), "n": np.int32([7]), "h": np.float16([0.5])}
    into = run(tmp_path, tensors, to)
    cast = load_file(into / "weights.safetensors")
    assert (cast["w"].dtype, cast["h"].dtype, cast["n"].dtype) == (dtype, dtype, np.int32)
    assert (cast["w"] == tensors["w"].astype(dtype)).all()
    assert list(pd.read_csv(into / "tensors.csv")["tensor"]) == ["h", "w"]


def test_the_same_start_gives_the_same_bytes_under_one_metadata_key(tmp_path: Path) -> None:
    tensors = {name: np.float32([i / 3]) for i, name in enumerate("cab")}
    paths = [
        run(tmp_path / order, dict(sorted(tensors.items(), reverse=order == "down")), "float16")
        for order in ("up", "down")
    ]
    for name in ("weights.safetensors", "tensors.csv"):
        assert (paths[0] / name).read_bytes() == (paths[1] / name).read_bytes()
    with safe_open(paths[0] / "weights.safetensors", framework="numpy") as file:
        assert list(file.metadata()) == ["sixteen"]


def test_a_diverged_start_is_cast_and_stays_diverged(tmp_path: Path) -> None:
    into = run(tmp_path, {"w": np.float32([1])}, "float16", outcome="diverged")
    assert json.loads((into / "outcome.json").read_text())["outcome"] == "diverged"
