"""What the terminal tells of a sweep while it goes on."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from lstm_bench.execution import _progress_bar as module
from lstm_bench.execution._estimate import Estimate
from lstm_bench.execution._progress import SweepProgress
from lstm_bench.execution._progress_bar import (
    PlainProgress,
    SweepBar,
    _Times,
    estimate_table,
    sweep_bar,
)
from lstm_bench.execution._work import Amount, WorkMeter


def state_at(moment, done, total, **more):
    """Returns a state with some of equal seeds done, `moment` seconds after the start."""
    clock = SimpleNamespace(now=0.0)
    work = WorkMeter(lambda: clock.now, workers=1)
    work.submit(Amount(total, 100 * total, total))
    clock.now = moment
    work.finish(Amount(done, 100 * done, done))
    return SweepProgress(work=work, stage="search", done=1, total=4, **more)


def test_the_bar_shows_what_has_passed_what_is_left_and_what_runs(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with SweepBar("small", quiet=False) as bar:
        (task,) = bar._progress.tasks
        now = task.start_time
        clock = [now]
        monkeypatch.setattr(bar._progress, "get_time", lambda: clock[0])
        monkeypatch.setattr(task, "_get_time", lambda: clock[0])

        def times():
            return _Times().render(task).plain

        assert times() == "0:00:00 < -:--:--"
        clock[0] = now + 600
        bar.changed(state_at(600, 500, 1000, running=("trial-3 seed 7",)))
        bar._progress.refresh()
        # 500 took 600 s, and 50, a twentieth of all, were expected to take 50 s: 1.18 s for each.
        assert times() == "0:10:00 < 0:09:51"
        assert task.completed == 0.5
        clock[0] = now + 720  # nothing new
        assert times() == "0:12:00 < 0:07:51"
        clock[0] = now + 1500  # it takes longer than was thought
        assert times() == "0:25:00 < 0:00:00"
    assert _Times().render(task).plain == "0:25:00"
    printed = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "training trial-3 seed 7; 500 of 1,000 seeds, 50,000 of 100,000 updates" in printed
    assert "50% 1/4" in printed


def test_a_pipe_gets_plain_lines_that_say_when_it_waits_goes_on_and_ends(monkeypatch, capsys):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    with sweep_bar("small") as lines:
        assert isinstance(lines, PlainProgress)
        lines.changed(SweepProgress(stage="waiting for another process at this sweep"))
        lines.changed(state_at(1, 0, 10))
        for second in range(60):
            clock.now = second
            failed = ["B (lstm): boom"] if second > 40 else []
            lines.changed(state_at(second, second / 10, 10, failed=failed, running=("A seed 1",)))
    out, err = capsys.readouterr()
    assert out == "" and "\x1b" not in err
    assert err.splitlines() == [
        "small: starts",
        "small: waiting for another process at this sweep",
        "small: search begins",
        "small: 30%, 1 of 4 recipes; about 0:01:01 left; search; training A seed 1; "
        "3 of 10 seeds, 300 of 1,000 updates",
        "small: failed: B (lstm): boom",
        "small: ended after 0:00:59",
    ]


def test_a_sweep_that_stops_says_so(capsys):
    with pytest.raises(KeyboardInterrupt), sweep_bar("small"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.splitlines()[-1] == "small: stopped after 0:00:00"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [((1.0, 4.0), "about 5 s on 2 workers"), ((4.0, 41.0), "about 5 s to 45 s on 2 workers")],
)
def test_a_range_of_one_value_is_told_once(seconds, told):
    assert estimate_table("small", Estimate((), 2, seconds)).caption == told


def test_times_of_recipes_that_may_end_early_are_the_most():
    caption = estimate_table("small", Estimate((), 2, (60.0, 60.0), may_end_early=True)).caption
    assert caption == "about 60 s on 2 workers; less where training ends early"


@pytest.mark.long
def test_a_terminal_without_our_letters_is_no_reason_to_fail(tmp_path):
    words = [sys.executable, "-m", "lstm_bench", "run", "memory", "epochs=1", "--seeds", "1"]
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "accuracy" in ran.stdout
