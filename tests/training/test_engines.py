"""The compiled engine against plain Keras, and both against NumPy and the loops of the tutorials.

Plain Keras takes about two seconds to trace each new network, so the ordinary run trains only a
sample of recipes in both engines: one that contains every pair of choices. A sample with every
triple is marked `slow`, the whole grid `grid` (half an hour). Both train by `train_on_batch`.
"""

import heapq
import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
from agreement import agree, agree_on_batches

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._recipe import recipe

# ---- The grid: valid combinations of these factors, with small networks.

ALPHABET = {"letters": 8, "encoding": "onehot"}
FACTORS = {
    "problem": {
        "pairs": ("memory", {"framing": "pairs"}),
        "window": ("memory", {"framing": "window", "window": 2}),
        "feature_window": ("memory", {"framing": "feature_window", "window": 2}),
        "prefixes": ("memory", {"framing": "prefixes"}),
        "whole": ("memory", {"framing": "whole"}),
        "substrings": (
            "alphabet",
            {"framing": "substrings", "substrings": 12, "max_length": 4, **ALPHABET},
        ),
        "one_sequence": ("alphabet", {"framing": "pairs", **ALPHABET}),
    },
    "state": {
        "stateless": {"stateful": False},
        "rows": {"stateful": True, "layout": "rows", "reset": "sequence"},
        "rows_epoch": {"stateful": True, "layout": "rows", "reset": "epoch"},
        "streams": {"stateful": True, "layout": "streams", "reset": "sequence"},
        "streams_never": {"stateful": True, "layout": "streams", "reset": "never"},
    },
    "batch": {str(size): {"batch_size": size} for size in (1, 2, 5, "all")},  # 5 divides nothing
    "shuffle": {way: {"shuffle": way} for way in ("none", "samples", "sequences")},
    "network": {name: {"network": name} for name in ("lstm", "gru", "simple_rnn", "mlp")},
    "optimizer": {
        "adam": {"optimizer": "adam"},
        "momentum": {"optimizer": "sgd", "momentum": 0.9},
        "rmsprop": {"optimizer": "rmsprop"},
    },
    "layers": {"one_layer": {"layers": 1}, "two_layers": {"layers": 2}},
    # 3 divides few numbers of batches: an update then joins two epochs.
    "accumulate": {"each": {"accumulate": 1}, "by_three": {"accumulate": 3}},
}
LEFT_TO_THE_LARGE_SAMPLE = {
    "pairs", "one_sequence", "window", "rows_epoch", "streams", "2", "two_layers",
}  # fmt: skip


def case(epochs, problem, *chosen):
    """Returns the recipe of one combination; raises `RecipeError` if it is not valid."""
    task, settings = FACTORS["problem"][problem]
    settings = {"units": 6, "epochs": epochs, **settings}
    for factor, value in zip(list(FACTORS)[1:], chosen, strict=True):
        settings |= FACTORS[factor][value]
    return recipe(task, **settings)


def is_valid(*chosen):
    try:
        case(1, *chosen)
    except RecipeError:
        return False
    return True


def every_combination():
    """Returns all valid combinations, in a fixed order."""
    values = list(FACTORS.values())
    # Whether a combination is valid does not depend on the last three factors.
    first = [c for c in itertools.product(*values[:5]) if is_valid(*c, "adam", "one_layer", "each")]
    return [(*c, *rest) for c in first for rest in itertools.product(*values[5:])]


def covering(combinations, strength):
    """Returns few of `combinations` that contain every valid choice for `strength` factors.

    Greedy: the next one is always the first of those that cover most of the missing choices. The
    number that a combination covers only shrinks, so an old number is a bound and few are updated.
    """
    places = list(itertools.combinations(range(len(FACTORS)), strength))
    parts = [{(at, tuple(c[i] for i in at)) for at in places} for c in combinations]
    missing, chosen = set().union(*parts), []
    bounds = [(-len(part), number) for number, part in enumerate(parts)]
    heapq.heapify(bounds)
    while missing:
        _, number = heapq.heappop(bounds)
        gain = (-len(parts[number] & missing), number)
        if bounds and gain > bounds[0]:
            heapq.heappush(bounds, gain)
            continue
        missing -= parts[number]
        chosen.append(combinations[number])
    return chosen


EVERYTHING = every_combination()
LARGE = covering(EVERYTHING, 3)
SMALL = covering([c for c in EVERYTHING if not LEFT_TO_THE_LARGE_SAMPLE & set(c)], 2)


@pytest.mark.long
@pytest.mark.parametrize("chosen", SMALL, ids="-".join)
def test_the_engines_agree_in_a_sample_with_every_pair_of_choices(chosen):
    agree(case(5, *chosen))


@pytest.mark.slow
@pytest.mark.parametrize("chosen", LARGE, ids="-".join)
def test_the_engines_agree_in_a_sample_with_every_triple_of_choices(chosen):
    agree_on_batches(case(50, *chosen))


GRID = sorted(
    (c for c in EVERYTHING if c[6:] == ("one_layer", "each")),
    key=lambda c: (c[0], c[2], c[4], c[5], c[1], c[3]),
)
"""State and shuffling change from case to case, so that neighbours share compiled programs."""
PART = 43


@pytest.mark.grid
@pytest.mark.parametrize("first", range(0, len(GRID), PART))
def test_the_engines_agree_on_the_whole_grid(first):
    """Each part runs in a new process, because Keras keeps megabytes of every model it built."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(disagreements, GRID[first : first + PART]).result() == []


def disagreements(combinations):
    """Returns the combinations on which the engines disagree, with the error."""
    errors = []
    for chosen in combinations:
        try:
            agree_on_batches(case(50, *chosen))
        except AssertionError as error:
            errors.append(("-".join(chosen), str(error)))
    return errors
