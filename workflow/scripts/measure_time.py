"""Measure two arms in turns, alone on the device."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.timing.measure:measure_time", device="alone")
