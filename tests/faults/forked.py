"""A process that imports the package once, and forks a child for each command that it is asked for.

Run as a script by `runner`. Commands come as lines of JSON on standard input, and how each ended
goes to standard output. No TensorFlow is ever here, so that the process may be forked: what a
command would do with it is cut off where it would be started.
"""

from __future__ import annotations

import atexit
import faulthandler
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

BUSIEST = 20.0
"""Seconds of a processor that a command may take: those that pass depend on what else runs."""
STILL = 15.0
"""Seconds for which a command may do nothing at all."""
ADDRESSES = 6 * 2**30
"""Bytes that a child may ask for in all: a runaway must not take the machine with it."""
PRELOADED = (
    "lstm_bench.cli._commands",
    "lstm_bench.execution._sweep_run",
    "lstm_bench.tracking._lookup",
    "lstm_bench.report._page",
    "lstm_bench.cli._show",
    "lstm_bench.tracking",
    "matplotlib.backends.backend_svg",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "optuna.samplers",
    "pandas",
    "pyarrow.parquet",
    "sklearn.metrics",
    "sklearn.linear_model",
    "scipy.stats",
)
"""What the commands import when they are needed."""
ENDING = ("code", "signal", "hung", "seconds", "mb")


def prepare() -> None:
    """Imports what commands need, and cuts off what needs TensorFlow."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    importlib.import_module("lstm_bench.training._backend").prepare_environment()
    for name in PRELOADED:
        importlib.import_module(name)
    from lstm_bench import execution, training

    def weigh(sweep: Any, settings: Any, engine: str = "compiled") -> Any:
        """Returns the estimate of a sweep without its time: that would be asked of workers."""
        from lstm_bench.execution._estimate import DRAWN, Estimate, stages
        from lstm_bench.search._study import SearchStudy

        study = SearchStudy(sweep.search, sweep.settings) if sweep.search else None
        drawn = study.drawn(DRAWN) if study else []
        return Estimate(tuple(stages(sweep, study, drawn, engine)), 1, None)

    def start(cores: int) -> NoReturn:
        """Ends a command that would now start TensorFlow."""
        raise SystemExit(0)

    execution.estimate_sweep, training.start_tensorflow = weigh, start
    assert "tensorflow" not in sys.modules
    # Besides this thread there is Arrow's own, which it starts anew in a forked child.
    assert threading.active_count() == 1


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """Returns how a command ended: exit code or signal, hung or not, seconds busy, most MB."""
    sys.stdout.flush()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _command(asked)
    hung, busy, moved = False, 0.0, began
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            break
        spent, now = _processor_seconds(pid), time.monotonic()
        if spent > busy:
            busy, moved = spent, now
        if not hung and (busy > BUSIEST or now - moved > STILL):
            hung = True
            os.kill(pid, signal.SIGUSR1)  # tells where it is
            time.sleep(0.5)
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002)
    by_signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    busy = used.ru_utime + used.ru_stime
    return dict(zip(ENDING, (code, by_signal, hung, busy, used.ru_maxrss / 1024), strict=True))


def _processor_seconds(pid: int) -> float:
    """Returns the seconds that a child, maybe ended by now, has had a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _command(asked: dict[str, Any]) -> NoReturn:
    """Is the child: runs one command, and ends."""
    os.setpgid(0, 0)
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        for number, path in enumerate((os.devnull, asked["stdout"], asked["stderr"])):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(path, flags, 0o600), number)
        faulthandler.enable()
        faulthandler.register(signal.SIGUSR1)
        os.environ.update(asked["environment"])
        tempfile.tempdir = None
        os.chdir(asked["folder"])
        sys.argv = ["lstm-bench", *asked["words"]]
        from lstm_bench.cli import _commands as cli

        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:  # as the interpreter does with what nobody caught
        code = 1
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code & 255)


def main() -> None:
    """Serves until standard input ends."""
    prepare()
    answers = os.fdopen(os.dup(1), "w")
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])  # and not the folder of this script
    main()
