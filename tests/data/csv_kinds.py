"""CSV files as people write them, each with what pandas reads when the format is given to it."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

ROWS = 40


@dataclass(frozen=True)
class CsvKind:
    """A file, and the arguments with which pandas reads it."""

    text: bytes
    arguments: Mapping[str, Any] = field(default_factory=dict)
    clean: Callable[[str], str] | None = None  # removes units, which pandas does not know
    reading: Mapping[str, Any] = field(default_factory=dict)

    def values(self, text: bytes | None = None) -> pd.DataFrame:
        """Returns what pandas reads from the file, or from another of its kind."""
        content = self.text if text is None else text
        if self.clean is not None:
            encoding = self.arguments.get("encoding", "utf-8")
            content = self.clean(content.decode(encoding)).encode(encoding)
        return pd.read_csv(io.BytesIO(content), **self.arguments)


def numbers(rng: random.Random, largest: float, digits: int) -> list[float]:
    return [round(rng.uniform(0, largest), digits) for _ in range(ROWS)]


def grouped(value: float, mark: str, decimal: str, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.replace(",", "\0").replace(".", decimal).replace("\0", mark)


def table(values: list[str], separator: str, head: str = "n{}sales{}price") -> str:
    rows = [f"{n}{separator}{v}{separator}{n % 7}" for n, v in enumerate(values, 5)]
    return "\n".join([head.format(separator, separator), *rows]) + "\n"


def kinds(seed: int) -> dict[str, CsvKind]:
    """Returns a file of each kind, with values drawn from `seed`."""
    rng = random.Random(seed)
    large, small = numbers(rng, 9000, 0), numbers(rng, 90, 2)
    both = [1234.5, *numbers(rng, 9000, 2)[1:]]
    integers = [996, 1002, *map(int, large[2:])]

    def plain(values, separator=",", form="{}"):
        return table([form.format(v) for v in values], separator)

    def marked(values, separator, mark, decimal, digits=2, quote=""):
        cells = [f"{quote}{grouped(v, mark, decimal, digits)}{quote}" for v in values]
        return table(cells, separator)

    german = {"sep": ";", "decimal": ",", "thousands": "."}
    index = [f"{n},{n + 5},{v}" for n, v in enumerate(small)]
    return {
        "plain": CsvKind(plain(small).encode()),
        "thousands commas in a TSV": CsvKind(
            marked(integers, "\t", ",", ".", 0).encode(), {"sep": "\t", "thousands": ","}),
        "quoted thousands commas": CsvKind(
            marked(both, ",", ",", ".", 2, '"').encode(), {"thousands": ","}),
        "decimal commas": CsvKind(marked(small, ";", "", ",").encode(), german),
        "points for thousands": CsvKind(marked(both, ";", ".", ",").encode(), german),
        "spaces for thousands": CsvKind(
            marked(both, ";", " ", ",").encode(), {**german, "thousands": " "}),
        "no-break spaces": CsvKind(
            marked(both, ";", "\u202f", ",").encode(), german, lambda t: t.replace("\u202f", "")),
        "apostrophes": CsvKind(marked(both, ",", "'", ".").encode(), {"thousands": "'"}),
        "percent": CsvKind(plain(small, ",", "{}%").encode(), {}, lambda t: t.replace("%", "")),
        "euros": CsvKind(
            table([f"€ {grouped(v, '.', ',', 2)}" for v in both], ";").encode(),
            german, lambda t: t.replace("€ ", "")),
        "kilowatt hours": CsvKind(
            plain(small, ",", "{} kWh").encode(), {}, lambda t: t.replace(" kWh", "")),
        "minus signs": CsvKind(
            plain(small, ",", "−{}").encode(), {}, lambda t: t.replace("−", "-")),
        "exponents": CsvKind(plain(small, ",", "{}e3").encode()),
        "an index column": CsvKind(
            "\n".join([",n,sales", *index]).encode(), {"index_col": 0}),
        "an index column with a name": CsvKind(
            "\n".join(["Unnamed: 0,n,sales", *index]).encode(), {"index_col": 0}),
        "row names of R": CsvKind("\n".join(["n,sales", *index]).encode(), {"index_col": 0}),
        "comments": CsvKind(("# made by hand\n#\n" + plain(small)).encode(), {"comment": "#"}),
        "titles": CsvKind(("Sales of 2024\n\n" + plain(small)).encode(), {"skiprows": 2}),
        "a source below": CsvKind(
            (plain(small) + "\nSource: the shop\n").encode(),
            {"skipfooter": 1, "engine": "python"}),
        "separators at the ends": CsvKind(
            plain(small).replace("\n", ",\n").encode(), {"usecols": ["n", "sales", "price"]}),
        "UTF-16": CsvKind(
            plain(small, "\t").encode("utf-16"), {"sep": "\t", "encoding": "utf-16"}),
        "Latin-1": CsvKind(
            table([str(v) for v in small], ";", "n{}sales{}größe").encode("latin-1"),
            {"sep": ";", "encoding": "latin-1"}),
        "a byte order mark, CRLF": CsvKind(
            plain(small).replace("\n", "\r\n").encode("utf-8-sig"), {"encoding": "utf-8-sig"}),
        "numbers for gaps": CsvKind(
            plain([-200.0 if n % 9 == 4 else v for n, v in enumerate(small)]).encode(),
            {"na_values": ["-200"]}, None, {"na": ("-200",)}),
        "words for gaps": CsvKind(
            plain([("NA", "null", "#N/A", "None", "nan")[n % 5] if n % 9 == 4 else v
                   for n, v in enumerate(small)]).encode()),
    }  # fmt: skip


def same_numbers(frame: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> bool:
    """Returns whether the columns of numbers that both have are equal, bit by bit, at least one."""
    compared = 0
    for name in frame.columns:
        series = frame[name]
        if series.dtype.kind in "if" and str(name).strip() in columns:
            compared += 1
            if not np.array_equal(
                series.to_numpy(float), columns[str(name).strip()], equal_nan=True
            ):
                return False
    return compared > 0
