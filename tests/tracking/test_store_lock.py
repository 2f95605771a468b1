"""The lock in a store: whatever the order of steps, one process at a time has it."""

import itertools
import json
import random
from types import SimpleNamespace

import pytest

from lstm_bench.tracking import _store_lock as module
from lstm_bench.tracking._store_lock import SILENT_SECONDS, StoreLock


class SharedStore:
    """An experiment's tags; before each request the scheduler may let others go on."""

    def __init__(self, switch=lambda: None):
        self.tags, self.switch, self.is_lost = {}, switch, False
        self.client = self

    def errors_reported(self):
        return pytest.MonkeyPatch.context()  # a context that does nothing

    def ensure_experiment(self, name):
        return name

    def set_experiment_tag(self, experiment, key, value):
        self.switch()
        self.tags[key] = value

    def delete_experiment_tag(self, experiment, key):
        self.switch()
        del self.tags[key]

    def get_experiment(self, experiment):
        self.switch()
        return SimpleNamespace(tags=dict(self.tags))


@pytest.mark.parametrize("seed", range(30))
def test_of_four_processes_one_at_a_time_has_it_and_all_get_it(seed):
    """Each process is a thread, of which a baton lets one go on, in random order."""
    import threading

    rng, baton = random.Random(seed), threading.Condition()
    current, alive, inside, got, most = [0], {0, 1, 2, 3}, set(), [], [0]
    me = threading.local()
    now = itertools.count()

    def pass_on():
        with baton:
            current[0] = rng.choice(sorted(alive))
            baton.notify_all()
            if me.number in alive:
                assert baton.wait_for(lambda: current[0] == me.number, timeout=20)

    store = SharedStore(pass_on)

    def work(number):
        me.number = number
        with baton:
            baton.wait_for(lambda: current[0] == number, timeout=20)
        lock = StoreLock(store, "s", clock=lambda: next(now) * 0.001, sleep=lambda _: pass_on())
        with lock.held():
            inside.add(number)
            most[0] = max(most[0], len(inside))
            for _ in range(3):
                pass_on()
                lock.beat()
            inside.discard(number)
            got.append(number)
        alive.discard(number)
        if alive:
            pass_on()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == [0, 1, 2, 3]
    assert most == [1]
    assert store.tags == {}


def other(store, **facts):
    store.tags["lstm-bench.lock.other"] = json.dumps(
        {"number": 1, "beat": 1, "host": "elsewhere", "process": 7} | facts
    )


def test_a_process_on_another_host_is_waited_for_until_it_has_been_silent():
    store, now, waited = SharedStore(), [0.0], []
    other(store)

    def sleep(seconds):
        now[0] += seconds

    with StoreLock(store, "s", clock=lambda: now[0], sleep=sleep).held(waited.append):
        assert now[0] >= SILENT_SECONDS
        assert waited == ["elsewhere"]


def test_one_that_gives_signs_of_life_is_waited_for_however_long():
    store, now, beats = SharedStore(), [0.0], itertools.count()
    other(store)

    def sleep(seconds):
        now[0] += seconds
        if now[0] < 500:
            other(store, beat=next(beats))

    with StoreLock(store, "s", clock=lambda: now[0], sleep=sleep).held():
        assert now[0] >= 500


def test_a_killed_process_of_this_host_is_not_waited_for(monkeypatch):
    store = SharedStore()
    other(store, host=module.socket.gethostname(), process=2**22 + 1)
    never = pytest.fail
    with StoreLock(store, "s", sleep=never).held(never):
        pass


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"number": "x"}', "\x00", '{"number": NaN, "process": 1e999}']
)
def test_a_tag_that_others_wrote_is_waited_for_and_does_no_harm(text):
    store, now = SharedStore(), [0.0]
    store.tags["lstm-bench.lock.x"] = text

    def sleep(seconds):
        now[0] += seconds

    with StoreLock(store, "s", clock=lambda: now[0], sleep=sleep).held():
        assert now[0] <= SILENT_SECONDS + 5
