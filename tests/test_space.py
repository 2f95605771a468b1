"""Every proposal is legal, whatever the space; illegal spaces are refused before any trial."""

import itertools

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError
from lstm_bench.recipe import recipe
from lstm_bench.search.space import space
from lstm_bench.search.study import BATCH, Study
from lstm_bench.sweep import Search

BOUND = {
    "framing": ["pairs", "window", "feature_window", "prefixes", "substrings", "whole"],
    "window": [1, 2, 3],
    "stateful": [True, False],
    "layout": ["rows", "streams"],
    "reset": ["sequence", "epoch", "never"],
    "shuffle": ["none", "samples", "sequences"],
    "batch_size": [1, 2, 3, 4, 8, "all"],
    "network": ["lstm", "gru", "simple_rnn", "mlp"],
}


def search(parts, **options):
    return Search(space={key: tuple(value) for key, value in parts.items()}, **options)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: st.lists(st.sampled_from(values), min_size=1, unique_by=repr)
            for key, values in BOUND.items()
        },
    ).filter(bool),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=60)
def test_every_proposal_is_legal_and_every_value_comes_from_the_space(parts, seed):
    try:
        found = space(search(parts), {"task": "memory"})
    except RecipeError:
        # Refused as a whole only if no combination at all is legal: tried here one by one.
        for values in itertools.product(*parts.values()):
            given_ = dict(zip(parts, values, strict=True))
            with pytest.raises(RecipeError):
                recipe("memory", **given_)
        return
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for _ in range(6):
        settings_ = found.suggest(study.ask()).settings
        for key, values in parts.items():
            assert key not in settings_ or settings_[key] in values
    # `suggest` builds each recipe through `recipe()`, which raises on an illegal one.


def test_the_legal_combinations_are_those_that_recipe_accepts():
    parts = {key: BOUND[key] for key in ("stateful", "shuffle", "batch_size", "layout")}
    found = space(search(parts), {"task": "memory"})
    accepted = set()
    for stateful, shuffle, size, layout in itertools.product(*parts.values()):
        given_ = {"stateful": stateful, "shuffle": shuffle, "batch_size": size}
        if stateful:
            given_["layout"] = layout
        try:
            accepted.add(recipe("memory", **given_).digest)
        except RecipeError:
            continue
    assert {recipe("memory", **combination).digest for combination in found.legal} == accepted


def test_a_space_that_is_never_legal_is_refused_with_the_rule():
    with pytest.raises(RecipeError, match=r"shuffle.*order of time"):
        space(search({"shuffle": ["samples"]}), {"task": "memory"})


def test_free_bounds_are_checked_before_any_trial():
    with pytest.raises(RecipeError, match=r"units.*greater than or equal to 1"):
        space(Search(space={"units": {"int": (0, 8)}}), {"task": "memory"})
    with pytest.raises(RecipeError, match="learning_rate"):
        space(Search(space={"learning_rate": {"float": (1e-3, 100.0)}}), {"task": "memory"})


def test_an_enormous_space_is_refused_with_its_size():
    with pytest.raises(RecipeError, match="at most 20,000 combinations"):
        parts = {"window": {"int": (1, 10_000)}, "substrings": {"int": (1, 10_000)}}
        space(Search(space=parts), {"task": "alphabet"})


class Told:
    """The part of an Outcome that a study reads: a score that depends on the recipe alone."""

    def __init__(self, proposed):
        import pandas as pd

        score = 1 / (1 + abs(proposed.units - 17)) + proposed.stateful
        self.seeds = pd.DataFrame({"accuracy": [score]})


def propose(trials, **options):
    parts = {"units": {"int": (2, 64)}, "stateful": (True, False), "batch_size": (1, 2, 4)}
    study = Study(Search(space=parts, trials=trials, **options), {"task": "memory"})
    found = []
    for batch in study.batches():
        found += [proposed.digest for _, proposed in batch]
        for trial, proposed in batch:
            study.tell(trial, Told(proposed))
    return found


def test_the_same_outcomes_lead_to_the_same_proposals():
    assert propose(40) == propose(40)
    assert propose(40) != propose(40, seed=2)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_more_trials_extend_a_search_without_changing_it(sampler):
    assert propose(5 * BATCH + 3, sampler=sampler)[: 2 * BATCH] == propose(
        2 * BATCH, sampler=sampler
    )


def test_tpe_finds_more_of_what_scores_well_than_chance():
    """Half of all random proposals are stateful; TPE is told that stateful scores higher."""
    parts = {"stateful": (True, False), "units": {"int": (2, 64)}}
    study = Study(Search(space=parts, trials=64), {"task": "memory"})
    proposed = []
    for batch in study.batches():
        proposed += [each.stateful for _, each in batch]
        for trial, each in batch:
            study.tell(trial, Told(each))
    assert sum(proposed[-32:]) > 24
