"""Mutated CSV files."""

from __future__ import annotations

import datetime
import functools
import math
import os
import random
from collections.abc import Callable
from pathlib import Path

from . import bytewise
from .fuzzing import Case
from .sweep_files import PROJECT, TEMPLATE
from .world import ASTRAY, World

Grid = list[list[str]]
"""Rows of cells, the names first."""

NAMES = (
    f"/../..{ASTRAY}", "../neighbour", "km/h", "\x1b[2Jsales", "\x9b31m", "=1+1", "", " ",
    "x" * 3000, "a\nb", "a,b", 'q"q', "ünïcode", "日本", "\u202etxt", "${oc.env:LSTM_BENCH_SECRET}",
    "{0}", "%s", "<script>", "[bold]x[/bold]", "[/x]", "predicted", "origin", "time", "target",
    "season", "nan", "con", ".", "..", "~", "$HOME", "2020-01-01", "7",
)  # fmt: skip
CELLS = (
    "", " ", "nan", "NA", "null", "inf", "-inf", "1e400", "-1e400", "1e-400", "1e30", "1e300",
    "9" * 400, "1,5", "1.234,5", "1,234.5", "1_000", "0x1F", "=SUM(A1:A9)", "+1", "--1", "½", "١٢",
    "1 000", "1\u00a0000", "true", "yes", "up", "\x1b[31mred\x1b[0m", "\x00", "\x07", "\x85",
    "a\nb", "a\rb", "x" * 5000, "日本", "\u202e1", "2024-02-30", "31.12.2024", "9999-12-31",
    "0000-00-00", "24:00", "-0", "0", "1", "2", "[red]1[/red]", "🙂", "\ufeff1",
)  # fmt: skip


@functools.cache
def shipped() -> tuple[bytes, ...]:
    """Returns the CSV files of the project."""
    folders = (PROJECT / "sweeps" / "data", TEMPLATE / "data", PROJECT / "lstm_bench" / "tasks")
    return tuple(path.read_bytes() for each in folders for path in sorted(each.glob("*.csv")))


def make(world: World, chance: random.Random) -> Case:
    """Puts a mutated CSV file into the working folder; returns the dry run of a sweep over it."""
    way = chance.choice(("bytes", "bytes", "cells", "cells", "cells", "cells", "shape", "place"))
    name, target, more = "data.csv", "sales", []
    if way == "place":
        name, target = chance.choice(PLACES)(world.here)
    elif way == "shape":
        (world.here / name).write_bytes(chance.choice(SHAPES)(chance))
    elif way == "bytes":
        content = chance.choice((*shipped(), _encoded(_grid(chance), chance)))
        target = _first_names(content)[-1]
        (world.here / name).write_bytes(bytewise.damaged(content, chance))
    else:
        grid = _grid(chance)
        _mutate(grid, chance)
        target = chance.choice((*grid[0], "sales")) if grid and grid[0] else "sales"
        (world.here / name).write_bytes(_encoded(grid, chance))
        more = _options(grid[0] if grid else [], chance)
    asked = ["sweep", "--csv", name, "--dry-run", *more]
    asked += ["--target", _word(target)] if chance.random() < 0.9 else []
    asked += (
        ["--missing", "interpolate"] if "--missing" not in more and chance.random() < 0.7 else []
    )
    asked += ["--json"] if chance.random() < 0.4 else []
    return Case(way, tuple(asked))


def _word(text: str) -> str:
    """Returns what may be a word of a command line: no system lets a NUL through."""
    return text.replace("\0", "") or "sales"


def _first_names(content: bytes) -> list[str]:
    first = content.decode("utf-8", "replace").splitlines()[0].lstrip("\ufeff")
    mark = max(";\t|,", key=first.count)
    return [name.strip('"') for name in first.split(mark)]


def _grid(chance: random.Random) -> Grid:
    """Returns a sound file of 20 to 120 rows: times, a group, numbers, symbols, yes and no."""
    count, step = chance.randint(20, 120), chance.choice((1, 7, 30))
    begin = datetime.date(2020, 1, 31)
    groups, gaps = chance.choice((1, 1, 3)), chance.random() < 0.3
    rows = [["day", "shop", "sales", "price", "level", "rained"]]
    for place in range(count):
        day = begin + datetime.timedelta(step * (place // groups))
        sales = 10 + 5 * math.sin(place / 3) + chance.gauss(0, 1)
        gap = gaps and chance.random() < 0.02
        level, rained = "low" if sales < 10 else "high", chance.choice(("yes", "no"))
        number = "" if gap else f"{sales:.3f}"
        shop = "ABC"[place % groups]
        rows.append([day.isoformat(), shop, number, str(place % 7), level, rained])
    kept = sorted({2, *chance.sample(range(6), chance.randint(1, 5))})
    return [[row[place] for place in kept] for row in rows]


def _mutate(grid: Grid, chance: random.Random) -> None:
    """Changes names, cells, rows and columns of a file."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        row, column = chance.randrange(len(grid)), chance.randrange(len(grid[0]))
        match chance.randrange(8):
            case 0 | 1:
                grid[0][column] = chance.choice(NAMES)
            case 2 | 3 | 4 if column < len(grid[row]):
                grid[row][column] = chance.choice(CELLS)
            case 5:
                share, few = chance.choice((0.1, 1.0)), chance.sample(CELLS, chance.choice((2, 9)))
                for each in grid[1:]:
                    if column < len(each) and chance.random() < share:
                        each[column] = chance.choice(few)
            case 6:
                grid[row] = chance.choice(([], grid[row][:-1], [*grid[row], "9"], grid[row] * 2))
                grid[0] = grid[0] or ["sales"]
            case 7:
                del grid[max(1, row) :]
            case _:
                chance.shuffle(grid[1:])


def _encoded(grid: Grid, chance: random.Random) -> bytes:
    mark = chance.choice((",", ",", ",", ";", "\t", "|", " "))
    quoted = chance.random() < 0.3
    comma = mark != "," and chance.random() < 0.5

    def cell(text: str) -> str:
        text = text.replace(".", ",") if comma else text
        wild = any(letter in text for letter in (mark, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if quoted or wild else text

    end = chance.choice(("\n", "\n", "\r\n", "\r"))
    text = end.join(mark.join(map(cell, row)) for row in grid) + chance.choice((end, "", end * 3))
    code = chance.choice(
        ("utf-8",) * 14 + ("utf-8-sig", "utf-16", "utf-16-le", "latin-1", "utf-32")
    )
    return text.encode(code, "replace")


def _options(names: list[str], chance: random.Random) -> list[str]:
    """Returns some options of `sweep --csv`, right ones and wrong ones."""
    name = _word(chance.choice(names)) if names else "day"
    ways = (
        ["--kind", chance.choice(("real", "binary", "symbols", "colour"))],
        ["--missing", chance.choice(("drop", "refuse", "none"))],
        ["--time", name],
        ["--group", name],
        ["--columns", name],
        ["--columns", ",".join(map(_word, names))],
        ["--horizon", chance.choice(("0", "1", "2", "50", "-1", str(10**20)))],
        [f"unseen={chance.choice(('0.3', '0', '1', 'nan'))}"],
        [f"season={chance.choice(('0', '4', '12', '100000000000'))}"],
    )
    chosen = [each for each in ways if chance.random() < 0.15]
    return [word for each in sorted(chosen, key=lambda each: each[0][:2] == "--") for word in each]


SHAPES: tuple[Callable[[random.Random], bytes], ...] = (
    lambda _: b"",
    lambda _: b"\n\n\n",
    lambda _: b"sales",
    lambda _: b"sales\n",
    lambda _: b"\xef\xbb\xbf",
    lambda _: b"sales\n1\n",
    lambda _: b"sales\n" + b"1\n" * 5000,
    lambda _: b"sales\n" + b'"1\n' * 400,
    lambda _: b"sales\n" + b"1," * 5_000_000,
    lambda _: b"x" * 10_000_000,
    lambda _: b"sales\n" + b"9" * 10_000_000,
    lambda _: b'sales\n"' + b"7\n" * 5_000_000,
    lambda _: ",".join(f"c{n}" for n in range(20_000)).encode() + b"\n",
    lambda _: (",".join(["sales", *(f"c{n}" for n in range(3000))]) + "\n").encode()
    + (",".join(["1"] * 3001) + "\n").encode() * 60,
    lambda chance: b"sales\n" + b"".join(b"%d\n" % chance.randrange(99) for _ in range(60_000)),
    lambda chance: b"sales\n" + b"".join(b"v%d\n" % chance.randrange(10**6) for _ in range(3000)),
    lambda chance: chance.randbytes(3000),
    lambda chance: b"PK\x03\x04" + chance.randbytes(3000),
    lambda _: b"sales\n" + b"\n" * 200_000 + b"1\n2\n",
)  # fmt: skip
"""Files of strange sizes."""


def _folder(here: Path) -> tuple[str, str]:
    (here / "data.csv").mkdir()
    return "data.csv", "sales"


def _pipe(here: Path) -> tuple[str, str]:
    os.mkfifo(here / "data.csv")
    return "data.csv", "sales"


def _loop(here: Path) -> tuple[str, str]:
    (here / "data.csv").symlink_to("data.csv")
    return "data.csv", "sales"


def _dangling(here: Path) -> tuple[str, str]:
    (here / "data.csv").symlink_to("nowhere.csv")
    return "data.csv", "sales"


def _linked_pipe(here: Path) -> tuple[str, str]:
    os.mkfifo(here / "pipe")
    (here / "data.csv").symlink_to("pipe")
    return "data.csv", "sales"


def _device(here: Path) -> tuple[str, str]:
    return "/dev/zero", "sales"


def _named(name: str) -> Callable[[Path], tuple[str, str]]:
    """Returns what makes a sound file of a strange name."""

    def made(here: Path) -> tuple[str, str]:
        (here / name).write_bytes(shipped()[0])
        return name, "co2"

    return made


PLACES = (
    _folder, _pipe, _loop, _dangling, _linked_pipe, _device, _named("\x1b[2Jdata.csv"),
    _named("a b.csv"), _named("data"), _named(".csv"), _named("...csv"), _named("a:b.csv"),
    _named("d\u0085ta.csv"), _named("\u202evsc.csv"), _named("[red]x.csv"),
    _named("x" * 200 + ".csv"), _named("new\nline.csv"), _named("-x.csv"),
    _named("${oc.env:HOME}.csv"), _named("%2e%2e.csv"), lambda here: ("x" * 5000, "sales"),
    lambda here: ("", "sales"), lambda here: (".", "sales"),
    lambda here: ("/proc/self/mem", "sales"),
)  # fmt: skip
"""What stands in the place of a file, and files of strange names."""
