# What all rules share: the plan, and who may work in this folder.

import fcntl
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from sixteen.errors import UserError, printable
from sixteen.lineage import questions, slurm
from sixteen.lineage.locks import own
from sixteen.lineage.needs import Needs
from sixteen.lineage.places import expect_folders
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import PLANS, STEPS, load_run
from sixteen.study.checks import TARGETS
from sixteen.study.load import load

min_version("9.27")

# Jobs run in the environment that Snakemake runs in, whether it was activated or not.
# Its path is quoted for the shell, and its braces for Snakemake, which puts values in place of what stands in such.
ENVIRONMENT = shlex.quote(str(Path(sys.executable).parent))
shell.prefix(f"PATH={ENVIRONMENT}:$PATH; ".replace("{", "{{").replace("}", "}}"))


wildcard_constraints:
    dataset=r"[^/]+",
    network=r"[^/]+",
    precision=r"[^/]+?",
    recipe=r"[^/]+",
    until=r"\d+(-on-[^/]+)?",  # and the machine that it trains on, if the phrase names one
    every=r"\d+",
    format=r"[a-z0-9]+",
    study=r"[^/]+",
    seed=r"\d+",
    fingerprint=r"[0-9a-f]{12}",


def own_this_folder():
    """Refuse to work beside another Snakemake, and clear the locks and marks that a killed one has left."""
    for run in PLAN.runs.values():
        # Snakemake would delete these files before the job could say a word. What it doesn't know of, a forced
        # report that was killed has left, and the job throws it away.
        if not Path(run.record).exists() and any(
            (Path(run.path) / n).exists() for n in run.outputs
        ):
            raise WorkflowError(
                f"{run.path} holds files and no record.json: restore the record with `dvc checkout` or "
                "`dvc pull`, or move the folder away, then call again"
            )
    for folder in ("data", "results", "reports", "logs"):
        if Path(folder).exists() and not os.access(folder, os.W_OK):
            raise WorkflowError(
                f"the folder {folder} can't be written: make it writable, then call again"
            )
    owner = own(Path(), "snakemake")
    # What is marked as incomplete isn't: files get their names when they are whole. `snakemake --report` would refuse it.
    for folder in ("locks", "incomplete"):
        for path in Path(".snakemake", folder).rglob("*"):
            if path.is_file():
                path.unlink()
    slurm.settle(Path(), logger.info)
    await_jobs()
    return owner


def await_jobs():
    """Wait for the jobs that a killed Snakemake has left at work, before it is planned which runs are missing.

    What they finish later would be deleted by Snakemake, as it does with all outputs of a job that it starts.
    """
    for run in PLAN.runs.values():
        lock = Path(".sixteen/locks") / run.fingerprint
        if Path(run.record).exists() or not lock.exists():
            continue
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.info(
                    f"{run.path} is held by a job of a snakemake that was killed: waiting for it; if you stop that job, a "
                    "training goes on from its last checkpoint"
                )
                fcntl.flock(file, fcntl.LOCK_EX)


# Only the first process plans. Jobs that it submits read the frozen plan of their run: params.yaml may
# have been edited since.
PLAN = None
if workflow.is_main_process:
    try:
        if config:
            raise UserError(
                f"expected every parameter in params.yaml, came {', '.join(config)} by --config or --configfile: edit "
                "params.yaml, where a changed value is part of every path that it decides"
            )
        PARAMETERS = load()
        PLAN = Plan(PARAMETERS)
        QUESTIONS = questions.page_of(PLAN)
        expect_folders(PLAN.folders())
        if not workflow.output_settings.dryrun:
            OWNER = own_this_folder()
            PLAN.freeze(*filter(None, [QUESTIONS]))
    except UserError as error:
        raise WorkflowError(printable(str(error))) from None
    except OSError as error:
        raise WorkflowError(
            f"{error.filename or '.sixteen'} can't be read or written ({error.strerror}): give yourself the right to, or "
            "free some space, then call again; finished runs stay"
        ) from None


def published(target):
    """The list of reports, and the manifests of the studies of a target: each says that exactly that report is there.

    With a study that is to decide an open question the page of these, too.
    """
    if not PLAN:
        return []
    studies = PARAMETERS.target(target)
    joined = questions.manifests(QUESTIONS, studies, Path("reports"))
    return ["reports/index.html", *joined, *(PLAN.manifest(study) for study in studies)]


def plan_of(wildcards):
    return f"{PLANS}/{wildcards.fingerprint}.json"


def parents_of(wildcards):
    """The records of the runs that a run starts from. They exist when, and only when, those are finished."""
    run = RUNS.get(wildcards.fingerprint)
    if run is None and PLAN is None:
        run = load_run(Path(plan_of(wildcards)))
    if run is None:
        raise WorkflowError(
            f"the parameters and the code as they are now don't plan a run {wildcards.fingerprint}: go back to "
            "the commit that its record names"
        )
    fetched = [path for path in run.sources.values() if path.startswith("data/fetched/")]
    return fetched + sorted({f"{path}/record.json" for path in run.parents.values()})


def threads_of(wildcards):
    run = RUNS.get(wildcards.fingerprint)
    return run.threads if run else 1


# How many runs a GPU takes at once, as the profile says.
RUNS_PER_GPU = workflow.global_resources.get("runs_per_gpu").value or 1

# Runs take GPUs from a count where the caller gives one (`--resources gpu=4`). A batch system has its own way to be asked
# for one, see profiles/slurm, and refuses a GPU where there is none.
COUNTED = bool(workflow.global_resources.get("gpu").value)


def gpus_of(wildcards):
    run = RUNS.get(wildcards.fingerprint)
    return run.devices if run and COUNTED else int(COUNTED)


def needed():
    """The resources `runtime` and `mem_mb` of rules whose jobs a batch system is asked for: where the profile has both."""
    told = workflow.resource_settings.default_resources or {}
    if not {"runtime", "mem_mb"} <= set(told):
        return {}
    try:
        minutes, megabytes = (told[name].value for name in ("runtime", "mem_mb"))
    except ValueError:
        raise WorkflowError(
            "expected numbers as runtime and mem_mb of default-resources, came expressions: they grow by themselves with "
            "each attempt"
        ) from None
    needs = Needs(PLAN, minutes, megabytes, logger.info) if PLAN else None

    def asked(default, of_run):
        def of(wildcards, attempt):
            run = RUNS.get(wildcards.fingerprint)
            if run is None:
                return attempt * default
            needs.tell(run)
            return attempt * of_run(needs, run)

        return of

    return {"runtime": asked(minutes, Needs.minutes), "mem_mb": asked(megabytes, Needs.megabytes)}


def outputs_of(step, folder):
    return [f"{folder}/{name}" for name in ("record.json", *STEPS[step][1])]


RUNS = {run.fingerprint: run for run in PLAN.runs.values()} if PLAN else {}
NEEDED = needed()
REPORTED = "results/{study}/summarized/reported/{fingerprint}"
PAGE = os.path.join(REPORTED, "index.html")


def unfilled(text):
    """A text as Snakemake's own report (`snakemake --report`) shows it.

    Snakemake takes words in braces for wildcards and knows no way to quote them; a word joiner, which nobody sees, does.
    """
    return text.replace("{", "{\N{WORD JOINER}")


def title_of(wildcards):
    """The title of a study in that report."""
    return unfilled(PARAMETERS.studies[wildcards.study].title)


def labels_of(wildcards):
    """What it says beside the page of a study."""
    study = PARAMETERS.studies[wildcards.study]
    papers = ", ".join(PARAMETERS.papers[name].cited for name in study.papers)
    return {"Study": wildcards.study, "Papers": unfilled(papers), "Scale": study.scale}
