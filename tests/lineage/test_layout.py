"""What is printed for people: units that they read, columns in line."""

import pytest

from sixteen.lineage.layout import span, table, wrapped


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (12, 45, "12 to 45 s"),
        (45, 45.2, "about 45 s"),
        (58, 145, "58 s to 2.4 minutes"),
        (450, 1434, "7.5 to 24 minutes"),
        (3 * 3600, 86400, "3.0 to 24 hours"),
        (9.97 * 86400, 1000.2 * 86400, "10 to 1,000 days"),
    ],
)
def test_a_span_of_time_is_in_units_that_people_read(low, high, told):
    assert span(low, high) == told


def test_numbers_are_set_right_and_words_left():
    rows = [("network", "runs", "from"), ("lstm", "5", "a probe"), ("resnet8", "120", "")]
    assert table(rows) == ["  network  runs  from", "  lstm        5  a probe", "  resnet8   120"]


def test_sentences_stand_below_their_heading_within_eighty_columns():
    lines = wrapped("Time: a day", "word " * 40)
    assert lines[0] == "Time: a day" and all(line.startswith("  word") for line in lines[1:])
    assert len(lines) > 2 and max(map(len, lines)) <= 80
    assert wrapped(None) == []
