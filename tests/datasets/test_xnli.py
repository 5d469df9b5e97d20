"""Small archives in the format of XNLI, and a small vocabulary."""

import zipfile

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets import xnli
from sixteen.datasets.archives.members import digest
from sixteen.datasets.prepared.pairs import Pairs
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.errors import UserError

TRAIN = "XNLI-MT-1.0/multinli/multinli.train.de.tsv"
DEV, TEST = "XNLI-1.0/xnli.dev.tsv", "XNLI-1.0/xnli.test.tsv"
# Pieces of mBERT's kind: [PAD] first, other special ones later, letters of both cases, ends of words with ##.
PIECES = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES += [
    "Der",
    "der",
    "Hund",
    "Hünd",
    "##in",
    "lau",
    "##fen",
    "bell",
    "##t",
    ".",
    '"',
    "犬",
    "A",
    "##b",
]
NUMBER = {piece: number for number, piece in enumerate(PIECES)}
COLUMNS = (
    "language\tgold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\t"
    "sentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tsentence1_tokenized\tsentence2_tokenized\tmatch"
)


def line(language, label, premise, hypothesis):
    """A line of the tables for validation and the test."""
    cells = [
        language,
        label,
        *4 * [""],
        premise,
        hypothesis,
        "1",
        "2",
        "face-to-face",
        *5 * [label],
    ]
    return "\t".join([*cells, "tokenized one", "tokenized two", "True"]) + "\n"


ARCHIVES = {
    "train": {
        TRAIN: "premise\thypo\tlabel\nDer Hund bellt .\tder Hund\tcontradictory\nHündin\t\"Hund\tneutral\nAb\tAb\tentailment\r\n",
        "XNLI-MT-1.0/multinli/multinli.train.en.tsv": "premise\thypo\tlabel\na\tb\tneutral\n",
    },
    "evaluation": {
        DEV: f"{COLUMNS}\n{line('en', 'neutral', 'A', 'b')}{line('de', 'entailment', 'Hund', 'Der')}",
        TEST: f"{COLUMNS}\n{line('de', 'contradiction', '犬Hund', 'Katze')}{line('de', 'neutral', 'Ab', 'Ab')}",
        "XNLI-1.0/README.md": "read me",
    },
}  # fmt: skip
ANY = {"url": "https://example.org/a.zip", "bytes": 1, "sha256": "0" * 64}


def entry(**changed):
    told = dict.fromkeys(("train", "evaluation", "vocabulary"), ANY)
    about = {"kind": "xnli", "language": "de", "words": len(PIECES), "length": 8}
    return xnli.Xnli.model_validate(about | told | changed)


@pytest.fixture
def archives(tmp_path):
    """A function that writes the three files, with changed members, and returns their places by role."""

    def make(vocabulary=None, **changed):
        places = {}
        for role, members in ARCHIVES.items():
            places[role] = tmp_path / f"{role}.zip"
            with zipfile.ZipFile(places[role], "w", zipfile.ZIP_DEFLATED) as written:
                for name, text in (members | changed.get(role, {})).items():
                    if text is not None:
                        written.writestr(name, text)
        places["vocabulary"] = tmp_path / "vocab.txt"
        text = "\n".join(PIECES if vocabulary is None else vocabulary) + "\n"
        places["vocabulary"].write_text(text, encoding="utf-8", newline="")
        return places

    return make


def row(*pieces):
    return [NUMBER[piece] for piece in pieces] + (8 - len(pieces)) * [0]


def test_pairs_become_rows_of_word_pieces_with_case_kept(archives):
    made = xnli.read(archives(), entry())
    assert made.train_tokens.tolist() == [
        row("[CLS]", "Der", "Hund", "bell", "[SEP]", "der", "Hund", "[SEP]"),
        row("[CLS]", "Hünd", "##in", "[SEP]", '"', "Hund", "[SEP]"),
        row("[CLS]", "A", "##b", "[SEP]", "A", "##b", "[SEP]"),
    ]
    assert made.train_segments.tolist() == [
        [0, 0, 0, 0, 0, 1, 1, 1],
        [0, 0, 0, 0, 1, 1, 1, 0],
        [0, 0, 0, 0, 1, 1, 1, 0],
    ]
    assert made.validation_tokens.tolist() == [row("[CLS]", "Hund", "[SEP]", "Der", "[SEP]")]
    # A letter of Chinese is a word of its own; what no pieces make up is unknown.
    first = row("[CLS]", "犬", "Hund", "[SEP]", "[UNK]", "[SEP]")
    assert made.test_tokens.tolist() == [
        first,
        row("[CLS]", "A", "##b", "[SEP]", "A", "##b", "[SEP]"),
    ]
    labels = [
        [made.classes[n] for n in getattr(made, f"{part}_labels")]
        for part in ("train", "validation", "test")
    ]
    assert labels == [
        ["contradiction", "neutral", "entailment"],
        ["entailment"],
        ["contradiction", "neutral"],
    ]
    assert made.vocabulary == tuple(PIECES)
    assert made.shape == xnli.shape(entry()) == (8, len(PIECES))
    arrays = (made.train_tokens, made.test_segments, made.train_labels)
    assert {array.dtype for array in arrays} == {np.dtype(np.int32)}


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        (7, ["[CLS]", "Der", "Hund", "[SEP]", "der", "Hund", "[SEP]"]),
        (6, ["[CLS]", "Der", "Hund", "[SEP]", "der", "[SEP]"]),
    ],
)
def test_pieces_are_taken_from_the_end_of_the_longer_sentence(archives, length, kept):
    made = xnli.read(archives(), entry(length=length))
    assert made.train_tokens[0].tolist() == [NUMBER[piece] for piece in kept]
    # The second segment is what follows the first separator.
    ends = kept.index("[SEP]") + 1
    assert made.train_segments[0].tolist() == ends * [0] + (length - ends) * [1]


def test_many_pairs_are_cut_like_few(archives, monkeypatch):
    few = xnli.read(archives(), entry())
    monkeypatch.setattr("sixteen.datasets.parts.word_pieces.AT_ONCE", 2)
    many = xnli.read(archives(), entry())
    assert np.array_equal(few.train_tokens, many.train_tokens)
    assert np.array_equal(few.train_segments, many.train_segments)


def test_the_language_decides_which_pairs(archives):
    places = archives(evaluation={TEST: f"{COLUMNS}\n{line('en', 'neutral', 'A', 'A')}"})
    made = xnli.read(places, entry(language="en"))
    assert (len(made.train_labels), len(made.validation_labels), len(made.test_labels)) == (1, 1, 1)
    with pytest.raises(
        UserError, match=r"expected pairs of 'de' in XNLI-1.0/xnli.test.tsv of .*none; fetch"
    ):
        xnli.read(places, entry())
    with pytest.raises(ValidationError, match="language"):
        entry(language="nl")


def told(places, **changed):
    """The step's parameters with the digests of these files."""
    roles = {role: ANY | {"sha256": digest(place)} for role, place in places.items()}
    return Preparation(dataset=entry(**(roles | changed)))


def test_they_are_prepared_if_all_three_digests_are_right(archives, tmp_path):
    places = archives()
    facts = prepare(told(places), places, tmp_path, tmp_path)
    assert (facts["train_items"], facts["validation_items"], facts["test_items"]) == (3, 1, 2)
    assert (facts["outputs"], facts["shape"]) == (3, [8, len(PIECES)])
    assert np.array_equal(Pairs.load(tmp_path).test_tokens, xnli.read(places, entry()).test_tokens)
    for role, place in places.items():
        parameters = told(places, **{role: ANY})
        with pytest.raises(
            UserError, match=rf"expected .*{place.name} with sha256 0000.*, came .*; put the"
        ):
            prepare(parameters, places, tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("role", "member", "text", "said"),
    [
        ("train", TRAIN, None, f"the member {TRAIN} in .*train.zip, came an archive without it; fetch"),
        ("evaluation", DEV, None, f"the member {DEV} in .*evaluation.zip, came an archive"),
        ("train", TRAIN, "premise\thypo\tlabel\na\tb\tneutral\na\tb\tperhaps\n", "labels .*line 3 of .*'perhaps'"),
        ("train", TRAIN, "premise\thypo\tlabel\na\tb\t\n", f"labels entailment.* in line 2 of {TRAIN} of .*came ''"),
        ("train", TRAIN, "premise\thypo\tlabel\na\tb\n", "expected 3 columns in line 2 of .*, came 2; fetch"),
        ("train", TRAIN, "premise\thypo\tlabel\n \tb\tneutral\n", "words in the premise in line 2 of .*empty"),
        ("train", TRAIN, "premise\thypo\tlabel\na\t\tneutral\n", "words in the hypothesis in line 2 of .*empty"),
        ("train", TRAIN, "premise\thypothesis\tlabel\na\tb\tneutral\n", "columns premise, hypo, label in line 1 .*'hypo'"),
        ("train", TRAIN, "premise\thypo\tlabel\n", "expected pairs of 'de' in .*, came none"),
        ("train", TRAIN, "", "columns premise, hypo, label in line 1 of .*, came '' without 'premise'"),
        ("train", TRAIN, b"premise\thypo\tlabel\na\tb\tneutral\n\xe4\tb\tneutral\n", "in UTF-8, came bytes after line"),
        ("evaluation", DEV, f"{COLUMNS}\n{line('de', '-', 'A', 'A')}", f"labels .* in line 2 of {DEV} of .*'-'"),
        ("evaluation", TEST, f"{COLUMNS}\n{line('de', 'neutral', 'A', '')}", f"hypothesis in line 2 of {TEST} of"),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_refused_by_member_and_line(archives, role, member, text, said):
    places = archives(**{role: {member: text}})
    before = places[role].read_bytes()
    with pytest.raises(UserError, match=said):
        xnli.read(places, entry())
    assert places[role].read_bytes() == before


def test_what_is_no_zip_or_a_damaged_one_is_refused(archives):
    places = archives()
    whole = places["train"].read_bytes()
    for damaged in (b"no zip", whole[:200], whole[:60] + bytes(30) + whole[90:]):
        places["train"].write_bytes(damaged)
        with pytest.raises(
            UserError, match=r"expected a zip of XNLI at .*train.zip, came .*; fetch it again"
        ):
            xnli.read(places, entry())


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        (
            PIECES[:-1],
            f"expected {len(PIECES)} lines in .*vocab.txt, came {len(PIECES) - 1}; mend `words`",
        ),
        ([*PIECES[:-1], "Der"], r"each line of .*vocab.txt once, came some twice; put"),
        ([*PIECES[:4], "[SEQ]", *PIECES[5:]], r"came a file without \[SEP\]; put a vocabulary"),
        (
            [*PIECES[1:], PIECES[0]],
            r"expected \[PAD\] in the first line of .*without \[PAD\] there; put",
        ),
    ],
)
def test_a_vocabulary_that_is_none_of_bert_is_refused(archives, vocabulary, said):
    with pytest.raises(UserError, match=said):
        xnli.read(archives(vocabulary), entry())


def test_a_vocabulary_in_another_encoding_is_refused(archives):
    places = archives()
    places["vocabulary"].write_bytes("\n".join(PIECES[:17]).encode("latin-1"))
    with pytest.raises(UserError, match=r"expected .*vocab.txt in UTF-8, came a byte that is none"):
        xnli.read(places, entry())


def test_sizes_are_those_of_the_official_archives():
    assert xnli.items(entry()) == (392_702, 5_010, 3)
    assert xnli.item_bytes((128, 119_547)) == 1024
    assert list(entry().archives) == ["train", "evaluation", "vocabulary"]
