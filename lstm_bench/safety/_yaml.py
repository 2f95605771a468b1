"""YAML of somebody else's, read so that no file can do more than hold values.

The size of a file, how deep it is nested and what its aliases unfold to are bounded before
anything is made of it, and nothing in it is looked up anywhere: no tags, no interpolation.
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

LARGEST = 1_000_000
"""Characters of a file."""
DEEPEST = 50
"""Levels of lists and mappings within one another."""
MOST_NODES = 10_000
"""Values, keys, lists and mappings, those that aliases repeat counted each time: OmegaConf's own
limit, told before it is reached."""

LONGEST_NUMBER = 400
"""Characters that a number may have."""
DIGITS = re.compile(r"[+-]?[0-9][0-9a-zA-Z_.:+-]*$")
PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in
              ("str", "int", "float", "bool", "null", "seq", "map")} | {"!"}  # fmt: skip

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, interpolation: bool = False) -> Any:
    """Returns what the YAML file at `path` holds, as plain values.

    With `interpolation`, `${...}` is replaced as OmegaConf does, environment variables included:
    for the user's own settings alone. Raises `SweepError` that names the file.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise SweepError(f"{path}: cannot be read ({error})") from error
    try:
        return parse_yaml(text, interpolation)
    except SweepError as error:
        raise SweepError(f"{path}: {error}") from error


def parse_yaml(text: str, interpolation: bool = False) -> Any:
    """Returns what `text` holds, as `read_yaml` does; the message of an error names no file."""
    check_yaml(text, interpolation)
    try:
        if _is_single(text):  # of which OmegaConf makes nothing
            return yaml.load(text, Loader=yaml.SafeLoader)
        return OmegaConf.to_container(OmegaConf.load(io.StringIO(text)), resolve=interpolation)
    except InterpolationResolutionError as error:
        said = " ".join(str(error).split()).partition(" full_key")[0]
        raise SweepError(
            f"what it names must be there, but {said}; set that environment variable, or write the "
            "value itself"
        ) from error
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise SweepError(f"is not valid YAML: {' '.join(str(error).split())}") from error


def check_yaml(text: str, interpolation: bool = False) -> None:
    """Raises `SweepError` where `text` is no YAML, too deep, too large, or asks to be filled in."""
    if len(text) > LARGEST:
        raise SweepError(f"must have at most {LARGEST:,} characters, but has more; shorten it")
    try:
        _check(yaml.parse(text, Loader=_LOADER), interpolation)
    except (yaml.YAMLError, ValueError) as error:
        raise SweepError(f"is not valid YAML: {' '.join(str(error).split())}") from error


def _check(events: Iterator[yaml.Event], interpolation: bool) -> None:
    open_: list[tuple[str | None, int]] = []  # anchors of the lists and mappings that are open
    sizes: dict[str, int] = {}  # nodes that each anchor stands for, and how deep they go
    depths: dict[str, int] = {}
    count, deepest = 0, [0]
    for event in events:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in PLAIN_TAGS:
            raise SweepError(
                f"line {_line(event)}: values must be plain, but one is tagged {tag!r}; leave the "
                "tag out"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, count))
            deepest.append(0)
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            depth = deepest.pop() + 1
            deepest[-1] = max(deepest[-1], depth)
            if anchor is not None:
                sizes[anchor], depths[anchor] = count - before, depth
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor is not None:
                sizes[event.anchor], depths[event.anchor] = 1, 0
            if "${" in event.value and not interpolation:
                raise SweepError(_of_interpolation(event))
            long = event.implicit[0] and len(event.value) > LONGEST_NUMBER
            if long and DIGITS.match(event.value):
                raise SweepError(
                    f"line {_line(event)}: a number must have at most {LONGEST_NUMBER} characters, "
                    f"but {event.value[:20]}… has {len(event.value):,}; write text in quotes"
                )
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise SweepError(
                    f"line {_line(event)}: an alias must stand for what is complete above it, but "
                    f"*{event.anchor} does not; write the values out"
                )
            count += sizes[event.anchor]
            deepest[-1] = max(deepest[-1], depths[event.anchor])
        if len(open_) + deepest[-1] > DEEPEST:
            raise SweepError(
                f"line {_line(event)}: lists and mappings must be at most {DEEPEST} deep, but are "
                "deeper; flatten them"
            )
        if count > MOST_NODES:
            raise SweepError(
                f"line {_line(event)}: must hold at most {MOST_NODES:,} values, aliases unfolded, "
                "but holds more; shorten it"
            )


def _is_single(text: str) -> bool:
    """Returns whether a document is a single value, or nothing: no list and no mapping."""
    nodes = (e for e in yaml.parse(text, Loader=_LOADER) if isinstance(e, yaml.NodeEvent))
    return not isinstance(next(nodes, None), yaml.CollectionStartEvent)


def _of_interpolation(event: yaml.ScalarEvent) -> str:
    shown = repr(event.value if len(event.value) <= 60 else event.value[:59] + "…")
    return (
        f"line {_line(event)}: values must be written out, for nothing is filled in here, but got "
        f"{shown}; write the value itself in place of ${{...}}"
    )


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
