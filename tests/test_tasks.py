"""The sequences that were published, and what every task must keep to."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from pydantic import ValidationError

from lstm_bench.tasks import TASKS

EVERY = pytest.mark.parametrize("task", [task() for task in TASKS.values()], ids=list(TASKS))
SEEDS = range(3)


def every(problem):
    return [*problem.train, *problem.unseen]


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


def test_a_wrapped_alphabet_goes_round():
    (sequence,) = TASKS["alphabet"](wrap=True).problem(0).train
    assert sequence.cyclic and len(sequence) == 26
    assert (sequence.inputs[-1], sequence.targets[-1]) == (25, 0)


def test_random_memory_repeats_its_cue_across_random_symbols():
    task = TASKS["random_memory"](lag=12)
    problem = task.problem(4)
    for part in (problem.train, problem.unseen):
        assert Counter(int(s.inputs[0]) for s in part) == {3: 50, 4: 50}
        for sequence in part:
            assert sequence.targets[-1] == sequence.inputs[0] and len(sequence) == 12
            assert np.flatnonzero(sequence.scored).tolist() == [11]
            assert set(sequence.inputs[1:].tolist()) <= {0, 1, 2}


def test_random_memory_refuses_more_sequences_than_there_are():
    with pytest.raises(ValidationError, match=r"at most half of the 18 sequences .* got 200"):
        TASKS["random_memory"](lag=3)


def test_echo_draws_sequences_that_all_differ_and_refuses_more_than_there_are():
    task = TASKS["echo"](alphabet=2, steps=7, delay=1, train=30, unseen=30)
    for seed in range(5):
        shown = [tuple(s.inputs.tolist()) for s in every(task.problem(seed))]
        assert len(set(shown)) == 60
    with pytest.raises(ValidationError, match=r"at most half of the 16 sequences .* got 100"):
        TASKS["echo"](alphabet=2, steps=4, delay=1)


@pytest.mark.parametrize("steps", [20, 21, 300, 1000])
def test_the_chance_of_a_cumulative_sum_is_known_at_any_length(steps):
    sums = np.random.default_rng(0).random((4000, steps)).cumsum(axis=1)
    above = (sums > steps / 4).mean()
    chance = TASKS["cumulative_sum"](steps=steps).chance
    assert chance == pytest.approx(max(above, 1 - above), abs=0.01)


def test_echo_repeats_what_was_said_some_steps_ago():
    for sequence in TASKS["echo"](delay=3, steps=9).problem(1).unseen:
        assert sequence.targets[3:].tolist() == sequence.inputs[:-3].tolist()
        assert sequence.scored.tolist() == [False] * 3 + [True] * 6


def test_the_poem_is_two_verses_of_two_halves():
    task = TASKS["poem"]()
    told = ["".join(task.labels[s] for s in sequence.inputs) for sequence in task.problem(0).train]
    assert told == ["Jack Sprat", "eat no fat"]
    assert all(task.labels[s.targets[-1]] == "\n" for s in task.problem(0).train)


def test_the_series_are_the_published_values():
    (ramp,) = TASKS["ramp"]().problem(0).train
    assert ramp.inputs[:, 0] == pytest.approx(np.linspace(0.1, 1.0, 10))
    (both,) = TASKS["parallel_series"]().problem(0).train
    assert both.inputs.shape == (10, 2)
    assert both.inputs[:, 1] == pytest.approx(np.linspace(1.0, 0.1, 10))
    assert both.targets[-1] == pytest.approx([1.1, 0.0])


def test_the_cumulative_sum_turns_to_one_beyond_its_threshold_and_stays():
    task = TASKS["cumulative_sum"](steps=8)
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


# What holds for every task.


@EVERY
def test_a_seed_gives_the_same_sequences_again(task):
    for seed in SEEDS:
        first, again = task.problem(seed), type(task)().problem(seed)
        assert len(first.train) == len(again.train) > 0
        for one, other in zip(every(first), every(again), strict=True):
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
    for part in ("train", "unseen"):
        assert len({tuple(map(len, getattr(task.problem(seed), part))) for seed in SEEDS}) == 1


@EVERY
def test_what_is_unseen_is_not_among_what_is_trained_on(task):
    for seed in SEEDS:
        problem = task.problem(seed)
        seen = {sequence.inputs.tobytes() for sequence in problem.train}
        assert not seen & {sequence.inputs.tobytes() for sequence in problem.unseen}


@EVERY
def test_seeds_differ_where_there_is_something_to_draw(task):
    if not task.problem(0).unseen or task.has_naive:
        pytest.skip("a published sequence is the same for every seed")
    assert (task.problem(0).train[0].inputs != task.problem(1).train[0].inputs).any()


@EVERY
def test_inputs_targets_and_scored_steps_go_together(task):
    for seed in SEEDS:
        for sequence in every(task.problem(seed)):
            assert len(sequence) == len(sequence.targets) == len(sequence.scored) > 0
            assert sequence.scored.dtype == bool and sequence.scored.any()


@EVERY
def test_symbols_lie_within_the_alphabet_and_each_has_a_label(task):
    assert len(set(task.labels)) == len(task.labels) == task.alphabet_size
    if not task.symbolic:
        assert task.labels == ()
        return
    for seed in SEEDS:
        for sequence in every(task.problem(seed)):
            for symbols in (sequence.inputs, sequence.targets):
                assert np.issubdtype(symbols.dtype, np.integer)
                assert set(symbols.tolist()) <= set(range(task.alphabet_size))


@EVERY
def test_chance_is_the_best_answer_that_looks_at_nothing(task):
    if task.kind != "categorical":
        assert task.chance == pytest.approx(*best_constant(task))
        assert task.bar > task.chance
        return
    targets = [t for s in task.problem(0).train for t in s.targets[s.scored]]
    best = max(sum(t == answer for t in targets) for answer in range(task.alphabet_size))
    # Of random targets `chance` is the expected share; this is one sample of it, at its best.
    spread = 5 / math.sqrt(len(targets)) if task.problem(0).unseen else 1e-9
    assert task.chance == pytest.approx(best / len(targets), abs=spread)
    assert task.bar > task.chance


def best_constant(task):
    """Returns the share of steps that one constant answer gets right, and how well it is known."""
    problem = task.problem(0)
    targets = np.concatenate([s.targets[s.scored] for s in every(problem)])  # (M, K)
    if task.kind == "binary":
        ones = (targets >= 0.5).all(axis=1).mean()
        return max(ones, 1 - ones), None, 0.03
    ends = np.unique(targets, axis=0)
    answers = np.concatenate([ends, (ends[1:] + ends[:-1]) / 2])
    near = np.abs(targets - answers[:, None]) <= task.tolerance + 1e-9  # (answers, M, K)
    return near.all(axis=2).mean(axis=1).max(), None, 1e-9


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
