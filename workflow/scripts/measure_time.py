"""Measure two arms in turns, alone on the device."""

from sixteen.lineage import job
from sixteen.timing.measure import measure_time

if __name__ == "__main__":
    job.main(measure_time, device="alone")
