"""Provenance of a result: everything that affects its last digits is recorded."""

import pytest

from lstm_bench.provenance import provenance
from lstm_bench.training import _backend as backend


@pytest.mark.parametrize(
    ("flags", "recorded"),
    [
        (None, "default"),
        (backend.XLA_FLAGS, "default"),
        ("--xla_cpu_multi_thread_eigen=false", "--xla_cpu_multi_thread_eigen=false"),
        ("", ""),
    ],
)
def test_the_flags_of_the_compiler_are_recorded_unless_default(flags, recorded, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if flags is not None:
        monkeypatch.setenv("XLA_FLAGS", flags)
    assert provenance()["XLA"] == recorded


def test_the_command_is_recorded_as_it_would_be_typed():
    assert provenance(["run", "a name"])["command"] == "lstm-bench run 'a name'"
