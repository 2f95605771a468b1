"""Ctrl-C is reported at once and never lost."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from lstm_bench.execution._interrupts import record_interrupts


def test_ctrl_c_says_at_once_what_is_done_and_is_remembered(capfd, monkeypatch):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with record_interrupts() as raise_if_interrupted:
            raise_if_interrupted()
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    os.kill(os.getpid(), signal.SIGINT)
                with pytest.raises(KeyboardInterrupt):  # also where Python dropped the first one
                    raise_if_interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capfd.readouterr().err.count("interrupted: ending") == 1


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="needs process groups")
def test_a_dry_run_that_is_refused_leaves_no_process(tmp_path):
    (tmp_path / "short.csv").write_text("day,sales\n1,2\n")
    words = ["sweep", "--csv", "short.csv", "--target", "sales", "--dry-run"]
    command = [sys.executable, "-m", "lstm_bench", *words]
    with (tmp_path / "message").open("wb") as message:  # a pipe would wait for every process
        run = subprocess.Popen(command, cwd=tmp_path, stderr=message, start_new_session=True)
        assert run.wait() == 2
    assert "at least 20 rows" in (tmp_path / "message").read_text()
    time.sleep(0.5)  # it was killed, and is not waited for
    assert not [process for process in psutil.pids() if group_of(process) == run.pid]


def group_of(process):
    try:
        return os.getpgid(process) if psutil.Process(process).status() != "zombie" else None
    except (OSError, psutil.Error):
        return None
