"""Sentence pairs cut into the word pieces of a published vocabulary, as BERT cuts them (arXiv:1810.04805), case kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sixteen.datasets.prepared.pairs import CLS, PAD, PADDING, SEP
from sixteen.errors import UserError

UNKNOWN = "[UNK]"
AT_ONCE = 4096  # pairs: what the library tells of a pair takes some ten kilobytes


def vocabulary_of(path: Path, words: int) -> tuple[str, ...]:
    """The pieces of a vocabulary, one a line in UTF-8, as many as `words`.

    UserError for another number, for one that stands there twice, and without those that BERT needs, of which `[PAD]` is first.
    """
    try:
        pieces = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(
            f"expected {path} in UTF-8, came a byte that is none; fetch it again"
        ) from error
    if len(pieces) != words:
        raise UserError(
            f"expected {words:,} lines in {path}, came {len(pieces):,}; mend `words` in params.yaml, or put the right file there"
        )
    if len(set(pieces)) != words:
        raise UserError(
            f"expected each line of {path} once, came some twice; put the right file there"
        )
    missing = [piece for piece in (PAD, UNKNOWN, CLS, SEP) if piece not in pieces]
    if missing or pieces[PADDING] != PAD:
        raise UserError(
            f"expected {PAD} in the first line of {path} and {UNKNOWN}, {CLS} and {SEP} somewhere, came a file without "
            f"{', '.join(missing) or f'{PAD} there'}; put a vocabulary of BERT there"
        )
    return tuple(pieces)


def rows(
    pairs: Sequence[tuple[str, str]], vocabulary: tuple[str, ...], length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and segments of pairs, int32 [pairs, length], as `Pairs` has them.

    Of a pair that is too long, pieces are taken away from the end of whichever sentence is longer.
    """
    # Here, not above: every plan imports all kinds, and must not wait for the library.
    from tokenizers import BertWordPieceTokenizer

    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    cutter = BertWordPieceTokenizer(numbers, lowercase=False, strip_accents=False)
    cutter.enable_truncation(length, strategy="longest_first")
    cutter.enable_padding(pad_id=PADDING, pad_token=PAD, length=length)
    tokens, segments = np.zeros((2, len(pairs), length), np.int32)
    for first in range(0, len(pairs), AT_ONCE):
        cut = cutter.encode_batch(pairs[first : first + AT_ONCE])
        tokens[first : first + AT_ONCE] = [row.ids for row in cut]
        segments[first : first + AT_ONCE] = [row.type_ids for row in cut]
    return tokens, segments
