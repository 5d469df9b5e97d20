"""A small project with the real Snakefile, rules, DVC stages and plan, in which only training and rendering are cheap.

Training is a softmax regression in NumPy that leaves the same files; the report is one line of HTML. All that
decides which run is needed, and what becomes of its files, is the project's own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from sixteen.lineage import record

ROOT = Path(__file__).parents[2]
CHEAP = Path(__file__).parent / "cheap"
STUDY = "continuous16-demo"
PARTS = (
    "Snakefile",
    "dvc.yaml",
    "workflow",
    "profiles",
    "notebooks",
    "papers",
    "src",
    ".dvcignore",
    ".gitignore",
)


class Project:
    """A copy of the project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "src"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
        }  # fmt: skip
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def start(self, command: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command.split(),
            cwd=self.folder,
            env=self.environment | environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def call(self, command: str, status: int = 0, **environment: str) -> str:
        """Run a command, expect its exit status, return what it printed."""
        process = self.start(command, **environment)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == status, output
        return output

    def runs(self) -> set[str]:
        """Paths of all finished runs."""
        return {folder.relative_to(self.folder).as_posix() for folder in record.find(self.folder)}

    def made_by(self, command: str, **environment: str) -> list[str]:
        """The runs that a command adds, as sentences without fingerprints."""
        before = self.runs()
        self.call(command, **environment)
        return sorted(path.rpartition("/")[0] for path in self.runs() - before)

    def nothing_to_do(self) -> bool:
        return "Nothing to be done" in self.call("snakemake -n --cores 2 demo")

    def edit(self, change) -> None:
        """Change the parameters by a function of their dictionary."""
        path = self.folder / "params.yaml"
        parameters = yaml.safe_load(path.read_text())
        change(parameters)
        path.write_text(yaml.safe_dump(parameters, sort_keys=False))


def make_project(folder: Path, cheap: bool = True) -> Project:
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    for path in CHEAP.glob("*.py") if cheap else ():
        shutil.copy(path, folder / "src/sixteen" / path.name.replace("__", "/"))
    for name in ("data", "results", "reports"):
        (folder / name).mkdir()
        shutil.copy(ROOT / name / ".gitignore", folder / name)
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    demo = parameters["studies"]["continuous16-demo"]
    demo["networks"], demo["seeds"] = ["resnet8"], [0, 1]
    recipes = parameters["recipes"]
    recipes["second-sgd"] = recipes["short-sgd"] | {"learning_rate": 0.02}
    for arm, text in demo["arms"].items():
        text = text.replace("by-short-sgd-until-20", "by-second-sgd-until-4")
        demo["arms"][arm] = text.replace("until-10", "until-2")
    parameters["studies"] = {"continuous16-demo": demo}
    parameters["targets"] = {key: ["continuous16-demo"] for key in ("demo", "demos", "all")}
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    project = Project(folder)
    dvc = yaml.safe_load((folder / "dvc.yaml").read_text())
    dvc["stages"].pop("paper")
    outs = dvc["stages"]["demos"]["outs"]
    made = ("data/prepared/digits", "results/digits", f"results/{STUDY}", f"reports/{STUDY}")
    made += ("reports/index.html",)
    dvc["stages"]["demos"]["outs"] = [out for out in outs if set(out) <= set(made)]
    for key, name in (("metrics", "metrics.json"), ("plots", "curves.csv")):
        dvc[key] = [kept for kept in dvc[key] if f"reports/{STUDY}/{name}" in kept]
    (folder / "dvc.yaml").write_text(yaml.safe_dump(dvc, sort_keys=False))
    project.call("git init -q -b main")
    project.call("dvc init -q")
    project.call("dvc config core.analytics false")
    shutil.copytree(ROOT / ".dvc/plots", folder / ".dvc/plots")
    project.call("dvc remote add -d -q shelf ../shelf")
    project.call("git add -A")
    project.call("git commit -q -m project")
    return project


def change_second_rate(parameters):
    parameters["recipes"]["second-sgd"]["learning_rate"] = 0.03


def train_longer(parameters):
    """One more epoch in each phase."""
    arms = parameters["studies"]["continuous16-demo"]["arms"]
    for arm, text in arms.items():
        arms[arm] = text.replace("until-4", "until-6").replace("until-2", "until-3")
