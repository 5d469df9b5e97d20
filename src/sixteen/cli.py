"""The command line `sixteen`: what was made from what, whether it still holds, and what is still to do."""

import argparse
import io
import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sixteen.bundles.bare import add_arguments
from sixteen.errors import UserError, printable
from sixteen.lineage import console

if TYPE_CHECKING:
    from sixteen.lineage.plan import Plan

ROOT = Path()
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main() -> None:
    """Run one subcommand. Exits 1 on a user's mistake or a finding, with one sentence each on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may know ASCII alone
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args()
    console.answer(lambda: arguments.run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sixteen", description=__doc__)
    parser.add_argument("--version", action="version", version=f"sixteen {version('sixteen')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_reading(commands)
    _add_planning(commands)
    _add_bundles(commands)
    return parser


def _add_reading(commands: Commands) -> None:
    command = commands.add_parser("trace", help="tell where a file comes from, down to the dataset")
    command.add_argument(
        "file",
        type=Path,
        help="a figure, table, page, checkpoint or record; or reports/<study>, a whole report",
    )
    command.add_argument(
        "--crate", type=Path, metavar="OUT", help="write it as a Workflow Run RO-Crate as well"
    )
    command.set_defaults(run=_trace)

    command = commands.add_parser(
        "verify", help="compare every byte of runs and reports with what is recorded"
    )
    command.set_defaults(run=_verify)

    command = commands.add_parser(
        "digest", help="print the digest of a folder or tar for params.yaml"
    )
    command.add_argument("path", type=Path)
    command.set_defaults(run=_digest)


def _add_planning(commands: Commands) -> None:
    command = commands.add_parser(
        "why", help="tell why runs are to be made: what differs from earlier ones"
    )
    command.add_argument(
        "study", nargs="?", help="a study or a target; by default the target `all`"
    )
    command.set_defaults(run=_why)

    command = commands.add_parser(
        "status", help="tell what of a study is done, runs, failed, diverged or waits"
    )
    command.add_argument(
        "study", nargs="?", help="a study or a target; by default the target `all`"
    )
    command.add_argument("--watch", action="store_true", help="show it until all is done")
    command.set_defaults(run=_status)

    command = commands.add_parser(
        "clean", help="list scratch and runs that no study plans any more, or delete them"
    )
    command.add_argument("--delete", action="store_true", help="delete what DVC keeps as well")
    command.add_argument("--force", action="store_true", help="with --delete: the rest too")
    command.set_defaults(run=_clean)

    command = commands.add_parser("plan", help="tell what a study will take: time, disk, runs")
    command.add_argument("study", help="a study or a target")
    command.set_defaults(run=_plan)


def _add_bundles(commands: Commands) -> None:
    command = commands.add_parser(
        "pack",
        help="write a bundle of what a study has yet to train, for a machine with a GPU and nothing else",
    )
    command.add_argument("study", help="a study or a target")
    command.add_argument("bundle", type=Path, help="the file to write, a zip")
    command.set_defaults(run=_pack)

    command = commands.add_parser("run", help="train and time there what a bundle holds")
    command.add_argument("bundle", type=Path)
    add_arguments(command)
    command.set_defaults(run=_run)

    command = commands.add_parser("take", help="bring home what `run` made, verified")
    command.add_argument("files", type=Path, nargs="+", help="a bundle, or its parts in order")
    command.set_defaults(run=_take)


# Subcommands import what they need: `trace` must not wait for the plan, nor `why` for Pillow, and Ctrl-C meanwhile is quiet.


def _trace(arguments: argparse.Namespace) -> bool:
    from sixteen.lineage import crate, trace
    from sixteen.lineage.archive import Archive

    archive = Archive.of(ROOT)
    traced = arguments.file
    found = trace.find(archive, traced / "index.html" if traced.is_dir() else traced)
    text, sound = trace.tell(archive, found)
    print(printable(text))
    if arguments.crate is not None:
        crate.write(archive, found, traced, arguments.crate)
        print(f"crate      {arguments.crate}/ro-crate-metadata.json")
    return sound


def _verify(arguments: argparse.Namespace) -> bool:
    from sixteen.reporting.verify import verify

    report = verify(ROOT)
    for note in report.notes:
        print(printable(f"note: {note}"))
    for finding in report.findings:
        print(printable(f"sixteen: {finding}"), file=sys.stderr)
    print(report)
    return not report.findings


def _why(arguments: argparse.Namespace) -> bool:
    from sixteen.lineage.why import why

    plan = _plan_here()
    print(printable(why(plan, plan.parameters.target(arguments.study or "all"))))
    return True


def _status(arguments: argparse.Namespace) -> bool:
    from sixteen.lineage import status
    from sixteen.lineage.plan import Plan
    from sixteen.study.load import load

    plan = Plan(load(ROOT))
    studies = plan.parameters.target(arguments.study or "all")
    if arguments.watch:
        status.watch(plan, studies)
    else:
        print(printable(status.told(plan.root, status.states(plan, studies))))
    return True


def _clean(arguments: argparse.Namespace) -> bool:
    from sixteen.lineage import clean
    from sixteen.lineage.locks import own

    if arguments.force and not arguments.delete:
        raise UserError(
            "expected `--delete` before `--force`, came `--force` alone: it deletes nothing"
        )
    plan = _plan_here()
    if arguments.delete:
        with own(ROOT, "sixteen clean --delete"):
            print(printable(clean.delete(plan, clean.find(plan), arguments.force)))
    else:
        print(printable(clean.told(clean.find(plan))))
    return True


def _plan(arguments: argparse.Namespace) -> bool:
    from sixteen.lineage.estimate import estimate

    log = logging.getLogger("sixteen")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler())  # what is being measured, on stderr
    plan = _plan_here()
    print(printable(estimate(plan, plan.parameters.target(arguments.study))))
    return True


def _pack(arguments: argparse.Namespace) -> bool:
    from sixteen.bundles.pack import pack

    plan = _plan_here()
    print(printable(pack(plan, plan.parameters.target(arguments.study), arguments.bundle)))
    return True


def _run(arguments: argparse.Namespace) -> bool:
    from sixteen.bundles.run import run

    return run(arguments.bundle, arguments)


def _take(arguments: argparse.Namespace) -> bool:
    from sixteen.bundles.take import take

    print(printable(take(arguments.files, _plan_here())))
    return True


def _plan_here() -> "Plan":
    from sixteen.lineage.places import expect_folders
    from sixteen.lineage.plan import Plan
    from sixteen.study.load import load

    plan = Plan(load(ROOT))
    expect_folders(plan.folders())
    return plan


def _digest(arguments: argparse.Namespace) -> bool:
    from sixteen.datasets.archives.members import digest

    print(digest(arguments.path))
    return True
