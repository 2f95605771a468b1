"""The JSON Schema of sweep files, held to the loader by jsonschema, a validator of others."""

import json
import random
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import yaml
from faults import sweep_files

from lstm_bench.cli._init import scaffold
from lstm_bench.errors import SweepError, UserError
from lstm_bench.recipes import BUILT_IN_TASKS
from lstm_bench.safety import read_yaml
from lstm_bench.sweeps import load_sweep, load_tasks, sweep_schema

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "lstm_bench" / "cli" / "template"
NAME = "sweep.schema.json"
SHIPPED = [*sorted((ROOT / "sweeps").glob("*.yaml")), *sorted((TEMPLATE / "sweeps").glob("*.yaml"))]


@pytest.fixture(scope="module", name="validator")
def _validator():
    schema = sweep_schema(BUILT_IN_TASKS)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def with_text_keys(document):
    """Returns a document of YAML as one of JSON, whose keys are all text."""
    if isinstance(document, dict):
        return {str(key): with_text_keys(value) for key, value in document.items()}
    if isinstance(document, list):
        return [with_text_keys(value) for value in document]
    return document


@pytest.fixture(scope="module", name="started")
def _started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("init") / "mine"
    scaffold(folder)
    return folder


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_fits_the_schema_that_it_names(path, started):
    first = path.read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={NAME}"
    folder = started if path.is_relative_to(TEMPLATE) else ROOT
    schema = json.loads((folder / "sweeps" / NAME).read_text())
    jsonschema.Draft7Validator(schema).validate(with_text_keys(read_yaml(path)))


@pytest.mark.long
@pytest.mark.parametrize(
    "path", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_shipped_file_is_accepted_by_the_loader_too(path):
    loaded = load_sweep(path)
    assert loaded.entries or loaded.search


def test_values_and_names_of_the_experiments_of_1997_are_those_of_the_file(tmp_path):
    text = (ROOT / "sweeps" / "hochreiter1997.yaml").read_text()
    recipe = text[text.index('  "4_100":') : text.index("  4_100_linear:")]
    path = tmp_path / "s.yaml"
    path.write_text(text[: text.index("recipes:")] + "recipes:\n" + recipe)
    [(name, entry)] = load_sweep(path).entries.items()
    assert (name, entry.recipe.input_gate_bias) == ("4_100", (-3.0, -6.0))


def test_the_schema_files_are_those_of_the_code(started):
    """When it fails, write it again as CONTRIBUTING.md says under `A setting`."""
    assert json.loads((ROOT / "sweeps" / NAME).read_text()) == sweep_schema(BUILT_IN_TASKS)
    tasks = load_tasks([started / "my_task.py"])
    assert json.loads((started / "sweeps" / NAME).read_text()) == sweep_schema(tasks)
    assert "highest" in tasks


def test_patterns_are_those_that_json_schema_knows():
    """Those of ECMA-262, which has no groups as Python names them."""
    assert "(?P<" not in json.dumps(sweep_schema(BUILT_IN_TASKS))


@pytest.mark.parametrize(
    "document",
    [
        {"task": "memory", "recipes": {"A": {"unit": 3}}},  # a typo
        {"task": "memori", "recipes": {"A": {}}},
        {"task": "memory", "recipes": {"A": {"units": "many"}}},
        {"task": "memory", "recipes": {"A": {"units": 0}}},
        {"task": "memory", "recipes": {"A": {"framing": "windows"}}},
        {"task": "memory"},  # neither recipes nor a search
        {"task": "memory", "search": {"trials": 3}},  # no space
        {"task": "memory", "search": {"space": {"units": {"int": [1]}}}},
        {"task": "memory", "search": {"space": {"units": [2, 2]}}},
        {"task": "memory", "seeds": 0, "recipes": {"A": {}}},
        {"task": "memory", "recipes": {"A": {"over": {"lag": [2, 3], "units": [2, 3]}}}},
        {"task": "memory", "recipes": {"A": {"claim": "sometimes"}}},
        {"task": "memory", "recipes": {"A": {}}, "metrics": ["accuracies"]},
        {"task": "csv", "horizon": "2..5"},
    ],
)
def test_what_the_loader_refuses_for_its_form_the_schema_refuses(document, validator, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(UserError):
        load_sweep(path)
    assert not validator.is_valid(document)


@pytest.mark.parametrize(
    "document",
    [
        {"task": "memory", "recipes": {"A": None, 5: {"units": 3}}},
        {"task": "memory", "seeds": "3", "recipes": {"A": {"accuracy": "0.5", "full": "yes"}}},
        {"task": "csv", "horizon": "1..12", "na": {"sunspots": [-1]}, "about": 5},
        {"task": "csv", "target": ["sunspots"], "search": {"trials": 4}},
        {"task": "memory", "search": {"space": {"units": {"int": ["2", 9.0], "log": 1}}}},
        {"tasks": ["memory", {"task": "echo", "delay": 3, "as": "e"}],
         "recipes": {"A": {"per_task": {"e": {"units": 4, "note": "x"}}}}},
        {"task": "memory", "recipes": {"A": {"network": "my_network:build", "stateful": False}}},
        {"task": "memory", "refused": {"D": {"stateful": 1}}, "recipes": {"A": {}},
         "comparisons": {"c": {"of": "A", "to": "B", "margin": "0.1"}}},
    ],
)  # fmt: skip
def test_what_the_loader_accepts_in_other_forms_the_schema_accepts(
    document, validator, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("my_network.py").write_text("def build(recipe, input_shape, output_shape): ...\n")
    if "comparisons" in document:
        document["recipes"]["B"] = {"units": 3}
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(document))
    load_sweep(path)
    validator.validate(with_text_keys(document))


def check_mutated(count, validator, folder, monkeypatch):
    """Loads `count` mutated sweep files; returns how many were accepted, and refused by both."""
    sandbox = SimpleNamespace(folder=folder / "work")
    sandbox.folder.mkdir()
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    sweep_files.prepare(sandbox)
    monkeypatch.chdir(sandbox.folder)
    rng, accepted, refused = random.Random(f"schema {count}"), 0, 0
    for number in range(count):
        _, content = sweep_files.mutated(rng)
        path = Path("fuzzed.yaml")
        path.write_bytes(content)
        try:
            load_sweep(path)
        except UserError:
            try:
                refused += not validator.is_valid(with_text_keys(read_yaml(path)))
            except SweepError:  # no YAML at all
                refused += 1
            continue
        accepted += 1
        errors = validator.iter_errors(with_text_keys(read_yaml(path)))
        listed = [(list(error.absolute_path), error.message[:200]) for error in errors]
        assert listed == [], f"file {number}: {content[:2000]!r}"
    return accepted, refused


def test_the_schema_accepts_some_mutated_files_that_the_loader_accepts(
    validator, tmp_path, monkeypatch
):
    accepted, refused = check_mutated(25, validator, tmp_path, monkeypatch)
    assert accepted >= 3
    assert refused >= 10  # the schema is no schema that accepts everything


@pytest.mark.slow
def test_the_schema_accepts_many_mutated_files_that_the_loader_accepts(
    validator, tmp_path, monkeypatch
):
    accepted, refused = check_mutated(3000, validator, tmp_path, monkeypatch)
    print(f"\n{accepted} accepted by both, {refused} refused by both, of 3000")
    assert accepted >= 300
    assert refused >= 0.85 * (3000 - accepted)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"task": "memory", "units": "x", "recipes": {"A": {"units": 4}}},
         "units: must be a whole number, but got 'x'"),
        ({"task": "memory", "stateful": True, "layout": "x", "recipes": {"A": {"stateful": False}}},
         "layout: must be 'rows' or 'streams', but got 'x'"),
        ({"task": "memory", "updates": "x", "recipes": {"A": {"epochs": 4}}},
         "updates: must be a whole number of weight updates, at least 1, but got 'x'"),
        ({"task": "nothing", "recipes": {"A": {"task": "memory"}}}, "there is no task 'nothing'"),
        ({"tasks": ["echo"], "recipes": {"A": {"units": 0, "per_task": {"echo": {"units": 3}}}}},
         "recipes.A.units: must be at least 1, but got 0"),
    ],
)  # fmt: skip
def test_a_value_that_no_recipe_uses_is_checked_too(document, message, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(SweepError, match=message):
        load_sweep(path)


def test_the_command_prints_the_schema_with_the_tasks_of_the_folder(command, tmp_path, monkeypatch):
    scaffold(tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    written = Path("sweeps", NAME).read_bytes()
    code, out, err = command("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(written)
    code, out, _ = command("schema", "--output", f"sweeps/{NAME}")
    assert code == 2  # it is there already
    code, out, _ = command("schema", "--output", f"sweeps/{NAME}", "--force", "--json")
    assert (code, json.loads(out)) == (0, {"file": f"sweeps/{NAME}"})
    assert Path("sweeps", NAME).read_bytes() == written
