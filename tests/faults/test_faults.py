"""A sweep that is disturbed and run again has the results of an undisturbed one."""

import random
import signal

import pytest

from faults import disturbances as do
from faults.results import check_same, read_results
from faults.sessions import FIXED, exit_code, is_installed, new_sweep_folder

CALL_KILLS, RANDOM_KILLS, FORK_SERVER_KILLS = 12, 6, 3

SIGNALS = signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT


@pytest.fixture(scope="module", name="expected")
def _expected(tmp_path_factory):
    """The results of the undisturbed search."""
    sweep_folder = new_sweep_folder(tmp_path_factory.mktemp("undisturbed"))
    sweep_folder.finish()
    return read_results(sweep_folder)


@pytest.fixture(scope="module", name="calls")
def _calls(tmp_path_factory):
    """The system calls of a session that starts a sweep, and of one that resumes it."""
    new, resumed = (new_sweep_folder(tmp_path_factory.mktemp(n)) for n in ("new", "resumed"))
    new.finish(do.tracer(new))
    do.kill(resumed, random.Random(0))
    resumed.finish(do.tracer(resumed))
    return do.calls(new), do.calls(resumed)


def check_end(sweep_folder, expected, disturbance, count):
    """Runs the sweep to its end, and fails if its results differ from `expected`."""
    sweep_folder.finish()
    check_same(read_results(sweep_folder), expected)
    print(f"\n{disturbance}: {count}")
    assert count > 0, f"{disturbance}: nothing was disturbed"


@pytest.mark.slow
def test_a_damaged_checkpoint_is_trained_again(tmp_path):
    """The shortest of these tests, of fixed recipes: a flipped bit between two sessions."""
    undisturbed = new_sweep_folder(tmp_path / "u", FIXED)
    disturbed = new_sweep_folder(tmp_path / "d", FIXED)
    process = undisturbed.start()
    try:
        count = do.kill_after_checkpoint(disturbed)
        do.CHECKPOINT_DAMAGES["flipped"](disturbed.folder / "mlartifacts" / "seeds.db")
    finally:
        code = exit_code(process)
    assert code == 0, undisturbed.stderr_tail()
    check_end(disturbed, read_results(undisturbed), "flipped checkpoints", count)


@pytest.mark.slow
@pytest.mark.skipif(
    not is_installed("strace"), reason="strace is not installed; random times are tried"
)
@pytest.mark.parametrize("number", range(3))
def test_kills_at_system_calls(expected, calls, tmp_path, number):
    sweep_folder, rng, (first, later) = new_sweep_folder(tmp_path), random.Random(number), calls
    kills = [do.random_call(first, rng)]
    # Later sessions find more work done, and so make fewer calls.
    kills += [do.random_call(later, rng, share=0.6) for _ in range(CALL_KILLS // 3 - 1)]
    count = sum(do.kill_at_call(sweep_folder, call) for call in kills)
    names = ", ".join(f"{call.name} {call.number}" for call in kills)
    check_end(sweep_folder, expected, f"kills at {names}", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_kills_at_random_times(expected, tmp_path, number):
    sweep_folder, rng = new_sweep_folder(tmp_path), random.Random(number)
    count = sum(do.kill(sweep_folder, rng) for _ in range(RANDOM_KILLS // 2))
    check_end(sweep_folder, expected, "kills at random times", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_kills_of_workers(expected, tmp_path, number):
    sweep_folder, rng = new_sweep_folder(tmp_path), random.Random(number)
    count = do.kill_workers(sweep_folder, rng, times=4)
    check_end(sweep_folder, expected, "kills of workers", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(FORK_SERVER_KILLS))
def test_kills_of_the_fork_server(expected, tmp_path, number):
    sweep_folder, rng = new_sweep_folder(tmp_path), random.Random(number)
    count = do.kill_fork_server(sweep_folder, rng)
    check_end(sweep_folder, expected, "kills of the fork server", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signals(expected, tmp_path, number):
    sweep_folder = new_sweep_folder(tmp_path)
    count = do.send_signal(sweep_folder, random.Random(number.name), number)
    check_end(sweep_folder, expected, number.name, count)


@pytest.mark.slow
@pytest.mark.skipif(not do.can_mount(), reason="no file system can be mounted")
def test_a_full_temporary_folder(expected, tmp_path):
    sweep_folder = new_sweep_folder(tmp_path)
    check_end(
        sweep_folder, expected, "full temporary folder", do.fill_temporary_folder(sweep_folder)
    )


@pytest.mark.slow
@pytest.mark.skipif(not do.can_mount(), reason="no file system can be mounted")
@pytest.mark.parametrize("size", ["400k", "1400k", "1800k"])
def test_a_full_disk(expected, tmp_path, size):
    sweep_folder = new_sweep_folder(tmp_path)
    check_end(sweep_folder, expected, f"a disk of {size}", do.fill_disk(sweep_folder, size))


@pytest.mark.slow
@pytest.mark.parametrize("damage", do.CHECKPOINT_DAMAGES)
def test_damaged_checkpoints(expected, tmp_path, damage):
    sweep_folder = new_sweep_folder(tmp_path)
    count = do.kill_after_checkpoint(sweep_folder)
    do.CHECKPOINT_DAMAGES[damage](sweep_folder.folder / "mlartifacts" / "seeds.db")
    check_end(sweep_folder, expected, f"checkpoints: {damage}", count)


@pytest.mark.slow
def test_missing_networks_of_a_store_are_trained_again(expected, tmp_path):
    sweep_folder = new_sweep_folder(tmp_path)
    sweep_folder.finish()
    count = do.remove_networks(sweep_folder, random.Random(0))
    check_end(sweep_folder, expected, "networks removed", count)
