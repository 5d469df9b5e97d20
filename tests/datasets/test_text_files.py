"""Texts in the format of the Penn Treebank on the user's disk."""

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets.archives.members import digest
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.datasets.prepared.tokens import Tokens
from sixteen.datasets.text_files import TextFiles, items, read, shape
from sixteen.errors import UserError

TEXTS = {
    "ptb.train.txt": " a rose is a <unk> \n is a rose \n",
    "ptb.valid.txt": " a rose \n",
    "ptb.test.txt": " is is rose \n \n a \n",
}


def entry(**changed):
    about = {
        "kind": "text-files",
        "path": "$PTB",
        "sha256": "0" * 64,
        "train": {"file": "ptb.train.txt", "tokens": 10},
        "validation": {"file": "ptb.valid.txt", "tokens": 3},
        "test": {"file": "ptb.test.txt", "tokens": 7},
        "words": 5,
        "window": 2,
    }
    return TextFiles.model_validate(about | changed)


@pytest.fixture
def folder(tmp_path):
    """A function that writes the three texts, some of them changed or (None) left out."""

    def write(**changed):
        place = tmp_path / "ptb"
        place.mkdir()
        for name, content in (TEXTS | {f"ptb.{k}.txt": v for k, v in changed.items()}).items():
            if content is not None:
                coded = content if isinstance(content, bytes) else content.encode()
                (place / name).write_bytes(coded)
        return place

    return write


def test_words_are_numbered_as_they_come_and_every_line_ends(folder):
    made = read(folder(), entry())
    assert made.vocabulary == ("<eos>", "a", "rose", "is", "<unk>")
    assert made.train_tokens.tolist() == [1, 2, 3, 1, 4, 0, 3, 1, 2, 0]
    assert made.validation_tokens.tolist() == [1, 2, 0]
    assert made.test_tokens.tolist() == [3, 3, 2, 0, 0, 1, 0]
    assert made.train_tokens.dtype == np.int32 and len(made.best) == 0
    assert made.shape == shape(entry()) == (2,)
    assert items(entry()) == (10, 7, 5)


def test_the_mark_that_windows_sets_before_a_text_is_no_letter_of_it(folder):
    place = folder(train="\ufeff" + TEXTS["ptb.train.txt"].lstrip())
    assert read(place, entry()).vocabulary[1] == "a"


def test_a_last_line_may_lack_its_end_and_words_may_have_any_letters(folder):
    place = folder(train=" a rose is a <unk> \n is é rose", test="é \n", valid="é")
    changed = {
        "words": 6,
        "test": {"file": "ptb.test.txt", "tokens": 2},
        "validation": {"file": "ptb.valid.txt", "tokens": 2},
    }
    made = read(place, entry(**changed))
    assert made.vocabulary[5] == "é" and made.test_tokens.tolist() == [5, 0]


def test_a_tar_is_as_good_as_a_folder(make_tar, folder):
    tar = make_tar({name: content.encode() for name, content in TEXTS.items()})
    one, other = read(tar, entry()), read(folder(), entry())
    assert np.array_equal(one.train_tokens, other.train_tokens)


def test_they_are_prepared_if_the_digest_is_right(folder, tmp_path):
    place = folder()
    told = Preparation(dataset=entry(sha256=digest(place)))
    facts = prepare(told, {"archive": place}, tmp_path, tmp_path)
    assert (facts["train_items"], facts["validation_items"], facts["test_items"]) == (10, 3, 7)
    assert facts["outputs"] == 5 and facts["best_perplexity"] is None
    assert len(Tokens.load(tmp_path).best) == 0
    (place / "ptb.train.txt").write_text(TEXTS["ptb.train.txt"].replace("rose", "nose"))
    with pytest.raises(
        UserError, match=r"expected .*ptb with sha256 .*, came .*; put the right data"
    ):
        prepare(told, {"archive": place}, tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"train": ""}, "expected words in ptb.train.txt of .*, came an empty text; put"),
        ({"test": "\n \n"}, "expected words in ptb.test.txt of .*, came an empty text"),
        (
            {"valid": b" a \n ros\xe9 \n"},
            "ptb.valid.txt of .* in UTF-8, came the byte 0xe9 in line 2",
        ),
        (
            {"test": " is a nose \n \n a \n"},
            "only words of the training text in ptb.test.txt of .*'nose'",
        ),
        ({"test": " is \n"}, "expected 7 tokens in ptb.test.txt of .*, came 2; mend `test/tokens`"),
        (
            {"valid": None},
            "expected the text ptb.valid.txt in .*, came ptb.test.txt, ptb.train.txt; put",
        ),
        (
            {"train": " a rose is a <unk> \n is two roses \n"},
            "expected 5 different words in ptb.train.txt of .*, <eos> among them, came 7; mend `words`",
        ),
    ],
    ids=["empty", "blank", "latin1", "new word", "short", "missing", "vocabulary"],
)
def test_a_text_that_is_not_as_expected_is_refused_by_name(folder, changed, said):
    with pytest.raises(UserError, match=said):
        read(folder(**changed), entry())


def test_a_text_that_was_trained_on_is_no_test(folder):
    same = {"test": {"file": "ptb.train.txt", "tokens": 10}}
    with pytest.raises(
        UserError, match=r"a file each for training, validation and test, came ptb\.train\.txt, "
    ):
        read(folder(), entry(**same))


def test_a_broken_tar_is_refused(tmp_path):
    (tmp_path / "ptb.tar").write_bytes(b"no tar")
    with pytest.raises(UserError, match=r"expected a tar or a directory at .*ptb.tar"):
        read(tmp_path / "ptb.tar", entry())


@pytest.mark.parametrize(
    "changed", [{"words": 0}, {"window": 0}, {"sha256": "0"}, {"train": {"file": "a", "tokens": 0}}]
)
def test_a_number_out_of_its_limits_is_refused(changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        entry(**changed)
