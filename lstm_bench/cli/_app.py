"""The command `lstm-bench`: its subcommands and its exit codes.

Heavy packages are imported by the commands that need them, so that `--help` and `tasks` are quick
and `report` never waits for TensorFlow.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

import typer

from lstm_bench.cli._commands import init, report, run, speed, status, sweep, tasks
from lstm_bench.cli._editor_commands import PROGRAM, VARIABLE, completion, completion_init, schema
from lstm_bench.cli._network_commands import export, predict
from lstm_bench.cli._options import (
    Version,
    interruptible,
    refuse_setting_options,
    replace_unprintable,
)
from lstm_bench.errors import Interrupted, LstmBenchError, UserError
from lstm_bench.safety import mask_passwords, print_plain, print_wrapped

app = typer.Typer(
    name="lstm-bench",
    help="Which LSTM set-up really learns your sequences, and how sure can you be?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


_COMMANDS = (tasks, run, sweep, report, status, export, predict, speed, init, schema, completion)
for _command in _COMMANDS:
    app.command()(interruptible(_command))


@app.callback()
def _common(version: Version = False) -> None:
    """Takes the options that stand before any command."""


def main() -> None:
    """Runs the command line; exit 0 success, 2 wrong input, 1 anything else."""
    try:
        replace_unprintable()
        if VARIABLE in os.environ:  # the shell asks for words to complete
            completion_init()
            app(prog_name=PROGRAM)
        refuse_setting_options(sys.argv[1:], typer.main.get_command(app))
        app()
    except UserError as error:
        print_wrapped(mask_passwords(f"error: {error}"))
        sys.exit(2)
    except (KeyboardInterrupt, Interrupted):
        _interrupted()
    except SystemExit as end:
        if end.code == BEFORE_COMMAND:
            _interrupted()
        raise
    except LstmBenchError as error:  # the input was right
        print_wrapped(mask_passwords(f"error: {error}"))
        sys.exit(1)


BEFORE_COMMAND = 130
"""Typer's exit code for a Ctrl-C before the command has begun."""


def _interrupted() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it has been heard
    print_plain("interrupted; what had finished is kept, and the same command goes on")
    sys.exit(1)
