"""Recipes: all faults reported at once, rebuilt from their settings, identified by digest."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lstm_bench.errors import RecipeError, UserError
from lstm_bench.recipes._recipe import known_settings, recipe
from lstm_bench.recipes._registry import BUILT_IN_TASKS


def refusal(task="memory", **settings):
    """Returns the faults of a recipe as key -> message."""
    with pytest.raises(RecipeError) as caught:
        recipe(task, **settings)
    assert isinstance(caught.value, UserError)
    return {fault.key: fault.message for fault in caught.value.faults}


# The defaults are the first published recipe of each family (PROBLEMS.md, A1, B1, C1).

FIRST = {
    "memory": {
        "framing": "pairs", "encoding": "onehot", "network": "lstm", "units": 20,
        "output": "sigmoid", "loss": "binary_crossentropy", "optimizer": "adam",
        "learning_rate": 0.001, "batch_size": 1, "epochs": 250, "stateful": True,
        "reset": "sequence", "shuffle": "none", "alphabet": 5,
    },
    "alphabet": {
        "framing": "pairs", "encoding": "scaled", "network": "lstm", "units": 32,
        "output": "softmax", "loss": "categorical_crossentropy", "optimizer": "adam",
        "learning_rate": 0.001, "batch_size": 1, "epochs": 500, "stateful": False,
        "shuffle": "samples", "letters": 26,
    },
    "ambiguous_pair": {
        "framing": "pairs", "encoding": "onehot", "network": "lstm", "units": 20,
        "output": "sigmoid", "loss": "binary_crossentropy", "optimizer": "adam",
        "learning_rate": 0.001, "batch_size": 2, "epochs": 300, "stateful": False,
        "shuffle": "none",
    },
}  # fmt: skip


@pytest.mark.parametrize("task", FIRST)
def test_the_default_recipe_is_the_first_published_one(task):
    settings = recipe(task).settings
    assert {key: settings.get(key) for key in FIRST[task]} == FIRST[task]


@pytest.mark.parametrize("task", BUILT_IN_TASKS)
def test_every_task_has_a_valid_default_recipe(task):
    chosen = recipe(task)
    assert chosen.task.name == task
    assert set(chosen.settings) <= known_settings(BUILT_IN_TASKS[task]) | {"task"}


# Published configurations of each family must be expressible.


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("memory", {"batch_size": 4}),  # A2
        ("memory", {"batch_size": 2, "layout": "streams"}),  # A3
        ("memory", {"batch_size": 8, "reset": "epoch"}),  # A4
        ("memory", {"framing": "window", "window": 2}),  # A5
        ("memory", {"framing": "whole", "stateful": False}),  # A6
        ("memory", {"framing": "prefixes", "stateful": False}),  # A7
        ("memory", {"shuffle": "sequences"}),  # A8
        ("memory", {"alphabet": 9}),  # A9
        ("memory", {"lag": 1000, "framing": "whole", "stateful": False}),  # A10
        ("memory", {"accumulate": 8}),  # A12
        ("memory", {"network": "mlp", "stateful": False}),  # A14
        ("alphabet", {"units": 16, "batch_size": "all", "shuffle": "none", "epochs": 5000}),  # B4
        ("alphabet", {"stateful": True, "shuffle": "none", "reset": "epoch", "units": 50}),  # B5
        ("alphabet", {"network": "mlp", "framing": "feature_window", "layers": 2}),  # B9
        ("ambiguous_pair", {"stateful": True, "batch_size": 1, "reset": "epoch"}),  # C2
        ("ambiguous_pair", {"framing": "whole", "batch_size": 1}),  # C3
    ],
)
def test_published_configurations_are_valid(task, settings):
    chosen = recipe(task, **settings).settings
    assert {key: chosen[key] for key in settings} == settings


def test_recipes_that_differ_in_evaluation_share_their_training_whichever_digest_comes_first():
    free, plain = recipe("memory", evaluation="free_running"), recipe("memory")
    assert free.digest != plain.digest  # computed first; the cached value is not used for training
    assert free.training == plain.training == plain.digest


# Refusals.


def test_an_unknown_task_framing_or_setting_is_refused_with_the_nearest_name():
    known = ", ".join(sorted(BUILT_IN_TASKS))
    assert refusal("memori")["task"] == (
        f"there is no task 'memori'; did you mean 'memory'? (known: {known})"
    )
    assert "did you mean 'window'?" in refusal(framing="windows")["framing"]
    assert "did you mean 'batch_size'?" in refusal(batchsize=2)["batchsize"]
    assert "did you mean" not in refusal(zzzz=2)["zzzz"]
    assert "task" in refusal(None)


def test_the_seed_is_never_part_of_a_recipe():
    assert "there is no setting 'seed'" in refusal(seed=1)["seed"]


def test_all_faults_are_reported_at_once():
    found = refusal(units=0, unit=3, epochs="many", alphabet=2, letters=4, learning_rate=-1.0)
    assert set(found) == {"units", "unit", "epochs", "alphabet", "letters", "learning_rate"}
    assert "must be at least 1" in found["units"] and found["units"].endswith("got 0")
    assert found["epochs"].endswith("got 'many'")
    assert found["alphabet"].endswith("got 2")


def test_several_broken_rules_are_reported_at_once():
    found = refusal(momentum=0.9, loss="categorical_crossentropy", output="sigmoid", batch_size=3)
    assert set(found) == {"momentum", "output", "batch_size"}
    assert "belongs to sgd" in found["momentum"]
    assert "needs softmax, but got sigmoid" in found["output"]
    assert "sizes that fit: 1, 2, 4" in found["batch_size"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("units", 2.5), ("units", True), ("units", "20"), ("units", None), ("epochs", 0),
        ("batch_size", 0), ("batch_size", "most"), ("learning_rate", float("nan")),
        ("learning_rate", 0.0), ("momentum", 1.0), ("stateful", "yes"), ("layers", 4),
        ("network", "transformer"), ("optimizer", "lion"), ("reset", "always"),
        ("shuffle", True), ("accumulate", 0), ("encoding", "binary"), ("layout", "columns"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_key_and_value(key, value):
    message = refusal(**{key: value})[key]
    assert repr(value) in message


def test_settings_of_another_framing_or_task_are_refused():
    assert "belongs to framing window or feature_window" in refusal(window=3)["window"]
    assert "letters" in refusal(letters=5)
    assert "alphabet" in refusal("alphabet", alphabet=5)


def test_a_window_must_fit_into_every_sequence():
    message = refusal(framing="window", window=5)["framing"]
    assert "the shortest has 4 steps" in message
    assert recipe("memory", framing="window", window=4).settings["window"] == 4


def test_layout_and_reset_belong_to_a_stateful_network():
    found = refusal(stateful=False, layout="streams", reset="epoch")
    assert set(found) == {"layout", "reset"}


@pytest.mark.parametrize("task", BUILT_IN_TASKS)
def test_layout_is_refused_where_a_task_is_stateless_by_default(task):
    if not recipe(task).stateful:
        assert "layout" in refusal(task, layout="streams")


def test_meaningless_state_is_refused():
    assert "order of time" in refusal(shuffle="samples")["shuffle"]
    assert "keeps no state" in refusal(network="mlp")["stateful"]
    assert "samples that continue the sample before" in refusal(framing="prefixes")["stateful"]


def test_a_cold_start_takes_a_symbol_of_the_task():
    chosen = recipe("alphabet", evaluation="cold_start", start="K")
    assert chosen.settings["start"] == "K"
    assert "symbol" in refusal("alphabet", evaluation="cold_start", start="!")["start"]
    assert "belongs to evaluation=cold_start" in refusal("alphabet", start="K")["start"]


# Output, loss and learning rate follow from one another if they are not given.


def test_output_and_loss_follow_the_task_and_each_other():
    def head(task, **settings):
        chosen = recipe(task, **settings)
        return chosen.output, chosen.loss

    assert head("alphabet") == ("softmax", "categorical_crossentropy")
    assert head("alphabet", output="sigmoid") == ("sigmoid", "binary_crossentropy")
    assert head("memory", loss="categorical_crossentropy") == (
        "softmax",
        "categorical_crossentropy",
    )
    assert head("memory", output="linear") == ("linear", "mean_squared_error")
    assert head("memory", loss="mean_squared_error") == ("sigmoid", "mean_squared_error")


def test_the_learning_rate_is_that_of_keras_where_none_is_given():
    # keras.io/api/optimizers: Adam 0.001, SGD 0.01, RMSprop 0.001.
    for optimizer, rate in {"adam": 0.001, "sgd": 0.01, "rmsprop": 0.001}.items():
        assert recipe("memory", optimizer=optimizer).learning_rate == rate
    assert recipe("memory", optimizer="sgd", learning_rate=0.5).learning_rate == 0.5


# Settings and digest.

VALUES = {
    "units": st.integers(1, 50),
    "layers": st.integers(1, 3),
    "network": st.sampled_from(["lstm", "gru", "simple_rnn", "mlp"]),
    "framing": st.sampled_from(["pairs", "window", "feature_window", "prefixes", "whole"]),
    "window": st.integers(1, 4),
    "encoding": st.sampled_from(["onehot", "scaled"]),
    "optimizer": st.sampled_from(["adam", "sgd", "rmsprop"]),
    "learning_rate": st.sampled_from([0.1, 0.01, 1e-5]),
    "momentum": st.sampled_from([0.0, 0.9]),
    "epochs": st.integers(1, 500),
    "batch_size": st.sampled_from([1, 2, 4, "all"]),
    "accumulate": st.integers(1, 4),
    "stateful": st.booleans(),
    "layout": st.sampled_from(["rows", "streams"]),
    "reset": st.sampled_from(["sequence", "epoch", "never"]),
    "shuffle": st.sampled_from(["none", "samples", "sequences"]),
    "alphabet": st.integers(3, 6),
    "lag": st.integers(4, 8),
}


@st.composite
def recipes(draw):
    """Returns a valid recipe of `memory` with a few settings drawn at random."""
    keys = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=7, unique=True))
    try:
        return recipe("memory", **{key: draw(VALUES[key]) for key in keys})
    except RecipeError:
        assume(False)


@given(recipes())
def test_a_recipe_is_rebuilt_from_its_settings_also_after_json(chosen):
    again = recipe(**chosen.settings)
    assert again == chosen and again.digest == chosen.digest and again.name == chosen.name
    assert recipe(**json.loads(json.dumps(chosen.settings))) == chosen


@given(recipes(), recipes())
def test_digests_differ_exactly_where_settings_do(one, other):
    assert (one.digest == other.digest) == (one.settings == other.settings) == (one == other)


def test_what_is_derived_from_a_recipe_does_not_count_where_recipes_are_compared():
    one, other = recipe("memory", units=4), recipe("memory", units=4)
    for chosen in (one, other):  # arrays, which `==` compares element by element
        assert len(chosen.evaluated_epochs) and len(chosen.stateful_evaluation_batches)
    assert one == other and {one: "found"}[other] == "found"
    assert one != recipe("memory", units=5) and one != "memory"


@given(recipes(), st.sampled_from(["units", "epochs", "learning_rate", "accumulate"]))
def test_changing_one_setting_changes_the_digest(chosen, key):
    changed = recipe(**chosen.settings | {key: chosen.settings[key] * 2})
    assert changed.digest != chosen.digest


def test_other_symbols_and_a_start_survive_the_round_trip():
    named = recipe("memory", symbols=["a", "b", "c", "x", "y"])
    assert recipe(**json.loads(json.dumps(named.settings))) == named
    assert named.digest != recipe("memory").digest
    cold = recipe("alphabet", evaluation="cold_start", start="K")
    assert recipe(**cold.settings) == cold


def test_a_digest_is_the_same_in_every_process():
    # Python salts its hashes in each process, so sets could be iterated in another order.
    code = "from lstm_bench.recipes import recipe; print(recipe('memory', lag=7).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for salt in ("1", "2")
    }
    assert digests == {recipe("memory", lag=7).digest}
    assert all(len(digest) == 12 and int(digest, 16) >= 0 for digest in digests)


def test_a_setting_of_none_is_the_default():
    assert recipe("memory", lag=None).digest == recipe("memory").digest


def test_names_tell_recipes_apart():
    for word in ("lstm(20)", "pairs", "stateful", "batch 1", "250 epochs"):
        assert word in recipe("memory").name
    several = [
        {}, {"units": 21}, {"layers": 2}, {"epochs": 9}, {"batch_size": 2}, {"reset": "epoch"},
        {"batch_size": 2, "layout": "streams"}, {"framing": "window"}, {"stateful": False},
        {"framing": "window", "window": 2}, {"optimizer": "sgd"}, {"learning_rate": 0.01},
        {"shuffle": "sequences"}, {"alphabet": 7}, {"encoding": "scaled"}, {"accumulate": 2},
    ]  # fmt: skip
    names = [recipe("memory", **settings).name for settings in several]
    assert len(set(names)) == len(names)


def test_a_recipe_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        recipe("memory").units = 3


def test_weight_updates_are_counted():
    # 8 samples: 8 updates an epoch at batch 1, 4 at batch 2, one in eight accumulated.
    assert recipe("memory", epochs=10).updates == 80
    assert recipe("memory", epochs=10, batch_size=2).updates == 40
    assert recipe("memory", epochs=10, accumulate=8).updates == 10
    assert recipe("memory", epochs=10, stateful=False, batch_size=3).updates == 30
    assert recipe("memory", epochs=10, stateful=False, batch_size="all").updates == 10


@pytest.mark.parametrize(
    ("task", "settings", "key", "words"),
    [
        ("memory", {"bidirectional": True}, "bidirectional", "use stateful=false"),
        ("memory", {"bidirectional": True, "stateful": False, "framing": "whole"},
         "bidirectional", "is shown the targets"),
        ("alphabet", {"bidirectional": True, "network": "mlp"}, "bidirectional", "but got mlp"),
        ("alphabet", {"kernel_size": 5}, "kernel_size", "network=conv1d, but got lstm"),
        ("ramp", {"encoding": "onehot"}, "encoding", "needs raw, but got onehot"),
        ("memory", {"encoding": "raw"}, "encoding", "onehot or scaled, but got raw"),
        ("ramp", {"evaluation": "free_running"}, "evaluation", "use teacher_forced"),
        ("echo", {"evaluation": "free_running"}, "evaluation", "are not its next inputs"),
        ("alphabet", {"framing": "chunks", "chunk": 4}, "framing", "use one of 1, 5, 25"),
        ("echo", {"stateful": True, "shuffle": "none", "framing": "pairs", "unseen": 7,
                  "batch_size": 10, "layout": "streams"}, "batch_size", "sizes that fit"),
        ("memory", {"network": "conv1d"}, "stateful", "keeps no state"),
        ("memory", {"lag": 60_000, "framing": "prefixes", "stateful": False},
         "framing", "at most 2 GB"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused_with_a_repair(task, settings, key, words):
    assert words in refusal(task, **settings)[key]


@pytest.mark.parametrize("layout", ["rows", "streams"])
@pytest.mark.parametrize("unseen", [50, 150])
def test_batch_size_all_counts_only_the_training_samples(layout, unseen):
    settings = {"framing": "pairs", "stateful": True, "batch_size": "all", "shuffle": "none"}
    settings |= {"layout": layout, "reset": "epoch", "unseen": unseen, "lag": 12}
    assert "of the unseen sequences" in refusal("random_memory", **settings)["batch_size"]


def test_a_fault_of_a_default_says_that_it_is_one():
    def message(**settings):
        with pytest.raises(RecipeError) as raised:
            recipe("csv", **settings)
        return {fault.key: fault.message for fault in raised.value.faults}

    default = message(stateful=True)["batch_size"]
    assert default.endswith("(batch_size=all: by default of csv)")
    written = message(stateful=True, batch_size="all")["batch_size"]
    assert default.startswith(written) and "default" not in written
    short = message(shuffle="sequences")
    assert "default" not in short["shuffle"]  # the user wrote it
