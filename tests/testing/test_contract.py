"""Each check is failed by what is broken in just that way, and by no other check."""

import builtins
import re
import subprocess
import sys

import numpy as np
import pytest
from broken import BROKEN_FRAMINGS, BROKEN_TASKS, AllScored, Doubles, Healthy

from lstm_bench.errors import UserError
from lstm_bench.recipes._framings import Pairs
from lstm_bench.tasks._base import Problem, Sequence
from lstm_bench.tasks._decorator import task
from lstm_bench.testing._contract import check_framing, check_task, framing_checks, task_checks
from lstm_bench.testing._framing_checks import FRAMING_CHECKS
from lstm_bench.testing._task_checks import TASK_CHECKS

TASK_IDS = [broken.__name__ for broken, *_ in BROKEN_TASKS]


def ninths(chance, ceiling):
    """Returns a task whose best constant answer gets 6 of 9 steps, and whose table gets 7."""

    @task(labels="01", chance=chance, ceiling=ceiling, bar=ceiling, source="none")
    def made(seed: int) -> Problem:
        asked = ([0, 1, 1], [0, 1, 0], [1, 1, 1])
        return Problem(tuple(Sequence(np.zeros(3, int), np.array(each), np.ones(3, bool))
                             for each in asked))  # fmt: skip

    return made()


def test_what_a_check_tells_is_enough_to_pass_it():
    with pytest.raises(AssertionError, match="must be what the best constant") as told:
        TASK_CHECKS["chance"](ninths(0.667, 1.0))
    chance = float(re.search(r"gets, (\S+) on 8 seeds, but 0.667 is stated", str(told.value))[1])
    TASK_CHECKS["chance"](ninths(chance, 1.0))
    for stated in (1.0, 0.7777):
        with pytest.raises(AssertionError, match="ceiling must be") as told:
            TASK_CHECKS["ceiling"](ninths(chance, stated))
        ceiling = float(re.search(r"(\S+), but \S+ is stated", str(told.value))[1])
        assert ceiling == pytest.approx(7 / 9, abs=1e-9)
        TASK_CHECKS["ceiling"](ninths(chance, ceiling))


def failing(of, checks):
    """Returns which of `checks` fail, with their messages."""
    found = {}
    for name, check in checks.items():
        try:
            check(of)
        except AssertionError as error:
            found[name] = str(error)
    return found


QUICK = {name: check for name, check in TASK_CHECKS.items() if name != "training"}


def test_a_healthy_task_passes_all_checks():
    check_task(Healthy())


def test_other_parameters_are_checked_too():
    assert failing(Healthy(steps=6), QUICK) == {}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(("broken", "check", "said"), BROKEN_TASKS, ids=TASK_IDS)
def test_a_broken_task_is_caught_by_its_check(broken, check, said):
    with pytest.raises(AssertionError, match=said):
        TASK_CHECKS[check](broken())


@pytest.mark.parametrize(("broken", "check", "said"), BROKEN_TASKS, ids=TASK_IDS)
def test_a_broken_task_is_caught_by_no_other_check(broken, check, said):
    assert set(failing(broken(), QUICK)) == {check} - {"training"}


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "check", "said"), BROKEN_TASKS, ids=TASK_IDS)
def test_what_is_wrong_elsewhere_does_not_show_in_training(broken, check, said):
    if check != "training":
        TASK_CHECKS["training"](broken())


def test_every_check_of_a_task_is_failed_by_one_of_them():
    assert {check for _, check, _ in BROKEN_TASKS} == set(TASK_CHECKS)


@pytest.mark.parametrize(("broken", "check", "said"), BROKEN_FRAMINGS,
                         ids=[broken.__name__ for broken, *_ in BROKEN_FRAMINGS])  # fmt: skip
def test_a_broken_framing_is_caught_by_its_check_alone(broken, check, said):
    found = failing(broken(), FRAMING_CHECKS)
    assert set(found) == {check}
    with pytest.raises(AssertionError, match=said):
        FRAMING_CHECKS[check](broken())


def test_every_check_of_a_framing_is_failed_by_one_of_them():
    assert {check for _, check, _ in BROKEN_FRAMINGS} == set(FRAMING_CHECKS)


# How they are called.


def test_every_check_is_a_test_with_a_readable_name():
    mark = task_checks(Healthy(), Healthy(steps=6)).mark
    assert mark.args[0] == "check" and len(mark.args[1]) == 2 * len(TASK_CHECKS)
    assert mark.kwargs["ids"][0] == "healthy-words"
    assert mark.kwargs["ids"][-1] == "healthy(steps=6)-training"
    (first, *_), ids = framing_checks(Pairs()).mark.args[1], framing_checks(Pairs()).mark.kwargs
    first()
    assert ids["ids"][0] == "pairs-value"


def test_all_that_is_wrong_is_said_at_once():
    class Wrong(AllScored, Doubles):
        """Both."""

    with pytest.raises(AssertionError, match=r"pairs-shapes: x must(.|\n)*pairs-owners: sample"):
        check_framing(Wrong())


@pytest.mark.parametrize("given", [(Healthy,), (Pairs(),), ()])
def test_what_is_no_task_is_refused(given):
    with pytest.raises(UserError, match=r"task_checks: .*Parity"):
        task_checks(*given)


def test_without_pytest_the_way_out_is_named(monkeypatch):
    imported = builtins.__import__

    def refuse(name, *rest):
        if name == "pytest":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"pip install pytest`, or call `check_task`"):
        task_checks(Healthy())
    with pytest.raises(UserError, match="or call `check_framing`"):
        framing_checks(Pairs())


def test_the_module_imports_neither_pytest_nor_tensorflow():
    script = (
        "import sys, lstm_bench.testing; sys.exit(bool({'pytest', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
