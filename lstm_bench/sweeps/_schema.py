"""The JSON Schema of sweep files, made from the models that read them.

Editors complete and check sweep files with it. The schema accepts everything that `load_sweep`
accepts; only `load_sweep` checks which settings fit together. It is written in draft 7, which every
version of the YAML language server reads.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from lstm_bench.recipes import FRAMINGS, Recipe, TaskRegistry, known_settings
from lstm_bench.statistics import METRICS, ComparisonQuestion
from lstm_bench.sweeps._conditions import CONDITIONS, condition_as_text
from lstm_bench.sweeps._entries import ANNOTATION_KEYS, Entry
from lstm_bench.sweeps._search import Range, Search
from lstm_bench.sweeps._setting_values import field_type
from lstm_bench.sweeps._sweep import Sweep
from lstm_bench.sweeps._sweep_tasks import NAME
from lstm_bench.tasks import Task

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
AS_TEXT = {
    "integer": r"^\s*[+-]?[0-9_]+(\.0*)?\s*$",
    "number": r"^\s*[+-]?([0-9_.]+([eE][+-]?[0-9_]+)?|[iI][nN][fF][a-zA-Z]*|[nN][aA][nN])\s*$",
    "boolean": r"^([01tTfFyYnN]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|"
    r"[oO][nN]|[oO][fF][fF])$",
}
"""Text that is read as a value of another type by models that are not strict."""
SIMPLE = {"type": ["string", "number", "boolean"]}
CLOSED = {"additionalProperties": False}
BOUNDS = {"ge": "minimum", "le": "maximum"}
"""Names that pydantic gives to the bounds of a value that a function reads first."""
RANGE = "int or float"
"""The name of the definition of a range, which no setting has."""
OWN_KEYS = ("title", "source", "url", "seeds", "first_seed", "time_limit", "check")
"""The parts of a sweep that are single values."""


def sweep_schema(tasks: TaskRegistry) -> Schema:
    """Returns the JSON Schema of sweep files that may name any of `tasks`, as plain values.

    >>> from lstm_bench.recipes import BUILT_IN_TASKS
    >>> schema = sweep_schema(BUILT_IN_TASKS)
    >>> schema["properties"]["seeds"]["anyOf"][0]["maximum"], "memory" in str(schema)
    (10000, True)
    """
    keys = set().union(*(known_settings(task) for task in tasks.values()))
    settings = {key: {"$ref": f"#/definitions/{key}"} for key in sorted(keys)}
    task = {"enum": sorted(tasks), "description": "A task: see `lstm-bench tasks`."}
    updates = {"type": "integer", "minimum": 1, "description": "Weight updates, not epochs."}
    shared = {"task": task, **settings, "updates": updates}
    space = {"type": "object", "minProperties": 1, "properties": {}, **CLOSED}
    space["properties"] = {key: _space_part(schema) for key, schema in settings.items()}
    options = _field_schemas(Search, set(Search.model_fields) - {"space"})
    anything: Schema = {key: {} for key in [*shared, "published"]}
    return {
        "$schema": DRAFT,
        "title": "A sweep of lstm-bench",
        **_object(
            shared
            | _field_schemas(Sweep, OWN_KEYS)
            | {
                "about": {"description": "Paragraphs of text for the report."},
                "tasks": {"type": "array", "minItems": 1, "items": _listed_task(shared)},
                "recipes": _nullable(_mapping(_nullable(_entry(settings, task, updates)))),
                "refused": _mapping(_object(anything)),
                "comparisons": _mapping(_comparison()),
                "metrics": _metrics(),
                "search": _nullable(_object({**options, "space": space})),
            }
        ),
        # A sweep of the task `csv` has a search, and text about its file, without being given any.
        "if": {"properties": {"task": {"const": "csv"}}, "required": ["task"]},
        "else": {
            "anyOf": [{"required": ["recipes"]}, {"required": ["search"]}],
            "properties": {"search": {"required": ["space"]}, "about": {"type": "string"}},
        },
        "definitions": {key: _setting(key, tasks) for key in sorted(keys)} | {RANGE: _range()},
    }


def _object(properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "properties": dict(properties), **CLOSED}


def _mapping(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _listed_task(shared: Mapping[str, Any]) -> Schema:
    named = {"as": {"type": "string", "pattern": f"^{NAME.pattern}$"}}
    return {"anyOf": [shared["task"], {**_object({**shared, **named}), "required": ["task"]}]}


def _entry(settings: Mapping[str, Any], task: Schema, updates: Schema) -> Schema:
    """Returns the schema of a fixed recipe: its settings, and the keys that describe it."""
    annotations = _field_schemas(Entry, sorted(ANNOTATION_KEYS))
    values = {"type": "array", "items": SIMPLE, "description": "Values of `over`."}
    annotations["full"] = {"anyOf": [annotations["full"], values]}
    axes = {
        key: {"type": "array", "minItems": 2, "uniqueItems": True, "items": schema}
        for key, schema in {**settings, "updates": updates}.items()
    }
    over = {
        **_object(axes),
        "minProperties": 1,
        "maxProperties": 1,
        "description": "One setting and its values: a recipe for each.",
    }
    base = {**SIMPLE, "description": "The recipe above whose settings this one begins with."}
    allowed = {**settings, "updates": updates, **annotations}
    return _object(
        {"base": _nullable(base), "task": task, **allowed, "over": over}
        | {
            "per_task": {
                **_mapping(_object(allowed)),
                "description": "Settings for one task alone.",
            }
        }
    )


def _comparison() -> Schema:
    return _loose(_plain(TypeAdapter(ComparisonQuestion).json_schema()), numbers_as_text=True)


def _metrics() -> Schema:
    names = sorted(set().union(*METRICS.values()))
    return {"type": "array", "items": {"enum": names}, "uniqueItems": True}


def _space_part(setting: Schema) -> Schema:
    """Returns the schema of a part of a search space: choices of a setting, or a range."""
    choices = {"type": "array", "minItems": 1, "uniqueItems": True, "items": setting}
    return {"anyOf": [choices, {"$ref": f"#/definitions/{RANGE}"}]}


def _range() -> Schema:
    return _loose(_plain(Range.model_json_schema()))


def _setting(key: str, tasks: TaskRegistry) -> Schema:
    """Returns the schema of a setting, from the model that has it."""
    if key == "framing":
        return {"enum": list(FRAMINGS), "description": "How sequences become samples."}
    models: Iterable[type[BaseModel]] = (Recipe, *FRAMINGS.values(), *tasks.values())
    owners = [model for model in models if key in model.model_fields]
    schemas: list[Schema] = []
    for model in owners:
        schema = _field_schema(model.model_fields[key])
        loose = schema if model.model_config.get("strict") else _loose(schema)
        schemas += [] if loose in schemas else [loose]
    merged = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {**merged, "description": _description(key, owners)}


def _description(key: str, owners: Iterable[type[BaseModel]]) -> str:
    names = [model.name for model in owners if issubclass(model, Task)]
    parts = [f"A parameter of {', '.join(names)}." if names else "A setting of a recipe."]
    if key in CONDITIONS:
        parts.append(f"Applies with {condition_as_text(key)}.")
    return " ".join(parts)


def _field_schemas(model: type[BaseModel], keys: Iterable[str]) -> dict[str, Schema]:
    """Returns the schemas of some fields of a model that converts its values."""
    docs = _attribute_docs(model)
    return {
        key: {**_loose(_field_schema(model.model_fields[key])), **docs.get(key, {})}
        for key in sorted(keys)
    }


def _attribute_docs(model: type[BaseModel]) -> dict[str, Schema]:
    """Returns the text under each field in the source of a model, as its description."""
    (body,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for node, after in itertools.pairwise(body.body):
        text = after.value if isinstance(after, ast.Expr) else None
        if isinstance(node, ast.AnnAssign) and isinstance(text, ast.Constant):
            described = " ".join(str(text.value).split()).replace("`", "")
            docs[ast.unparse(node.target)] = {"description": described}
    return docs


def _field_schema(field: FieldInfo) -> Schema:
    """Returns the schema of a field's type, with its default; anything where it has none."""
    try:
        schema = _plain(TypeAdapter(field_type(field)).json_schema())
        default = json.loads(json.dumps(field.default))
    except (PydanticUserError, TypeError):  # a type, or a default, that JSON does not have
        return {}
    required = field.is_required() or default is None
    return schema if required else {**schema, "default": default}


def _plain(schema: Any) -> Any:
    """Returns a schema of pydantic in draft 7, without its titles."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    named = {"properties", "definitions"} & schema.keys()  # whose keys are no keywords
    plain = {
        BOUNDS.get(key, key): {name: _plain(part) for name, part in value.items()}
        if key in named
        else _plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
    if "prefixItems" in plain:
        plain["items"] = plain.pop("prefixItems")
    return plain


def _loose(schema: Schema, numbers_as_text: bool = False) -> Schema:
    """Returns the schema of what a model that is not strict also takes: "5" for 5, 1 for true.

    With `numbers_as_text`, it takes 5 for "5" too.
    """
    nested: Schema = {
        key: [_loose(part, numbers_as_text) for part in schema[key]]
        for key in ("anyOf", "items")
        if isinstance(schema.get(key), list)
    }
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            nested[key] = _loose(schema[key], numbers_as_text)
    if "properties" in schema:
        parts = schema["properties"].items()
        nested["properties"] = {key: _loose(part, numbers_as_text) for key, part in parts}
    schema = {**schema, **nested}
    kind = schema.get("type")
    if kind == "string" and numbers_as_text:
        return {**schema, "type": ["string", "number"]}
    if kind not in AS_TEXT or "const" in schema:
        return schema
    also: list[Schema] = [{"type": "string", "pattern": AS_TEXT[kind]}]
    also += [{"enum": [0, 1]}] if kind == "boolean" else []
    also += [{"type": "boolean"}] if kind == "number" else []
    rest: Schema = {key: schema.pop(key) for key in ("default", "description") if key in schema}
    return {"anyOf": [schema, *also], **rest}
