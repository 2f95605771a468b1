"""Mutated sweep files."""

from __future__ import annotations

import functools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import yaml

from lstm_bench.recipes._framings import FRAMINGS
from lstm_bench.recipes._recipe import Recipe
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.sweeps._sweep import Search, Sweep

from . import bytewise, documents
from .fuzzing import Case
from .sandbox import Sandbox

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "lstm_bench" / "cli" / "template"
SMALL: dict[str, Any] = {
    "task": "memory",
    "seeds": 2,
    "recipes": {"A": {"units": 4}, "B": {"base": "A", "over": {"lag": [3, 4]}}},
    "search": {"trials": 3, "space": {"units": [2, 3], "framing": ["pairs", "whole"]}},
}
WITH_DATA: dict[str, Any] = {
    "task": "csv",
    "file": "data/season.csv",
    "target": "value",
    "seeds": 2,
}
KEYS = sorted(
    {"task", "recipes", "updates", "base", "over", "published", "claim", "int", "float", "log"}
    | set(Sweep.model_fields)
    | set(Search.model_fields)
    | set(Recipe.model_fields)
    | {key for task in BUILT_IN_TASKS.values() for key in task.model_fields}
    | {key for framing in FRAMINGS.values() for key in framing.model_fields}
)
"""Every key that has a meaning in a sweep file."""

BILLION = "&a0 [x, x, x, x, x, x, x, x, x]"
RAW = (
    "&r [*r]", "&r {a: *r}", "*nobody", "&a 1", "!!python/object/apply:os.system ['touch PWNED']",
    "!!python/object/new:os.system ['touch PWNED']", "!!python/name:os.system",
    "!!python/tuple [1, 2]", "!!binary aGVsbG8=", "!!binary '*'", "!!set {a, b}", "!!omap [a: 1]",
    "!!timestamp 2001-01-01", "2001-13-45", "2001-01-01", "!!int x", "!!float x", "!!null x",
    "!own x", "!!str 5", "!!merge x", "{<<: {a: 1}}", "{<<: 1}", '"\\ud800"', '"\\udfff x"',
    '"\\x00"', '"\\e[31m"', '"\\x9b"', '"\\x07"', "? {a: 1} : 2", "{[1]: 2}", "0o17", "0b1",
    "1:30:00", "190:20:30", "1__0", ".inf", "-.INF", ".NaN", "1e999", "9" * 5000, "|\n  a\n b",
    ">+\n\n\n", "[" * 400 + "]" * 400, "[" * 4000 + "]" * 4000, "{a: " * 300 + "1" + "}" * 300,
    "'" + "z" * 200_000 + "'", "${oc.env:HOME}", "${oc.env:LSTM_BENCH_SECRET}",
    "${oc.create:{a:1}}", "${oc.select:title}", "${.seeds}", "???", "${" * 50 + "x" + "}" * 50,
    "${oc.dict.keys:search}", "${seeds}", "'${oc.deprecated:task}'", "yes", "~", "- - -",
)  # fmt: skip
"""YAML that is not the dump of any value, to replace a node with."""

PLACEHOLDER = "MARKNUMBER"


@functools.cache
def valid_files() -> tuple[tuple[str, str], ...]:
    """Returns the sweep files that the mutations start from, each as (name, text)."""
    texts = {path.stem: path.read_text() for path in sorted((PROJECT / "sweeps").glob("*.yaml"))}
    for path in sorted((TEMPLATE / "sweeps").glob("*.yaml")):
        # A task of the user would be refused before anything else is read.
        texts[path.stem] = path.read_text().replace("task: highest", "task: random_memory")
    texts |= {"small": yaml.safe_dump(SMALL), "of_data": yaml.safe_dump(WITH_DATA)}
    return tuple(texts.items())


def make(sandbox: Sandbox, rng: random.Random) -> Case:
    """Writes a mutated sweep file into the working folder; returns its dry run."""
    prepare(sandbox)
    kind, content = mutated(rng)
    (sandbox.folder / "fuzzed.yaml").write_bytes(content)
    options = ["--dry-run", *(["--json"] if rng.random() < 0.4 else [])]
    return Case(kind, ("sweep", "fuzzed.yaml", *options))


def prepare(sandbox: Sandbox) -> None:
    """Copies the data that sweep files name, and makes links that lead out of the folder."""
    shutil.copytree(PROJECT / "sweeps" / "data", sandbox.folder / "sweeps" / "data")
    shutil.copytree(TEMPLATE / "data", sandbox.folder / "data")
    (sandbox.folder / "linked.csv").symlink_to("../secret.csv")
    (sandbox.folder / "linked").symlink_to("..")


def mutated(rng: random.Random) -> tuple[str, bytes]:
    """Returns the kind of mutation, and the mutated sweep file."""
    _, text = rng.choice(valid_files())
    kind = rng.choice(("bytes", "nodes", "nodes", "words", "words", "raw", "raw", "bomb"))
    if kind == "bytes":
        return kind, bytewise.mutated(text.encode(), rng)
    document = yaml.safe_load(text)
    if kind == "nodes":
        odd = ("linked.csv", "linked/secret.csv", "data/season.csv", *BUILT_IN_TASKS, *FRAMINGS)
        return kind, _dumped(documents.mutated(document, rng, KEYS, odd), rng)
    if kind == "words":
        return kind, _dumped(_with_odd_texts(document, rng), rng)
    if kind == "raw":
        return kind, _with_raw(document, rng)
    return kind, _bomb(text, rng)


def _with_odd_texts(document: Any, rng: random.Random) -> Any:
    """Returns `document` with odd texts where any text is legal: titles, ids, notes."""
    texts = [value for value in documents.ODD if isinstance(value, str)]
    for _ in range(rng.choice((1, 2, 3))):
        text = rng.choice(texts)
        part = document.get(rng.choice(("recipes", "refused", "comparisons")))
        if not isinstance(part, dict) or not part:
            document[rng.choice(("title", "about"))] = text
            continue
        key = rng.choice(list(part))
        if isinstance(part[key], dict) and rng.random() < 0.5:
            part[key][rng.choice(("published", "note", "claim"))] = text
        else:
            part[text] = part.pop(key)
    return document


def _with_raw(document: Any, rng: random.Random) -> bytes:
    """Returns `document` as YAML, with one or two nodes or keys from `RAW`."""
    document = json.loads(json.dumps(document, default=str))
    replacements: list[tuple[str, str]] = []
    for _ in range(rng.choice((1, 1, 2))):
        placeholder = f"{PLACEHOLDER}{len(replacements)}X"
        replacements.append((placeholder, rng.choice(RAW)))
        parent, key = rng.choice(list(documents.positions([document]))[1:])
        if isinstance(parent, dict) and rng.random() < 0.25:
            parent[placeholder] = parent.pop(key)
        else:
            parent[key] = placeholder
    text = yaml.safe_dump(document, default_flow_style=rng.random() < 0.5, width=10**6)
    for placeholder, raw in replacements:
        text = text.replace(placeholder, raw)
    return text.encode("utf-8", "surrogatepass")


def _bomb(text: str, rng: random.Random) -> bytes:
    """Returns a file with nested lists, each of which contains the previous one nine times."""
    depth = rng.choice((3, 5, 9, 30))
    lines = [f"x0: {BILLION}"]
    lines += [f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth)]
    if rng.random() < 0.3:  # the same with mappings
        lines = ["x0: &a0 {k: v}"]
        lines += [f"x{n}: &a{n} {{<<: *a{n - 1}, a: *a{n - 1}, b: *a{n - 1}}}"
                  for n in range(1, 2 * depth)]  # fmt: skip
    key = rng.choice(("about", "title", "recipes", "search", "metrics", "comparisons"))
    last = f"{key}: *a{len(lines) - 1}" if rng.random() < 0.7 else ""
    rest = [line for line in text.splitlines() if not last or not line.startswith(key)]
    return "\n".join([*lines, *rest, last]).encode()


def _dumped(document: Any, rng: random.Random) -> bytes:
    """Returns `document` as YAML, sometimes in the form of JSON."""
    if rng.random() < 0.2:
        return json.dumps(document, skipkeys=True, ensure_ascii=rng.random() < 0.5).encode()
    unicode = rng.random() < 0.5
    return yaml.safe_dump(document, allow_unicode=unicode).encode("utf-8", "surrogatepass")
