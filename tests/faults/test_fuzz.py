"""Any sweep file gives a sweep, or a message that names the file."""

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_bench.errors import SweepError, UserError
from lstm_bench.recipes._framings import FRAMINGS
from lstm_bench.recipes._recipe import Recipe
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.search._study import SearchStudy
from lstm_bench.sweeps._sweep import Search, Sweep, load_sweep

KEYS = sorted(
    {"task", "recipes", "updates", "base", "over", "published", "claim", "space", "int", "float"}
    | set(Sweep.model_fields)
    | set(Search.model_fields)
    | set(Recipe.model_fields)
    | {key for task in BUILT_IN_TASKS.values() for key in task.model_fields}
    | {key for framing in FRAMINGS.values() for key in framing.model_fields}
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.floats(allow_nan=True, allow_infinity=True, width=16),
    st.sampled_from([*BUILT_IN_TASKS, *FRAMINGS]),
    st.sampled_from(["lstm", "all", "streams", "samples", "tpe", "skill", "A"]),
    st.sampled_from(["../x.csv", "/etc/hosts", ".", "none.csv", "=1", "", "é\n", "1e400", "${x}"]),
    st.text(max_size=4),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.integers(), st.text(max_size=3)), inner,
                        max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip
VALID = {
    "task": "memory",
    "seeds": 2,
    "recipes": {"A": {"units": 4}, "B": {"base": "A", "over": {"lag": [3, 4]}}},
    "search": {"trials": 3, "space": {"units": [2, 3], "framing": ["pairs", "whole"]}},
}


@st.composite
def documents(draw):
    """Returns a valid sweep with some parts replaced by random values."""
    document = {**VALID, "recipes": dict(VALID["recipes"]), "search": dict(VALID["search"])}
    document["task"] = draw(st.sampled_from(["memory", "csv", "echo", draw(PLAIN)]))
    for _ in range(draw(st.integers(1, 3))):
        key, value = draw(st.sampled_from(KEYS)), draw(VALUES)
        section = draw(st.sampled_from(["", "recipes", "search", "A", "space"]))
        inner = {
            "": document,
            "recipes": document["recipes"],
            "search": document["search"],
            "A": document["recipes"].setdefault("A", {}),
            "space": document["search"].setdefault("space", {}),
        }[section]
        if isinstance(inner, dict):
            inner[key] = value
        if not isinstance(document.get("recipes"), dict):
            break
        if not isinstance(document.get("search"), dict):
            break
    return document


def read(path):
    """Reads a sweep file, and fails unless it is valid or refused with a message."""
    try:
        sweep = load_sweep(path)
        if sweep.search is not None:
            SearchStudy(sweep.search, sweep.settings)
    except SweepError as error:
        assert str(path) in str(error)
    except UserError as error:  # about the space; the command line adds the file name
        assert str(error)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_a_sweep_with_random_values_is_read_or_refused(tmp_path_factory, document):
    path = tmp_path_factory.mktemp("fuzz") / "sweep.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    read(path)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=40), st.text(max_size=60).map(lambda text: text.encode())))
def test_a_file_of_random_bytes_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "sweep.yaml"
    path.write_bytes(content)
    read(path)
