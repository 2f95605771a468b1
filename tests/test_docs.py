"""README, CONTRIBUTING and the site are held to the disk, and every command in them exists."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import typer
import yaml

from lstm_bench.cli._app import app
from lstm_bench.provenance import VERSION

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = {
    path.relative_to(ROOT / "docs").as_posix(): path.read_text()
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if not {"_build", "_made"} & set(path.parts)
}
"""The pages of the site as they are written, by their paths."""
EXAMPLES = sorted((ROOT / "examples").glob("*/plot_*.py"))


def tree():
    """Yields the paths of the tree in CONTRIBUTING."""
    block = re.search(r"```\n(conf/.*?)```", CONTRIBUTING, re.DOTALL).group(1)
    parents = []
    for line in block.splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        parents = [*parents[:depth], name]
        yield Path(*parents)


def test_everything_in_the_tree_is_on_the_disk():
    assert [str(path) for path in tree() if not (ROOT / path).exists()] == []


def test_every_package_is_in_the_tree_with_one_line():
    """And no module: the table at the end has those."""
    packages = {path.parent.relative_to(ROOT) for path in ROOT.glob("lstm_bench/*/__init__.py")}
    inside = {path for path in tree() if path.parts[0] == "lstm_bench"} - {Path("lstm_bench")}
    assert inside == packages
    assert len(list(tree())) <= 42  # it fits a screen


def listed_files():
    """Returns what CONTRIBUTING.md should say of every file: the first line of its docstring."""
    lines = []
    for path in sorted((ROOT / "lstm_bench").rglob("*.py")):
        about = ast.get_docstring(ast.parse(path.read_text())) or ""
        first = about.split("\n")[0]
        lines.append(
            f"| `{path.relative_to(ROOT / 'lstm_bench')}` | {first.replace('|', chr(92) + '|')} |"
        )
    return "\n".join(["| file | what it is for |", "|---|---|", *lines]) + "\n"


def test_contributing_lists_every_file_as_its_docstring_says():
    """When it fails, replace the table at the end of CONTRIBUTING.md by what is expected here."""
    table = CONTRIBUTING[CONTRIBUTING.index("| file |") :]
    assert table == listed_files()


def test_files_that_contributing_names_are_there():
    package = ROOT / "lstm_bench"
    for name in re.findall(
        r"`([a-z_/*]+\.(?:py|md))`", CONTRIBUTING[: CONTRIBUTING.index("| file |")]
    ):
        places = [ROOT / name, package / name, ROOT / "tests" / name]
        places += [path for path in package.rglob(name.split("/")[-1]) if "/" not in name]
        found = any(place.exists() for place in places) or list(ROOT.glob(name))
        assert found, name


def test_every_sweep_is_in_the_tree():
    assert {p.relative_to(ROOT) for p in (ROOT / "sweeps").glob("*.yaml")} <= set(tree())


def test_commands_exist_and_the_two_start_alike():
    known = set(typer.main.get_command(app).commands)
    for text in (README, *PAGES.values()):
        blocks = re.findall(r"```(?:console|sh|bash)\n(.*?)```", text, re.DOTALL)
        for block in (*blocks, *re.findall(r"`(lstm-bench [^`]+)`", text)):
            assert set(re.findall(r"lstm-bench ([a-z]+)", block)) <= known, block
    first, second = re.findall(r"```sh\n(.*?)\n```", README)
    assert first.split(" && ")[:3] == second.split(" && ")[:3]
    assert (first.split(" && ")[3], second.split(" && ")[3]) == (
        ".venv/bin/lstm-bench sweep quickstart",
        ".venv/bin/pytest",
    )


def reported(report, table):
    return pd.read_csv(ROOT / "reports" / report / f"{table}.csv")


def test_figures_are_those_of_the_reports():
    readme = " ".join(README.split())
    verdicts = reported("published", "published")["verdict"].dropna()
    assert set(verdicts) == {"reproduced"}
    assert f"All {len(verdicts)} published results that can be tested are reproduced" in readme
    solved = reported("published", "comparison").set_index("id").loc["A4b4", "solved"]
    assert f"in batches of 4, while {solved} of 30 seeds do." in readme
    compared = reported("published", "comparisons").set_index("comparison")
    state = compared.loc["state in place of growing prefixes (B5, B6)"]
    points = f"{100 * state['difference']:.1f} points"
    assert f"differ by {points}, which is {state['verdict']}." in readme
    window = compared.loc["a window of features in place of one letter (B2, B1)"]
    assert window["verdict"] == "cannot tell yet"
    fewest, most = window["more_seeds_low"], window["more_seeds_high"]
    assert f"Thirty seeds cannot tell yet; {fewest:.0f} to {most:.0f} more probably" in readme
    steps = reported("published", "comparison").set_index("id").loc["B3", "accuracy_mean"]
    assert f"Three letters as time steps reach {100 * steps:.1f} %." in readme
    half = reported("horizon", "horizon").set_index("family")["half"]
    families = {"gru": "GRU", "whole": "LSTM", "simple_rnn": "SimpleRNN", "windows": "LSTM on"}
    families |= {"pairs": "LSTM that is handed its state", "weighted": "LSTM whose loss weighs"}
    for family, name in families.items():
        assert re.search(rf"\b{half[family]:.0f} \({name}", readme), family
    solved = reported("horizon", "comparison").set_index("id")["solved"]
    assert f"{solved['long/1024']} of 30 seeds a lag of 1024" in readme
    assert solved["long/512"] == 30 and "all 30 seeds solve a lag of 512" in readme
    thousand = reported("published", "comparison").set_index("id").loc["A10c", "solved"]
    assert f"[{thousand} of 30](reports/published/report.md) a lag of 1000" in readme


def test_figures_of_1997_are_those_of_their_report():
    readme = " ".join(README.split())
    table = reported("hochreiter1997", "published").set_index("id")
    order = table.loc["6a"]
    sequences = f"{order['sequences_mean']:,.0f} training sequences; the paper says"
    assert f"{sequences} {order['published_sequences']:,.0f}." in readme
    counts = table["sequences_verdict"].value_counts()
    no, unknown = counts["not reproduced"], counts["cannot tell"]
    assert no + unknown == counts.sum()
    fewer = (table["sequences_verdict"] == "not reproduced") & (table["sequences_ratio"] < 1)
    assert fewer.sum() == 2
    sentence = f"Of {counts.sum()} published numbers of sequences, {no} are not reproduced, two"
    assert f"{sentence} of them because ours take fewer, and {unknown} are undecided." in readme
    rates = table[table["rate_verdict"].notna()]
    assert set(rates["rate_verdict"]) == {"not reproduced"} and len(rates) == 5
    assert (rates["solved"].min(), rates["solved"].max()) == (1, 16)
    assert "None of 5 success rates on the embedded Reber grammar is reproduced: 1 to 16" in readme


def test_what_searches_found_is_what_their_reports_say():
    readme = " ".join(README.split())
    finalists = reported("random_memory", "confirmation")
    assert finalists["solved"].tolist() == [20, 20, 20, 16]
    assert finalists["name"][0].startswith("gru(37), ")
    assert "A GRU of 37 units that reads whole sequences does, on 20 of 20 fresh seeds" in readme
    fixed = reported("random_memory", "comparison").set_index("id")["solved"]
    assert (fixed["A11"], fixed["A11p"]) == (20, 1)
    recipes = reported("memory", "comparison").set_index("id")
    first, tutorial = recipes.loc["confirm-103"], recipes.loc["A1"]
    assert (first["setting_network"], first["setting_units"]) == ("simple_rnn", 10)
    assert (first["setting_framing"], first["solved"], first["seeds"]) == ("prefixes", 30, 30)
    costs = [row["parameters"] * row["updates"] for row in (first, tutorial)]
    assert f"at {100 * costs[0] / costs[1]:.1f} % of the tutorial's cost" in readme
    put_back = reported("alphabet", "ablation")
    matters = set(put_back[put_back["verdict"] == "real"]["setting"].dropna())
    assert matters == {"learning_rate", "stateful"}
    for name in ("co2", "sunspots"):
        best = reported(name, "naive").dropna(subset=["verdict"])
        assert set(best["verdict"]) == {"cannot tell"}, name
        best = best[best["network_error"] == best["network_error"].min()].iloc[0]
        digits = 3 if name == "co2" else 1
        errors = f"{best['network_error']:.{digits}f} against {best['naive_error']:.{digits}f}"
        ends = [f"{abs(best[end]):.{digits}f}" for end in ("low", "high")]
        assert errors in readme and f"−{ends[0]} to +{ends[1]}" in readme, name


def test_the_ranking_is_that_of_the_report():
    readme = " ".join(README.split())
    ranking = reported("networks", "ranking").set_index("recipe")["solved_runs"]
    sentence = (
        "a GRU solves {gru} of 80 runs, an LSTM {lstm}, with chrono biases {lstm_chrono}, a "
        "SimpleRNN {simple_rnn}, a convolution over 11 steps {conv1d}."
    )
    assert sentence.format_map(ranking.to_dict()) in readme
    page = (ROOT / "reports" / "networks" / "report.md").read_text()
    told_apart = "cannot be told apart (Friedman's test, p = 0.12)"
    assert told_apart in page and told_apart in readme


def test_the_readme_is_short_and_leads_to_every_page():
    assert len(README.splitlines()) <= 120
    linked = set(re.findall(r"\]\(docs/([a-z_0-9/]+\.md)\)", README))
    assert {path for path in PAGES if path.startswith(("howto/", "why/"))} - linked <= {
        "why/published.md"
    }


def test_files_that_the_site_names_are_there():
    """The build says so too, but only where the site is built."""
    for path, text in PAGES.items():
        for name in re.findall(r"\{repo\}`([^`]+)`", text):
            assert (ROOT / name).exists(), (path, name)
        for name in re.findall(r"\{report\}`[^`]*<(\w+)>`", text.replace("\n", " ")):
            assert (ROOT / "reports" / name / "index.html").exists(), (path, name)


def test_numbers_of_the_site_are_taken_from_the_reports():
    """A number with its unit of a report is a role, which reads it when the site is built."""
    roles = [(path, role) for path, text in PAGES.items() for role in VALUE.findall(text)]
    assert len(roles) >= 20
    for path, role in roles:
        table, row, column, *_ = (part.strip() for part in role.split("|"))
        key, _, value = row.partition("=")
        found = pd.read_csv(ROOT / "reports" / f"{table}.csv")
        assert found.loc[found[key].astype(str) == value, column].notna().sum() == 1, (path, role)
    for path, text in PAGES.items():
        if path.startswith("why/") and path != "why/speed.md" and path != "why/trust.md":
            plain = VALUE.sub("", text)
            assert not re.findall(r"\d+ of (?:20|30) seeds", plain), path


VALUE = re.compile(r"\{value\}`([^`]+)`")


def test_sections_of_reports_that_the_site_explains_are_written():
    report = ROOT / "lstm_bench" / "report"
    source = " ".join(path.read_text() for path in (*report.glob("*.py"), *report.glob("*/*.j2")))
    named = re.findall(r"\*\*(.+?)\*\*", PAGES["howto/report.md"])
    assert len(named) >= 15
    assert [title for title in named if title not in source] == []


def test_examples_are_named_in_the_site_by_files_that_are_there():
    made = {f"{path.parent.name}/{path.stem}.rst" for path in EXAMPLES}
    for path, text in PAGES.items():
        for name in re.findall(
            r"\((?:\.\./)?((?:gallery|misunderstandings)/plot_\w+\.rst)\)", text
        ):
            assert name in made, (path, name)


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (ROOT / target).exists(), target


@pytest.fixture
def made_pages(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")
    return importlib.import_module("made_pages")


def test_every_key_of_the_reference_has_its_type_and_default(made_pages):
    """`keys` raises for a setting without a sentence; rows are compared with what is known."""
    from lstm_bench.config import Settings
    from lstm_bench.data import CsvTask
    from lstm_bench.recipes import Recipe

    sentences = made_pages.meanings
    recipe = made_pages.keys(Recipe, sentences.RECIPE)
    assert "| `epochs` | a whole number from 1 to 1,000,000 | `250` |" in recipe
    assert "| `batch_size` | a whole number from 1 on, or `all` | `1` |" in recipe
    assert "| `dropout` | a number from 0, below 1 | `0.0` |" in recipe
    search = made_pages.keys(made_pages.Search, sentences.SEARCH)
    assert "| `sampler` | `tpe`, `random`, `grid`, `qmc`, `nsga2` | `tpe` |" in search
    assert "| `space` | a mapping of settings to what each may be | required |" in search
    assert "| `latest` | a whole number from 20 on | – |" in made_pages.keys(CsvTask, sentences.CSV)
    assert "| `workers` | a whole number from 0 to 1,024 | `0` |" in made_pages.keys(
        Settings, sentences.CONF
    )
    for model, part in (
        (made_pages.Sweep, sentences.SWEEP),
        (made_pages.Entry, sentences.ENTRY),
    ):
        assert made_pages.keys(model, part).count("\n") == len(part) + 2
    assert "| `margin` | a number | – |" in made_pages.comparison_keys()
    with pytest.raises(ValueError, match="units"):
        without = {key: text for key, text in sentences.RECIPE.items() if key != "units"}
        made_pages.keys(Recipe, without)


def test_commands_tasks_framings_and_names_of_the_reference(made_pages):
    commands, group = made_pages.commands(), typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"## `{name}`" in commands
        for part in command.params:
            assert (
                part.name == "help" or part.metavar or part.opts[0].lstrip("-") in commands.lower()
            )
    for name in ("memory", "csv", "long_lag"):
        assert f"## `{name}`" in made_pages.tasks()
    assert "### `prefixes`" in made_pages.framings()
    made_pages.check_public_names(ROOT / "docs" / "reference" / "python.md")


def test_broken_links_of_a_site_are_named(tmp_path):
    spec = importlib.util.spec_from_file_location("check_links", ROOT / "docs" / "check_links.py")
    check_links = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check_links)
    (tmp_path / "a.html").write_text(
        '<p id="top"></p><a href="b.html#here">1</a><a href="#top">2</a><a href="https://x.org">3</a>'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p>')
    assert list(check_links.broken_links(tmp_path)) == []
    (tmp_path / "b.html").write_text('<a href="c.html">4</a>')
    first, second = check_links.broken_links(tmp_path)
    assert first == "a.html: b.html#here: there is no such anchor"
    assert second == "b.html: c.html: there is no such file"


def test_the_lock_pins_everything_with_hashes_and_names_no_host():
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([a-z0-9][^\s;=\[]*)(?:\[.*?\])?==", lock, re.MULTILINE)
    assert {"tensorflow", "keras", "optuna", "mlflow", "pandas", "numpy"} <= set(pinned)
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert "://" not in lock


def blocks_of(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_sweep_files_of_the_readme_and_the_site_work(tmp_path):
    from lstm_bench.sweeps._sweep import load_sweep

    path = tmp_path / "short.yaml"
    path.write_text(blocks_of(README, "yaml")[0])
    assert set(load_sweep(path).entries) == {"B1", "B2", "B3"}
    path.write_text(blocks_of(PAGES["howto/comparison.md"], "yaml")[0])
    assert len(load_sweep(path).comparisons) == 2

    blocks = blocks_of(PAGES["howto/sweep_file.md"], "yaml")
    path = tmp_path / "window.yaml"
    path.write_text(blocks[0])
    loaded = load_sweep(path)
    assert {"B1", "B2", "B3", "longer/4"} <= set(loaded.entries)
    assert loaded.search is not None and loaded.refused and loaded.comparisons

    several = tmp_path / "several.yaml"
    several.write_text(next(block for block in blocks if block.startswith("tasks:")))
    assert {"gru@memory", "gru@echo_3", "lstm@alphabet"} <= set(load_sweep(several).entries)

    search = tmp_path / "search.yaml"
    searches = blocks_of(PAGES["howto/search.md"], "yaml")
    block = next(block for block in searches if block.startswith("search:"))
    search.write_text(f"task: alphabet\nrecipes: {{B1: {{}}}}\n{block}")
    asked = load_sweep(search).search
    assert (asked.confirm, asked.ablate, asked.switches, asked.split) == (4, "B1", ("stateful",), 4)


def test_the_tasks_of_the_site_are_tasks(tmp_path):
    from lstm_bench.sweeps._task_files import load_tasks
    from lstm_bench.testing._task_checks import TASK_CHECKS

    blocks = blocks_of(PAGES["howto/task.md"], "python")
    code = [block for block in blocks if "cumsum" in block]
    (tmp_path / "my_task.py").write_text("\n\n".join(code))
    tasks = load_tasks([tmp_path / "my_task.py"])
    for task in (
        tasks["running_parity"](),
        tasks["running_parity"](length=4),
        tasks["parity_of_32"](),
    ):
        for sequence in task.problem(seed=0).sequences:
            ones = [sum(sequence.inputs[: t + 1]) % 2 for t in range(len(sequence))]
            assert sequence.targets.tolist() == ones
        for name, check in TASK_CHECKS.items():
            if name != "training":
                check(task)


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert citation["version"] == first[1] == VERSION
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [one["name"] for one in citation["authors"]] == [a["name"] for a in project["authors"]]
    assert citation["title"].lower().endswith(project["description"].lower())
