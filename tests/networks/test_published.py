"""Published weights of BERT: a file as Hugging Face names its tensors, and BERT in NumPy on these tensors themselves."""

import hashlib
import logging

import numpy as np
import pytest
from pydantic import ValidationError
from safetensors.numpy import save_file
from scipy.special import erf
from small_networks import PRECISIONS, build, network, variables

from sixteen import networks
from sixteen.errors import UserError
from sixteen.networks.parts import bert

WORDS, PLACES, LENGTH, WIDTH, HEADS, MLP, BLOCKS = 11, 9, 7, 8, 2, 20, 3
PRETRAINING = {
    "cls.predictions.bias": (WORDS,),
    "cls.predictions.transform.dense.weight": (WIDTH, WIDTH),
    "cls.seq_relationship.weight": (2, WIDTH),
}


def shapes():
    """The tensors of `BertForPreTraining`, each by its name in full, as [outputs, inputs]."""
    found = {
        "bert.embeddings.word_embeddings.weight": (WORDS, WIDTH),
        "bert.embeddings.position_embeddings.weight": (PLACES, WIDTH),
        "bert.embeddings.token_type_embeddings.weight": (2, WIDTH),
        "bert.embeddings.LayerNorm.weight": (WIDTH,),
        "bert.embeddings.LayerNorm.bias": (WIDTH,),
        "bert.pooler.dense.weight": (WIDTH, WIDTH),
        "bert.pooler.dense.bias": (WIDTH,),
    }
    for layer in range(BLOCKS):
        for name, sides in {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (MLP, WIDTH),
            "output.dense": (WIDTH, MLP),
            "attention.output.LayerNorm": (WIDTH,),
            "output.LayerNorm": (WIDTH,),
        }.items():
            found[f"bert.encoder.layer.{layer}.{name}.weight"] = sides
            found[f"bert.encoder.layer.{layer}.{name}.bias"] = sides[:1]
    return found | PRETRAINING


def tensors(**changed):
    """Numbers for all of them; a value of None leaves one out."""
    draw = np.random.default_rng(0)
    made = {name: draw.normal(0, 0.4, sides).astype(np.float32) for name, sides in shapes().items()}
    for name in made:
        if name.endswith("LayerNorm.weight"):
            made[name] += 1
    return {name: value for name, value in (made | changed).items() if value is not None}


def entry(sha256=None, **changed):
    about = {"blocks": BLOCKS, "dimension": WIDTH, "heads": HEADS, "mlp": MLP, "dropout": 0.1}
    weights = {"file": "small.safetensors", "sha256": sha256}
    return network("encoder", **(about | {"weights": weights} | changed))


def model_of(precision="float32", length=LENGTH, words=WORDS, **about):
    return build(entry(**about), (length, words), PRECISIONS[precision], classes=3)


@pytest.fixture
def written(tmp_path):
    """A function that writes a file of these tensors."""

    def write(held):
        path = tmp_path / "small.safetensors"
        save_file(held, path, metadata={"format": "pt"})
        return path

    return write


def given(path, **about):
    """An encoder with the weights of that file, which is the one that its entry names."""
    told = entry(hashlib.sha256(path.read_bytes()).hexdigest())
    model = model_of(**about)
    networks.load_published(told, model, path)
    return model


def pooled(t, tokens, segments, mask):
    """BERT after Devlin et al. (arXiv:1810.04805) on published tensors, float64 [rows, width]."""

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * t[f"{name}.weight"]
            + t[f"{name}.bias"]
        )

    def linear(x, name):
        return np.einsum("...i,oi->...o", x, t[f"{name}.weight"]) + t[f"{name}.bias"]

    at = "bert.embeddings"
    x = (
        t[f"{at}.word_embeddings.weight"][tokens]
        + t[f"{at}.token_type_embeddings.weight"][segments]
    )
    x = norm(x + t[f"{at}.position_embeddings.weight"][: tokens.shape[1]], f"{at}.LayerNorm")
    for layer in range(BLOCKS):
        at = f"bert.encoder.layer.{layer}"
        q, k, v = (
            linear(x, f"{at}.attention.self.{part}").reshape(*x.shape[:2], HEADS, -1)
            for part in ("query", "key", "value")
        )
        scores = np.einsum("bqhc,bkhc->bhqk", q, k) / np.sqrt(WIDTH / HEADS)
        shares = np.exp(scores) * mask[:, None, None]
        shares /= shares.sum(-1, keepdims=True)
        context = np.einsum("bhqk,bkhc->bqhc", shares, v).reshape(x.shape)
        x = norm(
            x + linear(context, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm"
        )
        inner = linear(x, f"{at}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return np.tanh(linear(x[:, 0], "bert.pooler.dense"))


def rows():
    draw = np.random.default_rng(1)
    tokens = draw.integers(1, WORDS, (5, LENGTH)).astype(np.int32)
    mask = np.arange(LENGTH) < np.array([7, 3, 5, 2, 7])[:, None]
    segments = ((np.arange(LENGTH) > 1) * mask).astype(np.int32)
    return tokens * mask, segments, mask


def test_the_encoder_computes_what_bert_does_with_the_published_tensors(written):
    model, held = given(written(tensors())), tensors()
    head = {path: values.astype(np.float64) for path, values in variables(model).items()}
    wide = {name: values.astype(np.float64) for name, values in held.items()}
    wanted = pooled(wide, *rows()) @ head["classifier/kernel"] + head["classifier/bias"]
    found = np.asarray(model(list(rows()), training=False))
    assert wanted.std(0).min() > 0.05
    assert found == pytest.approx(wanted, abs=1e-5)


def test_every_weight_but_the_classifier_is_read_and_every_tensor_used_or_left_out(written, caplog):
    caplog.set_level(logging.INFO, "sixteen")
    before = variables(model_of())
    after = variables(given(written(tensors())))
    kept = [path for path in after if np.array_equal(after[path], before[path])]
    assert kept == ["classifier/kernel", "classifier/bias"]
    same = [path for path in after if path not in kept and path != "positions/embeddings"]
    assert sorted(bert.names(BLOCKS)) == sorted(same)
    assert f"left out: {', '.join(sorted(PRETRAINING))}" in caplog.text
    held = tensors()
    layer = "bert.encoder.layer.1"
    for ours, theirs in {
        "words/embeddings": held["bert.embeddings.word_embeddings.weight"],
        "positions/embeddings": held["bert.embeddings.position_embeddings.weight"][:LENGTH],
        "segment/embeddings": held["bert.embeddings.token_type_embeddings.weight"],
        "block2_query/kernel": held[f"{layer}.attention.self.query.weight"].T,
        "block2_output/kernel": held[f"{layer}.attention.output.dense.weight"].T,
        "block2_norm1/gamma": held[f"{layer}.attention.output.LayerNorm.weight"],
        "block2_dense1/kernel": held[f"{layer}.intermediate.dense.weight"].T,
        "block2_dense2/bias": held[f"{layer}.output.dense.bias"],
        "pooler/kernel": held["bert.pooler.dense.weight"].T,
    }.items():
        assert np.array_equal(after[ours], theirs)


def test_names_of_the_first_files_are_read_too(written):
    old = {
        (
            name.replace("weight", "gamma").replace("bias", "beta") if "LayerNorm" in name else name
        ): value
        for name, value in tensors().items()
    }
    old["bert.embeddings.position_ids"] = np.arange(PLACES)[None]
    found, wanted = variables(given(written(old))), variables(given(written(tensors())))
    assert "bert.embeddings.LayerNorm.gamma" in old
    assert all(np.array_equal(found[path], wanted[path]) for path in wanted)


def test_a_16_bit_network_begins_from_the_rounded_tensors(written):
    path = written(tensors())
    wide, half = variables(given(path)), variables(given(path, precision="float16"))
    name = "block1_query/kernel"
    assert half[name].dtype == np.float16
    assert np.array_equal(half[name], wide[name].astype(np.float16))


QUERY = "bert.encoder.layer.2.attention.self.query.weight"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({QUERY: None}, f"the tensor {QUERY} in .*small.safetensors, came none; put weights of the same"),
        ({"bert.embeddings.LayerNorm.bias": None}, r"LayerNorm.bias or bert.embeddings.LayerNorm.beta in .*none"),
        ({QUERY: np.zeros((WIDTH, WIDTH + 1), np.float32)}, rf"{QUERY} of .* for \[8, 8\] numbers, came \[9, 8\]"),
        ({QUERY: np.zeros((WIDTH, WIDTH), np.float16)}, rf"{QUERY} of .* in float32, came float16; convert"),
        ({"bert.encoder.layer.3.output.dense.bias": np.zeros(WIDTH, np.float32)}, "no tensor .* came bert.*layer.3"),
        ({"classifier.weight": np.zeros((3, WIDTH), np.float32)}, "no tensor in .* but .*, came classifier.weight"),
        ({bert.POSITIONS: np.zeros((6, WIDTH), np.float32)}, "position_embeddings.* for 7 tokens or more, came 6; lower"),
    ],
)  # fmt: skip
def test_tensors_of_another_network_are_refused_by_name(written, changed, said):
    path = written(tensors(**changed))
    before = path.read_bytes()
    with pytest.raises(UserError, match=said):
        given(path)
    assert path.read_bytes() == before


def test_a_vocabulary_of_another_size_is_refused(written):
    with pytest.raises(
        UserError, match=r"word_embeddings.weight of .* for \[12, 8\] numbers, came \[11, 8\]"
    ):
        given(written(tensors()), words=WORDS + 1)


def test_only_the_file_that_params_yaml_means_is_read(written):
    path = written(tensors())
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(
        UserError, match=f"came null; the file at .*small.safetensors has {found}: write that"
    ):
        networks.load_published(entry(None), model_of(), path)
    with pytest.raises(
        UserError, match=f"with sha256 {'0' * 64}, came {found}; put the right file there"
    ):
        networks.load_published(entry("0" * 64), model_of(), path)
    networks.load_published(entry(found), model_of(), path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(
        UserError, match=r"expected a safetensors file at .*, came one that can't be read"
    ):
        given(path)


@pytest.mark.parametrize(
    "file", ["weights.bin", "../weights.safetensors", "a/b.safetensors", ".safetensors"]
)
def test_a_file_has_a_plain_name(file):
    with pytest.raises(ValidationError, match=r"weights\.file"):
        entry(weights={"file": file, "sha256": None})


def test_a_network_without_published_weights_has_none():
    assert networks.published(entry(weights=None)) is None
    assert networks.published(entry()).place == "data/weights/small.safetensors"
    assert networks.published(network("lstm", units=2, layers=1)) is None
