"""Untrusted YAML: nothing but values, and within the limits of a file."""

import resource
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.config import load_settings
from lstm_bench.errors import SweepError
from lstm_bench.safety._yaml import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, parse_yaml, read_yaml
from lstm_bench.sweeps._overrides import parse_assignments
from lstm_bench.sweeps._sweep import load_sweep

PLAIN = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text("abcäß \n'\"#:-", max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), PLAIN, min_size=1))
def test_ordinary_values_are_read_as_by_pyyaml(document):
    assert parse_yaml(yaml.safe_dump(document)) == document


def test_numbers_with_an_exponent_are_numbers():
    assert parse_yaml("rate: 1e-4") == {"rate": 1e-4}


@pytest.mark.parametrize("mark", ["[]", ["- ", ""], "{}"], ids=["flow", "block", "mappings"])
def test_deep_nesting_is_rejected_before_the_file_is_loaded(mark, tmp_path):
    opened, closed = mark
    deep = f"a: {opened * 60_000}{closed * 60_000}"
    if mark == "{}":
        deep = "a: " + "{a: " * 60_000 + "}" * 60_000
    if opened == "- ":
        deep = "- " * 60_000
    path = tmp_path / "deep.yaml"
    path.write_text(deep)
    with pytest.raises(SweepError, match=rf"deep\.yaml: line 1: .*at most {MAX_DEPTH} deep"):
        read_yaml(path)


def test_the_deepest_allowed_nesting_is_read():
    assert parse_yaml("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    with pytest.raises(SweepError, match="deep"):
        parse_yaml("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_depth_through_aliases_counts():
    lines = ["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 1))]
    with pytest.raises(SweepError, match="deep"):
        parse_yaml("\n".join(lines))


def test_aliases_that_expand_to_billions_take_neither_time_nor_memory():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(SweepError, match=rf"at most {MAX_NODES:,} values"):
        parse_yaml("\n".join(lines))
    assert time.monotonic() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KB


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: *b"])
def test_an_alias_of_an_incomplete_or_missing_anchor_is_rejected(text):
    with pytest.raises(SweepError, match=r"alias|undefined"):
        parse_yaml(text)


def test_a_file_that_is_too_long_is_rejected(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text(f"a: {'x' * MAX_CHARACTERS}")
    with pytest.raises(SweepError, match=r"long\.yaml: must have at most"):
        read_yaml(path)


@pytest.mark.parametrize(
    "value",
    ["${oc.env:SECRET_OF_TEST}", "hello ${oc.env:SECRET_OF_TEST}", "${oc.decode:'1'}", "${title}",
     "${${a}:SECRET_OF_TEST}", "${oc.env:${x}}", "\\${oc.env:SECRET_OF_TEST}"],
)  # fmt: skip
def test_interpolation_in_a_sweep_file_is_rejected(value, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_TEST", "sk-12345")
    path = tmp_path / "s.yaml"
    for document in ({"title": value}, {value: 1}, {"recipes": {"A": {"note": [value]}}}):
        path.write_text(yaml.safe_dump({"task": "memory", **document}))
        with pytest.raises(SweepError, match=r"s\.yaml: line \d+: values must be written out") as e:
            load_sweep(path)
        assert "sk-12345" not in str(e.value)
    with pytest.raises(SweepError, match="written out"):
        parse_assignments([f"title={value}"])


def test_settings_may_refer_to_environment_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_TEST", "postgresql://a:b@h/x")
    (tmp_path / "default.yaml").write_text("store: ${oc.env:SECRET_OF_TEST}\n")
    assert load_settings(folder=tmp_path).store == "postgresql://a:b@h/x"


@pytest.mark.parametrize(
    "text",
    ["!!python/object/apply:os.system [ls]", "!!python/name:os.system", "a: !!binary aGFsbG8=",
     "a: !!python/object:os.system {}", "a: !mine 3", "a: !!timestamp 2020-01-01", "a: !!set {b}"],
)  # fmt: skip
def test_tags_are_rejected(text):
    with pytest.raises(SweepError, match=r"line 1: values must be plain, but one is tagged"):
        parse_yaml(text)


def test_tags_of_plain_types_are_accepted():
    assert parse_yaml("a: !!str 3\nb: !!int '4'\nc: '5'") == {"a": "3", "b": 4, "c": "5"}


@pytest.mark.parametrize(
    "number", ["0x" + "f" * 5000, "9" * 5000, "-" + "9" * 5000, "1." + "1" * 900]
)
def test_numbers_of_thousands_of_digits_are_rejected(number, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(f"task: memory\nunits: {number}\nrecipes: {{A: {{}}}}\n")
    for words in (("sweep", "s.yaml", "--dry-run"), ("run", "memory", f"units={number}")):
        code, _, err = command(*words)
        assert code == 2 and "at most 400 characters" in err


def test_the_error_of_a_missing_environment_variable_names_it(tmp_path):
    (tmp_path / "default.yaml").write_text("store: ${oc.env:NOT_SET_BY_ANYBODY}\n")
    with pytest.raises(SweepError, match=r"NOT_SET_BY_ANYBODY.*set that environment variable"):
        load_settings(folder=tmp_path)


@pytest.mark.parametrize("name", ["4_100", "on", "~", "0x1F", "1e3", "1.50", "012", "1:30", "No"])
def test_a_name_that_would_be_read_as_a_number_or_truth_value_is_rejected(name):
    """PyYAML reads it as something whose text is another one, and OmegaConf 1e3 too."""
    [read] = [1000.0] if name == "1e3" else yaml.safe_load(f"{name}: 1")
    assert str(read) != name
    for text in (f"{name}: 1", f"recipes:\n  - {{a: {{{name}: {{units: 1}}}}}}"):
        with pytest.raises(SweepError, match=f'name must be text, .* write "{name}", in quotes'):
            parse_yaml(text)
        quoted = text.replace(name, f'"{name}"')
        assert parse_yaml(quoted) == yaml.safe_load(quoted)


@pytest.mark.parametrize(("number", "meant"), [("010", "10"), ("-007", "-7"), ("00", "0")])
def test_a_number_with_leading_zeros_is_rejected(number, meant):
    """PyYAML reads 010 as 8."""
    message = rf'leading zeros, .*but got {number}; write {meant}, or, for text, "{number}", in'
    for text in (f"epochs: {number}", f"recipes: {{A: {{over: {{lag: [1, {number}]}}}}}}"):
        with pytest.raises(SweepError, match=f"line 1: .*{message}"):
            parse_yaml(text)
    with pytest.raises(SweepError, match=message):
        parse_assignments([f"epochs={number}"])
    assert parse_yaml(f"a: '{number}'") == {"a": number}


def test_other_numbers_may_begin_with_a_zero():
    assert parse_yaml("{a: 0, b: -0, c: 0.5, d: 0x10, e: 08}") == {
        **{"a": 0, "b": 0, "c": 0.5, "d": 16, "e": yaml.safe_load("08")}
    }


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("title: a: b", "put text that has a colon in quotes"),
        ("recipes:\n\tA: {}", "indent by spaces in place of the tab"),
        ("title: @x", "put text that starts with this character in quotes"),
        ("a: [b\nc: d", "correct it there, or put text in quotes"),
    ],
)
def test_what_is_not_yaml_is_rejected_with_the_repair(text, repair):
    with pytest.raises(SweepError, match=rf"^is not valid YAML: .* at line \d, .*; {repair}"):
        parse_yaml(text)


def test_a_name_that_is_a_plain_number_stays_what_it_is():
    assert parse_yaml("7: 1\nA1: 2\n") == {7: 1, "A1": 2}


@pytest.mark.parametrize("text", ["a: !!bool foo", "!!int '': 1", "a: !!float x"])
def test_a_tag_that_does_not_fit_its_value_is_rejected(text):
    with pytest.raises(SweepError, match="is not valid YAML"):
        parse_yaml(text)
