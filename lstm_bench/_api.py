"""What `import lstm_bench as lb` offers: the calls that the command line makes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.config import Settings, settings_for
from lstm_bench.data import forecast_with_baseline, frame_settings, reading_settings
from lstm_bench.errors import TaskError, UserError, unknown
from lstm_bench.recipes import BUILT_IN_TASKS, Recipe, recipe_from_settings
from lstm_bench.report import SweepResult
from lstm_bench.results import Outcome, Row
from lstm_bench.safety import check_flag, check_path, check_text, checked_count
from lstm_bench.seeds import check_seed, seed_list
from lstm_bench.statistics import Measure
from lstm_bench.sweeps import (
    Sweep,
    TasksOrFiles,
    changed_recipe,
    in_a_file,
    known_tasks,
    load_tasks,
    override_words,
    read_sweep,
    search_document,
    sweep_source,
    task_documents,
    task_list,
)
from lstm_bench.tasks import Task

if TYPE_CHECKING:
    import pandas as pd

    from lstm_bench.analysis import Comparison
    from lstm_bench.execution import ProgressObserver, SweepProgress
    from lstm_bench.tracking import Store

Overrides = Mapping[str, Any] | Sequence[str] | str


def tasks(files: TasksOrFiles = ()) -> pd.DataFrame:
    """Returns a table of tasks: name, kind, chance level, parameters, default recipe, source.

    `files` are Python files or classes of your own. Raises `TaskError` if one cannot be loaded.

    >>> import lstm_bench as lb
    >>> lb.tasks().set_index("name").loc["memory", "kind"]
    'categorical'
    """
    import pandas as pd

    known = load_tasks([*settings_for().tasks, *task_list(files, "files")])
    return pd.DataFrame(task_documents(known))


def recipe(task: str | type[Task], *, tasks: TasksOrFiles = (), **settings: Any) -> Recipe:
    """Returns a recipe of `task`: the task's defaults, updated by `settings`.

    `task` is a class or a name: of a built-in task, or of one in an installed package, in the files
    `tasks`, or in the files of `conf/default.yaml`. Raises `RecipeError` with all faults at once.

    >>> import lstm_bench as lb
    >>> lb.recipe("alphabet", framing="window").framing.window
    3
    """
    return recipe_from_settings({"task": task, **settings}, known_tasks(task, tasks))


def run(
    task: str | type | Task | Recipe,
    seeds: int | Iterable[int] = 10,
    *,
    engine: str = "compiled",
    threads: int | None = None,
    log: bool = False,
    tasks: TasksOrFiles = (),
    store: str | None = None,
    data: pd.DataFrame | None = None,
    **changes: Any,
) -> Outcome:
    """Trains one recipe once for each seed and returns its outcome.

    `task` is a recipe, a task class or a task's name, which the Python files `tasks` may add.
    Keywords override its settings. `data` is a DataFrame for the task `csv`. `seeds` is the number
    of seeds, from 0 on, or the seeds. `engine` is `compiled`, or `keras` for plain Keras. `threads`
    seeds are trained at a time, by default one per core. `log` writes the outcome to the MLflow
    experiment `runs`. Raises `RecipeError` for settings that do not fit.

    >>> import lstm_bench as lb
    >>> lb.run("memory", seeds=2, units=5, epochs=3)
    Outcome(memory: lstm(5), pairs, stateful, batch 1, 3 epochs; 2 seeds, accuracy ...)
    """
    _check_engine(engine)
    check_flag("log", log)
    place = settings_for(None, store)
    chosen = changed_recipe(task, changes | frame_settings(data, changes), known_tasks(task, tasks))
    from lstm_bench.training import run as train

    outcome = train(chosen, seed_list(seeds), engine, checked_count("threads", threads))
    if log:
        log_outcome(outcome, place)
    return outcome


def log_outcome(outcome: Outcome, place: Settings) -> None:
    """Writes an outcome to the MLflow experiment `runs`."""
    from lstm_bench.tracking import log_single_run

    log_single_run(open_store(place, create=True), outcome)


def _check_engine(engine: str) -> None:
    from lstm_bench.training import ENGINES

    if not isinstance(engine, str) or engine not in ENGINES:
        raise UserError(f"engine: {unknown('engine', engine, ENGINES)}")


def compare(
    first: Outcome, second: Outcome, measure: Measure = "accuracy", margin: float | None = None
) -> Comparison:
    """Returns the difference of the first outcome from the second, with a verdict.

    Shared seeds are compared pair by pair. A difference is "not real" if its 95 % interval lies
    within `margin` of 0, by default 0.02. `measure` is accuracy, sequence_accuracy, solve_rate,
    skill, loss or epochs_to_solve. Raises `UserError` if it was not recorded.

    >>> import lstm_bench as lb
    >>> few, many = (lb.run("memory", seeds=3, units=5, epochs=n) for n in (1, 2))
    >>> lb.compare(few, many).n
    3
    """
    from lstm_bench.analysis import compare_outcomes

    first, second = (one.outcome if isinstance(one, Row) else one for one in (first, second))
    for other in (type(one).__name__ for one in (first, second) if not isinstance(one, Outcome)):
        raise UserError(f"compare: takes two outcomes, as `run` returns them, but got {other}")
    return compare_outcomes(first, second, measure, margin)


def search(
    task: str | type | Task,
    space: Mapping[str, Any] | None = None,
    *,
    trials: int = 40,
    seeds: int = 10,
    name: str | None = None,
    engine: str = "compiled",
    again: bool = False,
    progress: bool | None = None,
    tasks: TasksOrFiles = (),
    store: str | None = None,
    profile: str | None = None,
    cluster: Any = None,
    search: Mapping[str, Any] | None = None,
    data: pd.DataFrame | None = None,
    **fixed: Any,
) -> SweepResult:
    """Searches the recipes of a task with Optuna and returns the result.

    `space` gives the values of each setting: a list, a pair `(low, high)` of numbers, or a range as
    in a sweep file, `{"int": [4, 64], "log": True}`. Other keywords are fixed settings. `search`
    has further keys of a sweep file's search. `load` takes its `name`, by default made from task
    and space. The same call resumes the same search. Raises `SweepError`.

    >>> import contextlib, tempfile
    >>> import lstm_bench as lb
    >>> space = {"units": (2, 4), "learning_rate": (0.001, 0.01)}
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     lb.search("memory", space, trials=2, seeds=2, epochs=2, progress=False)
    SweepResult('memory-search-...', 4 recipes, best 'confirm-...')
    """
    check_text("name", name, "the name of a search", optional=True)
    fixed |= frame_settings(data, fixed)
    made_name, document = search_document(task, space, search, trials, seeds, fixed)
    where: dict[str, Any] = {"store": store, "profile": profile, "cluster": cluster}
    how: dict[str, Any] = {"engine": engine, "again": again, "progress": progress}
    return sweep(document, name=name or made_name, tasks=tasks, **how, **where)


def sweep(
    source: str | Path | Mapping[str, Any] | None = None,
    overrides: Overrides = (),
    *,
    name: str | None = None,
    engine: str = "compiled",
    again: bool = False,
    full: bool = False,
    progress: bool | None = None,
    tasks: TasksOrFiles = (),
    store: str | None = None,
    profile: str | None = None,
    cluster: Any = None,
    csv: str | Path | None = None,
    data: pd.DataFrame | None = None,
    fail_fast: bool = False,
    **settings: Any,
) -> SweepResult:
    """Runs the recipes and the search of a sweep, logs them, and writes the report.

    `source` is a YAML file, the name of one in the folder of sweeps, or a mapping with the same
    keys, called `name`, whose tasks may be classes. In its place, `csv` is a file of your own, or
    `data` a DataFrame, which is written to the folder `frames`; `settings` are then those of the
    task `csv`. `overrides`, such as `{"seeds": 5}` or `["seeds=5"]`, lead to a separate report.
    Results in the store are computed again only with `again`; recipes marked as `full` run only
    with `full`. `progress` shows a bar. `cluster` is the address of a Dask scheduler, or a client.
    Raises `SweepError`, `StoreLostError` and, at a failure with `fail_fast`, `FailedFastError`.

    >>> import contextlib, tempfile
    >>> import lstm_bench as lb
    >>> small = {"task": "memory", "epochs": 2, "recipes": {"A": {"units": 2}, "B": {"units": 3}}}
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     result = lb.sweep(small, {"seeds": 2}, name="small", progress=False)
    >>> result, result["A"].seeds["seed"].tolist()
    (SweepResult('small', 2 recipes, best '...'), [0, 1])
    """
    _check_engine(engine)
    for flag, value in {"again": again, "full": full, "fail_fast": fail_fast}.items():
        check_flag(flag, value)
    check_flag("progress", progress, optional=True)
    check_text("name", name, "the name of a sweep", optional=True)
    place, given = settings_for(profile, store), task_list(tasks)
    words, files = override_words(overrides), [*place.tasks, *given]
    document, name = sweep_source(source, csv, data, settings, name)
    chosen = read_sweep(document, name, words, place.sweeps, files).with_full(full)
    result, _ = run_sweep(chosen, place, engine, again, progress, cluster, fail_fast)
    if result.data.failed and not result.data.rows:
        why = f"every recipe has failed; {result.data.failed[0].reason}"
        warnings.warn(f"{result.name}: {why}", stacklevel=2)
    return result


def run_sweep(
    chosen: Sweep,
    place: Settings,
    engine: str = "compiled",
    again: bool = False,
    progress: bool | None = None,
    cluster: Any = None,
    fail_fast: bool = False,
) -> tuple[SweepResult, SweepProgress]:
    """Runs a sweep that has been read; returns its result and its final progress."""
    with warnings.catch_warnings():
        # MLflow and Optuna import tqdm, which warns in notebooks without widgets; none are needed.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from lstm_bench.execution import is_interactive, sweep_bar
        from lstm_bench.execution import run_sweep as launch

    shown = is_interactive() if progress is None else progress
    with sweep_bar(chosen.report_name, quiet=not shown) as bar:
        observer: ProgressObserver | None = bar if shown else None
        data, page, state = launch(chosen, place, engine, again, observer, cluster, fail_fast)
    return SweepResult(data, page, partial(_study, data, chosen.tasks)), state


def _study(*facts: Any) -> Any:
    from lstm_bench.search import search_study

    return search_study(*facts)


def load(
    name: str,
    overrides: Overrides = (),
    *,
    tasks: TasksOrFiles = (),
    store: str | None = None,
    profile: str | None = None,
) -> SweepResult:
    """Returns the result of a sweep that has been run, from the store alone.

    `overrides` are those that it was run with. Raises `StoreError` if the store has no such sweep.

    >>> import contextlib, tempfile
    >>> import lstm_bench as lb
    >>> small = {"task": "memory", "epochs": 2, "seeds": 2, "recipes": {"A": {"units": 2}}}
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     lb.sweep(small, name="small", progress=False) == lb.load("small")
    True
    """
    check_text("name", name, "the name of a sweep that has been run")
    words, place, given = override_words(overrides), settings_for(profile, store), task_list(tasks)
    try:
        known = load_tasks([*place.tasks, *given])
    except TaskError as error:  # the result is in the store, whatever has become of the file
        if given:
            raise
        warnings.warn(str(error), stacklevel=2)
        known = BUILT_IN_TASKS
    data = open_store(place).load(name, " ".join(sorted(words)), known)
    return SweepResult(data, None, partial(_study, data, known))


def forecast(
    run: str,
    csv: str | Path | None = None,
    *,
    data: pd.DataFrame | None = None,
    store: str | None = None,
    profile: str | None = None,
    **reading: Any,
) -> pd.DataFrame:
    """Returns the forecasts of a finished run's network for a file like its training data.

    `run` is a sweep over a file, for its best recipe; a recipe of a sweep, `SWEEP:ID`; a baseline
    of its report, `SWEEP:BASELINE`; or a recipe's digest. `data` is a DataFrame in place of the
    file `csv`; `reading` can set `na`, `decimal`, `thousands` and `sheet`. Warnings name rows that
    cannot be forecast, e.g. without their known inputs, and values of text that are not used.
    Raises `StoreError` if there is no such run, `UserError` if the file does not fit.

    >>> import contextlib, tempfile
    >>> import lstm_bench as lb
    >>> import pandas as pd
    >>> table = pd.DataFrame({"day": range(60), "sales": [day % 7 for day in range(60)]})
    >>> week = {"framing": "window", "window": 7, "units": 4, "epochs": 2}
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     table.to_csv("shop.csv", index=False)
    ...     file = {"task": "csv", "file": "shop.csv", "target": "sales", "seeds": 2}
    ...     result = lb.sweep({**file, "recipes": {"A": week}}, name="shop", progress=False)
    ...     lb.forecast("shop", "shop.csv").columns.tolist()
    ['day', 'origin', 'predicted']
    """
    from lstm_bench.tracking import find_baseline, finished_outcome
    from lstm_bench.training import start_tensorflow

    check_text("run", run, "the name of a sweep, a row as SWEEP:ID, or a digest")
    if data is None:
        check_path("csv", csv)
    elif csv is not None:
        raise UserError("csv: forecast takes one of csv and data, but both are given")
    path = frame_settings(data).get("file", str(csv))
    place = settings_for(profile, store)
    known, opened = load_tasks(place.tasks), open_store(place)
    if run in opened.sweep_names():
        best = opened.load(run).best
        if best is None:
            raise UserError(f"{run}: has no best recipe; name one of its recipes as {run}:ID")
        run = f"{run}:{best.id}"
    baseline = find_baseline(run, opened, known)
    if baseline is not None:
        return forecast_with_baseline(*baseline, path, reading_settings(reading))
    outcome = finished_outcome(run, opened, known)
    start_tensorflow(1)
    from lstm_bench.training import forecast_file  # after TensorFlow has been brought up quietly

    table = forecast_file(outcome, path, reading_settings(reading))
    for note in table.attrs["notes"]:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return table


def export(
    what: str | type | Task | Recipe | Outcome | Row,
    seed: int | None = None,
    *,
    tasks: TasksOrFiles = (),
    store: str | None = None,
    profile: str | None = None,
    **changes: Any,
) -> str:
    """Returns a recipe as a Python script that needs only Keras and NumPy.

    `what` is a task, a recipe, an outcome, a recipe of a sweep as `SWEEP:ID` or `FILE.yaml:ID`, or
    the digest of one that was run. `seed` is by default the best, or 0. Raises `UserError`.

    >>> import lstm_bench as lb
    >>> "keras.layers.LSTM(20" in lb.export("memory")
    True
    """
    from lstm_bench.tracking import find_recipe

    place = settings_for(profile, store)
    if seed is not None:
        check_seed(seed)
    what = in_a_file(what.outcome if isinstance(what, Row) else what)
    named = what.settings["task"] if isinstance(what, Outcome) else what
    source = find_recipe(what, changes, place, known_tasks(named, tasks, profile))
    return keras_code(source.recipe, source.best_seed if seed is None else seed)


def keras_code(chosen: Recipe, seed: int) -> str:
    """Returns the script of a recipe; see `export`."""
    from lstm_bench.training import start_tensorflow

    start_tensorflow(1)
    from lstm_bench.export import export_script

    return export_script(chosen, seed)


def open_store(place: Settings, create: bool = False) -> Store:
    """Returns the store; raises `StoreError` if there is none, unless `create`."""
    from lstm_bench.tracking import Store

    return Store(place.store, place.artifacts, create=create)
