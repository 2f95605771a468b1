"""Whatever happens to a sweep, run again it ends as one that nothing happened to."""

import random
import signal

import pytest

from faults import disturbances as do
from faults.ends import end, same
from faults.sessions import FIXED, ended, has, new_place

TIMES = 12, 6, 3
"""Kills at system calls, at random times, and of fork servers."""
SIGNALS = signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT


@pytest.fixture(scope="module", name="expected")
def _expected(tmp_path_factory):
    """What the search comes to undisturbed."""
    place = new_place(tmp_path_factory.mktemp("undisturbed"))
    place.finish()
    return end(place)


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory):
    """The system calls of a session that begins a sweep, and of one that takes it up again."""
    new, again = (new_place(tmp_path_factory.mktemp(name)) for name in ("new", "again"))
    new.finish(do.traced(new))
    do.killed(again, random.Random(0))
    again.finish(do.traced(again))
    return do.calls(new), do.calls(again)


def ends_the_same(place, expected, what, count):
    place.finish()
    same(end(place), expected)
    print(f"\n{what}: {count}")
    assert count > 0, f"{what}: nothing was disturbed"


def test_a_damaged_checkpoint_is_trained_again(tmp_path):
    """The shortest of these tests, of fixed recipes: a flipped bit between two sessions."""
    undisturbed, place = new_place(tmp_path / "u", FIXED), new_place(tmp_path / "d", FIXED)
    meanwhile = undisturbed.start()
    try:
        count = do.interrupted_with_checkpoints(place)
        do.CHECKPOINTS["flipped"](place.here / "mlartifacts" / "seeds.db")
    finally:
        code = ended(meanwhile)
    assert code == 0, undisturbed.said()
    ends_the_same(place, end(undisturbed), "flipped checkpoints", count)


@pytest.mark.slow
@pytest.mark.skipif(not has("strace"), reason="strace is not installed; random times are tried")
@pytest.mark.parametrize("number", range(3))
def test_kills_at_system_calls(expected, made, tmp_path, number):
    place, chance, (first, later) = new_place(tmp_path), random.Random(number), made
    calls = [do.one_of(first, chance)]
    # A session finds the more there, the later it comes, and so makes fewer calls.
    calls += [do.one_of(later, chance, share=0.6) for _ in range(TIMES[0] // 3 - 1)]
    count = sum(do.killed_at_a_call(place, call) for call in calls)
    shown = ", ".join(f"{call.name} {call.number}" for call in calls)
    ends_the_same(place, expected, f"kills at {shown}", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_kills_at_random_times(expected, tmp_path, number):
    place, chance = new_place(tmp_path), random.Random(number)
    count = sum(do.killed(place, chance) for _ in range(TIMES[1] // 2))
    ends_the_same(place, expected, "kills at random times", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_kills_of_workers(expected, tmp_path, number):
    place, chance = new_place(tmp_path), random.Random(number)
    count = do.killed_workers(place, chance, times=4)
    ends_the_same(place, expected, "kills of workers", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(TIMES[2]))
def test_kills_of_the_fork_server(expected, tmp_path, number):
    place, chance = new_place(tmp_path), random.Random(number)
    count = do.killed_fork_server(place, chance)
    ends_the_same(place, expected, "kills of the fork server", count)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS, ids=lambda each: each.name)
def test_signals(expected, tmp_path, number):
    place = new_place(tmp_path)
    count = do.signalled(place, random.Random(number.name), number)
    ends_the_same(place, expected, number.name, count)


@pytest.mark.slow
@pytest.mark.skipif(not do.can_mount(), reason="no file system may be mounted here")
def test_a_full_temporary_folder(expected, tmp_path):
    place = new_place(tmp_path)
    ends_the_same(place, expected, "no temporary room", do.without_temporary_room(place))


@pytest.mark.slow
@pytest.mark.skipif(not do.can_mount(), reason="no file system may be mounted here")
@pytest.mark.parametrize("size", ["400k", "1400k", "1800k"])
def test_a_full_disk(expected, tmp_path, size):
    place = new_place(tmp_path)
    ends_the_same(place, expected, f"a disk of {size}", do.without_room(place, size))


@pytest.mark.slow
@pytest.mark.parametrize("damage", do.CHECKPOINTS)
def test_damaged_checkpoints(expected, tmp_path, damage):
    place = new_place(tmp_path)
    count = do.interrupted_with_checkpoints(place)
    do.CHECKPOINTS[damage](place.here / "mlartifacts" / "seeds.db")
    ends_the_same(place, expected, f"checkpoints: {damage}", count)


@pytest.mark.slow
def test_a_store_that_lacks_networks_is_repaired(expected, tmp_path):
    place = new_place(tmp_path)
    place.finish()
    count = do.without_models(place, random.Random(0))
    ends_the_same(place, expected, "networks removed", count)
