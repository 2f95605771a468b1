"""An untrusted file gives a result or a message, and has no other effect."""

import os
import random
import subprocess
import sys

import pytest

from faults import csv_files, stores, sweep_files
from faults.fuzzing import fuzz
from faults.runner import Runner
from faults.sandbox import new_sandbox

KINDS = {"sweep": sweep_files.make, "csv": csv_files.make}
FEW, FEW_STORES, MANY = 30, 8, 1000


@pytest.fixture(scope="module", autouse=True)
def store_builder(tmp_path_factory):
    """A real store, of sweeps that run while other files are tested."""
    with stores.StoreBuilder(tmp_path_factory.mktemp("store")) as builder:
        yield builder


@pytest.fixture(scope="module", name="runner")
def _runner(tmp_path_factory):
    with Runner(tmp_path_factory.mktemp("runner")) as runner:
        yield runner


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_some_mutated_files_are_read_or_refused(kind, runner, tmp_path):
    fuzz(kind, FEW, KINDS[kind], runner, tmp_path).check()


@pytest.mark.long
def test_some_damaged_stores_are_reported_or_refused(store_builder, runner, tmp_path):
    make = stores.maker(store_builder.store())
    fuzz("store", FEW_STORES, make, runner, tmp_path).check()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutated_files_are_read_or_refused(kind, runner, tmp_path):
    fuzz(kind, MANY, KINDS[kind], runner, tmp_path).check()


@pytest.mark.slow
def test_many_damaged_stores_are_reported_or_refused(store_builder, runner, tmp_path):
    fuzz("store", MANY, stores.maker(store_builder.store()), runner, tmp_path).check()


@pytest.mark.slow
def test_the_command_itself_ends_as_its_forked_child_does(runner, tmp_path):
    """Dry runs of twenty sweep files with workers, which the other tests leave out."""
    codes = []
    for number in range(20):
        sandbox = new_sandbox(tmp_path / str(number))
        case = sweep_files.make(sandbox, random.Random(f"sweep {number}"))
        expected = runner.run(case.arguments, sandbox)
        real = subprocess.run(
            [sys.executable, "-m", "lstm_bench", *case.arguments],
            cwd=sandbox.folder,
            env={**os.environ, **sandbox.environment},
            capture_output=True,
            timeout=300,
        )
        err = real.stderr.decode("utf-8", "replace")
        assert "Traceback" not in err, f"{sandbox.root}: {err[-1500:]}"
        codes.append((number, expected.code, real.returncode))
    refused = sum(code == 2 for *_, code in codes)
    print(f"\nreal commands: {len(codes)}, of which {refused} were refused")
    assert [row for row in codes if row[1] != row[2]] == []
