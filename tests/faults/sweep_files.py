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
from lstm_bench.recipes._registry import TASKS
from lstm_bench.sweeps._sweep import Search, Sweep

from . import bytewise, documents
from .fuzzing import Case
from .world import World

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "lstm_bench" / "cli" / "template"
SMALL: dict[str, Any] = {
    "task": "memory",
    "seeds": 2,
    "recipes": {"A": {"units": 4}, "B": {"base": "A", "over": {"lag": [3, 4]}}},
    "search": {"trials": 3, "space": {"units": [2, 3], "framing": ["pairs", "whole"]}},
}
OF_DATA: dict[str, Any] = {"task": "csv", "file": "data/season.csv", "target": "value", "seeds": 2}
WORDS = sorted(
    {"task", "recipes", "updates", "base", "over", "published", "claim", "int", "float", "log"}
    | set(Sweep.model_fields)
    | set(Search.model_fields)
    | set(Recipe.model_fields)
    | {key for task in TASKS.values() for key in task.model_fields}
    | {key for framing in FRAMINGS.values() for key in framing.model_fields}
)
"""Every key that means something in a sweep file."""

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
"""YAML that no value dumps to, put in the place of a node."""

MARK = "MARKNUMBER"


@functools.cache
def sound() -> tuple[tuple[str, str], ...]:
    """Returns the sweep files that the mutations start from: (name, text) each."""
    found = {path.stem: path.read_text() for path in sorted((PROJECT / "sweeps").glob("*.yaml"))}
    for path in sorted((TEMPLATE / "sweeps").glob("*.yaml")):
        # Not a task of the user's own, which would be refused before anything else is read.
        found[path.stem] = path.read_text().replace("task: highest", "task: random_memory")
    found |= {"small": yaml.safe_dump(SMALL), "of_data": yaml.safe_dump(OF_DATA)}
    return tuple(found.items())


def make(world: World, chance: random.Random) -> Case:
    """Puts a mutated sweep file into the working folder; returns its dry run."""
    prepare(world)
    kind, content = mutated(chance)
    (world.here / "fuzzed.yaml").write_bytes(content)
    words = ["sweep", "fuzzed.yaml", "--dry-run", *(["--json"] if chance.random() < 0.4 else [])]
    return Case(kind, tuple(words))


def prepare(world: World) -> None:
    """Copies the data that sweep files name, and lays links that lead out of the folder."""
    shutil.copytree(PROJECT / "sweeps" / "data", world.here / "sweeps" / "data")
    shutil.copytree(TEMPLATE / "data", world.here / "data")
    (world.here / "linked.csv").symlink_to("../secret.csv")
    (world.here / "linked").symlink_to("..")


def mutated(chance: random.Random) -> tuple[str, bytes]:
    """Returns how a sweep file was mutated, and the file."""
    _, text = chance.choice(sound())
    way = chance.choice(("bytes", "nodes", "nodes", "words", "words", "raw", "raw", "bomb"))
    if way == "bytes":
        return way, bytewise.damaged(text.encode(), chance)
    document = yaml.safe_load(text)
    if way == "nodes":
        odd = ("linked.csv", "linked/secret.csv", "data/season.csv", *TASKS, *FRAMINGS)
        return way, _dumped(documents.mutated(document, chance, WORDS, odd), chance)
    if way == "words":
        return way, _dumped(_reworded(document, chance), chance)
    if way == "raw":
        return way, _with_raw(document, chance)
    return way, _bomb(text, chance)


def _reworded(document: Any, chance: random.Random) -> Any:
    """Returns `document` with strange texts where any text is legal: titles, ids, what is told."""
    texts = [each for each in documents.ODD if isinstance(each, str)]
    for _ in range(chance.choice((1, 2, 3))):
        text = chance.choice(texts)
        part = document.get(chance.choice(("recipes", "refused", "comparisons")))
        if not isinstance(part, dict) or not part:
            document[chance.choice(("title", "about"))] = text
            continue
        key = chance.choice(list(part))
        if isinstance(part[key], dict) and chance.random() < 0.5:
            part[key][chance.choice(("published", "note", "claim"))] = text
        else:
            part[text] = part.pop(key)
    return document


def _with_raw(document: Any, chance: random.Random) -> bytes:
    """Returns `document` as YAML, with one or two nodes or keys that no value dumps to."""
    document = json.loads(json.dumps(document, default=str))
    raws: list[tuple[str, str]] = []
    for _ in range(chance.choice((1, 1, 2))):
        mark = f"{MARK}{len(raws)}X"
        raws.append((mark, chance.choice(RAW)))
        above, key = chance.choice(list(documents.places([document]))[1:])
        if isinstance(above, dict) and chance.random() < 0.25:
            above[mark] = above.pop(key)
        else:
            above[key] = mark
    text = yaml.safe_dump(document, default_flow_style=chance.random() < 0.5, width=10**6)
    for mark, raw in raws:
        text = text.replace(mark, raw)
    return text.encode("utf-8", "surrogatepass")


def _bomb(text: str, chance: random.Random) -> bytes:
    """Returns a file in which each of some lists holds the one before nine times."""
    depth = chance.choice((3, 5, 9, 30))
    lines = [f"x0: {BILLION}"]
    lines += [f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth)]
    if chance.random() < 0.3:  # the same of mappings
        lines = ["x0: &a0 {k: v}"]
        lines += [f"x{n}: &a{n} {{<<: *a{n - 1}, a: *a{n - 1}, b: *a{n - 1}}}"
                  for n in range(1, 2 * depth)]  # fmt: skip
    place = chance.choice(("about", "title", "recipes", "search", "metrics", "comparisons"))
    last = f"{place}: *a{len(lines) - 1}" if chance.random() < 0.7 else ""
    kept = [line for line in text.splitlines() if not last or not line.startswith(place)]
    return "\n".join([*lines, *kept, last]).encode()


def _dumped(document: Any, chance: random.Random) -> bytes:
    """Returns `document` as YAML, or as JSON, which is YAML too."""
    if chance.random() < 0.2:
        return json.dumps(document, skipkeys=True, ensure_ascii=chance.random() < 0.5).encode()
    wide = chance.random() < 0.5
    return yaml.safe_dump(document, allow_unicode=wide).encode("utf-8", "surrogatepass")
