"""Values that processes share: computed once, read by the others, and never lost by a bad file."""

import multiprocessing
import os
import pickle
import time

import pytest

from lstm_bench.data._shared_cache import SharedCache


def compute_slowly(folder, key, size=3):
    """Returns a value that takes a while, and leaves a file for each time it was computed."""
    (folder / f"computed-{key}-{os.getpid()}-{time.monotonic_ns()}").touch()
    time.sleep(0.3)
    return [key] * size


def get_in_process(folder, barrier, results):
    cache = SharedCache("values", 4)
    cache.share_in(folder)
    barrier.wait()
    results.put([cache.get(key, lambda key=key: compute_slowly(folder, key)) for key in "ab"])


def test_a_value_is_computed_once_by_processes_that_need_it_at_the_same_time(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    arguments = (tmp_path, barrier, results)
    processes = [context.Process(target=get_in_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [[["a"] * 3, ["b"] * 3]] * 3
    for process in processes:
        process.join()
    assert len(list(tmp_path.glob("computed-a*"))) == 1
    assert len(list(tmp_path.glob("computed-b*"))) == 1


def test_values_of_before_are_shared_too(tmp_path):
    cache = SharedCache("values", 4)
    cache.get("a", lambda: 1)
    cache.share_in(tmp_path)
    other = SharedCache("values", 4)
    other.share_in(tmp_path)
    assert other.get("a", lambda: pytest.fail("it was computed again")) == 1


def test_without_a_folder_a_value_stays_in_its_process_and_old_ones_are_forgotten():
    cache, computed = SharedCache("values", 2), []
    for key in (1, 2, 1, 3, 1, 2):
        assert cache.get(key, lambda key=key: computed.append(key) or key) == key
    assert computed == [1, 2, 3, 2]


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1] * 1000)[:-9]])
def test_a_damaged_file_is_computed_again(tmp_path, content):
    first = SharedCache("values", 4)
    first.share_in(tmp_path)
    first.get("a", lambda: [1] * 1000)
    (file,) = (path for path in tmp_path.iterdir() if not path.suffix)
    file.write_bytes(content)
    other = SharedCache("values", 4)
    other.share_in(tmp_path)
    assert other.get("a", lambda: 2) == 2
    assert pickle.loads(file.read_bytes()) == 2


def test_a_folder_that_is_gone_costs_nothing_but_time(tmp_path):
    cache = SharedCache("values", 4)
    cache.share_in(tmp_path / "gone")
    assert cache.get("a", lambda: 1) == 1
    assert cache.get("b", lambda: 2) == 2


def test_an_error_is_raised_and_not_kept(tmp_path):
    cache = SharedCache("values", 4)
    cache.share_in(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 / 0)
    assert cache.get("a", lambda: 3) == 3
