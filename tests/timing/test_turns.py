"""Two arms in turns, each in a process of its own: what is written, and what happens where memory doesn't suffice."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from sixteen.datasets import digits
from sixteen.errors import UserError
from sixteen.files import columns_of, rows_of
from sixteen.timing import measure
from sixteen.timing.measure import measure_time
from sixteen.timing.parameters import Timing

RECIPE = {
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "schedule": {"kind": "constant", "warmup": 0, "restarts": False},
    "clip_norm": None,
    "momentum": 0.9,
    "l2": 0.0,
    "averaging": None,
    "batch": 32,
    "label_smoothing": 0,
    "gradient_accumulation": 1,
    "augmentation": "none",
}


def arm(format: str, backend: str, threads: int, **recipe) -> dict:
    precision = {
        "compute": format,
        "master_weights": False,
        "batch_norm": "float32",
        "loss": format,
        "loss_scale": None,
    }
    how = {"precision": precision, "recipe": RECIPE | recipe}
    return {"backend": backend, "threads": threads, "devices": 1, **how}


def timing(backend="tensorflow", turns=2, threads=(1, 1), **recipe) -> Timing:
    return Timing.model_validate(
        {
            "task": "classify_images",
            "network": {"family": "resnet", "depth": 8, "width": 4},
            "arms": [
                arm(format, backend, count, **recipe)
                for format, count in zip(("float32", "float16"), threads, strict=True)
            ],
            "turns": turns,
            "steps": 3,
        }
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    digits.read(None, digits.Digits(kind="digits", normalisation="scalar")).save(folder)
    return folder


@pytest.fixture
def made(monkeypatch):
    """Turns on a made GPU."""
    monkeypatch.setattr(measure, "turn", types.SimpleNamespace(__name__="made_turn"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    # As Snakemake and the job leave them.
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("SIXTEEN_CACHE", "cache")


def measured(parameters: Timing, dataset: Path, folder: Path) -> tuple[list[dict], dict, list]:
    """Rows of times.csv, facts, and what the made turns wrote down."""
    into, scratch = folder / "into", folder / "scratch"
    into.mkdir()
    scratch.mkdir()
    facts = measure_time(parameters, {"dataset": dataset}, into, scratch)
    diary = scratch / "diary.jsonl"
    turns = [json.loads(line) for line in diary.read_text().splitlines()] if diary.exists() else []
    return list(rows_of(into / "times.csv")), facts, turns


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_real_steps_of_both_arms_are_measured_in_turns(dataset, tmp_path, backend):
    pytest.importorskip(backend)
    turns = 2 if backend == "tensorflow" else 1
    rows, facts, _ = measured(timing(backend, turns), dataset, tmp_path)
    assert columns_of(tmp_path / "into/times.csv") == measure.TIMES
    order = [(number, name) for number in range(1, turns + 1) for name in ("first", "second")]
    assert [(int(row["turn"]), row["arm"]) for row in rows] == order
    for row in rows:
        assert float(row["items_per_second"]) == pytest.approx(32 / float(row["step_seconds"]))
        # A process that holds TensorFlow or JAX takes more than 50 MB, and compiling takes longer than a step.
        assert float(row["peak_bytes"]) > 50e6
        assert float(row["compile_seconds"]) > float(row["step_seconds"]) > 0
        if row["device"].startswith("cpu: "):
            assert (row["largest_batch"], row["peak_bytes_of"]) == ("", "process")
    assert facts["step_seconds"].keys() == {"first", "second"}
    first, second = facts["step_seconds"].values()
    assert facts["ratio"] == first / second


def test_each_turn_is_a_process_of_its_own_and_arms_alternate(made, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("MADE_DEVICE", "cpu: made")
    rows, facts, turns = measured(timing(turns=3), dataset, tmp_path)
    assert [(compute, batch, steps) for compute, batch, steps, _ in turns] == [
        ("float32", 32, 3),
        ("float16", 32, 3),
    ] * 3
    assert len({process for *_, process in turns}) == 6
    assert {row["largest_batch"] for row in rows} == {""}
    assert (facts["ratio"], facts["device"]) == (2.0, "cpu: made")


def test_on_a_gpu_the_largest_batch_is_found_though_tries_are_killed(made, dataset, tmp_path):
    rows, _, turns = measured(timing(turns=2), dataset, tmp_path)
    found = {(row["arm"], row["turn"]): int(row["largest_batch"]) for row in rows}
    assert all(242 <= found["first", turn] <= 250 for turn in "12")  # 250 items of 4 bytes
    assert all(484 <= found["second", turn] <= 500 for turn in "12")
    first, second = (turns.index(turn) for turn in turns if turn[:3] == ["float32", 32, 3])
    tries = [turn for turn in turns[second:] if turn[0] == "float32" and turn[2] != 3]
    assert len(tries) == 2, "what was found before is looked at again, not searched for anew"
    assert first == 0


def test_a_try_that_is_aborted_is_too_large_only_if_it_says_so(
    made, dataset, tmp_path, monkeypatch
):
    monkeypatch.setenv("MADE_ABORT", "F0000 Check failed: RESOURCE_EXHAUSTED: Out of memory")
    rows, _, _ = measured(timing(turns=1), dataset, tmp_path)
    assert 242 <= int(rows[0]["largest_batch"]) <= 250
    monkeypatch.setenv("MADE_ABORT", "F0000 Check failed: a == b")
    (tmp_path / "again").mkdir()
    with pytest.raises(RuntimeError, match="a == b"):
        measured(timing(turns=1), dataset, tmp_path / "again")


def test_where_the_whole_training_set_fits_no_largest_batch_is_told(
    made, dataset, tmp_path, monkeypatch
):
    monkeypatch.setenv("MADE_ITEMS", "240")
    rows, _, _ = measured(timing(turns=1), dataset, tmp_path)
    assert [row["largest_batch"] for row in rows] == ["", ""]


def test_a_batch_that_does_not_fit_is_refused_in_one_sentence(made, dataset, tmp_path):
    with pytest.raises(UserError, match=r"came 300 in float32, which doesn't; lower `batch`"):
        measured(timing(batch=300), dataset, tmp_path)


def test_what_a_turn_refuses_is_told(made, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("MADE_REFUSAL", "expected a, came b; do c")
    with pytest.raises(UserError, match="expected a, came b; do c"):
        measured(timing(), dataset, tmp_path)


def test_a_turn_that_breaks_is_no_lack_of_memory(made, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("MADE_ITEMS", "broken")
    with pytest.raises(RuntimeError, match="invalid literal"):
        measured(timing(), dataset, tmp_path)


def test_a_real_turn_tells_why_it_refuses(dataset, tmp_path):
    """A batch larger than the training set; the process ends well all the same."""
    with pytest.raises(UserError, match="1442"):
        measured(timing(batch=2000), dataset, tmp_path)


def test_the_rules_script_hides_no_module_of_python():
    scripts = Path(__file__).parents[2] / "workflow/scripts"
    names = {path.stem for path in scripts.glob("*.py")}
    assert not names & set(sys.stdlib_module_names)
    called = subprocess.run(
        [sys.executable, scripts / "measure_time.py", "--help"], capture_output=True, text=True
    )
    assert called.returncode == 0, called.stderr
    assert "--runs-per-gpu" in called.stdout


def test_each_arm_is_timed_on_its_own_machine():
    asked = timing(threads=(1, 2))
    assert [asked.training(arm, 8).threads for arm in asked.arms] == [1, 2]
