import numpy as np
import pytest
from safetensors.numpy import save_file
from small_runs import precision, resnet

from sixteen import networks
from sixteen.errors import UserError

pytestmark = pytest.mark.usefixtures("keras_started")


def build(name):
    return networks.build(resnet(), (8, 8, 1), 10, precision(name), l2=1e-4, seed=0)


def rewritten(tmp_path, change):
    """The weights of a float16 network, changed, in a file."""
    from sixteen.training.state import weights_of

    tensors = weights_of(build("all_float16"))
    change(tensors)
    save_file(tensors, tmp_path / "weights.safetensors", metadata={"sixteen": "{}"})
    return tmp_path / "weights.safetensors"


def test_widening_is_exact(tmp_path):
    from sixteen.training.state import load_weights, weights_of

    values = np.float16([1e-7, 65504, -0.1, 6.1e-5])
    path = rewritten(
        tmp_path, lambda tensors: tensors.update({"final_norm/gamma": np.tile(values, 4)})
    )
    model = build("float16")
    load_weights(model, path)
    loaded = weights_of(model)["final_norm/gamma"]
    assert loaded.dtype == np.float32
    assert np.array_equal(loaded, np.tile(values, 4).astype(np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("head/bias"), "tensor head/bias .* came none"),
        (
            lambda t: t.update({"head/bias": np.zeros(4096, np.float16)}),
            r"head/bias of shape \(10,\)",
        ),
        (lambda t: t.update({"head/bias": np.zeros(10, np.float32)}), "head/bias in float16"),
        (lambda t: t.update({"extra": np.zeros(1, np.float16)}), "came extra"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, change, message):
    from sixteen.training.state import load_weights

    with pytest.raises(UserError, match=message):
        load_weights(build("all_float16"), rewritten(tmp_path, change))


def test_a_checkpoint_is_believed_only_as_it_was_written(tmp_path, caplog):
    from sixteen.training.tensors import load_checkpoint, save_checkpoint

    path = tmp_path / "checkpoint.safetensors"
    assert load_checkpoint(path) is None and not caplog.records
    tensors = {"a": np.float32([1, 2, 3]), "b": np.int32([[7]])}
    about = {"history": [{"epoch": 1, "loss": 0.25}], "last_loss": None, "joules": float("nan")}
    save_checkpoint(path, tensors, about)
    found, told = load_checkpoint(path)
    assert repr(told) == repr(about)
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        kept = load_checkpoint(path)
        # A blank of the header says as much as a tab.
        assert kept is None or repr(kept) == repr((found, told)), place
    assert "is damaged or another run's, nothing goes on from there" in caplog.text


@pytest.mark.parametrize("about", [[1, 2], "text", 3, None, {}])
def test_a_checkpoint_that_says_nonsense_of_itself_is_none(tmp_path, about):
    from sixteen.training.tensors import load_checkpoint, save

    save(tmp_path / "checkpoint.safetensors", {"a": np.float32([1])}, about)
    assert load_checkpoint(tmp_path / "checkpoint.safetensors") is None


def test_a_checkpoint_is_believed_only_where_its_run_wrote_it(tmp_path, caplog):
    from sixteen.training.tensors import load_checkpoint, save_checkpoint

    ours, others = (tmp_path / run / "checkpoint.safetensors" for run in ("one", "other"))
    ours.parent.mkdir()
    save_checkpoint(ours, {"a": np.float32([1])}, {"epochs_done": 1})
    ours.parent.rename(tmp_path / "other")
    assert load_checkpoint(others) is None
    assert "another run's" in caplog.text
    others.parent.rename(tmp_path / "one")
    assert load_checkpoint(ours)


def test_a_cut_off_file_is_refused(tmp_path):
    from sixteen.training.state import load_weights

    path = rewritten(tmp_path, lambda tensors: None)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="can't be read"):
        load_weights(build("all_float16"), path)
