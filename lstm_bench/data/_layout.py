"""Where the table lies in the rows of a file: names, comments, titles, totals, an index column."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from lstm_bench.data._cells import is_missing
from lstm_bench.data._file_formats import Source
from lstm_bench.data._messages import list_names, quote_cell
from lstm_bench.data._no_table import is_data, refuse_data_for_names, refuse_one_cell
from lstm_bench.data._numbers import looks_like_number
from lstm_bench.data._row_names import begin_with_row_names
from lstm_bench.data._time_patterns import pattern_of
from lstm_bench.data._typed_files import MAX_CELLS
from lstm_bench.errors import DataError

MAX_ROWS = 1_000_000
"""The text of a cell takes about 60 bytes, so ten columns of this many rows take 0.6 GB."""
MAX_COLUMNS = 10_000
MAX_KEPT_CELLS = 100_000
"""Texts of cells that are kept to recognize an equal one."""
MAX_TITLE_ROWS, MAX_FOOTERS, SAMPLE_ROWS = 30, 10, 50
TOTALS = {"total", "totals", "sum", "summe", "gesamt", "insgesamt", "average", "mean", "mittelwert"}
"""First cells of a row below the data, in lower case."""
FOOTERS = re.compile(
    r"(grand |sub-?)?totals?( .*)?|(overall |grand )?(mean|average|avg|median|min|max)(imum)?"
    r"|std(\.? ?dev)?\.?|count|total g[ée]n[ée]ral|durchschnitt|moyenne|media"
    r"|(source|note|quelle|data|(last )?updated|copyright|nota|fuente|fonte|anmerkung)s?\b.*"
    r"|[©*†].*|\([a-z].*",
    re.IGNORECASE,
)
"""What such cells may also be below times or numbers."""
RULE = re.compile(r"[:|+ ]*[-=]{2,}[-=:|+ ]*")
"""A line between the names and the data, as in Markdown."""

Row = tuple[int, list[str]]


@dataclass
class Layout:
    """The cells of a table by column, and what of the file is no part of it."""

    names: list[str]
    columns: list[list[str]]
    lines: list[int]  # the number of each row in the file
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)  # column -> reason


def lay_out(file: str, source: Source) -> Layout:
    """Returns the table in the rows of a file.

    Raises `DataError` if the names are not in one row, if rows have different numbers of cells, or
    if there are too many.
    """
    clean = _CleanCells()
    rows = ((number, [clean[cell] for cell in row]) for number, row in source.rows)
    sample = list(itertools.islice(rows, MAX_TITLE_ROWS + SAMPLE_ROWS))
    notes: list[str] = []
    titles = _title_rows([row for _, row in sample]) or _rows_above_blank(
        [row for _, row in sample]
    )
    if not any(any(row) for _, row in sample[titles:]):
        raise DataError(f"{file}: is empty; its first row must name the columns")
    for title in [next(filter(None, row)) for _, row in sample[:titles] if any(row)][:1]:
        notes.append(f"titles above the names left out ({quote_cell(title)})")
    sample = sample[titles:]
    number, names = sample[0]
    if (
        len(sample) > 1
        and any(sample[1][1])
        and all(map(RULE.fullmatch, filter(None, sample[1][1])))
    ):
        del sample[1]
        notes.append("the line below the names left out")
    if all(map(is_data, names)) and len(source.comment.split(source.separator)) == len(names):
        commented = [name.strip() for name in source.comment.split(source.separator)]
        if not any(map(is_data, commented)):  # names behind a comment mark
            number, names = number - 1, commented
            sample.insert(0, (number, names))
    below = [row for _, row in sample[1:] if len(row) > 1]
    names = _fit_names(names, below, source.quoted)
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{file}: at most {MAX_COLUMNS:,} columns are read, but it has {len(names):,}; leave "
            "columns out"
        )
    refuse_one_cell(file, number, names, [row for _, row in sample[1:]], source.quoted)
    _check_one_row_of_names(file, number, names, sample[1:])
    refuse_data_for_names(file, number, names, below)
    layout = Layout(names, [[] for _ in names], [], notes)
    _read_rows(file, layout, number, itertools.chain(sample[1:], rows))
    _drop_blank_lines(layout)
    _drop_footers(layout)
    _drop_unnamed_columns(file, layout)
    _check_repeated_names(file, number, layout.names)
    return layout


class _CleanCells(dict[str, str]):
    """Cells without the spaces around them; a blank in quotation marks is kept.

    Equal cells are in memory once: a column of a long file often holds few values.
    """

    def __missing__(self, cell: str) -> str:
        text = cell.strip()
        text = text[1:-1] if text[:1] == "\0" else text
        if len(self) < MAX_KEPT_CELLS:
            self[cell] = text
        return text


def _title_rows(rows: Sequence[Sequence[str]]) -> int:
    """Returns how many rows are above the row of names: blank ones, and titles of few cells."""
    blank = next((n for n, row in enumerate(rows) if any(row)), len(rows))
    later = [row for row in rows[blank + 1 :] if any(row)]
    if len(later) < 3:
        return blank
    width = Counter(map(len, later[1:])).most_common(1)[0][0]
    filled = Counter(sum(map(bool, row)) for row in later[1:] if len(row) == width)
    common_width = max(filled, default=0) if width > 1 else 1
    first = rows[blank]
    if common_width < 2 or _may_be_names(first, width, later[0]):
        return blank
    for number in range(blank + 1, min(len(rows), MAX_TITLE_ROWS)):
        row = rows[number]
        if len(row) == width and sum(map(bool, row)) > 1:
            return number
    return blank


def _rows_above_blank(rows: Sequence[Sequence[str]]) -> int:
    """Returns how many rows of names and values, such as a station, are above a blank row.

    Below it are names, and a first column of numbers or dates. There is none of them above it.
    """
    blank = next((n for n, row in enumerate(rows[:MAX_TITLE_ROWS]) if not any(row)), 0)
    start = next((n for n in range(blank, len(rows)) if any(rows[n])), len(rows))
    above, below = rows[:blank], rows[start + 1 :]
    if not above or len(below) < max(len(above), 3) or any(map(is_data, rows[start])):
        return 0
    few = all(row[0] and not is_data(row[0]) and sum(map(bool, row)) < 3 for row in above)
    named = all(rows[start]) and all(row and is_data(row[0]) for row in below[:3])
    return start if few and named else 0


def _may_be_names(row: Sequence[str], width: int, following: Sequence[str]) -> bool:
    """Returns whether a row may name the columns of rows of `width` cells."""
    if len(row) == width:
        return sum(map(bool, row)) > 1 or not row[0]
    if len(row) == width + 1:
        return not row[-1]
    return len(row) == width - 1 > 1 and any(map(is_data, following))


def _fit_names(names: list[str], rows: Sequence[Sequence[str]], quoted: bool) -> list[str]:
    """Returns names for all cells of a row, "" for a column of row names or behind the last mark.

    R writes no name for its row names, and some programs end rows with a separator.
    """
    rows = rows[:-MAX_FOOTERS] or rows
    widths = set(map(len, rows))
    if widths == {len(names) - 1} and not names[-1]:
        return names[:-1]
    if widths == {len(names) + 1} and len(names) > 1:
        if not any(row[-1] for row in rows):
            return [*names, ""]
        if begin_with_row_names(names, rows, quoted):
            return ["", *names]
    return names


def _check_one_row_of_names(
    file: str, number: int, names: Sequence[str], rows: Sequence[Row]
) -> None:
    """Raises `DataError` if rows of words below the names stand above columns of numbers."""
    full = [(n, row) for n, row in rows if len(row) == len(names)]
    more: list[tuple[int, list[str]]] = []
    for n, row in full[:4]:
        below = [other for m, other in full if m > n]
        words = [c for c, cell in enumerate(row) if cell and not is_missing(cell)]
        if len(below) < 4 or not words or any(looks_like_number(row[c]) for c in words):
            break
        numeric = [c for c in words if _mostly_numbers([other[c] for other in below])]
        if not numeric or any(row[c][:1] == "=" for c in numeric):
            break
        more.append((n, [row[c] for c in numeric]))
    if more:
        n, words_of_row = more[-1]
        raise DataError(
            f"{file}: row {number} must be the only one above the data, but row {n} has no "
            f"numbers either ({list_names(words_of_row)}); join the names or units into row "
            f"{number}, and delete the rows below it; if it is data, correct it"
        )


def _mostly_numbers(cells: Sequence[str]) -> bool:
    """Returns whether all cells are numbers or missing, and at least half are numbers."""
    present = [cell for cell in cells if not is_missing(cell)]
    return 2 * len(present) >= len(cells) and all(map(looks_like_number, present))


def _check_repeated_names(file: str, number: int, names: Sequence[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(f"{file}: row {number} names two columns {repeated[0]!r}; rename one")


def _read_rows(file: str, layout: Layout, header: int, rows: itertools.chain[Row]) -> None:
    """Adds the rows below the names to the columns; blank rows between are rows of gaps."""
    width, count, blank = len(layout.names), 0, 0
    odd: list[Row] = []  # rows with other numbers of cells: notes at the end, or faults
    comments = 0
    for number, row in rows:
        if not row or (len(row) == 1 < width and not row[0].strip()):
            blank += 1
            continue
        if row[0][:1] == "#" and (len(row) != width or (width == 1 and row[0][1:2] == " ")):
            comments += 1
            continue
        if len(row) == width + 1 and not row[-1]:
            row = row[:-1]
        if len(row) != width:
            odd.append((number, row))
            if len(odd) > MAX_FOOTERS or not _is_footer(odd[-1][1], width):
                _refuse_width(file, layout, header, *odd[0])
            continue
        if odd:
            _refuse_width(file, layout, header, *odd[0])
        count += blank + 1
        if count > MAX_ROWS or count * width > MAX_CELLS:
            most = min(MAX_ROWS, MAX_CELLS // width)
            raise DataError(
                f"{file}: at most {most:,} rows of {width} columns are read, which take some "
                f"{60 * most * width / 2**30:.1f} GB, but it has more; keep fewer rows, "
                "for example the latest, or leave columns out"
            )
        for column, cell in zip(layout.columns, row, strict=True):
            column += [""] * blank
            column.append(cell)
        layout.lines.extend(range(number - blank, number + 1))
        blank = 0
    if not count:
        raise DataError(f"{file}: has a row of names and no row of data; add rows of data")
    if comments:
        layout.notes.append(f"{comments} comment line{'s' * (comments > 1)} left out")
    if odd:
        _note_footers(layout, odd)


def _is_footer(row: Sequence[str], width: int) -> bool:
    """Returns whether a row may be a note below the data: words, and fewer cells."""
    return len(row) < width and bool(row[0]) and not is_data(row[0]) and not is_missing(row[0])


def _refuse_width(file: str, layout: Layout, header: int, number: int, row: Sequence[str]) -> None:
    width = len(layout.names)
    repair = "a cell with the separator in it needs quotation marks"
    if len(row) > width:
        repair = "a cell with the separator in it, such as a decimal comma, needs quotation marks"
        repair += ", and each column a name" if not layout.lines else ""
    raise DataError(
        f"{file}: every row must have as many cells as row {header}, {width}, but row "
        f"{number} has {len(row)}; correct it ({repair})"
    )


def _note_footers(layout: Layout, rows: Sequence[Row]) -> None:
    texts = list_names([quote_cell(row[0]) for _, row in rows], 2)
    which = f"row {rows[0][0]}" if len(rows) == 1 else f"rows {rows[0][0]} to {rows[-1][0]}"
    layout.notes.append(f"{which} below the data left out ({texts})")


def _drop_blank_lines(layout: Layout) -> None:
    """Leaves out blank lines if there is one between each two rows."""
    for first in (0, 1):
        if len(layout.lines) < 5 or len(layout.names) < 2 or not _alternate(layout, first, 5):
            continue
        if _alternate(layout, first, len(layout.lines)):
            kept = slice(first ^ 1, None, 2)
            layout.lines[:] = layout.lines[kept]
            for column in layout.columns:
                column[:] = column[kept]
            layout.notes.append("blank lines between the rows left out")
            return


def _alternate(layout: Layout, first: int, count: int) -> bool:
    """Returns whether every other row, from the `first` on, is blank, and the others are not."""
    rows = zip(*(column[:count] for column in layout.columns), strict=True)
    return all(any(row) == bool((n - first) % 2) for n, row in enumerate(rows))


def _drop_footers(layout: Layout) -> None:
    """Leaves out rows at the end that have words in place of the data, such as a total."""
    footers: list[Row] = []
    while len(layout.lines) > 2 and len(footers) < MAX_FOOTERS and len(layout.names) > 1:
        row = [column[-1] for column in layout.columns]
        first = next((cell for cell in row if cell), "")
        alone = sum(map(bool, row)) == 1 and bool(row[0])
        above = [column[-2] for column in layout.columns]
        words = first.rstrip(": ").lower()
        is_new = all(words != cell.lower() for cell in layout.columns[0][:-1])
        is_total = words in TOTALS and is_new
        is_note = alone and not is_data(row[0]) and sum(map(bool, above)) > 1
        is_note = is_note and (is_data(above[0]) or " " in row[0] or ":" in row[0])
        if not (is_total or is_note) and is_new and FOOTERS.fullmatch(row[0]):
            times = list(filter(None, layout.columns[0][-MAX_FOOTERS - len(footers) - 1 : -1]))
            known = [cell for cell in times if is_data(cell) or pattern_of(cell)]
            is_total = len(times) > 2 and 2 * len(known) >= len(times) and not is_data(row[0])
        if row[0] == "" or not (is_total or is_note):
            break
        footers.insert(0, (layout.lines.pop(), row))
        for column in layout.columns:
            column.pop()
    while footers and layout.lines and not any(column[-1] for column in layout.columns):
        layout.lines.pop()
        for column in layout.columns:
            column.pop()
    if footers:
        _note_footers(layout, footers)


def _drop_unnamed_columns(file: str, layout: Layout) -> None:
    """Leaves out empty columns without a name, and the row numbers that pandas and R write."""
    for place in reversed(range(len(layout.names))):
        name, cells = layout.names[place], layout.columns[place]
        if name and name != "Unnamed: 0":
            continue
        if not any(cells) and len(layout.names) > 1:
            del layout.names[place], layout.columns[place]
            layout.left_out[name or f"column {place + 1}"] = "no name and no values"
        elif place == 0 and len(layout.names) > 1 and _counts_rows(cells):
            del layout.names[place], layout.columns[place]
            layout.left_out[name or "column 1"] = "the numbers of the rows"
        elif place == 0:
            layout.names[place] = name or "column 1"
        else:
            raise DataError(f"{file}: column {place + 1} has no name; name it in row 1")


def _counts_rows(cells: Sequence[str]) -> bool:
    """Returns whether cells are consecutive integers."""
    if not cells[0].isascii() or not cells[0].isdecimal():
        return False
    first = int(cells[0]) if len(cells[0]) < 16 else 0
    return all(cell == str(first + n) for n, cell in enumerate(cells))
