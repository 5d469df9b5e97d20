"""Times of training, by machine: what stands in the table, and how many trainings shared the machine."""

import json
import re
from pathlib import Path

import pytest
from made_up_project import Project, study

from sixteen.reporting import machines, tables
from sixteen.reporting.study import Study

ARMS = {
    "one": "trained-in-float32-by-sgd-until-3",
    "other": "trained-in-float32-by-sgd-until-3-on-jax-2",
}


@pytest.fixture
def made(tmp_path: Path) -> Study:
    about = {"arms": ARMS, "observe": None, "claims": []}
    return study(tmp_path, Project(tmp_path).summarize("demo", ("resnet8",), 1, **about))


def _begin(of: Study, times: dict[str, tuple[int, int]], host: str = "somewhere") -> None:
    """Let the trainings by a backend begin and end at such seconds."""
    path = of.output / "provenance.json"
    provenance = json.loads(path.read_text())
    for record in provenance["records"].values():
        if (backend := record["parameters"].get("backend")) in times and record["step"] == "train":
            begun, ended = (f"2026-01-01T00:00:{second:02}+00:00" for second in times[backend])
            record["execution"] |= {"started": begun, "ended": ended}
            record["execution"]["host"] = host if backend == "jax" else "somewhere"
    path.write_text(json.dumps(provenance))


def _rows(text: str) -> dict[str, list[str]]:
    """The cells of each arm."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)[1:]:
        cells = [re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        found[cells[1]] = cells[2:]
    return found


def test_each_arm_stands_beside_its_own_machine(made: Study) -> None:
    rows = _rows(machines.times(made).text)
    runs = made.runs.set_index("arm")
    for arm, machine in (("one", "tensorflow, 1"), ("other", "jax, 2")):
        how, device, _, epoch, items = rows[arm]
        assert (how, device) == (machine, "cpu: Example Processor 3000")
        assert float(epoch) == pytest.approx(runs.loc[arm, "seconds_per_epoch"], rel=0.01)
        rate = float(items.partition(",")[0].replace(",", ""))
        assert rate == pytest.approx(runs.loc[arm, "items_per_second"], rel=0.01)


@pytest.mark.parametrize(
    ("host", "shared"), [("somewhere", ("1.5", "1.25")), ("elsewhere", ("1", "1"))]
)
def test_what_was_at_work_meanwhile_on_the_same_host_is_counted(
    made: Study, host: str, shared: tuple[str, str]
) -> None:
    _begin(made, {"tensorflow": (0, 10), "jax": (5, 25)}, host)
    rows = _rows(machines.times(study_again(made)).text)
    assert (rows["one"][2], rows["other"][2]) == shared


def study_again(made: Study) -> Study:
    return Study(made.summary, made.output)


def test_settings_say_what_the_names_of_machines_stand_for(made: Study) -> None:
    rows = tables.arms(made).text
    assert re.search(r"no machine named.*?backend tensorflow.*?threads 1", rows, re.DOTALL)
    assert re.search(r"jax-2.*?backend jax.*?threads 2", rows, re.DOTALL)
