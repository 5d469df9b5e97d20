"""Publish a rendered report under the stable names that people open."""

import argparse
from pathlib import Path

from sixteen.reporting.publish import publish

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True)
    parser.add_argument("--fingerprint", required=True)
    arguments = parser.parse_args()
    reported = Path("results", arguments.study, "summarized/reported", arguments.fingerprint)
    publish(reported, Path("reports"), arguments.study, arguments.fingerprint)
