"""A process that imports the package once, and forks a child for each command.

`runner` runs it as a script. Commands arrive as lines of JSON on standard input; how each of them
ended is written to standard output. The process never imports TensorFlow, because then it could not
be forked: a command ends where it would start TensorFlow.
"""

from __future__ import annotations

import atexit
import contextlib
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

MAX_BUSY = 20.0
"""Processor seconds that a command may take; wall time would depend on what else runs."""
MAX_IDLE = 15.0
"""Seconds for which a command may do nothing at all."""
MAX_BYTES = 6 * 2**30
"""Address space of a child, so that a runaway process does not exhaust the machine."""
PRELOADED = (
    "lstm_bench.cli._app",
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
"""Modules that commands import when they need them."""
ENDING_KEYS = ("code", "signal", "hung", "seconds", "mb")


def prepare() -> None:
    """Imports what commands need, and replaces what needs TensorFlow."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    importlib.import_module("lstm_bench.training._backend").prepare_environment()
    for name in PRELOADED:
        importlib.import_module(name)
    from lstm_bench import execution, training

    def estimate_sweep(
        sweep: Any, settings: Any, engine: str = "compiled", cluster: Any = None
    ) -> Any:
        """Returns the estimate of a sweep without its time, which workers would measure."""
        from lstm_bench.execution._estimate import MIN_SAMPLE, Estimate, estimate_stages
        from lstm_bench.search._study import SearchStudy

        study = SearchStudy(sweep.search, sweep.settings) if sweep.search else None
        sample = study.sample(MIN_SAMPLE) if study else []
        return Estimate(tuple(estimate_stages(sweep, study, sample, engine)), 1, None)

    def start_tensorflow(cores: int) -> NoReturn:
        """Ends a command that would start TensorFlow."""
        raise SystemExit(0)

    execution.estimate_sweep = estimate_sweep
    execution.starting_workers = contextlib.nullcontext
    training.start_tensorflow = start_tensorflow
    assert "tensorflow" not in sys.modules
    # Arrow has a native thread as well, and starts it again in a forked child.
    assert threading.active_count() == 1


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Returns how a command ended: exit code, signal, whether it hung, busy seconds, peak MB."""
    sys.stdout.flush()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _run_command(request)
    hung, busy, last_progress = False, 0.0, start
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            break
        spent, now = _processor_seconds(pid), time.monotonic()
        if spent > busy:
            busy, last_progress = spent, now
        if not hung and (busy > MAX_BUSY or now - last_progress > MAX_IDLE):
            hung = True
            os.kill(pid, signal.SIGUSR1)  # prints its stack
            time.sleep(0.5)
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002)
    by_signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    busy = used.ru_utime + used.ru_stime
    return dict(zip(ENDING_KEYS, (code, by_signal, hung, busy, used.ru_maxrss / 1024), strict=True))


def _processor_seconds(pid: int) -> float:
    """Returns the processor seconds of a child, which may have ended by now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _run_command(request: dict[str, Any]) -> NoReturn:
    """Runs one command in the child, and ends it."""
    os.setpgid(0, 0)
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
        for number, path in enumerate((os.devnull, request["stdout"], request["stderr"])):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(path, flags, 0o600), number)
        faulthandler.enable()
        faulthandler.register(signal.SIGUSR1)
        os.environ.update(request["environment"])
        tempfile.tempdir = None
        os.chdir(request["folder"])
        sys.argv = ["lstm-bench", *request["arguments"]]
        from lstm_bench.cli import _app as cli

        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:  # as the interpreter does with uncaught exceptions
        code = 1
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code & 255)


def main() -> None:
    """Runs commands until standard input ends."""
    prepare()
    output = os.fdopen(os.dup(1), "w")
    print(json.dumps({"ready": True}), file=output, flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=output, flush=True)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])  # instead of the folder of this script
    main()
