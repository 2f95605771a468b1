"""Where a result came from: what decides its last digits is told."""

import pytest

from lstm_bench.provenance import provenance
from lstm_bench.training import _backend as backend


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (None, "default"),
        (backend.XLA_FLAGS, "default"),
        ("--xla_cpu_multi_thread_eigen=false", "--xla_cpu_multi_thread_eigen=false"),
        ("", ""),
    ],
)
def test_the_flags_of_the_compiler_are_told_where_they_are_not_ours(flags, told, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if flags is not None:
        monkeypatch.setenv("XLA_FLAGS", flags)
    assert provenance()["XLA"] == told


def test_the_command_is_told_as_it_would_be_typed():
    assert provenance(["run", "a name"])["command"] == "lstm-bench run 'a name'"
