"""Publish a rendered report under the stable names that people open."""

import argparse
from pathlib import Path

from sixteen.lineage import start

if __name__ == "__main__":
    start.quietly()
    from sixteen.lineage import job
    from sixteen.reporting.publish import publish

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--reported", type=Path, required=True, help="folder of the rendered report"
    )
    parser.add_argument("--study", required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with job.explained(arguments.log):
        publish(arguments.reported, Path("reports"), arguments.study)
