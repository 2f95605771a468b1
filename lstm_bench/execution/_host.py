"""What another machine needs to train for this one.

It gets the content of the user's task files and data files, so no shared disk is needed. It trains
in worker processes, as this machine does, so its numbers are the same.
"""

from __future__ import annotations

import functools
import hashlib
import multiprocessing
import os
import platform
import shutil
import site
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from lstm_bench.errors import DataError, Interrupted
from lstm_bench.execution._executor import Event, Job, NetworkJob, Place
from lstm_bench.execution._workers import WorkerPool
from lstm_bench.provenance import VERSION, provenance
from lstm_bench.recipes import TaskSource

REQUIRED = (
    *("lstm-bench", "source code", "python", "tensorflow", "keras", "numpy", "numba"),
    *("XLA", "oneDNN"),
)
"""Facts that must be equal on all machines of a sweep."""
MAX_LEVELS = 8
"""The number of folders that a data file may be above the working folder."""
MAX_MODULES_MB = 64
"""The largest size of the modules that a task file imports from its folder, in MB."""


@dataclass(frozen=True)
class Setup:
    """What a machine needs before its first job: tasks, and facts that it must share.

    `modules` are the Python files that task files import from their folders: path -> content.
    """

    name: str
    """Differs from sweep to sweep: each has a folder of its own."""
    required: Mapping[str, str]
    tasks: tuple[TaskSource, ...] = ()
    modules: Mapping[str, bytes] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    worker_memory_mb: float = 300.0


class MissingSetupError(LookupError):
    """A machine has no `Setup`, because it was restarted after it got one."""


def host_facts() -> dict[str, str]:
    """Returns `REQUIRED` facts of this machine by name, and its `host` name and `processor`."""
    facts = provenance([])
    facts["source code"] = _source_digest()
    facts["python"] = ".".join(platform.python_version_tuple()[:2])
    chosen = {name: facts[name] for name in (*REQUIRED, "processor")}
    return chosen | {"host": socket.gethostname()}


def version_faults(facts: Mapping[str, str], required: Mapping[str, str]) -> str:
    """Returns in words which facts differ from those `required`; empty if none does.

    >>> version_faults({"keras": "3.14", "python": "3.11"}, {"keras": "3.15", "python": "3.11"})
    'keras is 3.14, but must be 3.15'
    """
    return ", ".join(
        f"{name} is {facts.get(name, 'missing')}, but must be {value}"
        for name, value in required.items()
        if facts.get(name) != value
    )


@functools.cache
def _source_digest() -> str:
    """Returns a digest of the source files of this package."""
    package, digest = Path(__file__).parents[1], hashlib.sha256(VERSION.encode())
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def imported_modules(sources: Sequence[TaskSource]) -> dict[str, bytes]:
    """Returns the Python files that the files of `sources` have imported from their folders.

    Their tasks must have been loaded in this process. Installed packages are not among them.
    """
    folders = [Path(source.path).parent for source in sources if source.path]
    installed = [Path(p) for p in (*site.getsitepackages(), site.getusersitepackages())]
    installed += [Path(sys.prefix), Path(os.__file__).parent, Path(__file__).parents[1]]
    contents: dict[str, bytes] = {}
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        path = Path(name) if isinstance(name, str) and name.endswith(".py") else None
        if path is None or not any(path.is_relative_to(folder) for folder in folders):
            continue
        if path.is_file() and not any(path.is_relative_to(folder) for folder in installed):
            contents[str(path)] = path.read_bytes()
    size = sum(map(len, contents.values())) / 2**20
    if size > MAX_MODULES_MB:
        raise DataError(
            f"--tasks: what task files import from their folders must have at most "
            f"{MAX_MODULES_MB} MB to be sent to a cluster, but has {size:.0f} MB; "
            "install it on every machine as a package"
        )
    return contents


def read_data_file(name: str) -> bytes:
    """Returns the content of a data file that a recipe names.

    Raises `DataError` for a name that cannot be the same on another machine.
    """
    if Path(name).is_absolute():
        raise DataError(
            f"file: must be relative to the working folder on a cluster, whose machines get the "
            f"file under the same name, but got {name!r}; copy it into the working folder"
        )
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise DataError(f"file: {name} must be readable, but {error.strerror}") from error


class Host:
    """What one machine has been given, and its worker processes: one for each thread that asks."""

    def __init__(self, folder: Path) -> None:
        """Files are written into `folder`, which the caller removes."""
        self._folder = folder
        self._setups: dict[str, Setup] = {}
        self._pools: dict[tuple[int, str], WorkerPool] = {}
        # The worker processes of a cluster are daemons, which Python lets have no children.
        vars(multiprocessing.current_process())["_config"]["daemon"] = False

    def install(self, setup: Setup, files: Mapping[str, bytes]) -> None:
        """Installs a `setup`, and data files by the names that recipes use."""
        root = self._root(setup.name)
        places = {source.path: str(_inside(root / "tasks", source.path)) for source in setup.tasks}
        for module, content in setup.modules.items():
            _write(_inside(root / "tasks", module), content)
        sources = tuple(
            replace(source, path=places[source.path]) if source.path else source
            for source in setup.tasks
        )
        self._data_folder(setup.name).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = Path(os.path.normpath(self._data_folder(setup.name) / PurePosixPath(name)))
            if not path.is_relative_to(root):
                raise DataError(f"file: {name!r} leads too far out of the working folder")
            _write(path, content)
        self._setups[setup.name] = replace(setup, tasks=sources, modules={})

    def run(self, name: str, job: Job | NetworkJob, stop: Callable[[], bool]) -> tuple[Event, ...]:
        """Runs a job with the setup `name` and returns its events.

        Raises `Interrupted` if `stop`, which is called regularly, returns True, and
        `MissingSetupError` for an unknown `name`.
        """
        setup = self._setups.get(name)
        if setup is None:
            raise MissingSetupError(f"{socket.gethostname()} has no setup {name}")
        key = (threading.get_ident(), name)
        pool = self._pools.pop(key, None)
        if pool is None:
            place = Place(self._data_folder(name), setup.command, socket.gethostname())
            pool = WorkerPool(1, setup.worker_memory_mb, setup.tasks, place)
            pool.__enter__()

        def stop_if_unwanted() -> None:
            if stop():
                raise Interrupted

        try:
            pool.tick = stop_if_unwanted
            pool.submit(job)
            events = tuple(event for _, event in pool.events())
        except BaseException:
            pool.__exit__()
            raise
        if name in self._setups:
            self._pools[key] = pool
        else:  # released meanwhile
            pool.__exit__()
        return events

    def release(self, name: str) -> None:
        """Ends the idle worker processes of the setup `name`, and forgets it."""
        self._setups.pop(name, None)
        for key in [key for key in self._pools if key[1] == name]:
            pool = self._pools.pop(key, None)
            if pool is not None:
                pool.__exit__()
        shutil.rmtree(self._root(name), ignore_errors=True)

    def _root(self, name: str) -> Path:
        return self._folder / f"lstm-bench-{name}"

    def _data_folder(self, name: str) -> Path:
        """Returns the working folder of the setup; names may lead `MAX_LEVELS` out of it."""
        return self._root(name).joinpath("data", *["level"] * MAX_LEVELS)


def _inside(root: Path, path: str) -> Path:
    """Returns where a file with this absolute path is written below `root`."""
    return root.joinpath(*Path(path).parts[1:])


def _write(path: Path, content: bytes) -> None:
    """Writes a file in one step: another process may read it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
