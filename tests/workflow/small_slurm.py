"""A small Slurm on this machine: a controller, and nodes that are each a slurmd in namespaces of its own.

All of it is the real thing (Debian: slurmctld, slurmd, slurm-client, munge) but for the GPU, which is a device like
/dev/null. Killing a node takes every process of its jobs along, as a power cut does. It has no accounting.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CONFIGURATION = Path("/etc/slurm")  # where a step looks for it, whatever the environment says
PORT = 27100
NODES = ("node1", "node2", "node3")
NEEDED = ("slurmctld", "slurmd", "sbatch", "munged", "unshare")


def missing() -> str | None:
    """Why no Slurm can be started here; None if one can."""
    if lacking := [program for program in NEEDED if shutil.which(program) is None]:
        return f"{', '.join(lacking)} aren't installed (apt-get install slurmctld slurmd slurm-client munge)"
    if os.getuid() != 0:
        return "only root may start the daemons of Slurm"
    if (CONFIGURATION / "slurm.conf").exists():
        return f"{CONFIGURATION}/slurm.conf is there already: this machine has a Slurm of its own"
    if subprocess.run(["unshare", "--pid", "--uts", "--mount", "--fork", "true"]).returncode:
        return "this machine lets nobody make namespaces"
    return None


class Slurm:
    """The cluster, whose state and logs stand in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "log", *(f"spool/{node}" for node in NODES)):
            (folder / name).mkdir(parents=True)
        names = "".join(f"127.0.0.1 {node}\n" for node in NODES)
        (folder / "hosts").write_text(Path("/etc/hosts").read_text() + names)
        os.mknod(folder / "gpu0", 0o666 | 0o020000, os.makedev(1, 3))
        CONFIGURATION.mkdir(exist_ok=True)
        (CONFIGURATION / "slurm.conf").write_text(self._configuration())
        (CONFIGURATION / "gres.conf").write_text(
            f"AutoDetect=off\nNodeName={NODES[-1]} Name=gpu File={folder}/gpu0\nNodeName={NODES[-1]} Name=shard Count=2\n"
        )

    def start(self) -> None:
        """Start what isn't running, and wait until all nodes take jobs."""
        self._start_munge()
        self._start("slurmctld", "slurmctld", "-D")
        wait_for(lambda: _calls("scontrol", "ping"), "the controller")
        for node in NODES:
            inside = f"hostname {node} && mount --bind {self.folder}/hosts /etc/hosts && slurmd -D -N {node}"
            isolated = ("unshare", "--pid", "--uts", "--mount", "--fork", "--kill-child")
            self._start(node, *isolated, "--mount-proc", "sh", "-c", inside)
        wait_for(
            lambda: set(self.ask("sinfo -h -N -o %t").split()) <= {"idle", "mix", "alloc", "comp"},
            "the nodes",
        )

    def kill(self, daemon: str, by: signal.Signals = signal.SIGKILL) -> None:
        """End the controller, or a node with all that runs there."""
        process = self.daemons.pop(daemon)
        process.send_signal(by)
        process.wait()

    def stop(self) -> None:
        """Cancel all jobs, end all daemons and take the configuration away."""
        _calls("scancel", "--user=root")
        for daemon in [*NODES, "slurmctld", "munged"]:
            if daemon in self.daemons:
                self.kill(daemon)
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURATION / name).unlink()

    def ask(self, command: str) -> str:
        """What a command of Slurm prints."""
        return subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout

    def jobs(self, project: Path, *states: str) -> list[str]:
        """The rules of a project's jobs that are in one of the states, or of all that there ever were."""
        lines = self.ask(f"squeue -h -t {','.join(states) or 'all'} -o %k|%Z").splitlines()
        told = [line.partition("|") for line in lines]
        return [
            rule.removeprefix("rule_").partition("_wildcards")[0]
            for rule, _, folder in told
            if Path(folder) == project
        ]

    def nodes(self, project: Path) -> list[str]:
        """The nodes on which jobs of a project run."""
        told = [line.split("|") for line in self.ask("squeue -h -t RUNNING -o %N|%Z").splitlines()]
        return [node for node, folder in told if Path(folder) == project]

    def inside(self, node: str, *command: str) -> None:
        """Run a command with the file systems that a node sees."""
        target = f"--target={self.daemons[node].pid}"
        subprocess.run(["nsenter", target, "--mount", "--uts", *command], check=True)

    def _start(self, name: str, *command: str) -> None:
        if name in self.daemons and self.daemons[name].poll() is None:
            return
        with (self.folder / f"log/{name}").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _start_munge(self) -> None:
        if _munge_works():
            return
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        Path("/run/munge").mkdir(mode=0o755, exist_ok=True)
        own = [
            f"--{part}-file={self.folder}/munge.{part}" for part in ("key", "pid", "seed", "log")
        ]
        self._start("munged", "munged", "--foreground", "--force", *own)
        wait_for(_munge_works, "munge")

    def _configuration(self) -> str:
        folder = self.folder
        nodes = "".join(
            f"NodeName={node} NodeHostname={node} NodeAddr=127.0.0.1 Port={PORT + number} CPUs=2 RealMemory=4000"
            f"{' Gres=gpu:1,shard:2' if node == NODES[-1] else ''}\n"
            for number, node in enumerate(NODES, 1)
        )
        return f"""\
ClusterName=tests
SlurmctldHost={os.uname().nodename}(127.0.0.1)
SlurmctldPort={PORT}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job whose node was killed may start again after so many seconds.
AuthInfo=cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
# Memory is sampled, and a job that has more than it asked for is killed.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=2,sched_interval=2
GresTypes=gpu,shard
# A killed node is noticed within seconds.
SlurmdTimeout=8
SlurmctldTimeout=8
KillWait=2
ReturnToService=2
MinJobAge=900
SlurmdParameters=config_overrides
{nodes}\
PartitionName=cpu Nodes={NODES[0]},{NODES[1]} Default=YES MaxTime=60 State=UP
PartitionName=gpu Nodes={NODES[2]} MaxTime=60 State=UP
"""


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def _calls(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _munge_works() -> bool:
    told = subprocess.run(
        "munge -n | unmunge", shell=True, capture_output=True, stdin=subprocess.DEVNULL
    )
    return told.returncode == 0
