"""The command line of a bundle, on a machine of which nothing is known but that it has Python."""

import argparse
import math
from pathlib import Path

from sixteen.bundles.packages import expect_packages
from sixteen.lineage import console


def main(bundle: str) -> None:
    """``python BUNDLE --minutes N [--at-once K] [--part-megabytes M]``; exits 1 on a mistake or where a run failed."""
    parser = argparse.ArgumentParser(
        prog=f"python {Path(bundle).name}", description="Make the runs of this bundle."
    )
    add_arguments(parser)
    arguments = parser.parse_args()
    console.answer(lambda: _run(Path(bundle), arguments))


def _run(bundle: Path, arguments: argparse.Namespace) -> bool:
    expect_packages()
    # Not above: it needs these packages.
    from sixteen.bundles.run import run

    return run(bundle, arguments)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add those that a bundle and `sixteen run` take."""
    parser.add_argument(
        "--minutes", type=_positive, required=True, help="how long it may take, packing included"
    )
    parser.add_argument("--at-once", type=_whole, default=1, help="how many runs at once (1)")
    parser.add_argument(
        "--part-megabytes", type=_part, help="cut what is packed into files of at most so many"
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # as little within any limits


def _positive(text: str) -> float:
    if not (number := _number(text)) > 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, came {text}")
    return number


def _part(text: str) -> float:
    if not 0.001 <= (number := _number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0.001 (a kilobyte), came {text}")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, came {text}")
    return int(text)
