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
from .sandbox import ASTRAY, Sandbox
from .sweep_files import PROJECT, TEMPLATE

Grid = list[list[str]]
"""Rows of cells; the first row has the column names."""

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
    return tuple(path.read_bytes() for folder in folders for path in sorted(folder.glob("*.csv")))


def make(sandbox: Sandbox, rng: random.Random) -> Case:
    """Writes a mutated CSV file into the working folder; returns the dry run of a sweep on it."""
    kind = rng.choice(("bytes", "bytes", "cells", "cells", "cells", "cells", "shape", "place"))
    name, target, options = "data.csv", "sales", []
    if kind == "place":
        name, target = rng.choice(PLACES)(sandbox.folder)
    elif kind == "shape":
        (sandbox.folder / name).write_bytes(rng.choice(SHAPES)(rng))
    elif kind == "bytes":
        content = rng.choice((*shipped(), _encoded(_grid(rng), rng)))
        target = _column_names(content)[-1]
        (sandbox.folder / name).write_bytes(bytewise.mutated(content, rng))
    else:
        grid = _grid(rng)
        _mutate(grid, rng)
        target = rng.choice((*grid[0], "sales")) if grid and grid[0] else "sales"
        (sandbox.folder / name).write_bytes(_encoded(grid, rng))
        options = _options(grid[0] if grid else [], rng)
    arguments = ["sweep", "--csv", name, "--dry-run", *options]
    arguments += ["--target", _argument(target)] if rng.random() < 0.9 else []
    interpolated = "--missing" not in options and rng.random() < 0.7
    arguments += ["--missing", "interpolate"] if interpolated else []
    arguments += ["--json"] if rng.random() < 0.4 else []
    return Case(kind, tuple(arguments))


def _argument(text: str) -> str:
    """Returns `text` as an argument of a command line, which cannot contain NUL."""
    return text.replace("\0", "") or "sales"


def _column_names(content: bytes) -> list[str]:
    """Returns the column names of a file, with the separator that its first line has most of."""
    first = content.decode("utf-8", "replace").splitlines()[0].lstrip("\ufeff")
    separator = max(";\t|,", key=first.count)
    return [name.strip('"') for name in first.split(separator)]


def _grid(rng: random.Random) -> Grid:
    """Returns a valid file of 20 to 120 rows: times, a group, numbers, symbols, yes and no."""
    count, step = rng.randint(20, 120), rng.choice((1, 7, 30))
    start = datetime.date(2020, 1, 31)
    groups, gaps = rng.choice((1, 1, 3)), rng.random() < 0.3
    rows = [["day", "shop", "sales", "price", "level", "rained"]]
    for row in range(count):
        day = start + datetime.timedelta(step * (row // groups))
        sales = 10 + 5 * math.sin(row / 3) + rng.gauss(0, 1)
        gap = gaps and rng.random() < 0.02
        level, rained = "low" if sales < 10 else "high", rng.choice(("yes", "no"))
        number = "" if gap else f"{sales:.3f}"
        shop = "ABC"[row % groups]
        rows.append([day.isoformat(), shop, number, str(row % 7), level, rained])
    columns = sorted({2, *rng.sample(range(6), rng.randint(1, 5))})
    return [[cells[column] for column in columns] for cells in rows]


def _mutate(grid: Grid, rng: random.Random) -> None:
    """Changes names, cells, rows and columns of a file."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        row, column = rng.randrange(len(grid)), rng.randrange(len(grid[0]))
        match rng.randrange(8):
            case 0 | 1:
                grid[0][column] = rng.choice(NAMES)
            case 2 | 3 | 4 if column < len(grid[row]):
                grid[row][column] = rng.choice(CELLS)
            case 5:
                share, few = rng.choice((0.1, 1.0)), rng.sample(CELLS, rng.choice((2, 9)))
                for cells in grid[1:]:
                    if column < len(cells) and rng.random() < share:
                        cells[column] = rng.choice(few)
            case 6:
                grid[row] = rng.choice(([], grid[row][:-1], [*grid[row], "9"], grid[row] * 2))
                grid[0] = grid[0] or ["sales"]
            case 7:
                del grid[max(1, row) :]
            case _:
                rng.shuffle(grid[1:])


def _encoded(grid: Grid, rng: random.Random) -> bytes:
    """Returns a file with a random separator, quoting, decimal mark, line end and encoding."""
    separator = rng.choice((",", ",", ",", ";", "\t", "|", " "))
    quoted = rng.random() < 0.3
    comma = separator != "," and rng.random() < 0.5

    def cell(text: str) -> str:
        text = text.replace(".", ",") if comma else text
        special = any(letter in text for letter in (separator, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if quoted or special else text

    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    text = end.join(separator.join(map(cell, row)) for row in grid) + rng.choice((end, "", end * 3))
    encoding = rng.choice(
        ("utf-8",) * 14 + ("utf-8-sig", "utf-16", "utf-16-le", "latin-1", "utf-32")
    )
    return text.encode(encoding, "replace")


def _options(names: list[str], rng: random.Random) -> list[str]:
    """Returns some options of `sweep --csv`, valid and invalid ones."""
    name = _argument(rng.choice(names)) if names else "day"
    choices = (
        ["--kind", rng.choice(("real", "binary", "symbols", "colour"))],
        ["--missing", rng.choice(("drop", "refuse", "none"))],
        ["--time", name],
        ["--group", name],
        ["--columns", name],
        ["--columns", ",".join(map(_argument, names))],
        ["--horizon", rng.choice(("0", "1", "2", "50", "-1", str(10**20)))],
        [f"unseen={rng.choice(('0.3', '0', '1', 'nan'))}"],
        [f"season={rng.choice(('0', '4', '12', '100000000000'))}"],
    )
    chosen = [option for option in choices if rng.random() < 0.15]
    settings_first = sorted(chosen, key=lambda option: option[0][:2] == "--")
    return [argument for option in settings_first for argument in option]


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
    lambda rng: b"sales\n" + b"".join(b"%d\n" % rng.randrange(99) for _ in range(60_000)),
    lambda rng: b"sales\n" + b"".join(b"v%d\n" % rng.randrange(10**6) for _ in range(3000)),
    lambda rng: rng.randbytes(3000),
    lambda rng: b"PK\x03\x04" + rng.randbytes(3000),
    lambda _: b"sales\n" + b"\n" * 200_000 + b"1\n2\n",
)  # fmt: skip
"""Files of unusual sizes."""


def _make_folder(folder: Path) -> tuple[str, str]:
    (folder / "data.csv").mkdir()
    return "data.csv", "sales"


def _make_pipe(folder: Path) -> tuple[str, str]:
    os.mkfifo(folder / "data.csv")
    return "data.csv", "sales"


def _link_to_itself(folder: Path) -> tuple[str, str]:
    (folder / "data.csv").symlink_to("data.csv")
    return "data.csv", "sales"


def _dangling_link(folder: Path) -> tuple[str, str]:
    (folder / "data.csv").symlink_to("nowhere.csv")
    return "data.csv", "sales"


def _link_to_pipe(folder: Path) -> tuple[str, str]:
    os.mkfifo(folder / "pipe")
    (folder / "data.csv").symlink_to("pipe")
    return "data.csv", "sales"


def _device(folder: Path) -> tuple[str, str]:
    return "/dev/zero", "sales"


def _file_named(name: str) -> Callable[[Path], tuple[str, str]]:
    """Returns a function that writes a valid file with an unusual name."""

    def write(folder: Path) -> tuple[str, str]:
        (folder / name).write_bytes(shipped()[0])
        return name, "co2"

    return write


PLACES = (
    _make_folder, _make_pipe, _link_to_itself, _dangling_link, _link_to_pipe, _device,
    _file_named("\x1b[2Jdata.csv"), _file_named("a b.csv"), _file_named("data"),
    _file_named(".csv"), _file_named("...csv"), _file_named("a:b.csv"),
    _file_named("d\u0085ta.csv"), _file_named("\u202evsc.csv"), _file_named("[red]x.csv"),
    _file_named("x" * 200 + ".csv"), _file_named("new\nline.csv"), _file_named("-x.csv"),
    _file_named("${oc.env:HOME}.csv"), _file_named("%2e%2e.csv"), lambda _: ("x" * 5000, "sales"),
    lambda _: ("", "sales"), lambda _: (".", "sales"), lambda _: ("/proc/self/mem", "sales"),
)  # fmt: skip
"""Functions that put something else in the place of a file, or a file with an unusual name.

They return the name of the file and the target column.
"""
