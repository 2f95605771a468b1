"""The standard problems of the field, against independent formulas, loops and grammars."""

import itertools
import math
import re
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from lstm_bench.errors import RecipeError, TaskError
from lstm_bench.recipes import BUILT_IN_TASKS, recipe
from lstm_bench.statistics._metrics import is_among_possible


def task(name, **parameters):
    return BUILT_IN_TASKS[name](**parameters)


def sequences(name, seed=0, epoch=1, **parameters):
    """Returns the training sequences of an epoch."""
    return task(name, **parameters).epoch_sequences(seed, epoch)


def only_last(sequence):
    return np.flatnonzero(sequence.scored).tolist() == [len(sequence) - 1]


def uniform_p_value(values, low, high):
    """Returns the p-value of a chi-square test that whole numbers are uniform in low..high."""
    assert min(values) >= low and max(values) <= high
    counts = np.bincount(np.asarray(values) - low, minlength=high - low + 1)
    return stats.chisquare(counts).pvalue


# Adding and multiplication.


@pytest.mark.parametrize("name", ["adding", "multiplication"])
def test_the_target_of_1997_is_recomputed_from_the_markers(name):
    low, neutral = (-1, 0.0) if name == "adding" else (0, 1.0)
    first_marked, lengths, others = 0, [], []
    for sequence in sequences(name, train=5000):
        values, markers = sequence.inputs.T
        assert only_last(sequence) and markers[-1] == -1 and markers[0] in (-1, 1)
        marked = np.flatnonzero(markers == 1)
        assert len(marked) == 2 and set(np.delete(markers[:-1], [0, *marked])) <= {0}
        assert low <= values.min() and values.max() <= 1
        assert marked[0] < 10 and marked[1] < 50
        if markers[0] == 1:
            first_marked += 1
            assert neutral in values[marked]
        x1, x2 = values[marked]
        expected = 0.5 + (x1 + x2) / 4 if name == "adding" else x1 * x2
        assert sequence.targets[-1, 0] == pytest.approx(expected)
        lengths.append(len(sequence))
        others += [marked[1]] if marked[1] >= 10 else []
    assert uniform_p_value(lengths, 100, 110) > 1e-4
    assert uniform_p_value(others, 10, 49) > 1e-4
    # The first of ten, or of the 49 others if it is not.
    assert stats.binomtest(first_marked, 5000, 0.1 + 0.9 / 49).pvalue > 1e-4


def test_the_modern_adding_problem_has_the_published_error_without_memory():
    drawn = sequences("adding", train=20_000, variant="modern", length=40)
    for sequence in drawn[:500]:
        marked = np.flatnonzero(sequence.inputs[:, 1] == 1)
        assert sequence.inputs[:, 1].sum() == 2 and marked[0] < 20 <= marked[1]
        assert sequence.targets[-1, 0] == pytest.approx(sequence.inputs[marked, 0].sum())
        assert len(sequence) == 40 and sequence.inputs.min() >= 0
    errors = (np.array([sequence.targets[-1, 0] for sequence in drawn]) - 1) ** 2
    assert errors.mean() == pytest.approx(1 / 6, abs=4 * errors.std() / math.sqrt(len(errors)))
    assert task("adding", variant="modern").longest is None


@pytest.mark.parametrize("variant", ["1997", "modern"])
@pytest.mark.parametrize("name", ["adding", "multiplication"])
def test_the_chance_of_two_marked_values_is_that_of_many_sequences(name, variant):
    chosen = task(name, variant=variant, length=20, train=40_000)
    targets = np.array([s.targets[-1, 0] for s in chosen.epoch_sequences(1, 1)])
    answers = np.linspace(0, 2, 201)
    shares = [(np.abs(targets - answer) <= 0.04).mean() for answer in answers]
    assert max(shares) == pytest.approx(chosen.chance, abs=0.008)


def test_the_published_rules_of_experiments_4_to_6():
    adding = task("adding").stopping_rule
    assert (adding.sequences, adding.tolerance, adding.misses) == (2000, 0.04, 0)
    assert adding.mean_error == 0.01
    rule = task("multiplication", misses_below=13).stopping_rule
    assert (rule.sequences, rule.tolerance, rule.misses, rule.mean_error) == (2000, 0.04, 12, None)
    order = task("temporal_order").stopping_rule
    assert (order.sequences, order.tolerance, order.mean_error) == (2000, 0.3, 0.1)
    tolerances = [task("long_lag", variant=v).stopping_rule.tolerance for v in "abc"]
    assert tolerances == [0.25, 0.25, 0.2]
    assert [task("long_lag", variant=v).stopping_rule.last_step for v in "abc"] == [0, 1, 0]


# Temporal order.

RANGES = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


@pytest.mark.parametrize("symbols", [2, 3])
def test_the_class_is_the_order_of_x_and_y_in_their_ranges(symbols):
    chosen = task("temporal_order", symbols=symbols, train=4000)
    classes, lengths, steps = [], [], [[] for _ in range(symbols)]
    for sequence in chosen.epoch_sequences(2, 1):
        assert (sequence.inputs.sum(axis=1) == 1).all() and sequence.inputs.shape[1] == 8
        text = "".join("EBabcdXY"[i] for i in sequence.inputs.argmax(axis=1))
        assert re.fullmatch("E[abcdXY]*B", text) and only_last(sequence)
        order = re.findall("[XY]", text)
        assert chosen.labels[sequence.targets[-1]] == "".join(order)
        for number, match in enumerate(re.finditer("[XY]", text)):
            steps[number].append(match.start())
        classes.append(sequence.targets[-1])
        lengths.append(len(sequence))
    assert len(chosen.labels) == 2**symbols
    assert uniform_p_value(classes, 0, 2**symbols - 1) > 1e-4
    assert uniform_p_value(lengths, 100, 110) > 1e-4
    for found, (low, high) in zip(steps, RANGES[symbols], strict=True):
        assert uniform_p_value(found, low, high) > 1e-4


@pytest.mark.parametrize("symbols", [2, 3])
def test_short_temporal_orders_have_all_their_relevant_symbols(symbols):
    for length in (10, 11, 15, 29, 30, 47):
        chosen = task("temporal_order", symbols=symbols, length=length, unseen=20)
        for sequence in chosen.epoch_sequences(0, 1):
            assert sequence.inputs[:, 6:].sum() == symbols
            assert len(sequence) <= chosen.longest


# The Reber grammars. This graph is written after Reber (1967).

INNER = {
    "1": {"T": "2", "P": "3"}, "2": {"S": "2", "X": "4"}, "3": {"T": "3", "V": "5"},
    "4": {"X": "3", "S": "6"}, "5": {"P": "4", "V": "6"}, "6": {"E": "end"},
}  # fmt: skip


def next_symbols(prefix):
    """Returns the symbols that can follow `prefix` of an embedded Reber string, "" at its end."""
    if len(prefix) < 3:
        return ["B", "TP", "B"][len(prefix)]
    node = "1"
    for index, symbol in enumerate(prefix[3:], 3):
        node = INNER[node][symbol]
        if node == "end":
            rest = prefix[1] + "E"
            done = prefix[index + 1 :]
            assert rest.startswith(done)
            return rest[len(done) : len(done) + 1]
    return "".join(INNER[node])


def text_of(chosen, symbols):
    return "".join(chosen.labels[symbol] for symbol in symbols)


def test_embedded_strings_follow_the_grammar_and_state_what_is_possible():
    chosen = task("embedded_reber")
    problem = chosen.problem(3)
    assert len(problem.train) == len(problem.unseen) == 256
    for sequence in problem.sequences:
        text = text_of(chosen, [*sequence.inputs, sequence.targets[-1]])
        assert next_symbols(text) == "" and 9 <= len(text) <= 50
        assert text[1:] == text_of(chosen, sequence.targets)
        for step, possible in enumerate(sequence.possible):
            found = {chosen.labels[i] for i in np.flatnonzero(possible)}
            assert found == set(next_symbols(text[: step + 1]))
        assert np.flatnonzero(sequence.recall).tolist() == [len(text) - 3]
        assert sequence.targets[-2] == sequence.inputs[1] and sequence.scored.all()


def test_embedded_strings_have_the_frequencies_of_the_grammar():
    chosen = task("embedded_reber", train=20_000, unseen=1)
    train = chosen.problem(0).train
    texts = Counter(text_of(chosen, s.inputs) for s in train)
    # B T | B T X S E | T E: one of two second symbols, then T, X and S with 1/2 each.
    assert texts["BTBTXSET"] / 20_000 == pytest.approx(1 / 16, abs=0.01)
    # 11 expected steps: 4 outside, and T or P, E, 1 + 2 + 1 + 1 at the four other nodes.
    mean = np.mean([len(s) for s in train])
    assert mean == pytest.approx(11, abs=0.2)


def test_no_unseen_string_is_trained_on_and_the_longest_is_kept():
    chosen = task("embedded_reber", longest_string=20)
    assert chosen.longest == 19
    for seed in range(3):
        problem = chosen.problem(seed)
        train = {s.inputs.tobytes() for s in problem.train}
        assert not any(s.inputs.tobytes() in train for s in problem.unseen)
        assert max(map(len, problem.sequences)) <= 19


def test_overlapping_test_strings_are_drawn_like_those_to_train_on_and_both_are_scored():
    """Short strings are frequent, so many of them are in both sets."""
    chosen = task("embedded_reber", overlap=True)
    assert chosen.scores_seen_sequences and not task("embedded_reber").scores_seen_sequences
    lengths = {"train": [], "test": []}
    for seed in range(20):
        problem = chosen.problem(seed)
        assert len(problem.train) == 256 and len(problem.unseen) == 512
        texts = [text_of(chosen, s.inputs) for s in problem.unseen]
        assert texts[:256] == [text_of(chosen, s.inputs) for s in problem.train]
        assert len(set(texts[:256]) & set(texts[256:])) >= 10
        lengths["train"] += map(len, texts[:256])
        lengths["test"] += map(len, texts[256:])
        plain = task("embedded_reber").problem(seed)
        assert texts[:256] == [text_of(chosen, s.inputs) for s in plain.train]
    assert stats.ks_2samp(*lengths.values()).pvalue > 1e-3
    assert np.mean(lengths["test"]) == pytest.approx(11, abs=0.2)


def test_a_continual_stream_is_string_after_string():
    chosen = task("continual_reber", length=60, train=200)
    for sequence in chosen.epoch_sequences(1, 4):
        text = text_of(chosen, [*sequence.inputs, sequence.targets[-1]])
        start, expected_recall = 0, []
        for step in range(1, len(text)):
            prefix = text[start:step]
            allowed = next_symbols(prefix)
            if not allowed:
                start, allowed = step, "B"
            elif len(prefix) > 3 and allowed == prefix[1] and prefix[-1] == "E":
                expected_recall.append(step - 1)
            found = {chosen.labels[i] for i in np.flatnonzero(sequence.possible[step - 1])}
            assert found == set(allowed) and text[step] in allowed
        assert np.flatnonzero(sequence.recall).tolist() == expected_recall


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("embedded_reber", {}), ("embedded_reber", {"overlap": True}), ("continual_reber", {})],
    ids=["embedded", "overlapping", "continual"],
)
def test_no_ranking_of_the_reber_symbols_is_better_than_chance(name, parameters):
    chosen = task(name, **parameters)
    parts = [chosen.problem(seed).sequences for seed in range(4)]
    rows = np.concatenate([s.possible for part in parts for s in part])
    codes, counts = np.unique(rows @ (1 << np.arange(7)), return_counts=True)
    possible = (codes[:, None] >> np.arange(7) & 1).astype(bool)
    rng, best = np.random.default_rng(0), 0.0
    rankings = [rng.permutation(7) for _ in range(300)]
    # Rankings that begin with two symbols of the grammar are the only good ones.
    rankings += [np.r_[a, b, np.setdiff1d(range(7), [a, b])]
                 for a, b in itertools.permutations(range(7), 2)]  # fmt: skip
    for ranking in rankings:
        outputs = np.zeros(7)
        outputs[ranking] = np.arange(7, 0, -1)
        right = is_among_possible(np.broadcast_to(outputs, possible.shape), possible)
        best = max(best, np.average(right, weights=counts))
    assert best == pytest.approx(chosen.chance, abs=0.005)


# Long lags.


def test_experiment_2a_is_two_sequences():
    chosen = task("long_lag", lag=6, train=10)
    problem = chosen.problem(0)
    assert not problem.unseen and chosen.epoch_sequences(0, 2) is None
    texts = Counter(" ".join(chosen.labels[i] for i in [*s.inputs, s.targets[-1]])
                    for s in problem.train)  # fmt: skip
    assert texts == {"x a1 a2 a3 a4 a5 x": 5, "y a1 a2 a3 a4 a5 y": 5}
    assert all(s.scored.all() and s.recall.sum() == 1 and s.recall[-1] for s in problem.train)


def test_experiment_2b_has_random_symbols_in_between_any_of_which_is_possible():
    chosen = task("long_lag", variant="b", lag=8, train=2000)
    between = []
    for sequence in chosen.epoch_sequences(0, 3):
        assert sequence.inputs[0] == sequence.targets[-1] and sequence.inputs[0] in (7, 8)
        assert (sequence.inputs[1:] == sequence.targets[:-1]).all() and sequence.scored.all()
        assert (sequence.possible[:-1].nonzero()[1].reshape(7, 7) == np.arange(7)).all()
        assert np.flatnonzero(sequence.possible[-1]).tolist() == [sequence.targets[-1]]
        between += sequence.inputs[1:].tolist()
    assert uniform_p_value(between, 0, 6) > 1e-4


def test_experiment_2c_ends_with_e_after_a_geometric_number_of_further_elements():
    chosen = task("long_lag", variant="c", lag=12, distractors=5, train=20_000, unseen=10)
    assert chosen.labels == ("x", "y") and not chosen.symbolic
    further, classes, elements = [], [], []
    for sequence in chosen.epoch_sequences(0, 1):
        symbols = sequence.inputs.argmax(axis=1)
        assert sequence.inputs.shape[1] == 9 and (sequence.inputs.sum(axis=1) == 1).all()
        assert symbols[0] == 0 and symbols[-1] == 1 and only_last(sequence)
        assert symbols[1] == 2 + sequence.targets[-1] and len(sequence) <= chosen.longest
        elements += symbols[2:-1].tolist()
        further.append(len(symbols) - 3 - 12)
        classes.append(sequence.targets[-1])
    assert uniform_p_value(elements, 4, 8) > 1e-4 and uniform_p_value(classes, 0, 1) > 1e-4
    assert min(further) == 0
    counts = np.bincount(further, minlength=31)[:31]
    expected = 0.1 * 0.9 ** np.arange(31)
    observed = np.r_[counts, 20_000 - counts.sum()]
    assert stats.chisquare(observed, 20_000 * np.r_[expected, 1 - expected.sum()]).pvalue > 1e-4


def test_a_variant_of_long_lag_is_chosen_by_any_way_to_set_it():
    for chosen in (recipe("long_lag", variant="c", lag=5), recipe("long_lag", lag=5)):
        other = "a" if chosen.task.variant == "c" else "c"
        changed = chosen.with_settings(chosen.settings | {"variant": other, "encoding": {
            "a": "onehot", "c": "raw"}[other]})  # fmt: skip
        assert changed.task.symbolic is (other == "a")
        assert changed.settings["task"] == chosen.settings["task"] == "long_lag"
        assert type(changed.task) is type(task("long_lag", variant=other))
    sizes = [recipe("long_lag", variant=v, lag=50).samples(0).x.shape[2] for v in "abc"]
    assert sizes == [51, 51, 54]
    assert recipe("long_lag", variant="c", lag=50).samples(0).y.shape[2] == 2


def test_too_few_sequences_to_hold_some_back_are_refused():
    with pytest.raises(TaskError, match="must differ from the 1000 unseen ones"):
        task("long_lag", variant="b", lag=3).problem(0)


# Noisy sequences.


@pytest.mark.parametrize(("variant", "values"), [("a", (1, 0)), ("b", (1, 0)), ("c", (0.2, 0.8))])
def test_noisy_sequences_have_their_class_in_the_first_values(variant, values):
    chosen = task("noisy_sequences", variant=variant, train=2000, informative=4)
    noise, first_noise, target_noise, lengths, classes = [], [], [], [], []
    problem = chosen.problem(0)
    for number, sequence in enumerate(problem.sequences):
        inputs = sequence.inputs[:, 0]
        second = inputs[:4].mean() < 0
        target = sequence.targets[-1, 0] - values[int(second)]
        assert only_last(sequence)
        noise += inputs[4:].tolist()
        lengths.append(len(inputs))
        classes.append(int(second))
        if number < 2000:
            first_noise += (inputs[:4] - (-1 if second else 1)).tolist()
            target_noise.append(target)
        else:
            assert target == pytest.approx(0)
    assert np.var(noise) == pytest.approx(0.2, rel=0.02) and abs(np.mean(noise)) < 0.01
    assert np.var(first_noise) == pytest.approx(0.0 if variant == "a" else 0.2, rel=0.06)
    assert np.var(target_noise) == pytest.approx(0.1 if variant == "c" else 0.0, rel=0.15, abs=1e-9)
    assert uniform_p_value(lengths, 100, 110) > 1e-4 and uniform_p_value(classes, 0, 1) > 1e-4
    assert chosen.tolerance == (0.1 if variant == "c" else 0.2) and len(problem.unseen) == 256


def test_informative_values_fit_into_the_sequence():
    with pytest.raises(RecipeError, match="informative must be at most length=5"):
        task("noisy_sequences", length=5, informative=6)


# Copy.


def test_copied_symbols_come_after_the_delimiter():
    chosen = task("copy", blanks=30, train=3000)
    symbols = []
    for sequence in chosen.epoch_sequences(0, 1):
        inputs, targets = (text_of(chosen, s) for s in (sequence.inputs, sequence.targets))
        assert re.fullmatch("[0-7]{10}_{29}:_{10}", inputs)
        assert targets == "_" * 40 + inputs[:10]
        assert sequence.scored.all()
        assert np.flatnonzero(sequence.recall).tolist() == [*range(40, 50)]
        symbols += sequence.inputs[:10].tolist()
    assert uniform_p_value(symbols, 0, 7) > 1e-4


@pytest.mark.parametrize("blanks", [1, 100])
def test_the_cross_entropy_without_memory_is_the_published_one(blanks):
    chosen = task("copy", blanks=blanks)
    entropy = []
    for sequence in chosen.problem(0).unseen:
        outputs = np.full((len(sequence), 10), 1e-12)
        outputs[:-10, 8], outputs[-10:, :8] = 1, 1 / 8
        entropy.append(-np.log(outputs[np.arange(len(sequence)), sequence.targets]).mean())
    assert np.mean(entropy) == pytest.approx(10 * math.log(8) / (blanks + 20))


def test_copy_counts_as_solved_with_one_wrong_in_a_hundred_recalled_symbols():
    chosen = task("copy", blanks=50, unseen=100)
    steps, recalled = 100 * 70, 100 * 10
    assert chosen.bar == pytest.approx((steps - recalled / 100) / steps)


def test_no_sequence_of_a_later_epoch_is_unseen():
    chosen = task("copy", copied=3, symbols=4, train=200, unseen=30)
    unseen = {s.inputs.tobytes() for s in chosen.problem(5).unseen}
    for epoch in range(1, 20):
        drawn = chosen.epoch_sequences(5, epoch)
        assert len(drawn) == 200 and not any(s.inputs.tobytes() in unseen for s in drawn)


# Parity.


def test_parity_is_that_of_all_bits_and_unseen_sequences_are_longer():
    problem = task("parity", length=10, unseen_length=16).problem(2)
    for sequence in problem.sequences:
        odd = False
        for bit in sequence.inputs:
            odd ^= bool(bit)
        assert sequence.targets[-1] == odd and only_last(sequence)
    assert Counter(map(len, problem.train)) == dict.fromkeys(range(1, 11), 100)
    assert set(map(len, problem.unseen)) == set(range(11, 17))
    assert np.mean([s.inputs.mean() for s in problem.unseen]) == pytest.approx(0.5, abs=0.03)
    with pytest.raises(RecipeError, match="unseen_length must be more than length=40"):
        task("parity", unseen_length=40)


def test_the_samples_of_an_epoch_are_as_wide_as_the_longer_unseen_ones():
    chosen = recipe("parity", length=4, unseen_length=9, train=20, unseen=10)
    assert chosen.epoch_samples(0, 2).x.shape == (20, 9, 2)
    assert chosen.samples(0).x.shape == (30, 9, 2)


# All of them.

FRESH = [
    "adding", "multiplication", "temporal_order", "continual_reber", "noisy_sequences", "copy",
    "parity",
]  # fmt: skip


@pytest.mark.parametrize("name", FRESH)
def test_seeds_and_epochs_have_other_sequences(name):
    small = task(name, train=20, unseen=20)
    drawn = [small.epoch_sequences(seed, epoch) for seed in range(3) for epoch in range(1, 5)]
    inputs = [b"".join(s.inputs.tobytes() for s in one) for one in drawn]
    assert len(set(inputs)) == 12
    assert small.problem(0).unseen[0].inputs.tobytes() not in inputs[0]


def test_a_million_sequences_are_drawn_and_encoded_in_half_a_minute():
    """The bound is wide: a busy machine must not fail it."""
    import time

    chosen = recipe("temporal_order")
    chosen.epoch_samples(0, 1)
    start = time.process_time()
    for epoch in range(2, 7):
        chosen.epoch_samples(0, epoch)
    assert time.process_time() - start < 5 * 0.03 * 4
