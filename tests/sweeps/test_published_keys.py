"""What a sweep file says of published trials, and of recipes that take long."""

from pathlib import Path

import pytest
import yaml

from lstm_bench.errors import SweepError
from lstm_bench.sweeps._sweep import sweep_from_document

SHARED = {"task": "memory", "epochs": 2}
SEARCH = {"trials": 2, "space": {"units": [2, 3]}}


def read(recipes, **more):
    return sweep_from_document("s", {**SHARED, "recipes": recipes, **more})


def refusal(recipes, **more):
    with pytest.raises(SweepError) as caught:
        read(recipes, **more)
    return str(caught.value)


def test_published_trials_belong_to_their_recipe_alone():
    published = {"published_success": [19, 20], "published_sequences": 31_390, "full": True}
    sweep = read({"A": published, "B": {"base": "A"}, "C": {**published, "over": {"lag": [4, 8]}}})
    first, second, *family = sweep.entries.values()
    assert (first.published_success, first.published_sequences) == ((19, 20), 31_390)
    assert (second.published_success, second.published_sequences, second.full) == (
        None,
        None,
        False,
    )
    assert all(entry.full and entry.published_success == (19, 20) for entry in family)
    assert first.recipe == second.recipe  # nothing of it is a setting


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"published_success": [21, 20]}, "published_success: must be [succeeded, trials] with at"),
        ({"published_success": [1, 0]}, "published_success.1: must be at least 1, but got 0"),
        ({"published_success": [-1, 2]}, "published_success.0: must be at least 0, but got -1"),
        ({"published_success": [1.5, 2]}, "published_success.0: must be a whole number"),
        ({"published_success": [True, 2]}, "published_success.0: must be a whole number"),
        ({"published_success": 20}, "must be [succeeded, trials], e.g. [20, 20], but got 20"),
        ({"published_success": [20]}, "must be [succeeded, trials], e.g. [20, 20], but got [20]"),
        ({"published_success": "97 %"}, "must be [succeeded, trials], e.g. [20, 20]"),
        ({"published_sequences": 5}, "give their number too, as published_success: [20, 20]"),
        ({"published_success": [0, 9], "published_sequences": 5}, "but none did; remove it"),
        ({"published_success": [None, 9]}, "needs published_sequences"),
        ({"published_success": [9, None], "published_sequences": 5}, "success.1: must be"),
        ({"published_success": [1, 2], "published_sequences": 0}, "must be above 0, but got 0"),
        ({"published_success": [1, 2], "published_sequences": True}, "must be a number"),
        ({"published_success": [1, 2], "published_sequences": float("inf")}, "must be a finite"),
        ({"full": "perhaps"}, "full: must be true or false, but got 'perhaps'"),
    ],
)
def test_what_is_refused(entry, message):
    assert message in refusal({"A": entry})


def test_a_result_on_one_task_is_not_given_for_several():
    recipes = {"A": {"published_success": [20, 20], "full": True}}
    document = {"tasks": ["memory", "echo"], "epochs": 2, "recipes": recipes}
    with pytest.raises(SweepError, match=r"recipes\.A\.published_success: is of one task"):
        sweep_from_document("s", document)
    parts = {"memory": {"published_success": [20, 20], "full": True}}
    document["recipes"] = {"A": {"per_task": parts}}
    entries = sweep_from_document("s", document).entries
    assert entries["A@memory"].full and entries["A@memory"].published_success == (20, 20)
    assert not entries["A@echo"].full and entries["A@echo"].published_success is None


def test_recipes_are_left_out_unless_the_run_is_full():
    recipes = {"A": {"units": 2}, "B": {"units": 3, "full": True}, "C": {"units": 2, "full": True}}
    sweep = read(recipes)
    assert list(sweep.left_out) == ["B"]  # C is A under another name, which is run anyway
    assert not sweep.with_full(True).left_out
    assert sweep.with_full(True).entries == sweep.entries
    assert sweep.with_full(True).report_name == sweep.report_name


def test_some_values_of_over_may_be_left_out():
    over = {"units": 2, "over": {"lag": [4, 8, 16]}}
    sweep = read({"A": {**over, "full": [8, 16]}})
    assert list(sweep.left_out) == ["A/8", "A/16"]
    assert not read({"A": {**over, "full": []}}).left_out
    for full, recipe in (([8, 5], over), ([8], {"units": 2}), ([[8]], over)):
        message = refusal({"A": {**recipe, "full": full}})
        assert "full: must be true, false, or a list of values of `over`, but got" in message


def test_a_search_does_not_start_from_a_recipe_that_is_left_out():
    recipes = {"A": {"units": 2, "full": True}}
    message = refusal(recipes, search={**SEARCH, "ablate": "A"})
    assert "search.ablate: must be a recipe that every run trains, but A has full: true" in message


def test_full_is_no_key_of_a_whole_sweep():
    assert "full: there is no setting or part of a sweep 'full'" in refusal({"A": {}}, full=True)


def test_a_failed_run_is_called_a_claim_of_never_only_where_the_source_says_so():
    """`never` says that no run can: a source that tells what one run answered does not say so."""
    sweep = yaml.safe_load((Path(__file__).parents[2] / "sweeps" / "published.yaml").read_text())
    recipes = sweep["recipes"]
    never = {
        id_: line["published"] for id_, line in recipes.items() if line.get("claim") == "never"
    }
    words = ("never converges", "does not converge", "impossible")
    assert len(never) >= 5
    assert [id_ for id_, text in never.items() if not any(word in text for word in words)] == []
    for id_ in ("A4b4", "A4b8"):
        assert "claim" not in recipes[id_] and recipes[id_]["accuracy"] == 7 / 8
