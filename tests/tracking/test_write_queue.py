"""Writes in a thread of their own: their order, their failures, and the wait for them."""

import threading
import time

import pytest

from lstm_bench.errors import StoreLostError
from lstm_bench.tracking._write_queue import WriteQueue


def test_writes_happen_in_order_elsewhere_and_are_reported_here():
    queue, done, threads = WriteQueue(), [], set()
    for number in range(50):
        queue.put(
            lambda: threads.add(threading.get_ident()),
            lambda number=number: done.append((number, threading.get_ident())),
        )
    assert queue.wait(10)
    here = threading.get_ident()
    assert done == [(number, here) for number in range(50)]
    assert len(threads) == 1 and here not in threads


def test_a_slow_write_keeps_nobody_waiting_and_a_limit_ends_the_wait():
    queue, release = WriteQueue(), threading.Event()
    began = time.monotonic()
    queue.put(release.wait)
    queue.poll()
    assert queue.waiting == 1
    assert not queue.wait(0.2)
    assert time.monotonic() - began < 5
    release.set()
    assert queue.wait(10) and queue.waiting == 0


def test_after_a_failure_it_is_raised_once_and_nothing_more_is_written():
    queue, written = WriteQueue(), []

    def fail():
        raise OSError("no space")

    queue.put(lambda: written.append(1))
    queue.put(fail)
    queue.put(lambda: written.append(2), lambda: written.append("done"))
    with pytest.raises(OSError, match="no space"):
        queue.wait(10)
    queue.put(lambda: written.append(3))
    assert queue.wait(10) and queue.failed
    assert written == [1]


def test_a_store_that_is_given_up_ends_the_wait_for_a_write_that_never_returns():
    calls = []

    def check():
        calls.append(1)
        if len(calls) > 3:
            raise StoreLostError("gone")

    queue, never = WriteQueue(check), threading.Event()
    queue.put(never.wait)
    with pytest.raises(StoreLostError):
        queue.wait(10)
    assert queue.waiting == 0
    never.set()


@pytest.mark.parametrize("fails", [False, True])
def test_a_write_that_ends_while_the_queue_is_polled_is_not_lost(fails):
    release, done = threading.Event(), []

    def write():
        release.wait(10)
        if fails:
            raise StoreLostError("gone")

    def check():  # the write ends after its answer was looked for, and before the wait looks again
        release.set()
        while queue.waiting:
            time.sleep(0.001)

    queue = WriteQueue(check)
    queue.put(write, lambda: done.append(1))
    if fails:
        with pytest.raises(StoreLostError):
            queue.wait(10)
    else:
        assert queue.wait(10) and done == [1]
