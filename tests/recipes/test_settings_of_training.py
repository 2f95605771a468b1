"""Rules of forget biases, clipped gradients, falling rates and truncated back-propagation."""

import pytest

from lstm_bench.errors import RecipeError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.sweeps._sweep import parse_sweep

WINDOW = {"framing": "window", "window": 4}


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ({"forget_bias": "chrno"}, "forget_bias", "must be a number or 'chrono', but got 'chrno'"),
        ({"forget_bias": True}, "forget_bias", "must be a number or 'chrono', but got True"),
        ({"forget_bias": float("nan")}, "forget_bias", "must be a finite number"),
        ({"forget_bias": 101}, "forget_bias", "must be at most 100"),
        ({"forget_bias": 1, "network": "gru"}, "forget_bias", "but network is gru; leave it out"),
        ({"forget_bias": "chrono"}, "longest_time", "framing=pairs have 1; give longest_time"),
        ({"forget_bias": "chrono", "framing": "window", "window": 2}, "longest_time", "have 2"),
        ({"forget_bias": "chrono", "longest_time": 2}, "longest_time", "must be at least 3"),
        ({"longest_time": 20}, "longest_time", "belongs to forget_bias=chrono, but got nothing"),
        ({"longest_time": 20, "forget_bias": 2}, "longest_time", "but got 2; leave it out"),
        ({"clip_norm": 0}, "clip_norm", "must be above 0, but got 0"),
        ({"clip_norm": float("inf")}, "clip_norm", "must be a finite number|at most"),
        ({"decay": "step"}, "decay", "must be 'linear' or 'cosine', but got 'step'"),
        ({"truncate": 0}, "truncate", "must be at least 1, but got 0"),
        ({"truncate": 1}, "truncate", "samples of framing=pairs have 1; leave it out, or use"),
        ({"truncate": 4, **WINDOW}, "truncate", "but got 4 and .* have 4; use at most 3"),
        ({"truncate": 1, "network": "mlp", "stateful": False}, "truncate", "but got mlp"),
        (
            {"truncate": 1, "bidirectional": True, "stateful": False, **WINDOW},
            "truncate",
            "use bidirectional=false, or leave truncate out",
        ),
    ],
)
def test_wrong_values_are_refused_with_the_rule_and_the_repair(settings, key, words):
    with pytest.raises(RecipeError, match=words) as caught:
        recipe("memory", **settings)
    assert [fault.key for fault in caught.value.faults] == [key]


def test_recipes_that_leave_them_out_are_what_they_were():
    chosen = recipe("memory")
    new = {"forget_bias", "longest_time", "clip_norm", "decay", "truncate"}
    assert not new & set(chosen.settings)
    assert all(getattr(chosen, key) is None for key in new)
    assert chosen.digest == "f0c8f019c50b"


def test_every_value_is_another_recipe_with_a_name_that_says_it():
    settings = {"forget_bias": "chrono", "longest_time": 50, "clip_norm": 0.5}
    chosen = recipe("memory", **WINDOW, **settings, decay="cosine", truncate=2)
    for words in ("forget bias chrono", "longest time 50", "clip norm 0.5", "decay cosine"):
        assert words in chosen.name
    assert "truncate 2" in chosen.name
    rebuilt = recipe(**chosen.settings)
    assert rebuilt == chosen and rebuilt.digest == chosen.digest
    changes = [{}, {"forget_bias": 1}, {"forget_bias": "chrono"}, {"clip_norm": 1}]
    changes += [{"forget_bias": "chrono", "longest_time": 9}]
    changes += [{"decay": "linear"}, {"decay": "cosine"}, {"truncate": 1}, {"truncate": 2}]
    digests = {recipe("memory", **WINDOW, **changed).digest for changed in changes}
    assert len(digests) == len(changes)
    assert recipe("memory", forget_bias=1).digest == recipe("memory", forget_bias=1.0).digest


def test_a_sweep_file_has_them_for_all_recipes_or_for_one():
    recipes = {
        "A": {"clip_norm": 1, "decay": "linear", "truncate": 3},
        "B": {"network": "gru"},
        "C": {"forget_bias": 2},
        "D": {"over": {"truncate": [1, 2]}},
    }
    shared = {"task": "memory", **WINDOW, "forget_bias": "chrono", "longest_time": 30}
    entries = parse_sweep("x", {**shared, "recipes": recipes}).entries
    chosen = {name: entry.recipe for name, entry in entries.items()}
    assert (chosen["A"].forget_bias, chosen["A"].longest_dependency) == ("chrono", 30)
    assert (chosen["A"].clip_norm, chosen["A"].decay, chosen["A"].truncate) == (1.0, "linear", 3)
    assert (chosen["B"].forget_bias, chosen["B"].longest_time) == (None, None)
    assert (chosen["C"].forget_bias, chosen["C"].longest_time) == (2.0, None)
    assert [chosen[name].truncate for name in chosen if name.startswith("D")] == [1, 2]


def test_training_steps_are_batches_and_updates_are_fewer_where_gradients_add_up():
    chosen = recipe("memory", epochs=5, accumulate=3)  # 8 samples, one a batch
    assert (chosen.training_steps, chosen.updates) == (40, 13)
