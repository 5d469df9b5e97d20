"""List the published reports in one page."""

import argparse
from pathlib import Path

from sixteen.lineage import start

if __name__ == "__main__":
    start.quietly()
    from sixteen.lineage import job
    from sixteen.reporting.publish import list_reports

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with job.explained(arguments.log):
        list_reports(Path("reports"))
