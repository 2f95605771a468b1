"""Published shapes, and every window derived again by slow loops over plain lists."""

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lstm_bench.recipes._framings import FRAMINGS, Framing
from lstm_bench.recipes._recipe import recipe
from lstm_bench.recipes._samples import Samples, encode
from lstm_bench.tasks import BUILT_IN
from lstm_bench.tasks._base import Problem, Sequence
from lstm_bench.testing._contract import framing_checks

PUBLISHED = {  # PROBLEMS.md: id -> (task, settings, shape of X, shape of y)
    "A1": ("memory", {}, (8, 1, 5), (8, 5)),
    "A5": ("memory", {"framing": "window", "window": 2}, (6, 2, 5), (6, 5)),
    "A6": ("memory", {"framing": "whole", "stateful": False}, (2, 4, 5), (2, 4, 5)),
    "A7": ("memory", {"framing": "prefixes", "stateful": False}, (8, 4, 5), (8, 5)),
    "B1": ("alphabet", {}, (25, 1, 1), (25, 26)),
    "B2": ("alphabet", {"framing": "feature_window", "window": 3}, (23, 1, 3), (23, 26)),
    "B3": ("alphabet", {"framing": "window", "window": 3}, (23, 3, 1), (23, 26)),
    "B5": ("alphabet", {"stateful": True, "shuffle": "none"}, (25, 1, 1), (25, 26)),
    "B6": ("alphabet", {"framing": "prefixes"}, (25, 25, 1), (25, 26)),
    "B7": ("alphabet", {"framing": "substrings"}, (1000, 5, 1), (1000, 26)),
    "C1": ("ambiguous_pair", {}, (2, 1, 3), (2, 3)),
    "C3": ("ambiguous_pair", {"framing": "whole", "batch_size": 1}, (1, 2, 3), (1, 2, 3)),
}


@pytest.mark.parametrize(("task", "settings", "x", "y"), PUBLISHED.values(), ids=PUBLISHED)
def test_samples_have_the_published_shapes(task, settings, x, y):
    samples = recipe(task, **settings).samples(0)
    assert samples.x.shape == x
    assert samples.y.shape == y
    assert samples.x.dtype == samples.y.dtype == np.float32
    assert samples.scored.all()


def test_letters_are_their_index_over_26():
    x = recipe("alphabet").samples(0).x[:, 0, 0]
    assert np.allclose(x, [k / 26 for k in range(25)], rtol=0, atol=1e-7)


# Any sequences, any framing: the same samples from loops over plain lists.

SIZE = 6


@st.composite
def sequences(draw):
    drawn = []
    for _ in range(draw(st.integers(1, 3))):
        length = draw(st.integers(3, 8))
        symbols = st.lists(st.integers(0, SIZE - 1), min_size=length, max_size=length)
        flags = st.lists(st.booleans(), min_size=length, max_size=length)
        drawn.append((draw(symbols), draw(symbols), draw(flags)))
    return drawn


ENCODINGS = st.sampled_from(["onehot", "scaled"])


def features(symbol, encoding):
    """Returns the features of one symbol, or of padding (None), as a plain list."""
    if encoding == "onehot":
        return [float(symbol == place) for place in range(SIZE)]
    return [0.0 if symbol is None else symbol / SIZE]


def scored_sequence(inputs, targets, cyclic=False):
    return Sequence(np.array(inputs), np.array(targets), np.ones(len(inputs), bool), cyclic)


def framed(name, given, encoding, seed=0, **parameters):
    items = [Sequence(np.array(i), np.array(t), np.array(s)) for i, t, s in given]
    return FRAMINGS[name](**parameters).samples(Problem(tuple(items)), SIZE, encoding, seed)


def check(samples, expected, encoding):
    """Compares samples with rows of (shown symbols, target, sequence, step, scored)."""
    shown, targets, owners, steps, scored = zip(*expected, strict=True)
    x = np.array([[features(s, encoding) for s in row] for row in shown])
    assert np.allclose(samples.x, x, rtol=0, atol=1e-6)
    assert samples.y.tolist() == [features(t, "onehot") for t in targets]
    assert samples.sequence.tolist() == list(owners)
    assert samples.step.tolist() == [[step] for step in steps]
    assert samples.scored.tolist() == [[flag] for flag in scored]
    assert len(samples) == len(expected)


@given(sequences(), ENCODINGS)
def test_pairs_show_one_step(given, encoding):
    expected = [
        ([inputs[t]], targets[t], number, t, scored[t])
        for number, (inputs, targets, scored) in enumerate(given)
        for t in range(len(inputs))
    ]
    check(framed("pairs", given, encoding), expected, encoding)


def windows(given, size):
    return [
        (inputs[t - size + 1 : t + 1], targets[t], number, t, scored[t])
        for number, (inputs, targets, scored) in enumerate(given)
        for t in range(size - 1, len(inputs))
    ]


@given(sequences(), ENCODINGS, st.integers(1, 3))
def test_windows_show_the_last_steps_one_after_another(given, encoding, size):
    check(framed("window", given, encoding, window=size), windows(given, size), encoding)


@given(sequences(), ENCODINGS, st.integers(1, 3))
def test_feature_windows_show_the_last_steps_side_by_side(given, encoding, size):
    samples = framed("feature_window", given, encoding, window=size)
    for row, (shown, *_) in zip(samples.x, windows(given, size), strict=True):
        flat = [value for symbol in shown for value in features(symbol, encoding)]
        assert row.shape == (1, len(flat))
        assert np.allclose(row[0], flat, rtol=0, atol=1e-6)
    check(framed("window", given, encoding, window=size), windows(given, size), encoding)
    assert (samples.y == framed("window", given, encoding, window=size).y).all()


@given(sequences(), ENCODINGS)
def test_prefixes_grow_and_are_padded_on_the_left_to_the_longest(given, encoding):
    longest = max(len(inputs) for inputs, _, _ in given)
    expected = [
        ([None] * (longest - 1 - t) + inputs[: t + 1], targets[t], number, t, scored[t])
        for number, (inputs, targets, scored) in enumerate(given)
        for t in range(len(inputs))
    ]
    check(framed("prefixes", given, encoding), expected, encoding)


@given(sequences(), ENCODINGS)
def test_whole_sequences_answer_at_every_step_and_are_padded_on_the_right(given, encoding):
    samples = framed("whole", given, encoding)
    steps = max(len(inputs) for inputs, _, _ in given)
    assert samples.x.shape[:2] == samples.y.shape[:2] == (len(given), steps)
    for n, (inputs, targets, scored) in enumerate(given):
        for t in range(steps):
            exists = t < len(inputs)
            symbol, target = (inputs[t], targets[t]) if exists else (None, None)
            assert np.allclose(samples.x[n, t], features(symbol, encoding), rtol=0, atol=1e-6)
            assert samples.y[n, t].tolist() == features(target, "onehot")
            assert samples.scored[n, t] == (exists and scored[t])
            assert samples.step[n, t] == (t if exists else -1)
    assert samples.sequence.tolist() == list(range(len(given)))


@given(sequences(), st.integers(1, 6), st.integers(0, 5))
def test_substrings_are_contiguous_padded_on_the_left_and_answered_by_what_follows(
    given, longest, seed
):
    # The symbols are distinct, so each sample tells from which steps it was taken.
    given = [(list(range(len(i))), t, s) for i, t, s in given]
    items = [Sequence(np.array(i), np.array(t), np.array(s)) for i, t, s in given]
    framing = FRAMINGS["substrings"](substrings=40, max_length=longest)
    samples = framing.samples(Problem(tuple(items)), 8, "onehot", seed)
    assert samples.x.shape == (40 * len(given), longest, 8)
    for n in range(len(samples)):
        number = n // 40
        inputs, targets, scored = given[number]
        shown = [row.argmax() if row.any() else None for row in samples.x[n]]
        past = [symbol for symbol in shown if symbol is not None]
        assert shown == [None] * (longest - len(past)) + past  # padding on the left alone
        assert past == inputs[past[0] : past[-1] + 1]
        assert 1 <= len(past) <= longest
        assert samples.y[n].argmax() == targets[past[-1]]
        assert samples.sequence[n] == number
        assert samples.step[n] == [past[-1]]
        assert samples.scored[n] == [scored[past[-1]]]


def test_substrings_are_drawn_as_in_the_tutorial():
    # The tutorial: start = randint(24), end = randint(start, min(start + 5, 25)), so a substring
    # has probability 1/24 times 1/(the ends that fit its start).
    settings = {"framing": "substrings", "substrings": 24_000, "encoding": "onehot"}
    samples = recipe("alphabet", **settings).samples(3)
    lengths = samples.x.any(axis=2).sum(axis=1).tolist()
    ends = samples.step[:, 0].tolist()
    drawn = Counter((end - length + 1, end) for length, end in zip(lengths, ends, strict=True))
    expected = {}
    for start in range(24):
        fitting = range(start, min(start + 5, 25))
        expected |= {(start, end): 24_000 / 24 / len(fitting) for end in fitting}
    assert set(drawn) == set(expected)
    cells = sorted(expected)
    test = stats.chisquare([drawn[c] for c in cells], [expected[c] for c in cells])
    assert test.pvalue > 0.001


def test_substrings_differ_between_seeds():
    chosen = recipe("alphabet", framing="substrings")
    assert (chosen.samples(1).x != chosen.samples(2).x).any()


@pytest.mark.parametrize("name", ["pairs", "window", "feature_window", "prefixes", "whole"])
def test_a_query_shows_the_past_as_the_training_samples_do(name):
    symbols = np.array([2, 0, 5, 1, 3])
    sequence = Sequence(symbols, symbols, np.ones(5, bool))
    framing = FRAMINGS[name]()
    samples = framing.samples(Problem((sequence,)), SIZE, "onehot", 0)
    for row, steps in zip(samples.x, samples.step, strict=True):
        past = encode(symbols[: steps[-1] + 1], SIZE, "onehot")
        assert (framing.query(past, samples.x.shape[1]) == row[None]).all()


def test_a_query_with_a_short_past_is_padded_where_the_framing_pads():
    past = encode(np.array([4]), SIZE, "onehot")
    symbol = features(4, "onehot")
    empty = [0.0] * SIZE
    assert FRAMINGS["prefixes"]().query(past, 3).tolist() == [[empty, empty, symbol]]
    assert FRAMINGS["window"](window=2).query(past, 2).tolist() == [[empty, symbol]]
    assert FRAMINGS["feature_window"](window=2).query(past, 1).tolist() == [[empty + symbol]]
    assert FRAMINGS["whole"]().query(past, 2).tolist() == [[symbol, empty]]


def test_chunks_cut_a_sequence_into_pieces_that_answer_at_every_step():
    given = [([2, 0, 5, 1], [0, 5, 1, 3], [True] * 4)]
    samples = framed("chunks", given, "onehot", chunk=2)
    assert samples.x.shape == (2, 2, SIZE)
    assert samples.x.argmax(axis=-1).tolist() == [[2, 0], [5, 1]]
    assert samples.y.argmax(axis=-1).tolist() == [[0, 5], [1, 3]]
    assert samples.step.tolist() == [[0, 1], [2, 3]]


def test_a_query_of_chunks_feeds_them_one_after_another():
    past = encode(np.array([4, 1, 2]), SIZE, "onehot")
    shown = FRAMINGS["chunks"](chunk=2).query(past, 2)
    empty = [0.0] * SIZE
    one, two, three = (features(n, "onehot") for n in (4, 1, 2))
    assert shown.tolist() == [[one, two], [three, empty]]


def test_real_values_are_features_and_targets_as_they_are():
    values = np.array([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]])
    item = Sequence(values[:-1], values[1:], np.ones(2, bool))
    samples = FRAMINGS["pairs"]().samples(Problem((item,)), 0, "raw", 0)
    assert samples.x.tolist() == values[:-1, None].tolist()
    assert samples.y.tolist() == values[1:].tolist()


@pytest.mark.parametrize("name", ["pairs", "window", "prefixes", "whole", "chunks"])
def test_unseen_sequences_come_last_and_only_they_are_evaluated(name):
    seen, unseen = (
        scored_sequence([2, 0, 5, 1, 3], [0] * 5),
        scored_sequence([1, 1, 4, 4, 2], [5] * 5),
    )
    framing = FRAMINGS[name]()
    both = framing.samples(Problem((seen,), (unseen,)), SIZE, "onehot", 0)
    alone = framing.samples(Problem((unseen,)), SIZE, "onehot", 0)
    assert both.train_count == len(both) // 2
    assert (both.x[both.train_count :] == alone.x).all()
    assert (both.y[both.train_count :] == alone.y).all()
    assert (both.evaluated[both.train_count :] == alone.scored).all()
    assert not both.evaluated[: both.train_count].any() and not both.seen[both.train_count :].any()


def test_fresh_substrings_are_drawn_apart_from_those_trained_on():
    letters = scored_sequence(range(25), range(1, 26))
    framing = FRAMINGS["substrings"](substrings=40, max_length=5, fresh=30)
    samples = framing.samples(Problem((letters,)), 26, "scaled", 3)
    same = framing.model_copy(update={"fresh": 0}).samples(Problem((letters,)), 26, "scaled", 3)
    assert samples.train_count == 40 and len(samples) == 70
    assert (samples.x[:40] == same.x).all()
    assert (samples.x[40:] != samples.x[:30]).any()


def test_substrings_of_a_cycle_go_round_its_end_at_every_length():
    letters = scored_sequence(range(4), [1, 2, 3, 0], cyclic=True)
    framing = FRAMINGS["substrings"](substrings=6000, max_length=3)
    shown = framing.indices(letters, np.random.default_rng(0))
    counts = Counter(tuple(step for step in row if step >= 0) for row in shown.tolist())
    possible = {tuple((end - back) % 4 for back in range(length)[::-1])
                for end in range(4) for length in (1, 2, 3)}  # fmt: skip
    assert set(counts) == possible
    assert stats.chisquare([counts[steps] for steps in sorted(possible)]).pvalue > 0.001


# The contract of every framing.


@framing_checks(
    *(framing() for framing in FRAMINGS.values()),
    FRAMINGS["window"](window=1),
    FRAMINGS["substrings"](substrings=7, max_length=20, fresh=4),
    FRAMINGS["chunks"](chunk=1),
)
def test_a_framing_keeps_its_contract(check):
    check()


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_framing_is_registered_under_its_name_and_counts_none_for_short_sequences(name):
    assert FRAMINGS[name].name == name
    misfits = [length for length in (1, 2, 3, 7) if FRAMINGS[name]().count(length) < 1]
    expected = {
        "window": [1, 2],
        "feature_window": [1, 2],
        "substrings": [1],
        "chunks": [1, 2, 3, 7],
    }
    assert misfits == expected.get(name, [])


@pytest.mark.parametrize("encoding", ["onehot", "scaled"])
@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("memory", {}),
        ("random_memory", {"new_each_epoch": True}),
        ("cumulative_sum", {}),
        ("parallel_series", {}),
        ("adding", {"length": 20}),
        ("embedded_reber", {}),
        ("temporal_order", {"length": 12}),
        ("parity", {"length": 3, "unseen_length": 7}),
    ],
)
def test_whole_sequences_at_once_are_those_framed_one_by_one(task, settings, encoding):
    chosen = BUILT_IN[task](**settings)
    problem, whole = chosen.problem(1), FRAMINGS["whole"]()
    for longest in (None, 40):
        arguments = problem, chosen.alphabet_size, encoding, 1, longest
        fast, slow = whole.samples(*arguments), Framing.samples(whole, *arguments)
        for field in fields(Samples):
            one, other = getattr(fast, field.name), getattr(slow, field.name)
            np.testing.assert_array_equal(one, other)
            if isinstance(one, np.ndarray):
                assert one.dtype == other.dtype and one.flags.c_contiguous


def test_masks_that_not_all_sequences_have_are_left_out():
    first = Sequence.next_symbol([0, 1, 2])
    given = Problem((first.recalled_at(-1),), (first,))
    samples = FRAMINGS["whole"]().samples(given, 3, "onehot", 0)
    assert samples.recall is None and samples.possible is None
