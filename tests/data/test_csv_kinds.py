"""Files as people have them: the table equals what pandas reads when it is given the format."""

import random

import numpy as np
import pytest
from data import csv_kinds

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._table import Reading, read_table
from lstm_bench.errors import UserError

KINDS = csv_kinds.kinds(0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_that_pandas_reads_with_the_format(file, kind, seed):
    made = csv_kinds.kinds(seed)[kind]
    table = read_table(file(made.text), Reading(**made.reading))
    frame = made.values()
    assert len(table) == len(frame) == csv_kinds.ROWS
    assert [str(name) for name in frame.columns] == list(table.columns)
    for name in frame.columns:
        values = table.numbers(name)
        np.testing.assert_array_equal(values, frame[name].to_numpy(float))


CELLS = (
    "", " ", "nan", "NA", "x", "inf", "1e400", "1,5", "1.234,5", "1,234.5", "1_000", "0x1F",
    "=SUM(A1:A9)", "+1", "--1", "½", "1 000", "true", "\x00", "a\nb", '"', "#", "# x", "Total",
    "12%", "€ 5", "−5", "(5)", "1,002", "1.002", "996", "31.12.2024", "9" * 400, "日本",
)  # fmt: skip


def mutated(content, rng):
    """Returns bytes with some cells, rows or bytes changed, and whether the format is untouched.

    Changes of digits, or of the order of rows, leave the format of the file as it was.
    """
    lines = content.split(b"\n")
    harmless = rng.random() < 0.5 and b"\0" not in content
    for _ in range(rng.choice((1, 1, 2, 4))):
        row = rng.randrange(len(lines) - 12) + 6
        if harmless and rng.random() < 0.5:
            lines[row] = lines[row].replace(b"3", b"7")
        elif harmless:
            lines[row], lines[row - 1] = lines[row - 1], lines[row]
        else:
            line = bytearray(lines[row])
            place = rng.randrange(len(line) + 1)
            match rng.randrange(5):
                case 0:
                    line[place:place] = rng.choice(CELLS).encode()
                case 1:
                    del line[place : place + 3]
                case 2:
                    line[place : place + 1] = rng.randbytes(1)
                case 3:
                    line = line * 2
                case _:
                    line = bytearray()
            lines[row] = bytes(line)
    return b"\n".join(lines), harmless


def fuzz(count, path):
    """Reads `count` mutated files; returns how many were read, refused and compared."""
    read = refused = compared = 0
    for number in range(count):
        rng = random.Random(number)
        kind = rng.choice(sorted(KINDS))
        made = csv_kinds.kinds(number)[kind]
        content, harmless = mutated(made.text, rng)
        path.write_bytes(content)
        note = f"{kind}, {number}: {path}"
        try:
            task = CsvTask(file=str(path), target="sales", missing="interpolate", **made.reading)
            prepared, table = task.prepared, read_table(str(path), Reading(**made.reading))
            if prepared.kind == "real":
                task.problem(0)
        except UserError as error:
            assert str(error), note
            assert "Traceback" not in str(error), note
            refused += 1
            continue
        read += 1
        if harmless and prepared.kind == "real":
            compared += 1
            numeric = {
                name: table.numbers(name) for name in table.columns if table.is_numeric(name)
            }
            assert csv_kinds.same_numbers(made.values(content), numeric), note
    return read, refused, compared


def test_some_mutated_files_are_read_as_pandas_does_or_refused(tmp_path):
    read, refused, compared = fuzz(30, tmp_path / "data.csv")
    assert read and refused and compared


@pytest.mark.slow
def test_many_mutated_files_are_read_as_pandas_does_or_refused(tmp_path):
    read, refused, compared = fuzz(1000, tmp_path / "data.csv")
    print(f"\n1,000 files: {read} read, of which {compared} were compared, {refused} refused")
    assert min(read, refused, compared) > 100
