"""The largest batch that fits, by a made limit of memory."""

import pytest

from sixteen.timing.largest import largest, resolution


def search(memory: int, start: int, stride: int, limit: int) -> tuple[int | None, list[int]]:
    tries: list[int] = []

    def fits(batch: int) -> bool:
        tries.append(batch)
        return batch <= memory

    return largest(fits, start, stride, limit), tries


@pytest.mark.parametrize("memory", [128, 129, 255, 256, 1000, 4095, 4096, 30000])
def test_found_to_one_part_in_32_without_many_tries(memory):
    found, tries = search(memory, 128, 128, 50000)
    assert found is not None
    assert 0 <= memory - found < resolution(found)
    assert len(tries) == len(set(tries)) <= 16
    assert max(tries) <= 2 * memory + 128


def test_small_batches_are_found_exactly():
    assert [search(memory, 2, 2, 1000)[0] for memory in range(2, 33)] == list(range(2, 33))


def test_what_was_found_before_takes_two_tries_if_it_still_holds():
    found, _ = search(1000, 128, 128, 50000)
    assert search(1000, found, resolution(found), 50000) == (
        found,
        [found, found + resolution(found)],
    )


@pytest.mark.parametrize("memory", [500, 3000])
def test_what_was_found_before_is_not_believed(memory):
    again, _ = search(memory, 992, resolution(992), 50000)
    assert again is not None
    assert 0 <= memory - again < resolution(again)


def test_where_everything_fits_nothing_is_found_and_nothing_larger_tried():
    found, tries = search(10**9, 128, 128, 1442)
    assert found is None
    assert max(tries) == 1442
