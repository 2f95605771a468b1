"""Reading of untrusted YAML, which can contain nothing but values.

The size of a file, its nesting and the size of its expanded aliases are limited before it is
loaded, and nothing in it is looked up anywhere: no tags, no interpolation.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from lstm_bench.errors import SweepError

MAX_CHARACTERS = 1_000_000
"""Characters of a file."""
MAX_DEPTH = 50
"""Levels of nested lists and mappings."""
MAX_NODES = 10_000
"""Values, keys, lists and mappings, including each repetition by an alias: OmegaConf's own limit,
reported before it is reached."""

MAX_NUMBER_CHARACTERS = 400
"""Characters of a number."""
DIGITS = re.compile(r"[+-]?[0-9][0-9a-zA-Z_.:+-]*$")
PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in
              ("str", "int", "float", "bool", "null", "seq", "map")} | {"!"}  # fmt: skip
FAULTS = (yaml.YAMLError, OmegaConfBaseException, ValueError, LookupError, RecursionError)
"""What PyYAML and OmegaConf raise; `!!bool foo` is a `KeyError`."""

NUMBER_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")}
INTEGER = "tag:yaml.org,2002:int"
OCTAL = re.compile(r"([-+]?)(?=0[0-9_])[0_]*([1-9][0-9_]*)?$")
"""A whole number with leading zeros: its sign, and the rest of its digits."""
EXPONENT = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$")
"""A number with an exponent, which OmegaConf reads as one, also where YAML 1.1 does not."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, interpolation: bool = False) -> Any:
    """Returns the content of the YAML file at `path` as plain values.

    With `interpolation`, OmegaConf replaces `${...}`, also by environment variables: only for the
    user's own settings. Raises `SweepError` with the path of the file.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise SweepError(f"{path}: cannot be read ({error})") from error
    try:
        return parse_yaml(text, interpolation)
    except SweepError as error:
        raise SweepError(f"{path}: {error}") from error


def parse_yaml(text: str, interpolation: bool = False) -> Any:
    """Returns the content of `text`, as `read_yaml` does; errors do not name a file."""
    check_yaml(text, interpolation)
    try:
        _check_keys(yaml.compose(text, Loader=_LOADER))
        if _is_single_value(text):  # which OmegaConf cannot load
            return yaml.load(text, Loader=yaml.SafeLoader)
        return OmegaConf.to_container(OmegaConf.load(io.StringIO(text)), resolve=interpolation)
    except InterpolationResolutionError as error:
        reason = " ".join(str(error).split()).partition(" full_key")[0]
        raise SweepError(
            f"the variable in ${{...}} must exist, but {reason}; set that environment variable, or "
            "write the value itself"
        ) from error
    except (
        yaml.YAMLError,
        OmegaConfBaseException,
        ValueError,
        LookupError,
        RecursionError,
    ) as error:
        raise SweepError(_invalid(error, text)) from error


def check_yaml(text: str, interpolation: bool = False) -> None:
    """Raises `SweepError` if `text` is not YAML, too large or too deep, or has `${...}` in it."""
    if len(text) > MAX_CHARACTERS:
        raise SweepError(
            f"must have at most {MAX_CHARACTERS:,} characters, but has {len(text):,} or more; "
            "shorten it"
        )
    try:
        _check_events(yaml.parse(text, Loader=_LOADER), interpolation)
        _check_numbers(yaml.compose(text, Loader=_LOADER))
    except (yaml.YAMLError, ValueError) as error:
        raise SweepError(_invalid(error, text)) from error


def _invalid(error: Exception, text: str) -> str:
    """Returns the message for text that is not YAML: what PyYAML says of it, and the repair."""
    message = " ".join(str(error).replace(' in "<unicode string>",', " at").split())
    mark = getattr(error, "problem_mark", None)
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    repair = "correct it there, or put text in quotes"
    if "mapping values are not allowed" in message:
        repair = "put text that has a colon in quotes, and start keys of one level in one column"
    elif "\t" in line[: mark.column + 1 if mark is not None else 0]:
        repair = "indent by spaces in place of the tab"
    elif "cannot start any token" in message:
        repair = "put text that starts with this character in quotes"
    return f"is not valid YAML: {message}; {repair}"


def _check_events(events: Iterator[yaml.Event], interpolation: bool) -> None:
    """Raises `SweepError` at the first event that breaks a rule or exceeds a limit."""
    open_nodes: list[tuple[str | None, int]] = []  # of open lists and mappings: anchor, start
    sizes: dict[str, int] = {}  # of the node of each anchor: the nodes in it
    depths: dict[str, int] = {}  # of the node of each anchor: the levels in it
    count, deepest = 0, [0]
    for event in events:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in PLAIN_TAGS:
            raise _error(event, f"values must be plain, but one is tagged {tag!r}; remove the tag")
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, count))
            deepest.append(0)
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            depth = deepest.pop() + 1
            deepest[-1] = max(deepest[-1], depth)
            if anchor is not None:
                sizes[anchor], depths[anchor] = count - before, depth
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor is not None:
                sizes[event.anchor], depths[event.anchor] = 1, 0
            _check_scalar(event, interpolation)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise _error(
                    event,
                    f"the anchor of an alias must be complete before it, but that of "
                    f"*{event.anchor} is not; write the values out",
                )
            count += sizes[event.anchor]
            deepest[-1] = max(deepest[-1], depths[event.anchor])
        if len(open_nodes) + deepest[-1] > MAX_DEPTH:
            raise _error(
                event,
                f"lists and mappings must be nested at most {MAX_DEPTH} deep, but are deeper; "
                "flatten them",
            )
        if count > MAX_NODES:
            raise _error(
                event,
                f"there must be at most {MAX_NODES:,} values, with aliases expanded, but there are "
                "more; shorten it",
            )


def _check_scalar(event: yaml.ScalarEvent, interpolation: bool) -> None:
    """Raises `SweepError` if a value has `${...}` in it, or is a number that is too long."""
    value = event.value
    if "${" in value and not interpolation:
        text = repr(value if len(value) <= 60 else value[:59] + "…")
        raise _error(
            event,
            f"values must be written out, because nothing is substituted here, but got {text}; "
            "write the value itself in place of ${...}",
        )
    if event.implicit[0] and len(value) > MAX_NUMBER_CHARACTERS and DIGITS.match(value):
        raise _error(
            event,
            f"a number must have at most {MAX_NUMBER_CHARACTERS} characters, but {value[:20]}… has "
            f"{len(value):,}; write text in quotes",
        )


def _check_keys(root: yaml.Node | None) -> None:
    """Raises `SweepError` if YAML reads a key as a number or a truth value with another name.

    So `4_100` is not silently the name `4100`, and `on` not `True`; `4100` stays what it is.
    """
    for node, is_key in _nodes(root):
        if is_key:
            _check_key(node)


def _check_numbers(root: yaml.Node | None) -> None:
    """Raises `SweepError` if a value is a number with leading zeros, which YAML reads as octal."""
    for node, is_key in _nodes(root):
        if is_key or not isinstance(node, yaml.ScalarNode) or node.tag != INTEGER or node.style:
            continue
        octal = OCTAL.match(node.value)
        if octal:
            raise _error(
                node,
                "a number must have no leading zeros, with which YAML reads it as octal, but got "
                f"{node.value}; write {octal[1]}{octal[2] or 0}, or, for text, "
                f'"{node.value}", in quotes',
            )


def _nodes(root: yaml.Node | None) -> Iterator[tuple[yaml.Node, bool]]:
    """Yields every node of a document once, and whether it is a key."""
    waiting, seen = [(root, False)], set()
    while waiting:
        node, is_key = waiting.pop()
        if node is None or (id(node), is_key) in seen:
            continue
        seen.add((id(node), is_key))
        yield node, is_key
        if isinstance(node, yaml.SequenceNode):
            waiting += [(item, False) for item in node.value]
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                waiting += [(key, True), (value, False)]


def _check_key(key: yaml.Node) -> None:
    """Raises `SweepError` if a key is not read as the text that is written."""
    if isinstance(key, yaml.ScalarNode) and not key.style and EXPONENT.match(key.value):
        value: Any = float(key.value)  # as OmegaConf reads it
    elif key.tag in NUMBER_TAGS:
        value = _LOADER("").construct_object(key)
    else:
        return
    if str(value) != key.value:
        raise _error(
            key,
            f'a name must be text, but YAML reads {key.value} as {value}; write "{key.value}", in '
            "quotes",
        )


def _error(event: yaml.Event | yaml.Node, message: str) -> SweepError:
    line = event.start_mark.line + 1 if event.start_mark else 1
    return SweepError(f"line {line}: {message}")


def _is_single_value(text: str) -> bool:
    """Returns whether a document is a single value or empty: neither a list nor a mapping."""
    nodes = (e for e in yaml.parse(text, Loader=_LOADER) if isinstance(e, yaml.NodeEvent))
    return not isinstance(next(nodes, None), yaml.CollectionStartEvent)
