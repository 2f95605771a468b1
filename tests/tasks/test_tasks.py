"""The published sequences of each task, and the contract that every task must keep."""

import math
from collections import Counter
from functools import partial

import numpy as np
import pytest
from pydantic import ValidationError

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.testing._contract import Check, task_checks
from lstm_bench.testing._task_checks import TASK_CHECKS


def printed(sequence, labels):
    """Returns the inputs and the targets of a sequence as text."""
    return tuple(
        " ".join(labels[symbol] for symbol in symbols)
        for symbols in (sequence.inputs, sequence.targets)
    )


# The published sequences (PROBLEMS.md, A, B and C).


def test_memory_is_the_published_pair_of_sequences():
    task = BUILT_IN_TASKS["memory"]()
    first, second = task.problem(0).train
    assert [*first.inputs, first.targets[-1]] == [3, 0, 1, 2, 3]
    assert [*second.inputs, second.targets[-1]] == [4, 0, 1, 2, 4]
    assert printed(second, task.labels) == ("4 0 1 2", "0 1 2 4")
    assert task.alphabet_size == 5


def test_memory_sequences_differ_only_in_the_cue_and_its_repetition():
    for alphabet, lag in [(3, 2), (5, 9), (12, None), (4, 300)]:
        task = BUILT_IN_TASKS["memory"](alphabet=alphabet, lag=lag)
        first, second = task.problem(0).train
        steps = alphabet - 1 if lag is None else lag
        assert len(first) == len(second) == steps
        assert np.flatnonzero(first.inputs != second.inputs).tolist() == [0]
        assert np.flatnonzero(first.targets != second.targets).tolist() == [steps - 1]
        for sequence in (first, second):
            assert sequence.inputs[0] == sequence.targets[-1]
            assert (sequence.inputs[1:] == sequence.targets[:-1]).all()


def test_memory_accepts_other_symbols():
    task = BUILT_IN_TASKS["memory"](symbols=tuple("abcxy"))
    assert printed(task.problem(0).train[0], task.labels) == ("x a b c", "a b c x")
    with pytest.raises(RecipeError, match=r"each of the 5 symbols .* got 5 \(4 distinct\)"):
        BUILT_IN_TASKS["memory"](symbols=tuple("aabxy"))


def test_alphabet_is_the_25_published_pairs():
    task = BUILT_IN_TASKS["alphabet"]()
    (sequence,) = task.problem(0).train
    inputs, targets = (text.split() for text in printed(sequence, task.labels))
    assert "".join(inputs) == "ABCDEFGHIJKLMNOPQRSTUVWXY"
    assert "".join(targets) == "BCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert len(sequence) == 25


def test_ambiguous_pair_has_two_targets_for_one_input():
    task = BUILT_IN_TASKS["ambiguous_pair"]()
    (sequence,) = task.problem(0).train
    assert printed(sequence, task.labels) == ("0 0", "1 2")
    assert task.alphabet_size == 3


def test_a_wrapped_alphabet_is_cyclic():
    (sequence,) = BUILT_IN_TASKS["alphabet"](wrap=True).problem(0).train
    assert sequence.cyclic and len(sequence) == 26
    assert (sequence.inputs[-1], sequence.targets[-1]) == (25, 0)


def test_random_memory_repeats_its_cue_after_random_symbols():
    task = BUILT_IN_TASKS["random_memory"](lag=12)
    problem = task.problem(4)
    for part in (problem.train, problem.unseen):
        assert Counter(int(s.inputs[0]) for s in part) == {3: 50, 4: 50}
        for sequence in part:
            assert sequence.targets[-1] == sequence.inputs[0] and len(sequence) == 12
            assert np.flatnonzero(sequence.scored).tolist() == [11]
            assert set(sequence.inputs[1:].tolist()) <= {0, 1, 2}


def test_random_memory_refuses_more_than_half_of_the_possible_sequences():
    with pytest.raises(RecipeError, match=r"at most half of the 18 sequences .* got 200"):
        BUILT_IN_TASKS["random_memory"](lag=3)


def test_echo_draws_different_sequences_and_refuses_more_than_half_of_them():
    task = BUILT_IN_TASKS["echo"](alphabet=2, steps=7, delay=1, train=30, unseen=30)
    for seed in range(5):
        inputs = [tuple(s.inputs.tolist()) for s in task.problem(seed).sequences]
        assert len(set(inputs)) == 60
    with pytest.raises(RecipeError, match=r"at most half of the 16 sequences .* got 100"):
        BUILT_IN_TASKS["echo"](alphabet=2, steps=4, delay=1)


@pytest.mark.parametrize("steps", [20, 21, 300, 1000])
def test_the_chance_of_a_cumulative_sum_is_right_at_any_length(steps):
    sums = np.random.default_rng(0).random((4000, steps)).cumsum(axis=1)
    above = (sums > steps / 4).mean()
    chance = BUILT_IN_TASKS["cumulative_sum"](steps=steps).chance
    assert chance == pytest.approx(max(above, 1 - above), abs=0.01)


def test_echo_repeats_the_symbol_of_some_steps_ago():
    for sequence in BUILT_IN_TASKS["echo"](delay=3, steps=9).problem(1).unseen:
        assert sequence.targets[3:].tolist() == sequence.inputs[:-3].tolist()
        assert sequence.scored.tolist() == [False] * 3 + [True] * 6


def test_the_poem_is_two_verses_of_two_halves():
    task = BUILT_IN_TASKS["poem"]()
    verses = [
        "".join(task.labels[s] for s in sequence.inputs) for sequence in task.problem(0).train
    ]
    assert verses == ["Jack Sprat", "eat no fat"]
    assert all(task.labels[s.targets[-1]] == "\n" for s in task.problem(0).train)


def test_the_series_are_the_published_values():
    (ramp,) = BUILT_IN_TASKS["ramp"]().problem(0).train
    assert ramp.inputs[:, 0] == pytest.approx(np.linspace(0.1, 1.0, 10))
    (both,) = BUILT_IN_TASKS["parallel_series"]().problem(0).train
    assert both.inputs.shape == (10, 2)
    assert both.inputs[:, 1] == pytest.approx(np.linspace(1.0, 0.1, 10))
    assert both.targets[-1] == pytest.approx([1.1, 0.0])


def test_the_cumulative_sum_turns_to_one_beyond_its_threshold_and_stays():
    task = BUILT_IN_TASKS["cumulative_sum"](steps=8)
    shares = []
    for seed in range(20):
        for sequence in task.problem(seed).train:
            assert (np.diff(sequence.targets[:, 0]) >= 0).all()
            last = np.flatnonzero(sequence.targets[:, 0] == 0)
            if len(last):
                assert sequence.inputs[: last[-1] + 1].sum() <= 2.0
            shares.append(1 - sequence.targets.mean())
    below = 1 - task.chance if np.mean(shares) < 0.5 else task.chance
    assert np.mean(shares) == pytest.approx(below, abs=5 * np.std(shares) / math.sqrt(len(shares)))


# The contract of every task.


ORDINARY = {"memory", "csv"}  # both engines train on these in the default run, 3 s each


@pytest.mark.long
@task_checks(*(BUILT_IN_TASKS[name]() for name in sorted(ORDINARY)))
def test_a_task_keeps_its_contract(check):
    check()


OTHERS = [
    Check(name, task, partial(run, task))
    for task in (
        *(task() for name, task in BUILT_IN_TASKS.items() if name not in ORDINARY),
        BUILT_IN_TASKS["alphabet"](wrap=True),
        BUILT_IN_TASKS["embedded_reber"](overlap=True),
        BUILT_IN_TASKS["adding"](variant="modern"),
        BUILT_IN_TASKS["multiplication"](variant="modern", length=20),
        BUILT_IN_TASKS["temporal_order"](symbols=3, length=30),
        BUILT_IN_TASKS["long_lag"](variant="b", lag=20),
        BUILT_IN_TASKS["long_lag"](variant="c", lag=20),
        BUILT_IN_TASKS["noisy_sequences"](variant="b"),
        BUILT_IN_TASKS["noisy_sequences"](variant="c"),
        BUILT_IN_TASKS["random_memory"](new_each_epoch=True),
    )
    for name, run in TASK_CHECKS.items()
]


@pytest.mark.parametrize("check", [
    pytest.param(check, id=check.id, marks=pytest.mark.slow if check.name == "training" else ())
    for check in OTHERS
])  # fmt: skip
def test_another_task_keeps_its_contract(check):
    check()


@pytest.mark.parametrize("name", ["random_memory", "echo", "cumulative_sum"])
def test_random_tasks_have_other_sequences_for_other_seeds(name):
    task = BUILT_IN_TASKS[name]()
    assert (task.problem(0).train[0].inputs != task.problem(1).train[0].inputs).any()


@pytest.mark.parametrize("name", BUILT_IN_TASKS)
def test_a_task_is_registered_under_its_name_and_is_frozen(name):
    assert BUILT_IN_TASKS[name].name == name
    task = BUILT_IN_TASKS[name]()
    for field in BUILT_IN_TASKS[name].model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(task, field, 3)
