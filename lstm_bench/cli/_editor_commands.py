"""The commands `schema` and `completion`, for editors and shells."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lstm_bench.cli._options import (
    Json,
    Profile,
    TaskFiles,
    load_context,
    print_json,
    refuse_existing,
    write_file,
)
from lstm_bench.safety import print_plain

PROGRAM = "lstm-bench"
VARIABLE = "_LSTM_BENCH_COMPLETE"
"""The variable with which the shell asks the program for words; click sets its name."""


class Shell(StrEnum):
    """The shells that words are completed for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion_init() -> None:
    """Registers typer's shells, which typer itself does only for its own completion option."""
    from typer import completion

    completion.completion_init()  # type: ignore[attr-defined]


def schema(
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
    files: TaskFiles = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of sweep files, with which editors complete and check them.

    The schema includes the tasks of this working folder. A sweep file names the schema in its first
    line, `# yaml-language-server: $schema=sweep.schema.json`.
    """
    from lstm_bench.results import to_json
    from lstm_bench.sweeps import sweep_schema

    refuse_existing(output, force)
    _, known = load_context(profile, None, files)
    document = sweep_schema(known)
    if output is not None:
        write_file(output, f"{to_json(document)}\n")
        print_json({"file": str(output)}) if as_json else print_plain(str(output), sys.stdout)
        return
    print_json(document)


def completion(
    shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")],
    as_json: Json = False,
) -> None:
    """Print a script with which a shell completes commands and options.

    Bash: `source <(lstm-bench completion bash)` in `~/.bashrc`; zsh likewise, after `compinit`;
    fish: `lstm-bench completion fish > ~/.config/fish/completions/lstm-bench.fish`.
    """
    from typer import completion as shells

    script = shells.get_completion_script(  # type: ignore[attr-defined]
        prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value
    )
    if as_json:
        print_json({"shell": shell.value, "script": script})
    else:
        print_plain(script, sys.stdout)
