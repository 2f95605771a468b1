"""The sequences that were published, and what every task must keep to."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from pydantic import ValidationError

from lstm_bench.tasks import TASKS

EVERY = pytest.mark.parametrize("task", [task() for task in TASKS.values()], ids=list(TASKS))
SEEDS = range(3)


def written(sequence, labels):
    return tuple(
        " ".join(labels[symbol] for symbol in symbols)
        for symbols in (sequence.inputs, sequence.targets)
    )


# The published sequences (PROBLEMS.md, A, B and C).


def test_memory_is_the_published_pair_of_sequences():
    task = TASKS["memory"]()
    first, second = task.problem(0).train
    assert [*first.inputs, first.targets[-1]] == [3, 0, 1, 2, 3]
    assert [*second.inputs, second.targets[-1]] == [4, 0, 1, 2, 4]
    assert written(second, task.labels) == ("4 0 1 2", "0 1 2 4")
    assert task.alphabet_size == 5


def test_memory_sequences_differ_in_cue_and_recall_alone():
    for alphabet, lag in [(3, 2), (5, 9), (12, None), (4, 300)]:
        task = TASKS["memory"](alphabet=alphabet, lag=lag)
        first, second = task.problem(0).train
        steps = alphabet - 1 if lag is None else lag
        assert len(first) == len(second) == steps
        assert np.flatnonzero(first.inputs != second.inputs).tolist() == [0]
        assert np.flatnonzero(first.targets != second.targets).tolist() == [steps - 1]
        for sequence in (first, second):
            assert sequence.inputs[0] == sequence.targets[-1]
            assert (sequence.inputs[1:] == sequence.targets[:-1]).all()


def test_memory_takes_other_symbols():
    task = TASKS["memory"](symbols=tuple("abcxy"))
    assert written(task.problem(0).train[0], task.labels) == ("x a b c", "a b c x")
    with pytest.raises(ValidationError, match=r"each of the 5 symbols .* got 5 \(4 distinct\)"):
        TASKS["memory"](symbols=tuple("aabxy"))


def test_alphabet_is_the_25_published_pairs():
    task = TASKS["alphabet"]()
    (sequence,) = task.problem(0).train
    asked, answer = (text.split() for text in written(sequence, task.labels))
    assert "".join(asked) == "ABCDEFGHIJKLMNOPQRSTUVWXY"
    assert "".join(answer) == "BCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert len(sequence) == 25


def test_ambiguous_pair_asks_for_two_answers_to_one_input():
    task = TASKS["ambiguous_pair"]()
    (sequence,) = task.problem(0).train
    assert written(sequence, task.labels) == ("0 0", "1 2")
    assert task.alphabet_size == 3


# What holds for every task.


@EVERY
def test_a_seed_gives_the_same_sequences_again(task):
    for seed in SEEDS:
        first, again = task.problem(seed).train, type(task)().problem(seed).train
        assert len(first) == len(again) > 0
        for one, other in zip(first, again, strict=True):
            for name in ("inputs", "targets", "scored"):
                assert np.array_equal(getattr(one, name), getattr(other, name))


@EVERY
def test_the_global_generator_does_not_matter(task):
    np.random.seed(1)  # noqa: NPY002
    first = task.problem(0).train[0].inputs
    np.random.seed(2)  # noqa: NPY002
    assert np.array_equal(first, task.problem(0).train[0].inputs)


@EVERY
def test_the_lengths_of_the_sequences_are_the_same_for_every_seed(task):
    # A recipe is judged legal once, not once a seed.
    assert len({tuple(map(len, task.problem(seed).train)) for seed in SEEDS}) == 1


@EVERY
def test_inputs_targets_and_scored_steps_go_together(task):
    for seed in SEEDS:
        for sequence in task.problem(seed).train:
            assert len(sequence) == len(sequence.targets) == len(sequence.scored) > 0
            assert sequence.scored.dtype == bool and sequence.scored.any()


@EVERY
def test_symbols_lie_within_the_alphabet_and_each_has_a_label(task):
    assert len(set(task.labels)) == len(task.labels) == task.alphabet_size
    if task.kind != "categorical":
        return
    for seed in SEEDS:
        for sequence in task.problem(seed).train:
            for symbols in (sequence.inputs, sequence.targets):
                assert np.issubdtype(symbols.dtype, np.integer)
                assert set(symbols.tolist()) <= set(range(task.alphabet_size))


@EVERY
def test_chance_is_the_best_answer_that_looks_at_nothing(task):
    if task.kind != "categorical":
        pytest.skip("brute force over constant answers is for symbols")
    targets = [t for s in task.problem(0).train for t in s.targets[s.scored]]
    best = max(sum(t == answer for t in targets) for answer in range(task.alphabet_size))
    assert task.chance == pytest.approx(best / len(targets))
    assert task.bar > task.chance


@EVERY
def test_the_ceiling_is_reached_by_looking_the_whole_past_up(task):
    if task.kind != "categorical":
        pytest.skip("a lookup table is for symbols")
    seen, asked = defaultdict(Counter), []
    for sequence in task.problem(0).train:
        for step in np.flatnonzero(sequence.scored):
            past = tuple(sequence.inputs[: step + 1].tolist())
            seen[past][int(sequence.targets[step])] += 1
            asked.append((past, int(sequence.targets[step])))
    right = sum(seen[past].most_common(1)[0][0] == answer for past, answer in asked)
    assert right / len(asked) == pytest.approx(task.ceiling)
    assert task.bar <= task.ceiling


@EVERY
def test_a_task_is_a_frozen_value_that_refuses_unknown_parameters(task):
    assert task == type(task)() and hash(task) == hash(type(task)())
    for field in type(task).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(task, field, 3)
    with pytest.raises(ValidationError, match="colour"):
        type(task)(colour=3)


@EVERY
def test_a_task_is_registered_under_its_name_with_its_source_and_an_example(task):
    assert TASKS[task.name] is type(task)
    assert task.source
    assert "->" in type(task).__doc__ and ">>>" in type(task).__doc__
    assert isinstance(task.version, int) and task.version >= 1
