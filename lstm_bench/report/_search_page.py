"""The sections of a page that tell of a search: each only where there is something to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lstm_bench.analysis import ReportFacts, asked
from lstm_bench.report import _effect_figures as effect_figures
from lstm_bench.report import _search_figures as search_figures
from lstm_bench.report import _search_text_tables as search_grids
from lstm_bench.report import _wording as w
from lstm_bench.report._sections import Block, Picture, Section
from lstm_bench.statistics import MARGIN

SAMPLERS = {"tpe": "TPE", "nsga2": "NSGA-II", "grid": "the grid"}

NUMBERS = "The same as numbers: differences in percentage points, p values after Holm's correction."

READING_CONFIRMATION = (
    "The best of many recipes is partly the luckiest: the seeds that picked it flatter it. Fresh "
    "seeds took no part in picking the finalists, so their confirmed scores have no such bias. The "
    "one ranked first among them is picked again, by the fresh seeds, and so flattered a little; "
    "the search's own winner is not. Optimism: search score minus confirmed score, in percentage "
    "points.",
)
READING_FRONT = (
    "Cost: trainable parameters times weight updates of one seed, the same on every machine. "
    "Front: no other recipe is solved as often at a lower cost. A recipe counts as solving the "
    "task where the whole Wilson interval of its solve rate lies at or above the bar, and only on "
    "seeds that did not pick it.",
)
READING_ABLATION = (
    "One setting at a time is put back to the tutorial's, on seeds that chose nothing before, pair "
    "by pair: put back minus as it was, so that below 0 means that putting it back does harm. "
    f"Holm's correction over all that this report compares; within {100 * MARGIN:g} points "
    "counts as no difference.",
)
READING_IMPORTANCE = (
    "fANOVA tells how much of the score's variance over the whole space each setting explains, its "
    "bad parts included. PED-ANOVA tells how much a setting sets the best "
    "trials apart from the rest. They answer different questions and need not agree.",
    "Both are told from the trials drawn at random alone: a sampler that has seen scores looks "
    "only where it hopes for good ones.",
)
READING_EFFECTS = (
    "In each of several random recipes the switch alone is changed; both run on the same seeds, "
    "which no race looked at. A dot is the difference in one recipe. The interval is Student's t "
    "over recipes, the test a sign-flip test over recipes, with Holm's correction over all that "
    "this report compares.",
)
READING_SPLIT = (
    "One recipe is run on seeds that cross draws of data, of initial weights and of training "
    "order, every draw of one with every draw of the others: the winner or, where the winner's "
    "seeds all score the same, the one that it is compared with setting by setting. Only together: "
    "what no source explains by itself.",
)


def sections(found: ReportFacts, frames: Mapping[str, pd.DataFrame]) -> list[Section]:
    """Returns the sections in the order of the page; `frames` are `search_tables.frames`."""
    told = {
        "How the search went": [_history(found, frames["history"])],
        "Does it hold on fresh seeds?": [_confirmation(found, frames["confirmation"])],
        "The simplest recipe that solves it": [
            _front(found, frames["front"]),
            _ablation(found, frames["ablation"]),
        ],
        "What mattered": [
            _importance(found, frames["importance"]),
            _effects(found, frames["effects"]),
            _split(found),
        ],
        "What failed": [_failed(found)],
    }
    blocks = {title: [block for block in parts if block] for title, parts in told.items()}
    return [Section(title, tuple(parts)) for title, parts in blocks.items() if parts]


def _measure(found: ReportFacts) -> str:
    return w.measure(found.searched.confirmations.measure)


def _history(found: ReportFacts, frame: pd.DataFrame) -> Block | None:
    if not np.isfinite(frame["score"] if len(frame) else []).any():
        return None
    search = found.result.search or {}
    sampler, saved = str(search.get("sampler", "")), found.searched.saved
    drawn = found.result.analysis.get("random", ())
    startup = len(drawn) if len(drawn) < len(frame) else 0  # nothing took over
    name = SAMPLERS.get(sampler, "the sampler")
    svg = search_figures.history(frame, _measure(found), startup, name)
    said = (
        f"{w.many(saved.recipes, 'distinct recipe')} took {w.many(saved.made, 'seed run')}, of the "
        f"{saved.full:,} that all seeds of all of them would take: "
    )
    if saved.stopped:
        said += (
            f"{w.percent(saved.share, ' %')} were saved by stopping "
            f"{w.many(saved.stopped, 'recipe')} whose chance of being the best had gone."
        )
    else:
        said += "none was stopped early."
    few = " Smaller and open: stopped after so many seeds." if saved.stopped else ""
    caption = (
        f"Score of each trial against its number, n = {w.many(len(frame), 'trial')}; filled: run "
        f"on all {asked(found.result)} seeds.{few} The line is the best score until then of those "
        "run in full, on the seeds that picked it."
    )
    return Block(said=(said,), picture=Picture("history", svg, "How the search went", caption))


def _confirmation(found: ReportFacts, frame: pd.DataFrame) -> Block | None:
    told = found.searched.confirmations
    if not told.finalists:
        return None
    said = []
    # Finalists of a file's search are asked about its last part, which is harder or easier.
    other = " and the data's last part, which no search sees" if found.beside else ""
    if told.winner is not None:
        said.append(
            f"The search's own winner, {w.printable(told.winner.row.of)}, scored "
            f"{w.percent(told.winner.search.mean, ' %')} in the search and "
            f"{w.percent(told.winner.fresh.mean, ' %')} on fresh seeds{other}: an optimism of "
            f"{w.signed(told.winner.optimism)} points. Mean over "
            f"{w.many(len(told.finalists), 'finalist')}: {w.signed(told.optimism)} points."
        )
    count = w.seeds_of([each.row for each in told.finalists])
    caption = (
        f"Search score and confirmed score of {w.many(len(told.finalists), 'finalist')}, n = "
        f"{count} that the search never saw; 95 % interval of the confirmed "
        f"{_measure(found)}. To the right, the seeds of the search and the fresh ones."
    )
    drawn = None
    if np.isfinite(frame["score"]).any():
        svg = search_figures.confirmation(frame, _measure(found))
        drawn = Picture("confirmation", svg, "Search score and confirmed score", caption)
    grid = search_grids.confirmation(told)
    about = (
        f"Finalists, ranked by {_measure(found)} on fresh seeds; the best is in bold. Scores and "
        "rates in percent."
    )
    return Block("", tuple(said), drawn, grid, about, READING_CONFIRMATION)


def _front(found: ReportFacts, frame: pd.DataFrame) -> Block | None:
    if not len(frame):
        return None
    told = found.searched.simplest
    svg = search_figures.front(frame, told.bar)
    seeds = w.seeds_of([each.row for each in found.searched.front])
    caption = (
        f"Solve rate against cost of {w.many(len(frame), 'recipe')} with all seeds, n = {seeds} a "
        "recipe, with Wilson's 95 % intervals."
    )
    picture = Picture("front", svg, "Solve rate against cost", caption)
    grid = search_grids.front(found)
    about = (
        "Recipes on the front, and all that were not picked by their own seeds, the cheapest "
        "first; the simplest that solves it is in bold. front.csv has all recipes."
    )
    return Block("", (w.printable(told.sentence),), picture, grid, about, READING_FRONT)


def _ablation(found: ReportFacts, frame: pd.DataFrame) -> Block | None:
    told = found.searched.ablated
    if not told:
        return None
    measures = list(dict.fromkeys(frame["measure"]))
    several = len({each.base.id for each in told}) > 1
    names = [each.name + (f", in {each.base.id}" if several else "") for each in told]
    panels = [
        (
            "Difference in share of seeds that solve it, points"
            if measure == "solve_rate"
            else f"Difference in {w.measure(measure)}, points",
            frame[frame["measure"] == measure],
        )
        for measure in measures
    ]
    svg = effect_figures.differences([w.printable(name) for name in names], panels)
    seeds = w.seeds_of([each.row for each in told])
    caption = (
        f"Each setting put back to the tutorial's, minus {' and '.join(_bases(found))}, n = "
        f"{seeds} a row, paired, with 95 % intervals."
    )
    real = [each for each in told if each.word == "real"]
    said = [_capital(w.printable(each.sentence)) for each in real] or [
        "Nothing that was put back makes a difference that can be told from chance."
    ]
    picture = Picture("ablation", svg, "What putting settings back changes", caption)
    grid = search_grids.ablation(told)
    return Block("Which settings matter", tuple(said), picture, grid, NUMBERS, READING_ABLATION)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _bases(found: ReportFacts) -> list[str]:
    return list(dict.fromkeys(w.printable(each.base.id) for each in found.searched.ablated))


def _importance(found: ReportFacts, frame: pd.DataFrame) -> Block | None:
    told = found.searched.importance
    if told is None:
        return None
    title = "Settings, among random trials"
    if not told.weights:
        return Block(title, (w.printable(told.why),)) if told.why else None
    share = told.seeds.share if told.seeds else float("nan")
    said = [w.printable(told.why)] if told.why else []
    if told.seeds is not None:
        said.append(
            f"{w.percent(share, ' %')} of the variance of single runs lies between seeds of one "
            f"recipe (one-way analysis of variance, {told.seeds.recipes} random recipes, "
            f"{told.seeds.runs} runs); the settings share the rest."
        )
    svg = effect_figures.importance(frame, share)
    caption = (
        f"Importance of each setting, n = {w.many(told.trials, 'random trial')}."
        + " Left, fANOVA's shares are scaled to what the seeds leave." * bool(told.seeds)
    )
    picture = Picture("importance", svg, "Importance of settings", caption)
    grid = search_grids.importance(told)
    return Block(title, tuple(said), picture, grid, "The same as numbers.", READING_IMPORTANCE)


def _effects(found: ReportFacts, frame: pd.DataFrame) -> Block | None:
    told = found.searched.effects
    if not told:
        return None
    dots = [np.sort(np.array(each.differences)) for each in told]
    unit = f"Effect on {_measure(found)}, percentage points"
    svg = effect_figures.effects([w.printable(each.name) for each in told], frame, dots, unit)
    seeds = _range([count for each in told for count in each.seeds])
    recipes = _range([each.found.n for each in told])
    caption = (
        f"Effect of each switch on {_measure(found)}, n = {recipes} "
        "random recipes a row: a dot is one of them, in which the switch alone is changed, mean "
        f"over {seeds} shared seeds. To the right of 0 the first value is the better one."
    )
    picture = Picture("effects", svg, "Paired effects of switches", caption)
    grid = search_grids.effects(told)
    return Block("Switches, changed alone", (), picture, grid, NUMBERS, READING_EFFECTS)


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _split(found: ReportFacts) -> Block | None:
    told = found.searched.split
    if told is None:
        return None
    names = [search_grids.SOURCES[source] for source in told.shares]
    data, init, order = told.draws
    caption = (
        f"Variance of {_measure(found)} of {w.printable(told.row.of or told.row.id)} between "
        f"seeds, n = {len(told.row.outcome.seeds)} crossed seeds ({data} draws of data × {init} of "
        f"initial weights × {order} of order); standard deviation {100 * told.std:.1f} points."
    )
    title = f"% of the variance between seeds, {_measure(found)}"
    svg = effect_figures.shares(names, list(told.shares.values()), title)
    picture = Picture("variance", svg, "What seeds differ by", caption)
    grid = search_grids.variance(told)
    return Block("What a seed decides", (), picture, grid, "The same as numbers.", READING_SPLIT)


def _failed(found: ReportFacts) -> Block | None:
    told = found.result.failed
    if not told:
        return None
    about = f"{w.many(len(told), 'recipe')} that came to no score; none counts as one."
    return Block(grid=search_grids.failed(told), caption=about)
