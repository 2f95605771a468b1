"""The recipes that follow a search: finalists, ablations and switched recipes."""

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
from lstm_bench.search._space import build_space
from lstm_bench.seeds import stream
from lstm_bench.sweeps._search import Search

MEMORY = recipe("memory")


def finished_trial(number, scores, cost=1.0, units=None, solved=None):
    scores = np.array(scores, float)
    proposed = recipe("memory", units=number + 1 if units is None else units)
    return FinishedTrial(number, proposed, scores, scores == 1 if solved is None else solved, cost)


def numbers(trials):
    return [trial.number for trial in trials]


def test_a_longest_time_goes_back_with_what_it_depends_on():
    gru = recipe("memory", network="gru", units=5)
    chrono = recipe("memory", units=5, forget_bias="chrono", longest_time=30)
    ((key, _, ablated),) = ablation_recipes(gru, chrono)
    assert (key, ablated) == ("network", chrono)
    plain = recipe("memory", units=5)
    ((key, _, ablated),) = ablation_recipes(chrono, plain)
    assert (key, ablated) == ("forget_bias", plain)


def test_the_best_come_first_and_ties_go_to_the_cheaper():
    trials = [
        finished_trial(0, [0.5, 0.5]),
        finished_trial(1, [1.0, 0.8], cost=9),
        finished_trial(2, [0.9, 0.9], cost=3),
        finished_trial(3, [0.2, 0.2]),
        finished_trial(4, [0.9, 0.9], cost=3),
    ]
    assert numbers(select_finalists(trials, 3, seeds=2)) == [2, 4, 1]
    assert numbers(select_finalists(trials, 99, seeds=2)) == [2, 4, 1, 0, 3]
    assert select_finalists(trials, 0, seeds=2) == select_finalists([], 3, seeds=2) == []


def test_stopped_failed_and_repeated_trials_are_no_finalists():
    trials = [
        finished_trial(0, [1.0]),
        finished_trial(1, [0.5, 0.6]),
        finished_trial(2, [np.nan, 1.0]),
        finished_trial(3, [0.5, 0.6], units=2),
    ]
    assert numbers(select_finalists(trials, 5, seeds=2)) == [1]
    assert numbers(select_finalists(trials[::-1], 5, seeds=2)) == [1]


def test_the_cheapest_recipes_that_solve_the_task_are_finalists_too():
    perfect = np.ones(16)
    trials = [
        finished_trial(0, perfect, cost=50),
        finished_trial(1, perfect, cost=40),
        finished_trial(
            2, np.repeat([1.0, 0.9], [15, 1]), cost=1
        ),  # 15 of 16: the interval starts at 72 %
        finished_trial(3, perfect - 0.01, cost=20, solved=perfect == 1),
        finished_trial(4, perfect - 0.02, cost=30, solved=perfect == 1),
        finished_trial(5, perfect - 0.5, cost=10),
    ]
    # It takes 16 of 16 for the interval to start above 80 %: 16 / (16 + 1.96²) = 0.806.
    assert numbers(select_finalists(trials, 2, seeds=16)) == [1, 0, 3, 4]
    assert numbers(select_finalists(trials, 1, seeds=16, bar=0.7)) == [1, 2]
    assert numbers(select_finalists(trials, 2, seeds=16, bar=0.9)) == [1, 0]
    assert numbers(select_finalists(trials, 4, seeds=16))[:4] == [1, 0, 2, 3]


@pytest.mark.long
def test_where_all_recipes_are_equal_only_the_search_score_of_the_winner_is_biased():
    """200 searches of 20 recipes with ten seeds; every recipe solves each seed with chance 1/2."""
    rng = stream(1, "simulation")
    recipes = [recipe("memory", units=units) for units in range(1, 21)]
    searched, fresh = [], []
    for _ in range(200):
        solved = rng.random((20, 10)) < 0.5
        trials = [
            FinishedTrial(number, proposed, row.astype(float), row, float(number))
            for number, (proposed, row) in enumerate(zip(recipes, solved, strict=True))
        ]
        winner = select_finalists(trials, 1, seeds=10)[0]
        searched.append(winner.mean)
        fresh.append((rng.random(10) < 0.5).mean())  # the winner on other seeds
    bias = [np.mean(scores) - 0.5 for scores in (searched, fresh)]
    error = [np.std(scores, ddof=1) / np.sqrt(200) for scores in (searched, fresh)]
    assert bias[0] > 0.2 and bias[0] > 10 * error[0]
    assert abs(bias[1]) < 2 * error[1]


def test_each_differing_setting_is_replaced_alone():
    simplest = recipe("memory", units=5, epochs=40, optimizer="sgd", momentum=0.9)
    ablations = {
        key: (value, ablated) for key, value, ablated in ablation_recipes(simplest, MEMORY)
    }
    assert set(ablations) == {"units", "epochs", "optimizer", "learning_rate"}
    assert ablations["units"] == (20, recipe(**simplest.settings | {"units": 20}))
    assert ablations["epochs"][0] == 250
    # The other optimizer comes with its default rate, and without the momentum.
    assert ablations["optimizer"] == ("adam", recipe("memory", units=5, epochs=40))
    assert ablations["learning_rate"][1].momentum == 0.9
    assert ablation_recipes(MEMORY, MEMORY) == []


def test_settings_that_depend_on_a_setting_are_replaced_with_it():
    simplest = recipe("memory", framing="whole", stateful=False, network="conv1d", kernel_size=2)
    reference = recipe("memory", framing="window", window=2, layout="streams", batch_size=2)
    ablations = {key: ablated for key, _, ablated in ablation_recipes(simplest, reference)}
    assert list(ablations) == ["framing", "network", "batch_size", "stateful"]
    framing = ablations["framing"].framing
    assert (framing.name, framing.window) == ("window", 2)
    assert ablations["network"] == recipe("memory", framing="whole", stateful=False)
    assert ablations["stateful"].startswith("stateful: this network keeps no state")
    reverse = {
        key: (value, ablated) for key, value, ablated in ablation_recipes(reference, simplest)
    }
    assert reverse["stateful"] == (
        False, recipe("memory", framing="window", window=2, batch_size=2, stateful=False)
    )  # fmt: skip
    assert reverse["framing"][1].framing.name == "whole"
    assert reverse["network"][1].startswith("stateful: this network keeps no state")


def test_settings_that_depend_on_an_equal_setting_are_replaced_alone():
    simplest = recipe("memory", framing="window", window=2, reset="never")
    reference = recipe("memory", framing="window", window=3, layout="streams")
    ablations = {key: ablated.settings for key, _, ablated in ablation_recipes(simplest, reference)}
    assert list(ablations) == ["window", "layout", "reset"]
    assert (ablations["window"]["window"], ablations["window"]["reset"]) == (3, "never")
    assert (ablations["reset"]["window"], ablations["reset"]["reset"]) == (2, "sequence")


def test_an_output_is_replaced_with_its_loss():
    softmax = recipe("memory", loss="categorical_crossentropy")
    assert [(key, value) for key, value, _ in ablation_recipes(softmax, MEMORY)] == [
        ("loss", "binary_crossentropy")
    ]
    assert ablation_recipes(softmax, MEMORY)[0][2] == MEMORY


def test_a_setting_that_the_reference_leaves_unset_is_unset():
    assert ablation_recipes(recipe("memory", lag=6), MEMORY) == [("lag", None, MEMORY)]


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


def switched(contexts, switches, parts=None, **fixed):
    search = Search(space=parts or PARTS)
    return switched_recipes(contexts, switches, build_space(search, {"task": "memory"} | fixed))


def test_a_switch_is_set_to_each_of_its_other_values():
    context = recipe("memory", stateful=False)
    items = switched([context], ["shuffle"])
    assert [(index, key, value) for index, key, value, _ in items] == [
        (0, "shuffle", "samples"), (0, "shuffle", "sequences"),
    ]  # fmt: skip
    for _, key, value, changed in items:
        assert changed == recipe(**context.settings | {key: value})


def test_settings_that_depend_on_the_new_value_are_taken_from_the_space():
    context = recipe("memory", stateful=False)
    (_, _, _, changed), = switched([context], ["stateful"])  # fmt: skip
    assert (changed.stateful, changed.layout, changed.reset) == (True, "streams", "never")
    items = {value: changed for _, _, value, changed in switched([context], ["framing"])}
    assert items["window"].framing.window == 2  # 9 is longer than the sequence
    assert items["prefixes"] == recipe("memory", stateful=False, framing="prefixes")


def test_settings_that_depend_on_the_new_value_are_taken_from_the_fixed_ones():
    parts = {"stateful": (True, False), "optimizer": ("adam", "sgd")}
    items = switched([recipe("memory", stateful=False)], list(parts), parts,
                     layout="streams", momentum=0.7)  # fmt: skip
    assert [item[1:3] for item in items] == [("stateful", True), ("optimizer", "sgd")]
    assert items[0][3].layout == "streams" and items[0][3].reset == "sequence"
    assert items[1][3].momentum == 0.7


def test_illegal_recipes_and_switches_that_do_not_apply_are_left_out():
    stateful = recipe("memory", framing="window", window=2)
    keys = ["shuffle", "framing", "window"]
    items = [(key, value) for _, key, value, _ in switched([stateful], keys)]
    # No shuffled samples and no prefixes with a kept state; the window of 9 does not fit.
    assert items == [("shuffle", "sequences"), ("framing", "pairs"), ("window", 3)]
    assert switched([recipe("memory")], ["window"]) == []


def test_a_pair_of_recipes_is_compared_once():
    one, other = recipe("memory", stateful=False), recipe("memory", reset="never", layout="streams")
    items = switched([one, other, one], ["stateful"])
    assert [(index, value) for index, _, value, _ in items] == [(0, True)]
    assert items[0][3] == other


def test_a_switch_that_is_not_in_the_space_is_refused():
    with pytest.raises(RecipeError, match=r"search\.switches: .*'statefull'.*'stateful'"):
        switched([MEMORY], ["statefull"])
