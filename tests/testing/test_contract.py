"""Every check catches the task or framing that breaks its rule, and no other check does."""

import builtins
import re
import subprocess
import sys

import numpy as np
import pytest
from broken import (
    BROKEN_FRAMINGS,
    BROKEN_TASKS,
    AllScored,
    Doubles,
    Healthy,
    HealthyFresh,
    HealthyPossible,
    HealthyVarying,
    Leaking,
)

from lstm_bench.errors import UserError
from lstm_bench.recipes._framings import Pairs
from lstm_bench.tasks._base import Problem, Sequence
from lstm_bench.tasks._decorator import task
from lstm_bench.testing._contract import check_framing, check_task, framing_checks, task_checks
from lstm_bench.testing._framing_checks import FRAMING_CHECKS
from lstm_bench.testing._task_checks import TASK_CHECKS

TASK_IDS = [broken.__name__ for broken, *_ in BROKEN_TASKS]


def ninths(chance, ceiling):
    """Returns a task whose best constant answer is right on 6 of 9 steps, and whose table on 7."""

    @task(labels="01", chance=chance, ceiling=ceiling, bar=ceiling, source="none")
    def ninths_task(seed: int) -> Problem:
        inputs, scored = np.zeros(3, int), np.ones(3, bool)
        targets = ([0, 1, 1], [0, 1, 0], [1, 1, 1])
        return Problem(tuple(Sequence(inputs, np.array(row), scored) for row in targets))

    return ninths_task()


def test_the_value_in_a_message_passes_the_check():
    with pytest.raises(AssertionError, match="chance must be the accuracy") as error:
        TASK_CHECKS["chance"](ninths(0.667, 1.0))
    chance = float(re.search(r"answer, (\S+) on 8 seeds, but is 0.667", str(error.value))[1])
    TASK_CHECKS["chance"](ninths(chance, 1.0))
    for stated in (1.0, 0.7777):
        with pytest.raises(AssertionError, match="ceiling must be") as error:
            TASK_CHECKS["ceiling"](ninths(chance, stated))
        ceiling = float(re.search(r"(\S+), but is \S+$", str(error.value))[1])
        assert ceiling == pytest.approx(7 / 9, abs=1e-9)
        TASK_CHECKS["ceiling"](ninths(chance, ceiling))


def failing(of, checks):
    """Returns the messages of the `checks` that fail, by name."""
    messages = {}
    for name, check in checks.items():
        try:
            check(of)
        except AssertionError as error:
            messages[name] = str(error)
    return messages


QUICK = {name: check for name, check in TASK_CHECKS.items() if name != "training"}


@pytest.mark.long
def test_a_healthy_task_passes_all_checks():
    check_task(Healthy())


@pytest.mark.parametrize("kind", [HealthyFresh, HealthyVarying, HealthyPossible])
def test_further_healthy_tasks_pass_all_quick_checks(kind):
    assert failing(kind(), QUICK) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [HealthyFresh, HealthyVarying, HealthyPossible])
def test_further_healthy_tasks_pass_the_training_check(kind):
    TASK_CHECKS["training"](kind())


def test_a_task_may_say_that_it_scores_sequences_trained_on():
    class Repeating(Leaking):
        """Scores what it trains on: 0 1 -> 1 0."""

        scores_seen_sequences = True

    assert failing(Leaking(), {"leak": TASK_CHECKS["leak"]}).keys() == {"leak"}
    TASK_CHECKS["leak"](Repeating())

    class Boasting(HealthyFresh):
        """Says so, but does not: 0 1 -> 1 0."""

        scores_seen_sequences = True

    with pytest.raises(AssertionError, match="but none is; leave it out"):
        TASK_CHECKS["leak"](Boasting())


def test_other_parameters_are_checked_too():
    assert failing(Healthy(steps=6), QUICK) == {}


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(("broken", "check", "message"), BROKEN_TASKS, ids=TASK_IDS)
def test_a_broken_task_is_caught_by_its_check(broken, check, message):
    with pytest.raises(AssertionError, match=message):
        TASK_CHECKS[check](broken())


@pytest.mark.parametrize(("broken", "check", "message"), BROKEN_TASKS, ids=TASK_IDS)
def test_a_broken_task_is_caught_by_no_other_check(broken, check, message):
    assert set(failing(broken(), QUICK)) == {check} - {"training"}


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "check", "message"), BROKEN_TASKS, ids=TASK_IDS)
def test_other_faults_do_not_fail_the_training_check(broken, check, message):
    if check != "training":
        TASK_CHECKS["training"](broken())


def test_every_check_of_a_task_is_failed_by_a_broken_task():
    assert {check for _, check, _ in BROKEN_TASKS} == set(TASK_CHECKS)


@pytest.mark.parametrize(("broken", "check", "message"), BROKEN_FRAMINGS,
                         ids=[broken.__name__ for broken, *_ in BROKEN_FRAMINGS])  # fmt: skip
def test_a_broken_framing_is_caught_by_its_check_alone(broken, check, message):
    assert set(failing(broken(), FRAMING_CHECKS)) == {check}
    with pytest.raises(AssertionError, match=message):
        FRAMING_CHECKS[check](broken())


def test_every_check_of_a_framing_is_failed_by_a_broken_framing():
    assert {check for _, check, _ in BROKEN_FRAMINGS} == set(FRAMING_CHECKS)


# How the checks are called.


def test_every_check_is_a_test_with_a_readable_name():
    mark = task_checks(Healthy(), Healthy(steps=6)).mark
    assert mark.args[0] == "check" and len(mark.args[1]) == 2 * len(TASK_CHECKS)
    assert mark.kwargs["ids"][0] == "healthy-words"
    assert mark.kwargs["ids"][-1] == "healthy(steps=6)-training"
    mark = framing_checks(Pairs()).mark
    mark.args[1][0]()
    assert mark.kwargs["ids"][0] == "pairs-value"


def test_all_failures_are_reported_at_once():
    class Wrong(AllScored, Doubles):
        """Breaks two rules."""

    with pytest.raises(AssertionError, match=r"pairs-shapes: x must(.|\n)*pairs-owners: sample"):
        check_framing(Wrong())


@pytest.mark.parametrize(
    "problem",
    [
        None,
        Problem(([0, 1], [1, 0])),
        Problem((Sequence(np.zeros(3, int), np.zeros(2, int), np.ones(3, bool)),)),
    ],
    ids=["nothing", "lists", "unequal lengths"],
)
def test_a_task_without_valid_sequences_says_so_in_every_check_that_needs_them(problem):
    @task(labels="01", chance=0.5, source="none")
    def wrong(seed: int) -> Problem:
        return problem

    with pytest.raises(AssertionError) as error:
        check_task(wrong())
    lines = str(error.value).splitlines()
    needing = [line for line in lines if re.match(r"wrong-(shapes|leak|chance|lengths)", line)]
    assert len(needing) >= 2
    assert all(re.search(r": problem\(\d\) (must|train)", line) for line in needing)


@pytest.mark.parametrize("arguments", [(Healthy,), (Pairs(),), ()])
def test_other_values_than_tasks_are_refused(arguments):
    with pytest.raises(UserError, match=r"task_checks: .*Parity"):
        task_checks(*arguments)


def test_without_pytest_the_message_names_the_alternative(monkeypatch):
    real_import = builtins.__import__

    def refuse(name, *rest):
        if name == "pytest":
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"pip install pytest`, or call `check_task`"):
        task_checks(Healthy())
    with pytest.raises(UserError, match="or call `check_framing`"):
        framing_checks(Pairs())


@pytest.mark.long
def test_the_module_imports_neither_pytest_nor_tensorflow():
    script = (
        "import sys, lstm_bench.testing; sys.exit(bool({'pytest', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
