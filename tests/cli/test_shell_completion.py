"""Completion of commands and options: what the program answers, and its script in a shell."""

import shutil
import subprocess
import sys

import pytest


def answered(command, monkeypatch, line, shell="bash"):
    words = line.split(" ")
    monkeypatch.setenv("_LSTM_BENCH_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    code, out, err = command()
    assert (code, err) == (0, "")
    return out.split()


def test_commands_options_and_choices_are_completed(command, monkeypatch):
    assert answered(command, monkeypatch, "lstm-bench sw") == ["sweep"]
    assert answered(command, monkeypatch, "lstm-bench sweep --cs") == ["--csv"]
    assert answered(command, monkeypatch, "lstm-bench completion ") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_names_the_program_and_how_it_is_called(command, shell):
    code, out, err = command("completion", shell)
    assert (code, err) == (0, "")
    assert "lstm-bench" in out
    assert f"_LSTM_BENCH_COMPLETE=complete_{shell}" in out
    interpreter = shutil.which(shell)
    if interpreter:
        read = subprocess.run([interpreter, "-n"], input=out, text=True, capture_output=True)
        assert (read.returncode, read.stderr) == (0, "")


def test_an_unknown_shell_is_refused(command):
    assert command("completion", "csh")[0] == 2


@pytest.mark.slow
def test_bash_completes_with_its_script(command, tmp_path):
    _, script, _ = command("completion", "bash")
    program = tmp_path / "lstm-bench"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lstm_bench "$@"\n')
    program.chmod(0o755)
    (tmp_path / "script").write_text(script)
    line = """
    source ./script
    COMP_WORDS=(lstm-bench swe); COMP_CWORD=1
    "$(complete -p lstm-bench | sed 's/.*-F \\([^ ]*\\).*/\\1/')" ./lstm-bench
    echo "${COMPREPLY[@]}"
    """
    ended = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, text=True, capture_output=True, check=True
    )
    assert ended.stdout.split() == ["sweep"]
