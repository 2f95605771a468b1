"""Untrusted files through whole commands: nothing in them runs, leaks, or destroys files."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from importlib import resources

import pytest
from markdown_it import MarkdownIt

FORMULA = "=cmd|'/C calc'!A0"
ESCAPES = "\x1b]0;PWNED\x07\x1b[2J"
SWEEP = {
    "title": "T<script>alert(1)</script> [a](javascript:alert(1)) ![i](http://evil.example/x.png)",
    "about": f"A<script>\n\n# head\n\n{FORMULA} ![i](http://evil.example/about.png)",
    "task": "memory",
    "seeds": 2,
    "epochs": 3,
    "units": 2,
    "recipes": {
        FORMULA: {"published": FORMULA, "note": FORMULA, "accuracy": 1.0, "claim": "solved"},
        f"e{ESCAPES}": {"base": FORMULA, "note": f"n{ESCAPES}"},
        "]( $x_{": {"base": FORMULA, "epochs": 4},
    },
    "refused": {f"@{FORMULA}": {"stateful": True, "shuffle": "samples", "published": FORMULA}},
    "comparisons": {FORMULA: {"of": FORMULA, "to": "]( $x_{", "claim": FORMULA}},
}


def rendered(text):
    """Returns `text` as HTML, as a Markdown library renders it, without the links of a report."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    return re.sub(r'<(a href|img src)="(figures/)?[a-z_0-9-]+\.(csv|svg|pdf)"', "<local", html)


def is_harmless(text):
    """Returns whether `text` has no control or formatting characters."""
    return not any(unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t\u200b" for c in text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The folder of a sweep with hostile texts that was run, and its output."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.yaml").write_text(json.dumps(SWEEP))
    command = [sys.executable, "-m", "lstm_bench", "sweep", "hostile.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout + done.stderr


@pytest.mark.long
def test_a_spreadsheet_runs_nothing_from_a_report(hostile):
    tables = list((hostile[0] / "reports" / "hostile").glob("*.csv"))
    assert len(tables) >= 5
    cells = [
        cell
        for table in tables
        for row in csv.reader(io.StringIO(table.read_text(), newline=""))
        for cell in row
    ]
    assert any(FORMULA in cell for cell in cells)
    assert [c for c in cells if c[:1] in ("=", "@") and len(c) > 1] == []


@pytest.mark.long
def test_a_page_contains_no_script_but_that_of_every_page(hostile):
    page = (hostile[0] / "reports" / "hostile" / "index.html").read_text()
    text = (hostile[0] / "reports" / "hostile" / "report.md").read_text()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert scripts == [(resources.files("lstm_bench.report") / "templates/page.js").read_text()]
    assert page.count("<script") == 1 and "<script" not in text
    assert "&lt;script" in page
    assert not {"script", "img", "a"} & set(re.findall(r"<(\w+)", rendered(text)))
    assert is_harmless(page) and is_harmless(text)


@pytest.mark.long
def test_names_do_not_control_the_terminal(hostile):
    assert is_harmless(hostile[1])
    assert "PWNED" in hostile[1]


@pytest.mark.long
def test_the_notes_in_mlflow_load_nothing(hostile):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{hostile[0]}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name == "hostile"]
    notes = [
        run.data.tags["mlflow.note.content"]
        for run in client.search_runs([experiment.experiment_id])
        if "mlflow.note.content" in run.data.tags
    ]
    assert any("about.png" in note for note in notes)
    for note in notes:
        assert not {"script", "img", "a"} & set(re.findall(r"<(\w+)", rendered(note)))


def test_column_names_do_not_control_the_terminal(command, file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{n % 7},{n % 5}" for n in range(60))
    file(f"y{ESCAPES},x\n{rows}\n", "esc.csv")
    code, out, err = command("sweep", "--csv", "esc.csv", "--target", "z", "--dry-run")
    assert code == 2 and "PWNED" in err
    assert is_harmless(out + err)


def test_links_to_themselves_are_refused(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "s.yaml").write_text("task: csv\nfile: loop.csv\n")
    for words in (
        ("sweep", "--csv", "loop.csv", "--target", "y", "--dry-run"),
        ("sweep", "s.yaml", "--dry-run"),
        ("tasks", "--tasks", "loop.py"),
    ):
        code, _, err = command(*words)
        assert code == 2, words
        assert "loop" in err


def test_a_line_without_an_end_is_refused_before_it_is_in_memory(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "long.csv").open("wb") as file:
        file.truncate(5_000_000)  # of NUL bytes
    code, _, err = command("sweep", "--csv", "long.csv", "--dry-run")
    assert code == 2 and "text file" in err
    (tmp_path / "long.csv").write_text("x" * 5_000_000)
    code, _, err = command("sweep", "--csv", "long.csv", "--dry-run")
    assert code == 2 and "lines must have at most 4,000,000 characters" in err


@pytest.mark.long
@pytest.mark.parametrize("words", [["tasks"], ["sweep", "none"], ["--help"]])
def test_ctrl_c_at_any_moment_ends_without_a_traceback(words, tmp_path):
    """From the first large import on, which the interpreter is made to report.

    Before that, the interpreter itself is starting, and prints its own traceback.
    """
    codes = set()
    for wait in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "lstm_bench", *words], cwd=tmp_path,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        while "typing" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err, f"after {wait} s: {err[-2000:]}"
        codes.add(process.returncode)
    assert codes <= {0, 1, 2, -signal.SIGINT}  # the last one while the interpreter exits
    assert 1 in codes


@pytest.mark.long
def test_a_temporary_folder_that_is_full_is_named(tmp_path):
    """A folder that cannot be written stands for a full one, which a test cannot mount."""
    full = tmp_path / "full"
    full.mkdir()
    code = (
        "import tempfile, sys; tempfile.tempdir = sys.argv.pop(1); import shutil; "
        "shutil.rmtree(tempfile.tempdir); from lstm_bench.cli import main; main()"
    )
    (tmp_path / "s.yaml").write_text("{task: memory, seeds: 1, epochs: 1, recipes: {A: {}}}")
    done = subprocess.run(
        [sys.executable, "-c", code, str(full), "sweep", "s.yaml"],
        cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"temporary folder: {full} must have room" in done.stderr
    assert "TMPDIR" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.long
def test_an_untrusted_store_reads_no_file_into_a_script(command, monkeypatch, tmp_path):
    """A run of the task `csv` may name any file; its content only changes the digest."""
    monkeypatch.chdir(tmp_path)
    rows = "\n".join("abc"[n % 3] for n in range(60))
    (tmp_path / "mine.csv").write_text(f"sym\n{rows}\n")
    secret = tmp_path.parent / f"{tmp_path.name}-secret.csv"
    secret.write_text(f"sym\n{rows[::-1]}\n")
    sweep = {"task": "csv", "file": "mine.csv", "target": "sym", "seeds": 1, "epochs": 1,
             "units": 2, "recipes": {"A": {"framing": "pairs"}}}  # fmt: skip
    (tmp_path / "s.yaml").write_text(json.dumps(sweep))
    assert command("sweep", "s.yaml")[0] == 0
    assert command("export", "s:A")[0] == 0
    (outcome,) = (tmp_path / "mlartifacts").rglob("outcome.json")
    facts = json.loads(outcome.read_text())
    for file in (str(secret), "/etc/passwd", str(tmp_path / "none.csv"), "../none.csv"):
        facts["settings"]["file"] = file
        outcome.write_text(json.dumps(facts))
        (tmp_path / "s.yaml").unlink(missing_ok=True)
        for words in (("export", "s:A"), ("predict", "s:A", "abc")):
            code, out, err = command(*words)
            assert (code, out) == (2, ""), (file, words)
            assert "row " not in err


def test_a_file_in_place_of_the_report_is_refused_before_training(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text("{task: memory, seeds: 1, epochs: 1, recipes: {A: {}}}")
    (tmp_path / "reports" / "s").mkdir(parents=True)
    (tmp_path / "reports" / "s" / "index.html").write_text("mine")
    code, _, err = command("sweep", "s.yaml")
    assert code == 2 and "index.html is in the way" in err
    assert not (tmp_path / "mlflow.db").exists()
    assert (tmp_path / "reports" / "s" / "index.html").read_text() == "mine"
