"""Where and how to run: the files in `conf/`, never part of a recipe.

`conf/default.yaml` of the working folder holds for every command; `--profile NAME` lays
`conf/NAME.yaml` over it. Without any file the defaults below hold. `${oc.env:NAME}` stands for an
environment variable, so that a password need not be written down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_bench.errors import SweepError, UserError, unknown
from lstm_bench.safety import pydantic_faults, read_yaml

XLA_FLAGS = (
    "--xla_backend_optimization_level=1 --xla_cpu_multi_thread_eigen=false "
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000,"
    "xla_force_enable_experimental_llvm_ir_gemm=true,xla_cpu_disable_new_fusion_emitters=true"
)
"""A lower optimisation level, and fusions without MLIR, compile sooner.

The threshold, in bytes, lets XLA make one kernel of any loop: see `training`. The next option
has it unroll products of matrices, in a kernel and outside. All together small networks run as fast
or faster, large ones up to a fifth slower: measured, see LOG.md.
"""


class Settings(BaseModel):
    """Where results go and what they may cost the machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Annotated[str, Field(min_length=1)] = "sqlite:///mlflow.db"
    """MLflow tracking URI; a relative SQLite file lies in the working folder."""
    artifacts: Path = Path("mlartifacts")
    """Folder for the files of runs, where the store is a database and not a server."""
    sweeps: Path = Path("sweeps")
    reports: Path = Path("reports")
    tasks: tuple[Path, ...] = ()
    """Python files with tasks of the user's own; see `loading`."""
    workers: Annotated[int, Field(ge=0, le=1024, strict=True)] = 0
    """Processes that run recipes side by side; 0 is one a core."""
    worker_memory_mb: Annotated[float, Field(ge=100)] = 400
    """Memory of its own, shared with nobody, from which a worker is replaced by a fresh one."""


def settings(profile: str | None = None, folder: Path = Path("conf")) -> Settings:
    """Returns the settings of `folder`, with those of `profile` over them.

    Raises `UserError` that names the file and every wrong key.
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
        found = read_yaml(path, interpolation=True) or {}
        if not isinstance(found, dict):
            raise SweepError(f"{path}: must be a mapping of keys to values")
        values = {str(key): value for key, value in found.items()}
        try:
            Settings.model_validate(values)
        except ValidationError as error:
            lines = "\n".join(f"  {fault}" for fault in pydantic_faults(error, values, Settings))
            raise SweepError(f"{path}:\n{lines}") from error
        merged |= values
    return Settings(**merged)
