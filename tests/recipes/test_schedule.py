"""Which samples form a batch: invariants over all valid combinations of small problems."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lstm_bench.recipes._schedule import Schedule, faults

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple) | st.tuples(
    st.integers(1, 6), st.integers(1, 4)
).map(lambda pair: (pair[0],) * pair[1])
SHUFFLES = st.sampled_from(["none", "samples", "sequences"])


@st.composite
def schedules(draw, stateful=None, layout=None, reset=None):
    """Returns any valid schedule over a few short sequences."""
    lengths = draw(LENGTHS)
    size = draw(st.integers(1, sum(lengths)))
    stateful = draw(st.booleans()) if stateful is None else stateful
    layout = layout or draw(st.sampled_from(["rows", "streams"]))
    reset = reset or draw(st.sampled_from(["sequence", "epoch", "never"]))
    shuffle = draw(SHUFFLES)
    rules = {"continues": True, "recurrent": True}
    assume(not faults(lengths, size, stateful, layout, reset, shuffle, **rules))
    return Schedule(lengths, size, stateful, layout, reset, shuffle)


def positions(plan):
    """Returns (sequence, step) of every sample, counted by hand."""
    return [(s, t) for s, length in enumerate(plan.lengths) for t in range(length)]


@given(schedules(), st.integers(0, 3))
def test_every_sample_comes_exactly_once_an_epoch(plan, seed):
    index, reset = plan.epochs(np.random.default_rng(seed), 3)
    total = sum(plan.lengths)
    assert index.shape == (3, plan.batches, plan.batch_size)
    assert reset.shape == (3, plan.batches)
    for epoch in index:
        assert sorted(epoch[epoch >= 0].tolist()) == list(range(total))


@given(schedules(), st.integers(0, 3))
def test_only_the_end_of_a_last_stateless_batch_is_empty(plan, seed):
    index, _ = plan.epochs(np.random.default_rng(seed), 2)
    for epoch in index:
        empty = (epoch.ravel() < 0).tolist()
        assert empty == sorted(empty)  # all at the end
        assert sum(empty) < plan.batch_size
        assert not (plan.stateful and any(empty))


@given(schedules(stateful=False))
def test_a_stateless_schedule_resets_nothing(plan):
    assert not plan.epochs(np.random.default_rng(0), 2)[1].any()


@given(schedules(), st.integers(0, 3), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_order_does_not_depend_on_how_the_epochs_are_divided_into_calls(plan, seed, parts):
    whole = plan.epochs(np.random.default_rng(seed), sum(parts))
    rng = np.random.default_rng(seed)
    pieces = [plan.epochs(rng, part) for part in parts]
    for at in (0, 1):
        assert (whole[at] == np.concatenate([piece[at] for piece in pieces])).all()


@given(schedules())
def test_without_a_generator_the_order_is_that_of_the_data(plan):
    index, _ = plan.epochs(None, 2)
    assert (index[0] == index[1]).all()
    if not (plan.stateful and plan.layout == "streams"):
        flat = index[0].ravel()
        assert flat[flat >= 0].tolist() == list(range(sum(plan.lengths)))


@given(schedules(stateful=True, layout="streams"), st.integers(0, 3))
def test_in_streams_row_i_continues_row_i(plan, seed):
    place = positions(plan)
    index, reset = plan.epochs(np.random.default_rng(seed), 3)
    for epoch, cleared in zip(index, reset, strict=True):
        for before, after, clear in zip(epoch[:-1], epoch[1:], cleared[1:], strict=True):
            for old, new in zip(before, after, strict=True):
                (sequence, step), (next_sequence, next_step) = place[old], place[new]
                continues = (next_sequence, next_step) == (sequence, step + 1)
                # Without resets between sequences, a row may continue with another sequence.
                joins = next_sequence != sequence and next_step == 0
                assert continues or (clear if plan.reset == "sequence" else joins)


@given(schedules(stateful=True, layout="streams", reset="sequence"), st.integers(0, 3))
def test_streams_with_reset_by_sequence_never_mix_two_sequences_in_one_row(plan, seed):
    place = positions(plan)
    index, reset = plan.epochs(np.random.default_rng(seed), 2)
    for epoch, cleared in zip(index, reset, strict=True):
        starts = [*np.flatnonzero(cleared), len(cleared)]
        assert starts[0] == 0
        for first, last in itertools.pairwise(starts):
            for row in epoch[first:last].T:
                assert len({place[sample][0] for sample in row}) == 1


@given(schedules(stateful=True, layout="rows", reset="sequence"), st.integers(0, 3))
def test_rows_with_reset_by_sequence_never_mix_sequences_and_reset_at_each_start(plan, seed):
    place = positions(plan)
    index, reset = plan.epochs(np.random.default_rng(seed), 3)
    for epoch, cleared in zip(index, reset, strict=True):
        for batch, clear in zip(epoch, cleared, strict=True):
            assert len({place[sample][0] for sample in batch}) == 1
            assert clear == (place[batch[0]][1] == 0)


@given(schedules(stateful=True, layout="rows"), st.integers(0, 3))
def test_rows_take_the_samples_of_whole_sequences_in_order(plan, seed):
    index, _ = plan.epochs(np.random.default_rng(seed), 3)
    for epoch in index:
        place = [positions(plan)[sample] for sample in epoch.ravel()]
        order = list(dict.fromkeys(sequence for sequence, _ in place))
        assert place == [(s, t) for s in order for t in range(plan.lengths[s])]
        assert plan.shuffle == "sequences" or order == sorted(order)


@given(schedules(stateful=True, reset="epoch"))
def test_reset_by_epoch_clears_before_the_first_batch_alone(plan):
    _, reset = plan.epochs(np.random.default_rng(0), 2)
    assert reset.tolist() == [[True] + [False] * (plan.batches - 1)] * 2


@given(schedules(stateful=True, reset="never"))
def test_reset_never_never_clears(plan):
    assert not plan.epochs(np.random.default_rng(0), 3)[1].any()


# Worked examples, written out by hand.


def test_the_layouts_of_the_two_memory_sequences_are_those_of_the_document():
    # PROBLEMS.md: A1 one pair at a time, A2 four parallel rows of one sequence, A3 two streams.
    def batches(size, layout):
        plan = Schedule((4, 4), size, True, layout, "sequence", "none")
        index, reset = plan.epochs(None, 1)
        return index[0].tolist(), np.flatnonzero(reset[0]).tolist()

    assert batches(1, "rows") == ([[0], [1], [2], [3], [4], [5], [6], [7]], [0, 4])
    assert batches(4, "rows") == ([[0, 1, 2, 3], [4, 5, 6, 7]], [0, 1])
    assert batches(2, "streams") == ([[0, 4], [1, 5], [2, 6], [3, 7]], [0])
    assert batches(4, "streams") == ([[0, 2, 4, 6], [1, 3, 5, 7]], [0])


def test_a_full_batch_and_a_remainder():
    def batches(size):
        return Schedule((5,), size, False, "rows", "sequence", "none").epochs(None, 1)[0].tolist()

    assert batches(5) == [[[0, 1, 2, 3, 4]]]
    assert batches(2) == [[[0, 1], [2, 3], [4, -1]]]


def test_shuffled_samples_change_places_every_epoch_and_reach_every_place():
    plan = Schedule((3, 2), 2, False, "rows", "sequence", "samples")
    index = plan.epochs(np.random.default_rng(0), 2000)[0].reshape(2000, -1)[:, :5]
    counts = np.array([np.bincount(column, minlength=5) for column in index.T])
    assert np.abs(counts - 400).max() < 5 * np.sqrt(400 * 0.8)  # 5 standard deviations
    assert len({tuple(row) for row in index.tolist()}) == 120  # all 5! orders


def test_shuffled_sequences_take_every_order():
    plan = Schedule((2, 1, 1), 1, True, "rows", "sequence", "sequences")
    index = plan.epochs(np.random.default_rng(0), 300)[0][:, :, 0]
    orders = {tuple(row) for row in index.tolist()}
    blocks = [(0, 1), (2,), (3,)]
    assert orders == {sum(order, ()) for order in itertools.permutations(blocks)}


# What is refused.


def fault_messages(lengths, size=1, stateful=True, layout="rows", reset="sequence", shuffle="none",
                   continues=True, recurrent=True):  # fmt: skip
    broken = faults(lengths, size, stateful, layout, reset, shuffle, continues, recurrent)
    return {fault.key: fault.message for fault in broken}


def test_nine_samples_in_stateful_batches_of_two_are_refused_with_the_sizes_that_fit():
    # PROBLEMS.md, D2.
    message = fault_messages((9,), 2)["batch_size"]
    assert "row i of a batch continues row i of the batch before" in message
    assert "batch size 2 leaves rows that nothing continues" in message
    assert message.endswith("sizes that fit: 1, 3, 9")
    assert fault_messages((9,), 2, stateful=False) == {}


def test_stateful_with_shuffled_samples_is_refused():
    # PROBLEMS.md, D3.
    message = fault_messages((4, 4), shuffle="samples")["shuffle"]
    assert "order of time" in message and "'samples'" in message and "'sequences'" in message


def test_other_illegal_combinations_are_refused_with_rule_value_and_repair():
    assert "there are 5 samples, but got 6; use 5 or 'all'" in fault_messages((5,), 6)["batch_size"]
    assert "use 5 or 'all'" in fault_messages((5,), 6, stateful=False)["batch_size"]
    assert "only one" in fault_messages((5,), shuffle="sequences")["shuffle"]
    assert "only one" in fault_messages((5,), stateful=False, shuffle="sequences")["shuffle"]
    assert "stateful=false" in fault_messages((5,), recurrent=False)["stateful"]
    assert "framing" in fault_messages((5,), continues=False)["stateful"]
    message = fault_messages((3, 4), 2, layout="streams")["batch_size"]
    assert "[3, 4]" in message and "layout=rows" in message


def test_all_faults_are_reported_at_once():
    found = fault_messages((9,), 2, shuffle="samples", continues=False, recurrent=False)
    assert set(found) == {"batch_size", "shuffle", "stateful"}


def fills_rows(lengths, size, layout, reset):
    """Returns whether `size` rows can always be filled, by enumeration and not by arithmetic."""
    if layout == "rows":
        parts = lengths if reset == "sequence" else (sum(lengths),)
        return all(len(range(n)[at : at + size]) == size for n in parts for at in range(0, n, size))
    # Cut every sequence into the same number of equal parts and give each row equally many parts;
    # a row has whole sequences, or one part of one.
    for cuts in range(1, max(lengths) + 1):
        pieces = [n / cuts for n in lengths for _ in range(cuts)]
        even = len(set(pieces)) == 1 and pieces[0] == int(pieces[0])
        per_row = len(pieces) / size
        if even and per_row == int(per_row) >= 1 and (cuts == 1 or per_row == 1):
            return True
    return False


@given(LENGTHS, st.integers(1, 24), st.sampled_from(["rows", "streams"]),
       st.sampled_from(["sequence", "epoch", "never"]))  # fmt: skip
def test_a_stateful_batch_size_is_refused_exactly_where_rows_cannot_be_filled(
    lengths, size, layout, reset
):
    size = min(size, sum(lengths))
    found = fault_messages(lengths, size, layout=layout, reset=reset)
    assert set(found) == (set() if fills_rows(lengths, size, layout, reset) else {"batch_size"})
    if found and "sizes that fit" in found["batch_size"]:
        listed = found["batch_size"].split("sizes that fit: ")[1]
        sizes = range(1, sum(lengths) + 1)
        fitting = [n for n in sizes if fills_rows(lengths, n, layout, reset)]
        assert [int(n) for n in re.findall(r"\d+", listed)] == fitting[:12]
        assert listed.endswith("...") == (len(fitting) > 12)


@given(LENGTHS, LENGTHS, st.integers(1, 24), st.sampled_from(["rows", "streams"]),
       st.sampled_from(["sequence", "epoch", "never"]))  # fmt: skip
def test_the_sizes_that_are_offered_fit_the_unseen_sequences_too(
    lengths, unseen, size, layout, reset
):
    found = faults(lengths, size, True, layout, reset, "none", True, True, others=unseen)
    messages = [fault.message for fault in found if fault.key == "batch_size"]
    offered = [text.split("unseen sequences together: ")[1] for text in messages if "fit, " in text]
    fitting = [
        n
        for n in range(1, min(sum(lengths), sum(unseen)) + 1)
        if fills_rows(lengths, n, layout, reset) and fills_rows(unseen, n, layout, reset)
    ]
    for listed in offered:
        assert [int(n) for n in re.findall(r"\d+", listed)] == fitting[:12]
    if messages and not offered:  # rows of unequal sequences cannot run side by side
        assert "use layout=rows" in messages[0] and layout == "streams" and not fitting


@pytest.mark.parametrize("shuffle", ["none", "sequences"])
def test_all_as_batch_size_is_one_batch(shuffle):
    assert fault_messages((4, 4), "all", layout="streams", shuffle=shuffle) == {}
    assert "batch_size" in fault_messages(
        (4, 4), "all", layout="rows"
    )  # it would mix the sequences
    assert fault_messages((4, 4), "all", layout="rows", reset="epoch") == {}
