"""Ctrl-C is reported at once and never lost."""

import os
import signal

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
