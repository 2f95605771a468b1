"""Whatever is in a file of a stranger's: a result or a message, and nothing else happens."""

import os
import random
import subprocess
import sys

import pytest

from faults import csv_files, stores, sweep_files
from faults.fuzzing import fuzz
from faults.runner import Runner
from faults.world import new_world

KINDS = {"sweep": sweep_files.make, "csv": csv_files.make}
FEW, FEW_STORES, MANY = 30, 8, 1000


@pytest.fixture(scope="module", autouse=True)
def being_made(tmp_path_factory):
    """A real store, of sweeps that run while other files are tried."""
    with stores.Making(tmp_path_factory.mktemp("made")) as making:
        yield making


@pytest.fixture(scope="module", name="runner")
def _runner(tmp_path_factory):
    with Runner(tmp_path_factory.mktemp("runner")) as runner:
        yield runner


@pytest.mark.parametrize("kind", KINDS)
def test_some_mutated_files_are_read_or_refused(kind, runner, tmp_path):
    fuzz(kind, FEW, KINDS[kind], runner, tmp_path).check()


def test_some_damaged_stores_are_reported_or_refused(being_made, runner, tmp_path):
    fuzz("store", FEW_STORES, stores.maker(being_made.store()), runner, tmp_path).check()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutated_files_are_read_or_refused(kind, runner, tmp_path):
    fuzz(kind, MANY, KINDS[kind], runner, tmp_path).check()


@pytest.mark.slow
def test_many_damaged_stores_are_reported_or_refused(being_made, runner, tmp_path):
    fuzz("store", MANY, stores.maker(being_made.store()), runner, tmp_path).check()


@pytest.mark.slow
def test_the_command_itself_ends_as_its_forked_child_does(runner, tmp_path):
    """The dry run with its workers, which the other tests leave out, on twenty sweep files."""
    seen = []
    for number in range(20):
        world = new_world(tmp_path / str(number))
        case = sweep_files.make(world, random.Random(f"sweep {number}"))
        expected = runner.run(case.words, world)
        real = subprocess.run(
            [sys.executable, "-m", "lstm_bench", *case.words],
            cwd=world.here,
            env={**os.environ, **world.environment},
            capture_output=True,
            timeout=300,
        )
        told = real.stderr.decode("utf-8", "replace")
        assert "Traceback" not in told, f"{world.root}: {told[-1500:]}"
        seen.append((number, expected.code, real.returncode))
    print(f"\nreal commands: {len(seen)}, of them refused {sum(code == 2 for *_, code in seen)}")
    assert [each for each in seen if each[1] != each[2]] == []
