"""Which recipes follow a search: finalists, ablations, switches turned over."""

import numpy as np
import pytest

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.search._follow_up import (
    FinishedTrial,
    ablation_recipes,
    select_finalists,
    switched_recipes,
)
from lstm_bench.search._space import space
from lstm_bench.seeds import stream
from lstm_bench.sweeps._sweep import Search

MEMORY = recipe("memory")


def told(number, scores, cost=1.0, units=None, solved=None):
    scores = np.array(scores, float)
    chosen = recipe("memory", units=number + 1 if units is None else units)
    return FinishedTrial(number, chosen, scores, scores == 1 if solved is None else solved, cost)


def numbers(found):
    return [each.number for each in found]


def test_the_best_come_first_and_of_equals_the_cheaper():
    trials = [
        told(0, [0.5, 0.5]),
        told(1, [1.0, 0.8], cost=9),
        told(2, [0.9, 0.9], cost=3),
        told(3, [0.2, 0.2]),
        told(4, [0.9, 0.9], cost=3),
    ]
    assert numbers(select_finalists(trials, 3, seeds=2)) == [2, 4, 1]
    assert numbers(select_finalists(trials, 99, seeds=2)) == [2, 4, 1, 0, 3]
    assert select_finalists(trials, 0, seeds=2) == select_finalists([], 3, seeds=2) == []


def test_who_was_stopped_or_failed_is_no_finalist_and_nobody_is_one_twice():
    trials = [
        told(0, [1.0]),
        told(1, [0.5, 0.6]),
        told(2, [np.nan, 1.0]),
        told(3, [0.5, 0.6], units=2),
    ]
    assert numbers(select_finalists(trials, 5, seeds=2)) == [1]
    assert numbers(select_finalists(trials[::-1], 5, seeds=2)) == [1]


def test_the_cheapest_that_solve_are_finalists_too():
    all_of = np.ones(16)
    trials = [
        told(0, all_of, cost=50),
        told(1, all_of, cost=40),
        told(2, np.repeat([1.0, 0.9], [15, 1]), cost=1),  # 15 of 16: surely 72 % and no more
        told(3, all_of - 0.01, cost=20, solved=all_of == 1),
        told(4, all_of - 0.02, cost=30, solved=all_of == 1),
        told(5, all_of - 0.5, cost=10),
    ]
    # 16 of 16 is the least that clears 80 %: 16 / (16 + 1.96²) = 0.806.
    assert numbers(select_finalists(trials, 2, seeds=16)) == [1, 0, 3, 4]
    assert numbers(select_finalists(trials, 1, seeds=16, bar=0.7)) == [1, 2]
    assert numbers(select_finalists(trials, 2, seeds=16, bar=0.9)) == [1, 0]
    assert numbers(select_finalists(trials, 4, seeds=16))[:4] == [1, 0, 2, 3]


def test_where_all_recipes_are_equal_only_the_search_score_of_the_winner_is_biased():
    """Twenty recipes that each solve half of their seeds, in 200 searches of ten seeds each."""
    rng = stream(1, "simulation")
    recipes = [recipe("memory", units=units) for units in range(1, 21)]
    searched, fresh = [], []
    for _ in range(200):
        solved = rng.random((20, 10)) < 0.5
        trials = [
            FinishedTrial(number, each, row.astype(float), row, float(number))
            for number, (each, row) in enumerate(zip(recipes, solved, strict=True))
        ]
        winner = select_finalists(trials, 1, seeds=10)[0]
        searched.append(winner.mean)
        fresh.append((rng.random(10) < 0.5).mean())  # what the winner does on other seeds
    off = [np.mean(scores) - 0.5 for scores in (searched, fresh)]
    error = [np.std(scores, ddof=1) / np.sqrt(200) for scores in (searched, fresh)]
    assert off[0] > 0.2 and off[0] > 10 * error[0]
    assert abs(off[1]) < 2 * error[1]


def test_each_setting_is_put_back_alone():
    simplest = recipe("memory", units=5, epochs=40, optimizer="sgd", momentum=0.9)
    found = {key: (value, made) for key, value, made in ablation_recipes(simplest, MEMORY)}
    assert set(found) == {"units", "epochs", "optimizer", "learning_rate"}
    assert found["units"] == (20, recipe(**simplest.settings | {"units": 20}))
    assert found["epochs"][0] == 250
    # The other optimizer comes with its own rate, and without the momentum.
    assert found["optimizer"] == ("adam", recipe("memory", units=5, epochs=40))
    assert found["learning_rate"][1].momentum == 0.9
    assert ablation_recipes(MEMORY, MEMORY) == []


def test_what_belongs_to_a_setting_is_put_back_with_it():
    simplest = recipe("memory", framing="whole", stateful=False, network="conv1d", kernel_size=2)
    reference = recipe("memory", framing="window", window=2, layout="streams", batch_size=2)
    found = {key: made for key, _, made in ablation_recipes(simplest, reference)}
    assert list(found) == ["framing", "network", "batch_size", "stateful"]
    assert (found["framing"].framing.name, found["framing"].framing.window) == ("window", 2)
    assert found["network"] == recipe("memory", framing="whole", stateful=False)
    assert found["stateful"].startswith("stateful: this network keeps no state")
    back = {key: (value, made) for key, value, made in ablation_recipes(reference, simplest)}
    assert back["stateful"] == (
        False, recipe("memory", framing="window", window=2, batch_size=2, stateful=False)
    )  # fmt: skip
    assert back["framing"][1].framing.name == "whole"
    assert back["network"][1].startswith("stateful: this network keeps no state")


def test_what_belongs_to_an_equal_setting_is_put_back_alone():
    simplest = recipe("memory", framing="window", window=2, reset="never")
    reference = recipe("memory", framing="window", window=3, layout="streams")
    found = {key: made.settings for key, _, made in ablation_recipes(simplest, reference)}
    assert list(found) == ["window", "layout", "reset"]
    assert (found["window"]["window"], found["window"]["reset"]) == (3, "never")
    assert (found["reset"]["window"], found["reset"]["reset"]) == (2, "sequence")


def test_an_output_is_put_back_with_its_loss():
    softmax = recipe("memory", loss="categorical_crossentropy")
    assert [(key, value) for key, value, _ in ablation_recipes(softmax, MEMORY)] == [
        ("loss", "binary_crossentropy")
    ]
    assert ablation_recipes(softmax, MEMORY)[0][2] == MEMORY


def test_what_the_reference_leaves_open_is_left_open():
    ((key, value, made),) = ablation_recipes(recipe("memory", lag=6), MEMORY)
    assert (key, value, made) == ("lag", None, MEMORY)


def test_a_reference_of_another_task_is_refused():
    with pytest.raises(RecipeError, match=r"search\.ablate: .*task memory, but is of alphabet"):
        ablation_recipes(MEMORY, recipe("alphabet"))


PARTS = {
    "stateful": (True, False),
    "layout": ("streams", "rows"),
    "reset": ("never",),
    "shuffle": ("none", "samples", "sequences"),
    "framing": ("pairs", "window", "prefixes"),
    "window": (9, 2, 3),
    "units": (20,),
}


def flipped(contexts, switches, parts=None, **fixed):
    offered = Search(space=parts or PARTS)
    return switched_recipes(contexts, switches, space(offered, {"task": "memory"} | fixed))


def test_a_switch_is_set_to_each_of_its_other_values():
    context = recipe("memory", stateful=False)
    found = flipped([context], ["shuffle"])
    assert [(place, key, value) for place, key, value, _ in found] == [
        (0, "shuffle", "samples"), (0, "shuffle", "sequences"),
    ]  # fmt: skip
    for _, key, value, made in found:
        assert made == recipe(**context.settings | {key: value})


def test_what_belongs_to_the_new_value_is_taken_from_the_space():
    context = recipe("memory", stateful=False)
    (_, _, _, made), = flipped([context], ["stateful"])  # fmt: skip
    assert (made.stateful, made.layout, made.reset) == (True, "streams", "never")
    found = {value: made for _, _, value, made in flipped([context], ["framing"])}
    assert found["window"].framing.window == 2  # 9 is longer than the sequence
    assert found["prefixes"] == recipe("memory", stateful=False, framing="prefixes")


def test_what_belongs_to_the_new_value_is_taken_from_what_is_fixed():
    parts = {"stateful": (True, False), "optimizer": ("adam", "sgd")}
    found = flipped([recipe("memory", stateful=False)], list(parts), parts,
                    layout="streams", momentum=0.7)  # fmt: skip
    assert [each[1:3] for each in found] == [("stateful", True), ("optimizer", "sgd")]
    assert found[0][3].layout == "streams" and found[0][3].reset == "sequence"
    assert found[1][3].momentum == 0.7


def test_what_is_illegal_or_does_not_apply_is_left_out():
    stateful = recipe("memory", framing="window", window=2)
    keys = ["shuffle", "framing", "window"]
    found = [(key, value) for _, key, value, _ in flipped([stateful], keys)]
    # No shuffled samples and no prefixes with a kept state; the window of 9 does not fit.
    assert found == [("shuffle", "sequences"), ("framing", "pairs"), ("window", 3)]
    assert flipped([recipe("memory")], ["window"]) == []


def test_a_pair_of_recipes_is_flipped_once():
    one, other = recipe("memory", stateful=False), recipe("memory", reset="never", layout="streams")
    found = flipped([one, other, one], ["stateful"])
    assert [(place, value) for place, _, value, _ in found] == [(0, True)]
    assert found[0][3] == other


def test_a_switch_that_is_not_in_the_space_is_refused():
    with pytest.raises(RecipeError, match=r"search\.switches: .*'statefull'.*'stateful'"):
        flipped([MEMORY], ["statefull"])
