"""A network of the user's own: `network: my_module:build`, a function in a Python file.

The file is read and not run here. Its content, with that of the files which it imports from its
folder, is part of a recipe's digest, and travels with the recipe to whatever process trains it.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import re
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstm_bench.errors import StoreError

NAME = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<function>[^\W\d]\w*)")
"""What names a function in a module: `my_module:build`, `package.module:build`."""
NAME_IN_SCHEMAS = re.sub(r"\?P<\w+>", "", NAME.pattern)
"""The same pattern without names of groups, which JSON Schema does not know."""
PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
"""Where this package lies: on Python's path too, if it is installed from a checkout."""
MAX_FILES, MAX_BYTES = 200, 8 * 2**20
"""The most files that a module may import from its folder, and their largest size together."""
EXAMPLE = "my_network:build"
NETWORK_SOURCE = "network source"
"""The name of the digest of a network's files among the facts of a run."""


class OwnNetwork(str):
    """The name of a function that builds a network, with the files that it needs.

    It is equal to its name, so that settings stay plain text. `files` are the content of the module
    and of what it imports from its folder, by their paths there.
    """

    files: Mapping[str, bytes]

    def __new__(cls, name: str, files: Mapping[str, bytes]) -> OwnNetwork:
        network = super().__new__(cls, name)
        network.files = dict(files)
        return network

    def __reduce__(self) -> Any:
        return OwnNetwork, (str(self), self.files)

    @property
    def module(self) -> str:
        """The name of the module."""
        return self.partition(":")[0]

    @property
    def function(self) -> str:
        """The name of the function in the module."""
        return self.partition(":")[2]

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits of a hash of the files."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]


def own_network(value: Any) -> OwnNetwork:
    """Returns the network that a name or a function stands for; raises ValueError for others.

    >>> own_network("lstn")
    Traceback (most recent call last):
    ValueError: must be MODULE:FUNCTION of a network of yours, as my_network:build
    """
    if isinstance(value, OwnNetwork):
        return value
    name = network_name(value) if inspect.isfunction(value) else value
    match = NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise ValueError(f"must be MODULE:FUNCTION of a network of yours, as {EXAMPLE}")
    if match["module"].partition(".")[0] == "lstm_bench":
        raise ValueError(f"must be in a file of yours, but is {name}; write it to my_network.py")
    root, path = _find(match["module"])
    content = _read(path)
    _check_function(content, path, match["function"])
    return OwnNetwork(str(name), _with_imports(root, path, content, match["module"]))


def network_name(function: Any) -> str:
    """Returns the name of a function that builds a network, as `my_network:build`.

    Raises ValueError for one that is not in a module, such as a function of a notebook.
    """
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or not name.isidentifier():
        raise ValueError(
            f"must be a function in a module, so that worker processes can build it, but {name} "
            f"is of {'a session' if module == '__main__' else 'another function'}; write it to "
            f"my_network.py and give network={EXAMPLE!r}"
        )
    return f"{module}:{name}"


def unchanged_network(settings: Mapping[str, Any], facts: Mapping[str, str]) -> OwnNetwork | None:
    """Returns the user's own network of a finished run; None for a network of this package.

    `facts` are the provenance of the run. Raises `StoreError` where the files of the network are
    missing, or are not those that the run was trained with.
    """
    name = settings.get("network")
    if not isinstance(name, str) or ":" not in name:
        return None
    try:
        network = own_network(name)
    except ValueError as error:
        raise StoreError(f"this run was trained with network={name!r}, but {error}") from error
    if network.digest != facts.get(NETWORK_SOURCE):
        raise StoreError(
            f"this run was trained with network={name!r} as it was, so {network.module}.py and "
            "what it imports from its folder must be unchanged, but they have other content now; "
            "restore them, or run the sweep again"
        )
    return network


def _find(module: str) -> tuple[Path, Path]:
    """Returns the folder that a module is imported from, and its file."""
    here = str(Path.cwd())
    for place in dict.fromkeys([here, *sys.path]):
        path = _module_file(Path(place or "."), module)
        if path is None or (place == PACKAGE_FOLDER and place != here):
            continue
        if place in ("", here) or not _is_installed(path):
            return Path(place or "."), path
    file = module.replace(".", "/")
    raise ValueError(
        f"there must be a file {file}.py in the working folder {Path.cwd()} or in a folder of "
        "PYTHONPATH, but there is none (one of an installed package must be imported in such a "
        f"file); write the network there, as {EXAMPLE}"
    )


def _is_installed(path: Path) -> bool:
    """Returns whether a file belongs to Python or to an installed package.

    A sweep file, which may be of a stranger, can name none of their functions.
    """
    folders = {*site.getsitepackages(), site.getusersitepackages(), *sysconfig.get_paths().values()}
    return any(path.resolve().is_relative_to(Path(folder).resolve()) for folder in folders)


def _module_file(root: Path, module: str) -> Path | None:
    """Returns the file of a module below `root`, or None."""
    path = root.joinpath(*module.split("."))
    files = path.with_suffix(".py"), path / "__init__.py"
    try:
        return next((file for file in files if file.is_file()), None)
    except OSError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} must be readable, but {error.strerror}") from error


def _check_function(content: bytes, path: Path, function: str) -> None:
    """Raises ValueError where a file is not Python, or has no such function at its top level."""
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        reason = getattr(error, "msg", error)
        raise ValueError(f"{path.name}, line {line} is not valid Python: {reason}") from error
    names: list[str] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif not isinstance(node, ast.Expr | ast.AnnAssign | ast.AugAssign):
            return  # the function may be defined in a condition: seen when it is imported
    if function not in names:
        functions = [node.name for node in body if isinstance(node, ast.FunctionDef)]
        listed = f"has {', '.join(functions)}" if functions else "has no function"
        raise ValueError(
            f"{path.name} must have a function {function!r} at its top level, but {listed}; "
            "correct one of the two"
        )


def _with_imports(root: Path, path: Path, content: bytes, module: str) -> dict[str, bytes]:
    """Returns the content of a module and of what it imports from `root`, by path."""
    files = {_relative(root, path): content}
    waiting = [(path, content)]
    parents = [module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)]
    names = list(parents)
    while waiting or names:
        if not names:
            file, text = waiting.pop()
            names = list(_imports(text, _relative(root, file)))
            continue
        name = names.pop()
        if name.partition(".")[0] == "lstm_bench":
            continue
        imported = _module_file(root, name)
        if imported is None or _relative(root, imported) in files:
            continue
        files[_relative(root, imported)] = read = _read(imported)
        waiting.append((imported, read))
        if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
            raise ValueError(
                f"{path.name} must import at most {MAX_FILES} files with {MAX_BYTES >> 20} MB from "
                "its folder, but imports more; install them as a package"
            )
    return dict(sorted(files.items()))


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


@functools.lru_cache(maxsize=64)
def _imports(content: bytes, path: str) -> tuple[str, ...]:
    """Returns the names of all modules that a file may import, anywhere in it."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return ()  # reported when it is imported
    package = path.removesuffix(".py").removesuffix("/__init__").split("/")
    package = package if path.endswith("__init__.py") else package[:-1]
    return tuple(dict.fromkeys(_named(tree, package)))


def _named(tree: ast.AST, package: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        bases: list[str] = []
        if isinstance(node, ast.Import):
            bases = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            bases = [base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)]
        for base in filter(None, bases):
            parts = base.split(".")
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))
