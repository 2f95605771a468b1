"""Settings for where and how to run, from the files in `conf/`; never part of a recipe.

`conf/default.yaml` in the working folder applies to every command; with `--profile NAME` the values
of `conf/NAME.yaml` replace its values. Without a file, the defaults below apply. `${oc.env:NAME}`
is replaced by the value of an environment variable, so no file needs to contain a password.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_bench.errors import SweepError, UserError, unknown
from lstm_bench.safety import check_text, pydantic_faults, read_yaml

XLA_FLAGS = (
    "--xla_backend_optimization_level=1 --xla_cpu_multi_thread_eigen=false "
    "--xla_cpu_experimental_ynn_fusion_type= "
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000,"
    "xla_force_enable_experimental_llvm_ir_gemm=true,xla_cpu_disable_new_fusion_emitters=true"
)
"""A lower optimisation level, and fusions without MLIR, make compilation faster.

The threshold, in bytes, lets XLA compile any loop to one kernel: see `training`. The next option
unrolls matrix products, inside a kernel and outside. With all of them, small networks run as fast
or faster, large ones up to a fifth slower: measured, see LOG.md. No type of fusion for the library
YNN: inside a loop that is one kernel XLA cannot emit it, and fails on large convolutions.
"""


class Settings(BaseModel):
    """Where results are stored, and how much of the machine may be used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Annotated[str, Field(min_length=1)] = "sqlite:///mlflow.db"
    """MLflow tracking URI; a relative SQLite path starts at the working folder."""
    optuna: Annotated[str, Field(min_length=1)] | None = "sqlite:///optuna.db"
    """Optuna storage for the trials of searches, in another database than `store`; or None."""
    artifacts: Path = Path("mlartifacts")
    """Folder for the files of runs, if the store is a database and not a server."""
    sweeps: Path = Path("sweeps")
    reports: Path = Path("reports")
    tasks: tuple[Path, ...] = ()
    """Python files with user-defined tasks: see `sweeps/_task_files.py`."""
    workers: Annotated[int, Field(ge=0, le=1024, strict=True)] = 0
    """Number of processes that run recipes in parallel; 0 means one per core."""
    store_wait: Annotated[float, Field(ge=0, le=10_000)] = 10
    """Minutes that a sweep continues while its store does not answer, before it ends."""
    cluster: Annotated[str, Field(min_length=1)] | None = None
    """Address of a Dask scheduler; its workers run the recipes, in place of processes here."""
    worker_memory_mb: Annotated[float, Field(ge=100)] = 300
    """Unshared memory, in MB, at which a worker process is replaced by a new one."""


def load_settings(profile: str | None = None, folder: Path = Path("conf")) -> Settings:
    """Returns the settings in `folder`, with the values of `profile` replacing the defaults.

    Raises `UserError` with the file and every wrong key.
    """
    merged: dict[str, Any] = {}
    for name in ("default", *([profile] if profile else [])):
        path = folder / f"{name}.yaml"
        if not path.is_file() and name == "default":
            continue
        if not path.is_file():
            raise UserError(
                f"--profile: {unknown('profile', name, (p.stem for p in folder.glob('*.yaml')))}"
            )
        document = read_yaml(path, interpolation=True) or {}
        if not isinstance(document, dict):
            raise SweepError(f"{path}: must be a mapping of keys to values")
        values = {str(key): value for key, value in document.items()}
        try:
            Settings.model_validate(values)
        except ValidationError as error:
            lines = "\n".join(f"  {fault}" for fault in pydantic_faults(error, values, Settings))
            raise SweepError(f"{path}:\n{lines}") from error
        merged |= values
    return Settings(**merged)


def settings_for(profile: str | None = None, store: str | None = None) -> Settings:
    """Returns the settings in `conf/` of the working folder, with `store` over them."""
    check_text("profile", profile, "the name of a file in conf/, e.g. 'server'", optional=True)
    check_text("store", store, "the address of a store, e.g. 'sqlite:///runs.db'", optional=True)
    place = load_settings(profile)
    return place.model_copy(update={"store": store}) if store else place
