"""What the terminal tells of a sweep while it goes on."""

import os
import subprocess
import sys

import pytest

from lstm_bench.execution._estimate import Estimate
from lstm_bench.execution._progress import SweepProgress
from lstm_bench.execution._progress_bar import SweepBar, _TimeLeft, estimate_table


def test_the_time_left_is_told_by_the_recipes_that_were_run(monkeypatch, capsys):
    with SweepBar("small", quiet=False) as bar:
        now = bar._progress.get_time()
        clock = [now]
        monkeypatch.setattr(bar._progress, "get_time", lambda: clock[0])
        monkeypatch.setattr(bar._progress.tasks[0], "_get_time", lambda: clock[0])
        bar._progress.tasks[0].start_time = now

        def shown(seconds, done, total, reused=2):
            clock[0] = now + seconds
            bar.changed(SweepProgress(done=done, total=total, reused=reused, stage="search"))
            return _TimeLeft().render(bar._progress.tasks[0]).plain

        assert shown(0.1, 2, 16) == "-:--:--"  # two were there before, which says nothing
        assert shown(10, 4, 16) == "0:01:00"  # two took 10 s, twelve are to come
        clock[0] = now + 25  # nothing new
        assert _TimeLeft().render(bar._progress.tasks[0]).plain == "0:00:45"
        assert shown(70, 16, 16) == "0:01:10"  # all of it, at the end
        assert shown(70, 16, 23) == "0:00:35"  # a stage more: fourteen took 70 s


@pytest.mark.parametrize(
    ("seconds", "told"),
    [((1.0, 4.0), "about 5 s on 2 workers"), ((4.0, 41.0), "about 5 s to 45 s on 2 workers")],
)
def test_a_range_of_one_value_is_told_once(seconds, told):
    assert estimate_table("small", Estimate((), 2, seconds)).caption == told


def test_times_of_recipes_that_may_end_early_are_the_most():
    caption = estimate_table("small", Estimate((), 2, (60.0, 60.0), may_end_early=True)).caption
    assert caption == "about 60 s on 2 workers; less where training ends early"


def test_a_terminal_without_our_letters_is_no_reason_to_fail(tmp_path):
    words = [sys.executable, "-m", "lstm_bench", "run", "memory", "epochs=1", "--seeds", "1"]
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "accuracy" in ran.stdout
