"""Join the studies of every open question in one page."""

import argparse
from pathlib import Path

from sixteen.lineage import start

if __name__ == "__main__":
    start.quietly()
    from sixteen.lineage import job
    from sixteen.lineage.steps import load_run
    from sixteen.reporting.publish import join

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with job.explained(arguments.log):
        join(load_run(arguments.plan), Path("reports"))
