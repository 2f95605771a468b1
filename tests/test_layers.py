"""The layers of DESIGN.md, read from the source: who imports whom, and how long files are."""

import ast
import functools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lstm_bench"

# A module imports only from rows above its own, or from its own row; several names share a row.
ROWS = [
    {"", "errors"},  # "" is the package itself, which holds nothing but the version
    {"seeds", "faults", "interrupts", "dealing"},
    {"naming", "addresses", "csv_text", "documents", "markdown", "scratch", "terminal"},
    {"metrics", "statistics", "variance", "paired", "unpaired", "survival", "verdicts", "horizon"}
    | {"skill"},
    {"tasks"},
    {"framings"},
    {"schedule"},
    {"configuration", "rules", "recipe", "entries", "sweep", "usual"},
    {"cost"},
    {"loading"},
    {"backend"},
    {"provenance"},
    {"results", "stored", "stored_tables", "findings", "searched", "beside"},
    {"models", "model_file"},
    {"engine"},
    {"evaluation", "returned_states"},
    {"run", "export", "predict", "forecast"},
    {"testing"},
    {"warm", "workers", "settings"},
    {"tracking", "ledger"},
    {"lookup"},
    {"search"},
    {"gathering", "estimate"},
    {"book"},
    {"searching"},
    {"report"},
    {"launch", "speed", "show", "scaffold"},
    {"options", "sweep_output"},
    {"cli"},
    {"__main__"},
]
ROW = {name: number for number, row in enumerate(ROWS) for name in row}

TENSORFLOW = {"backend", "models", "engine", "evaluation", "run", "warm", "workers"}
TENSORFLOW |= {"export", "predict", "forecast", "returned_states", "model_file"}
HEAVY = {
    "optuna": {"search"},
    "mlflow": {"tracking"},
    "tensorflow": TENSORFLOW,
    "keras": TENSORFLOW,
}

FILES = sorted(PACKAGE.rglob("*.py"))


def dotted(path):
    """Returns a file's module name inside the package: 'engine.compiled', '' for the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in FILES}


@functools.cache
def imported(path):
    """Returns every module that a file names in an import, at any depth, as absolute names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
            and isinstance(node.args[0], ast.Constant)
        ):
            found.add(node.args[0].value)
    return found


def inner(path):
    """Returns the modules of this package that a file imports, as in MODULES."""
    found = set()
    for name in imported(path):
        package, *parts = name.split(".")
        if package != PACKAGE.name:
            continue
        while parts and ".".join(parts) not in MODULES:  # the tail is a name, not a module
            parts = parts[:-1]
        found.add(".".join(parts))
    return found


def test_every_module_has_its_row():
    assert {name.split(".")[0] for name in MODULES} <= set(ROW)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_rows_above_it(module):
    own = ROW[module.split(".")[0]]
    for other in inner(MODULES[module]):
        name = other.split(".")[0]
        assert ROW[name] <= own, f"{module} -> {other}"


def test_there_is_no_import_cycle():
    graph = {module: inner(path) - {module} for module, path in MODULES.items()}
    while graph:
        free = {module for module, others in graph.items() if not others & set(graph)}
        assert free, f"these import one another in a circle: {sorted(graph)}"
        for module in free:
            del graph[module]


@pytest.mark.parametrize("library", HEAVY)
def test_a_heavy_library_is_imported_only_where_it_belongs(library):
    users = {
        module.split(".")[0]
        for module, path in MODULES.items()
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users <= HEAVY[library]


def reachable(module):
    """Returns `module` and everything of this package that importing it may lead to."""
    found, ahead = set(), {module}
    while ahead:
        found |= ahead
        ahead = {other for name in ahead for other in inner(MODULES[name])} - found
    return found


def test_reports_lead_to_neither_tensorflow_nor_optuna():
    reports = [module for module in MODULES if module.split(".")[0] == "report"]
    assert reports
    for module in set().union(*(reachable(report) for report in reports)):
        libraries = {name.split(".")[0] for name in imported(MODULES[module])}
        assert not libraries & {"tensorflow", "keras", "optuna"}, module


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_at_most_400_lines(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400
