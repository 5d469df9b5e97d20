"""Sentence pairs as tab-separated files on the user's disk."""

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets.archives.members import digest
from sixteen.datasets.prepared.pairs import Pairs
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.datasets.text_pairs import TextPairs, items, read, shape
from sixteen.errors import UserError

HEAD = "premise\thypothesis\tlabel\n"
FILES = {
    "train.tsv": f"{HEAD}a dog runs\ta dog moves\tentailment\n no dog  runs \ta dog runs\tcontradiction\n"
    "no dog moves\ta dog runs\tneutral\n",
    "dev.tsv": f"{HEAD}a dog runs\tno dog moves\tcontradiction\n",
    "test.tsv": "label\tpromptID\tpremise\thypothesis\r\nneutral\t7\ta dog moves\ta dog runs\r\n",
}


def entry(**changed):
    about = {
        "kind": "text-pairs",
        "path": "$PAIRS",
        "sha256": "0" * 64,
        "train": {"file": "train.tsv", "pairs": 3},
        "validation": {"file": "dev.tsv", "pairs": 1},
        "test": {"file": "test.tsv", "pairs": 1},
        "words": 5,
        "length": 10,
    }
    return TextPairs.model_validate(about | changed)


@pytest.fixture
def folder(tmp_path):
    """A function that writes the three files, some of them changed or (None) left out."""

    def write(**changed):
        place = tmp_path / "pairs"
        place.mkdir()
        for name, content in (FILES | {f"{k}.tsv": v for k, v in changed.items()}).items():
            if content is not None:
                coded = content if isinstance(content, bytes) else content.encode()
                (place / name).write_bytes(coded)
        return place

    return write


def test_pairs_become_rows_of_tokens_segments_and_labels(folder):
    made = read(folder(), entry())
    assert made.vocabulary == ("[PAD]", "[CLS]", "[SEP]", "a", "dog", "runs", "moves", "no")
    assert made.train_tokens.tolist() == [
        [1, 3, 4, 5, 2, 3, 4, 6, 2, 0],
        [1, 7, 4, 5, 2, 3, 4, 5, 2, 0],
        [1, 7, 4, 6, 2, 3, 4, 5, 2, 0],
    ]
    assert made.train_segments.tolist() == 3 * [[0] * 5 + [1] * 4 + [0]]
    assert made.validation_tokens.tolist() == [[1, 3, 4, 5, 2, 7, 4, 6, 2, 0]]
    assert made.test_tokens.tolist() == [[1, 3, 4, 6, 2, 3, 4, 5, 2, 0]]
    found = [made.train_labels, made.validation_labels, made.test_labels]
    assert [[made.classes[label] for label in labels] for labels in found] == [
        ["entailment", "contradiction", "neutral"],
        ["contradiction"],
        ["neutral"],
    ]
    assert {array.dtype for array in (*found, made.train_tokens)} == {np.dtype(np.int32)}
    assert made.shape == shape(entry()) == (10, 8)
    assert items(entry()) == (3, 1, 3)


def test_a_tar_is_as_good_as_a_folder_and_words_may_have_any_letters(make_tar, folder):
    changed = {name: text.replace("dog", "Hündin") for name, text in FILES.items()}
    made = read(make_tar({name: text.encode() for name, text in changed.items()}), entry())
    assert made.vocabulary[4] == "Hündin"
    assert np.array_equal(made.train_tokens, read(folder(), entry()).train_tokens)


def test_they_are_prepared_if_the_digest_is_right(folder, tmp_path):
    place = folder()
    told = Preparation(dataset=entry(sha256=digest(place)))
    facts = prepare(told, {"archive": place}, tmp_path, tmp_path)
    assert (facts["train_items"], facts["validation_items"], facts["test_items"]) == (3, 1, 1)
    assert (facts["outputs"], facts["shape"]) == (3, [10, 8])
    assert {facts["premise_only_accuracy"], facts["hypothesis_only_accuracy"]} <= {0.0, 1.0}
    held, made = Pairs.load(tmp_path), read(place, entry())
    assert np.array_equal(held.validation_segments, made.validation_segments)
    (place / "train.tsv").write_text(FILES["train.tsv"].replace("dog", "cat"))
    with pytest.raises(UserError, match=r"expected .*pairs with sha256 .*, came .*; put the right"):
        prepare(told, {"archive": place}, tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dev": f"{HEAD} \ta dog\tneutral\n"}, "words in the premise in line 2 of dev.tsv of .*empty"),
        ({"dev": f"{HEAD}a dog\t\tneutral\n"}, "words in the hypothesis in line 2 of dev.tsv of .*empty"),
        ({"dev": f"{HEAD}a dog\ta\t\n"}, "labels entailment, .* in line 2 of dev.tsv of .*, came ''; label"),
        ({"dev": f"{HEAD}a dog\ta\t-\n"}, "labels entailment, .* in line 2 of dev.tsv of .*, came '-'"),
        ({"dev": f"{HEAD}a dog\tneutral\n"}, "3 columns, separated by tabs, in line 2 of dev.tsv .*, came 2"),
        ({"dev": f"{HEAD}\na dog\ta\tneutral\n"}, "3 columns, .* in line 2 of dev.tsv of .*, came 1; mend"),
        ({"dev": "premise\tlabel\na dog\tneutral\n"}, "columns .* in line 1 of dev.tsv of .*'hypothesis'"),
        ({"dev": ""}, "columns premise, .* in line 1 of dev.tsv of .*, came ''"),
        (
            {"dev": HEAD.encode() + b"a dog\ta\tneutral\nun \xe9\ta\tneutral\n"},
            "dev.tsv of .* in UTF-8, came the byte 0xe9 in line 3",
        ),
        ({"test": f"{HEAD}a cat\ta dog\tneutral\n"}, "only words .* premise in line 2 of test.tsv .*'cat'"),
        ({"dev": f"{HEAD}a dog\ta [SEP]\tneutral\n"}, r"no special ones, in the hypothesis in .*'\[SEP\]'"),
        (
            {"dev": f"{HEAD}a dog runs\ta dog a dog moves\tneutral\n"},
            "at most 10 tokens, .*, came 11 in line 2 of dev.tsv",
        ),
        (
            {"test": f"{HEAD}no dog runs\ta dog runs\tneutral\n"},
            "part alone, came that in line 2 of test.tsv of .* in line 3 of train.tsv of .* too; take",
        ),
        (
            {"train": FILES["train.tsv"].replace("neutral", "entailment")},
            "each label .* for training, came none of neutral",
        ),
        ({"dev": HEAD}, "expected 1 pairs in dev.tsv of .*, came 0; mend `validation/pairs` in params"),
        ({"dev": None}, "expected the text dev.tsv in .*, came test.tsv, train.tsv; put it there"),
        (
            {"train": FILES["train.tsv"].replace("moves", "moves on")},
            "expected 5 different words in train.tsv of .*, came 6; mend `words`",
        ),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_refused_by_file_and_line(folder, changed, said):
    place = folder(**changed)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    with pytest.raises(UserError, match=said):
        read(place, entry())
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_equal_pairs_in_one_part_are_fine(folder):
    again = FILES["train.tsv"] + "no dog runs\ta dog runs\tcontradiction\n"
    made = read(folder(train=again), entry(train={"file": "train.tsv", "pairs": 4}))
    assert np.array_equal(made.train_tokens[1], made.train_tokens[3])


@pytest.mark.parametrize(
    "changed", [{"words": 0}, {"length": 0}, {"sha256": "0"}, {"train": {"file": "a", "pairs": 0}}]
)
def test_a_number_out_of_its_limits_is_refused(changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        entry(**changed)


def test_baselines_see_one_sentence_alone(folder):
    """Here the hypothesis tells the label, and the premise, which is always the same, doesn't."""
    train = "a dog runs\ta dog moves\tentailment\na dog runs\tno dog moves\tcontradiction\n"
    train += "a dog runs\truns\tneutral\n"
    test = "a dog runs\ta moves\tentailment\na dog runs\tno moves\tcontradiction\n"
    about = {"train": {"file": "train.tsv", "pairs": 3}, "test": {"file": "test.tsv", "pairs": 2}}
    made = read(
        folder(train=HEAD + train, dev=f"{HEAD}a\ta\tneutral\n", test=HEAD + test), entry(**about)
    )
    facts = made.facts()
    assert facts["premise_only_accuracy"] == facts["majority_accuracy"] == 0.5
    assert facts["hypothesis_only_accuracy"] == 1
