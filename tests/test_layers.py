"""The rooms of the package, read from its source: who may import whom, and how long files are."""

import ast
import functools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lstm_bench"

# From the top to the bottom: a room imports only from rooms on lines below its own.
ORDER = [
    {"__main__"},
    {"cli"},
    {"__init__", "returned_states"},
    {"_api"},
    {"execution"},
    {"report", "export", "testing"},
    {"tracking", "search"},
    {"analysis"},
    {"sweeps"},
    {"training"},
    {"results"},
    {"recipes"},
    {"data"},
    {"tasks"},
    {"statistics"},
    {"provenance"},
    {"config"},
    {"safety", "seeds"},
    {"errors"},
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

HEAVY = {
    "optuna": {"search"},
    "mlflow": {"tracking"},
    "tensorflow": {"training"},
    "distributed": {"execution"},
    "keras": {"training", "export"},  # a script is written from the layers of a model
}
"""Which rooms alone import a library that takes seconds to load."""

MOST_ROOMS, MOST_FILES, MOST_LINES = 16, 8, 400

FILES = sorted(path for path in PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi"))


def name_of(path):
    """Returns a file's module name: 'lstm_bench.recipes._recipe', 'lstm_bench' for the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module):
    """Returns the room of a module: 'recipes'; 'errors' of a file at the top; '__init__'."""
    return [*module.split("."), "__init__"][1]


MODULES = {name_of(path) for path in FILES}
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


@functools.cache
def imports(path):
    """Returns (module, name) for everything that a file imports, at any depth; name "" for all."""
    package = name_of(path) if path.stem == "__init__" else name_of(path).rpartition(".")[0]
    pairs = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            pairs |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path.suffix == ".pyi", f"{path}: imports are absolute here"
            module = ".".join(filter(None, [package if node.level else "", node.module]))
            pairs |= {(module, alias.name) for alias in node.names}
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
            and isinstance(node.args[0], ast.Constant)
        ):
            pairs.add((node.args[0].value, ""))
    return pairs


def targets(path):
    """Returns the modules of this package that importing a file leads to at once."""
    modules = set()
    for module, name in imports(path):
        if module.split(".")[0] == PACKAGE.name:
            whole = f"{module}.{name}"
            modules.add(whole if whole in MODULES else module)
    return modules


def graph():
    """Returns module -> modules that it imports; a stub counts for the package that it describes.

    A module of a package also needs the package itself, unless that is where it is listed.
    """
    arrows = {module: set() for module in MODULES}
    for path in FILES:
        arrows[name_of(path)] |= targets(path) - {name_of(path)}
    return arrows


def drawing(arrows=()):
    """Returns the order of the rooms as text, with the arrows that go against it."""
    lines = ["", *("  " + "  ".join(sorted(rooms)) for rooms in ORDER), ""]
    lines += [f"  {source} -> {target}   goes up" for source, target in sorted(arrows)]
    return "\n".join(lines)


def test_there_are_few_rooms_and_every_one_has_its_place():
    files = {path.stem for path in PACKAGE.glob("*.py")}
    assert len(ROOMS) <= MOST_ROOMS
    assert len(files) <= MOST_FILES
    assert ROOMS | files == set(LEVEL), drawing()


def test_a_room_imports_only_from_rooms_below_it():
    upward = [
        (name_of(path), target)
        for path in FILES
        for target in targets(path)
        if room_of(target) != room_of(name_of(path))
        and LEVEL[room_of(target)] <= LEVEL[room_of(name_of(path))]
    ]
    assert not upward, drawing(upward)


def test_a_room_takes_from_another_only_what_that_offers():
    """Names are imported from the package, never from a private module of it."""
    inside = [
        f"{name_of(path)} -> {module}.{name}"
        for path in FILES
        for module, name in imports(path)
        if module.split(".")[0] == PACKAGE.name
        and room_of(module) in ROOMS
        and room_of(module) != room_of(name_of(path))
        and (module.count(".") > 1 or name.startswith("_"))
    ]
    assert not inside, "\n".join(inside)


def test_a_room_offers_nothing_that_nobody_takes():
    """Names in `__init__` are used by another room, by the public face, or by users' tests."""
    taken = {
        (room_of(module), name)
        for path in FILES
        for module, name in imports(path)
        if module.split(".")[0] == PACKAGE.name and room_of(module) != room_of(name_of(path))
    }
    offered = {
        (room, name)
        for room in ROOMS
        for path in (PACKAGE / room / "__init__.py", PACKAGE / room / "__init__.pyi")
        if path.exists()
        for module, name in imports(path)
        if module.startswith(f"{PACKAGE.name}.{room}")
    }
    for_users = {("testing", name) for _, name in offered} | {("tasks", "task")}
    assert offered - taken - for_users == set()


def test_modules_inside_a_room_are_private():
    public = [
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        if path.parent != PACKAGE and not path.stem.startswith("_")
    ]
    assert not public


def test_every_room_says_in_one_sentence_what_it_is_for():
    for room in ROOMS:
        tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
        first = (ast.get_docstring(tree) or "").split("\n")[0]
        assert first.endswith("."), room


def test_there_is_no_import_cycle():
    left = graph()
    while left:
        free = {module for module, others in left.items() if not others & set(left)}
        assert free, f"these import one another in a circle: {sorted(left)}" + drawing()
        for module in free:
            del left[module]


@pytest.mark.parametrize("library", HEAVY)
def test_a_heavy_library_is_imported_only_where_it_belongs(library):
    users = {
        room_of(name_of(path))
        for path in FILES
        if any(module.split(".")[0] == library for module, _ in imports(path))
    }
    assert users <= HEAVY[library]


def test_reports_lead_to_neither_tensorflow_nor_optuna():
    """Not even through what they import: a report is made where only tables are to be had."""
    arrows = graph()
    seen, ahead = set(), {module for module in MODULES if room_of(module) == "report"}
    while ahead:
        seen |= ahead
        ahead = {other for module in ahead for other in arrows[module]} - seen
    rooms = {room_of(module) for module in seen}
    assert not rooms & {"training", "search", "tracking"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_is_of_a_readable_length(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
