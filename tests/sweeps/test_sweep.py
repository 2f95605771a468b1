"""Sweep files: how they are read and inherit, and errors with the file and every wrong key."""

import pytest

from lstm_bench.errors import SweepError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.sweeps._entries import TOP_KEYS
from lstm_bench.sweeps._sweep import _SWEEP_KEYS, find_sweep, load_sweep
from lstm_bench.tracking._definition import compare_definitions, search_definition

FIXED = """
title: The memory problem
task: memory
epochs: 20
seeds: 3
first_seed: 5
recipes:
  A1: {published: all 8 steps right, accuracy: 1.0, note: a note}
  A2: {base: A1, batch_size: 4}
  A5: {base: A2, batch_size: 1, framing: window, window: 2}
  A6: {base: A5, framing: whole, stateful: false}
"""

SEARCH = """
task: memory
epochs: 10
search:
  trials: 4
  sampler: random
  space:
    units: {int: [4, 32], log: true}
    learning_rate: {float: [1e-4, 1e-1], log: true}
    stateful: [true, false]
    batch_size: [1, 2, all]
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="memory.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path, overrides=()):
    """Returns the message with which a sweep file is refused."""
    with pytest.raises(SweepError) as caught:
        load_sweep(path, overrides)
    message = str(caught.value)
    assert str(path) in message
    return message


def test_a_sweep_of_fixed_recipes(written):
    sweep = load_sweep(written(FIXED))
    assert (sweep.name, sweep.title) == ("memory", "The memory problem")
    assert sweep.seed_list == [5, 6, 7]
    assert list(sweep.entries) == ["A1", "A2", "A5", "A6"]
    first = sweep.entries["A1"]
    assert (first.published, first.accuracy, first.note) == ("all 8 steps right", 1.0, "a note")
    assert first.recipe == recipe("memory", epochs=20)


def test_a_recipe_inherits_the_settings_of_its_base_and_not_its_published_figures(written):
    entries = load_sweep(written(FIXED)).entries
    assert entries["A2"].recipe == recipe("memory", epochs=20, batch_size=4)
    assert (entries["A2"].published, entries["A2"].accuracy) == ("", None)
    assert entries["A5"].recipe == recipe("memory", epochs=20, framing="window", window=2)


def test_a_changed_framing_drops_the_inherited_parameters_of_the_old_one(written):
    whole = load_sweep(written(FIXED)).entries["A6"].recipe
    assert whole == recipe("memory", epochs=20, framing="whole", stateful=False)


def test_a_sweep_with_a_search(written):
    search = load_sweep(written(SEARCH)).search
    assert (search.trials, search.sampler, search.objective) == (4, "random", "accuracy")
    assert search.space["units"].bounds == (4, 32) and search.space["units"].log
    assert search.space["learning_rate"].bounds == (1e-4, 1e-1)
    assert search.space["stateful"] == (True, False)
    assert search.space["batch_size"] == (1, 2, "all")


def test_overrides_change_the_settings_of_the_file(written):
    sweep = load_sweep(written(FIXED), ["seeds=2", "epochs=7", "recipes.A1.units=9"])
    assert sweep.seed_list == [5, 6]
    assert sweep.entries["A1"].recipe == recipe("memory", epochs=7, units=9)
    assert sweep.entries["A2"].recipe.units == 9


def test_small_floats_are_numbers(written):
    # Plain PyYAML reads 1e-4 as text.
    sweep = load_sweep(written("task: memory\nrecipes: {a: {learning_rate: 1e-4}}"))
    assert sweep.entries["a"].recipe.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("task: memory\nrecipes: {a: {unit: 3}}", ["recipes.a.unit", "did you mean 'units'"]),
        ("task: memory\nrecipes: {a: {units: x}}", ["recipes.a.units", "'x'"]),
        ("task: memory\nrecipes: {a: {base: b}, b: {}}", ["recipes.a.base", "'b'"]),
        ("task: memory\nrecipes: {a: 3}", ["recipes.a", "mapping", "3"]),
        ("task: memory\nrecipes: [1, 2]", ["recipes", "[1, 2]"]),
        ("task: memori\nrecipes: {a: {}}", ["recipes.a.task", "did you mean 'memory'"]),
        ("recipes: {a: {}}", ["recipes.a.task", "memory"]),
        ("task: memory\nbatch_size: 3\nrecipes: {a: {}}", ["recipes.a.batch_size", "1, 2, 4"]),
        ("task: memory\nrecipes: {a: {accuracy: high}}", ["recipes.a.accuracy", "'high'"]),
        ("task: memory", ["recipes", "neither"]),
        ("task: memory\nrecipes:", ["recipes: a sweep needs recipes, a search, or both"]),
        ("task: memory\nrecipes: {'': {}}", ["recipes", "must be a word, but got ''"]),
        ("task: memory\nrecipes: {yes: {}}", ["line 2: a name must be text", "reads yes as True"]),
        (
            "task: memory\nrecipes: {trial-0: {}}\nsearch: {space: {units: [1]}}",
            ["the id 'trial-0' is reserved for the recipes of the search; rename it"],
        ),
        (
            "task: memory\nrecipes: {A-again: {}}\nsearch: {space: {units: [1]}}",
            ["the id 'A-again' is reserved"],
        ),
        ("task: memory\nseeds: 0\nrecipes: {a: {}}", ["seeds", "got 0"]),
        ("task: memory\nrecipes: {a: {seed: 3}}", ["recipes.a.seed"]),
        ("task: memory\nsearch: {space: {unit: [1, 2]}}", ["search.space.unit", "'units'"]),
        ("task: memory\nsearch: {space: {seed: [1, 2]}}", ["search.space.seed"]),
        ("task: memory\nsearch: {space: {units: [1, 1]}}", ["search.space.units", "distinct"]),
        ("task: memory\nsearch: {space: {units: []}}", ["search.space.units"]),
        ("task: memory\nsearch: {space: {}}", ["search.space", "1 or more items, but got {}"]),
        ("task: memory\nsearch: {trials: 0, space: {units: [1]}}", ["search.trials", "got 0"]),
        ("task: memory\nsearch: {colour: 1, space: {units: [1]}}", ["search.colour"]),
        ("task: memory\nsearch: {sampler: magic, space: {units: [1]}}", ["search.sampler", "tpe"]),
        ("task: memory\nunits: 3\nsearch: {space: {units: [1]}}", ["search.space.units", "fixed"]),
        ("search: {space: {units: [1]}}", ["task", "memory"]),
        (
            "task: memory\nsearch: {space: {units: {float: [1.5, 8]}}}",
            ["search.space.units", "takes whole numbers", "{float: [1.5, 8.0]}", "int: [1, 8]"],
        ),
        (
            "task: memory\nsearch: {space: {lag: {float: [2, 8]}}}",
            ["search.space.lag", "whole numbers"],
        ),
        (
            "task: memory\nsearch: {space: {shuffle: {int: [1, 8]}}}",
            ["search.space.shuffle", "names and not numbers", "list the choices"],
        ),
        (
            "task: memory\nsearch: {space: {stateful: {int: [0, 1]}}}",
            ["search.space.stateful", "names and not numbers"],
        ),
        (
            "task: memory\nsearch: {space: {dropout: {float: [0, 0.5], log: true}}}",
            ["search.space.dropout", "0 < low", "start above 0, or leave log out"],
        ),
        ("task: memory\nsearch: {space: {dropout: [0, 0.0]}}", ["search.space.dropout"]),
        (
            "task: memory\nsearch: {space: {units: [1, 2]}, switches: [unit]}",
            ["search.switches", "did you mean 'units'"],
        ),
        (
            "task: memory\nsearch: {space: {units: {int: [1, 2]}}, switches: [units]}",
            ["search.switches", "units needs choices"],
        ),
        (
            "task: memory\nsearch: {space: {units: [1, 2]}, ablate: A1}",
            ["search.ablate", "there is no recipe 'A1'"],
        ),
        (
            "task: memory\nrecipes: {A: {task: poem}}\nsearch: {space: {units: [1]}, ablate: A}",
            ["search.ablate", "the task that is searched, memory", "A is of poem"],
        ),
        ("task: memory\nrecipes: {a: {accuracy: 84}}", ["recipes.a.accuracy", "84"]),
        ("task: memory\nrecipes: {a: {claim: maybe}}", ["recipes.a.claim", "'always'", "'maybe'"]),
        ("task: memory\nrecipes: {a: {over: {unit: [1, 2]}}}", ["recipes.a.over.unit", "'units'"]),
        ("task: memory\nrecipes: {a: {over: [1, 2]}}", ["recipes.a.over", "exactly one", "[1, 2]"]),
        ("task: memory\nrecipes: {a: {over: {units: [1], epochs: [2]}}}", ["recipes.a.over"]),
        ("task: memory\nrecipes: {a: {over: {units: [1]}}}", ["recipes.a.over.units", "two"]),
        ("task: memory\nrecipes: {a: {over: {units: [1, 1]}}}", ["a.over.units", "distinct"]),
        ("task: memory\nrecipes: {a: {over: {units: [1, 0]}}}", ["a.over.units", "got 0"]),
        ("task: memory\nrecipes: {a: {units: 2, over: {units: [1, 3]}}}", ["next to `over`"]),
        ("task: memory\nrecipes: {a: {updates: 9, epochs: 2}}", ["recipes.a.updates", "both"]),
        ("task: memory\nrecipes: {a: {updates: 0}}", ["recipes.a.updates", "got 0"]),
        ("task: memory\nupdates: 9\nepochs: 3\nrecipes: {a: {}}", ["updates", "neither epochs"]),
        ("task: memory\nrecipes: {a: {}}\nrefused: {x: {unitz: 3}}", ["x.unitz", "'units'"]),
        ("task: memory\nrecipes: {a: {}}\nrefused: {x: {units: 3}}", ["refused.x", "is legal"]),
        ("task: memory\nrecipes: {a: {}}\nrefused: [3]", ["refused", "map ids"]),
        ("task: memory\nrecipes: {a: {}}\nmetrics: [mae]", ["metrics", "'mae'"]),
        ("task: memory\nrecipes: {a: {}}\nmetrics: [matthews, matthews]", ["metrics", "twice"]),
        (
            "task: memory\nrecipes: {a: {}, b: {units: 20}}\ncomparisons: {x: {of: a, to: b}}",
            ["comparisons.x.to", "one recipe under two names"],
        ),
        ("task: memory\nupdates: x\nrecipes: {a: {}}", ["a.updates", "whole number", "'x'"]),
        ("task: memory\nrecipes: {a: {over: {units: [1, 2]}}, a/1: {}}", ["two recipes 'a/1'"]),
    ],
)
def test_an_error_names_the_file_and_the_key(written, text, parts):
    message = refusal(written(text))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "bounds",
    ["{int: [5, 2]}", "{float: [0, 1], log: true}", "{int: [1, 2], float: [1, 2]}", "{}",
     "{int: [1]}", "{int: [1, 2], step: 3}"],
)  # fmt: skip
def test_a_wrong_range_is_refused_with_its_key(written, bounds):
    text = f"task: memory\nsearch: {{space: {{units: {bounds}}}}}"
    assert "search.space.units" in refusal(written(text))


def test_all_faults_of_a_file_are_reported_at_once(written):
    text = "task: memory\nseeds: 0\nrecipes: {a: {unit: 3, epochs: 0}, b: {base: z}}"
    message = refusal(written(text))
    for key in ("seeds", "recipes.a.unit", "recipes.a.epochs", "recipes.b.base"):
        assert key in message


@pytest.mark.parametrize(
    "text",
    ["", "- 1\n- 2", "- task: memory", "task: [", "just text", "a: ${b}", "\t- x: {", "a: 1\na: 2"],
)
def test_a_file_that_is_not_a_mapping_is_refused(written, text):
    refusal(written(text))


def test_an_override_without_an_equals_sign_or_with_a_wrong_key_is_refused(written):
    path = written(FIXED)
    assert "recipes.A1.unit" in refusal(path, ["recipes.A1.unit=3"])
    with pytest.raises(SweepError, match="'seeds': settings are given as key=value"):
        load_sweep(path, ["seeds"])


def test_a_missing_or_unreadable_file_is_refused(tmp_path):
    refusal(tmp_path / "nothing.yaml")
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00task")
    refusal(path)


def test_sweeps_are_found_by_path_or_by_name(written):
    path = written(FIXED)
    assert find_sweep(str(path)) == path
    assert find_sweep("memory", path.parent) == path
    with pytest.raises(SweepError, match="did you mean 'memory'"):
        find_sweep("memori", path.parent)
    with pytest.raises(SweepError, match=r"no file 'other\.yaml'"):
        find_sweep("other.yaml", path.parent)


def test_only_changes_of_the_space_the_options_or_fixed_settings_make_another_search(written):
    def defined(text):
        return search_definition(load_sweep(written(text)))

    base = defined(SEARCH)
    for same in ("trials: 4", "trials: 9"), ("task: memory", "task: memory\nseeds: 4"):
        assert compare_definitions(base, defined(SEARCH.replace(*same))) == []
    for old, new, key in (
        ("[4, 32]", "[4, 33]", "search.space.units.int"),
        ("epochs: 10", "epochs: 11", "epochs"),
        ("random", "tpe", "search.sampler"),
    ):
        (line,) = compare_definitions(base, defined(SEARCH.replace(old, new)))
        assert line.startswith(f"{key} was ")
    assert defined(FIXED) == {}  # fixed recipes do not depend on one another


@pytest.mark.parametrize(
    ("comparison", "parts"),
    [
        ("{of: A1, to: A7}", ["comparisons.x.to", "there is no recipe 'A7'", "A1, A2, A5, A6"]),
        ("{of: A7, to: A1}", ["comparisons.x.of", "'A7'"]),
        ("{of: A1, to: A1}", ["comparisons.x.to", "another recipe", "'A1'"]),
        ("{of: A1}", ["comparisons.x.to", "must be given"]),
        ("{of: A1, to: A2, measure: speed}", ["comparisons.x.measure", "'solve_rate'", "'speed'"]),
        ("{of: A1, to: A2, margin: 0}", ["comparisons.x.margin", "above 0"]),
        ("{of: A1, to: A2, margin: 2}", ["comparisons.x.margin", "write 0.02 for 2 points"]),
        (
            "{of: A1, to: A2, measure: epochs_to_solve, margin: 2}",
            ["comparisons.x.margin", "leave it out"],
        ),
        ("{of: A1, to: A2, margins: 1}", ["comparisons.x.margins"]),
        ("A1", ["comparisons.x", "'A1'"]),
    ],
)
def test_a_wrong_comparison_is_refused_with_its_key(written, comparison, parts):
    message = refusal(written(f"{FIXED}\ncomparisons: {{x: {comparison}}}"))
    for part in parts:
        assert part in message


def test_a_comparison_with_a_broken_recipe_reports_only_the_recipe(written):
    text = "task: memory\nrecipes: {a: {unit: 3}, b: {}}\ncomparisons: {x: {of: a, to: b}}"
    message = refusal(written(text))
    assert "recipes.a.unit" in message
    assert "comparisons" not in message


def test_comparisons_and_claims_are_read_and_change_no_recipe(written):
    text = f"{FIXED}\ncomparisons: {{2 to 1: {{of: A2, to: A1, measure: loss, claim: small}}}}"
    sweep = load_sweep(written(text.replace("a note", "a note, claim: solved")))
    before = load_sweep(written(FIXED)).entries
    assert all(sweep.entries[key].recipe == entry.recipe for key, entry in before.items())
    assert (sweep.entries["A1"].claim, sweep.entries["A2"].claim) == ("solved", None)
    question = sweep.comparisons["2 to 1"]
    assert (question.of, question.to, question.measure, question.claim) == (
        "A2",
        "A1",
        "loss",
        "small",
    )


FAMILY = """
task: memory
recipes:
  A1: {updates: 100}
  A10: {base: A1, units: 3, over: {alphabet: [8, 5]}, note: longer}
  A11: {base: A10, epochs: 7}
  A12: {base: A10/8, accumulate: 4}
"""


def test_a_family_has_a_recipe_for_each_value_of_its_axis(written):
    entries = load_sweep(written(FAMILY)).entries
    assert list(entries) == ["A1", "A10/8", "A10/5", "A11", "A12"]
    eight = entries["A10/8"]
    assert (eight.family, eight.axis, eight.value, eight.note) == ("A10", "alphabet", 8, "longer")
    assert (eight.recipe.task.alphabet_size, eight.recipe.units) == (8, 3)
    assert (entries["A1"].family, entries["A11"].value) == ("", None)
    assert (entries["A11"].recipe.epochs, entries["A11"].recipe.task.alphabet_size) == (7, 5)


def test_updates_stand_for_as_many_epochs_as_they_take(written):
    for key, entry in load_sweep(written(FAMILY)).entries.items():
        expanded = entry.recipe
        if key != "A11":
            shorter = expanded.model_copy(update={"epochs": expanded.epochs - 1})
            assert shorter.updates < 100 <= expanded.updates, key
    assert load_sweep(written(FAMILY)).entries["A1"].recipe.epochs == 13  # 8 updates an epoch


def test_a_fault_that_all_of_a_family_share_is_reported_once(written):
    text = "task: memory\nrecipes: {a: {batch_size: 3, over: {units: [1, 2, 4]}}}"
    assert refusal(written(text)).count("recipes.a.batch_size") == 1


def test_updates_may_be_shared_by_all_recipes(written):
    text = "task: memory\nupdates: 100\nrecipes: {A: {}, B: {batch_size: 4}}"
    entries = load_sweep(written(text)).entries
    assert [entries[key].recipe.updates for key in "AB"] == [104, 100]
    with pytest.raises(SweepError, match="neither epochs nor a search"):
        load_sweep(written(text + "\nsearch: {space: {units: [1, 2]}}"))


def test_refused_settings_are_stored_with_the_reason(written):
    text = "task: memory\nrecipes: {A: {}}\nrefused:\n"
    text += "  D: {shuffle: samples, published: meaningless}"
    refused = load_sweep(written(text)).refused["D"]
    assert (refused.asked, refused.published) == ("shuffle=samples", "meaningless")
    assert "order of time" in refused.reason


def test_a_published_figure_is_not_judged_at_other_settings(written):
    file = written(
        "task: memory\nepochs: 3\nrecipes:\n"
        "  A: {accuracy: 0.875, published: answers 0123}\n  B: {claim: always, epochs: 4}\n"
        "  C: {units: 3}\n"
    )
    for words in ([], ["seeds=2"], ["epochs=3"]):
        entries = load_sweep(file, words).entries
        assert (entries["A"].accuracy, entries["A"].published) == (0.875, "answers 0123")
    entries = load_sweep(file, ["epochs=5"]).entries
    reason = "not judged, because settings were overridden"
    assert (entries["A"].accuracy, entries["A"].published) == (None, f"answers 0123; {reason}")
    assert entries["B"].claim == "always"  # it has epochs of its own, so it is what it was
    assert entries["C"].published == ""
    entries = load_sweep(file, ["recipes.B.units=5"]).entries
    assert (entries["B"].claim, entries["B"].published) == (None, reason)
    assert entries["A"].accuracy == 0.875


def test_recipes_that_overrides_make_are_not_judged_by_the_figures_of_others(written):
    reason = "not judged, because settings were overridden"
    text = (
        "task: memory\nepochs: 2\nrecipes: {A: {over: {lag: [4, 8]}, published_success: [3, 10]}}\n"
    )
    entries = load_sweep(written(text), ["recipes.A.over.lag=[4,6]"]).entries
    assert entries["A/4"].published_success == (3, 10)
    assert entries["A/6"].published_success is None
    assert entries["A/6"].published == f"3 of 10 trials; {reason}"
    incomplete = written("recipes: {A: {accuracy: 0.8}}\n")
    entries = load_sweep(incomplete, ["task=memory"]).entries
    assert (entries["A"].accuracy, entries["A"].published) == (None, f"80 %; {reason}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recipes: {A: {units: 3}}", "recipes.A.task: must be given, at the top of the sweep or"),
        ("search: {space: {units: [3, 4]}}", "task: must be given at the top of a sweep with a"),
        (
            "task: memory\nrecipes: {A: {seeds: 5}}",
            "recipes.A.seeds: belongs at the top of the file, for all recipes, not in a recipe",
        ),
        (
            "task: memory\nrecipes: {A: {base: B}, B: {}}",
            "recipes.A.base: must be a recipe above this one, but 'B' is below; write 'B' first",
        ),
        ("task: memory\nrecipes: {A: {base: B}}", "but got 'B', and there is none; remove base"),
        ("task: memory\nrecipes: {A: {base: A}}", "another recipe, above this one, but got 'A'"),
        (
            "task: memory\nrecipes: {A: {}, C: {base: D}}",
            "must be a recipe above this one, but there is no recipe 'D' (known: A)",
        ),
    ],
)
def test_what_is_at_the_wrong_place_of_a_file_is_refused_with_the_right_one(written, text, message):
    assert message in refusal(written(text))


def test_keys_that_no_recipe_has_are_those_of_a_sweep():
    assert _SWEEP_KEYS - {"source", "url"} == TOP_KEYS


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("'4..64'", "takes a list of choices, or a range, as in {int: [4, 64]}, but got '4..64'"),
        ("'0.1-0.9'", "as in {float: [0.1, 0.9]}, but got '0.1-0.9'"),
        ("4", "takes a list of choices, or a range, as in {int: [4, 64]}, but got 4"),
        (
            "{min: 4, max: 32}",
            "takes a range with the keys int or float, and log, as in {int: [4, 32]}, but got "
            "{'min': 4, 'max': 32}",
        ),
        ("[]", "at least one, but got []; list values, or give a range, {int: [4, 64]}"),
        ("[2, 2]", "at least one, but got [2, 2]; list each value once"),
        ("{int: [4, 8, 64]}", "units.int: needs the two ends of a range, [low, high], but got [4"),
        ("{int: 4}", "units.int: needs the two ends of a range, [low, high], but got 4"),
    ],
)
def test_a_part_of_a_space_of_another_form_is_refused_with_the_right_one(written, part, message):
    text = f"task: memory\nsearch: {{space: {{units: {part}}}}}\n"
    assert message in refusal(written(text))


def test_an_override_that_changes_no_recipe_is_refused(written):
    own = written("task: memory\nrecipes: {A: {units: 2}, B: {base: A, lag: 4}}\n")
    message = refusal(own, ["units=7"])
    assert "units: has no effect, but got 7: every recipe sets units itself" in message
    assert message.endswith("write recipes.A.units=7")
    assert load_sweep(own, ["recipes.A.units=7"]).entries["B"].recipe.units == 7
    assert load_sweep(own, ["units=2"]).entries  # which the recipes have
    assert load_sweep(own, ["epochs=5"]).entries["A"].recipe.epochs == 5
    assert load_sweep(own, ["lag=6"]).entries["A"].recipe.task.lag == 6  # though B has its own
    updates = written("task: memory\nrecipes: {A: {updates: 40}}\n")
    assert "sets epochs itself, or updates in its place" in refusal(updates, ["epochs=7"])
    family = written("task: memory\nrecipes: {A: {over: {units: [2, 3]}}}\n")
    assert "write 'recipes.A.over.units=[7,...]'" in refusal(family, ["units=7"])
    assert "write 'recipes.A.over.units=[3,...]'" in refusal(family, ["units=3"])  # not A/2
    default = written("task: memory\nrecipes: {A: {}, B: {units: 2}}\n")
    assert load_sweep(default, ["units=20"]).entries  # which A takes, as it did
    adam = written("task: memory\nrecipes: {A: {optimizer: adam}}\n")
    assert "applies to no recipe of this sweep" in refusal(adam, ["optimizer=sgd", "momentum=0.9"])
    tasks = written("tasks: [{task: memory, epochs: 2}]\nrecipes: {A: {}}\n")
    assert "each of the `tasks` sets epochs itself" in refusal(tasks, ["epochs=7"])


def test_an_override_of_a_recipe_or_comparison_that_is_not_in_the_file_is_refused(written):
    text = (
        "task: memory\nrecipes: {A: {units: 2}, C: {units: 3}}\ncomparisons: {x: {of: A, to: C}}\n"
    )
    message = refusal(written(text), ["recipes.B.units=9"])
    assert "recipes.B: there is no recipe 'B' (known: A, C)" in message
    message = refusal(written(text), ["comparisons.y.of=A", "comparisons.y.to=C"])
    assert "there is no comparison 'y'" in message
