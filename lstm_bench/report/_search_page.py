"""The sections of a page about a search; each is left out if it would be empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lstm_bench.analysis import Findings, seeds_per_trial
from lstm_bench.report import _effect_figures as effect_figures
from lstm_bench.report import _search_figures as search_figures
from lstm_bench.report import _search_text_tables as search_text_tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._baseline_page import headline_result
from lstm_bench.report._sections import Block, Picture, Section
from lstm_bench.report._summary import best_finalist
from lstm_bench.results import counted, differences_figure
from lstm_bench.safety import printable_line
from lstm_bench.statistics import DEFAULT_MARGIN

SAMPLERS = {"tpe": "TPE", "nsga2": "NSGA-II", "grid": "the grid"}

NUMBERS = "The same as numbers: differences in percentage points, p values after Holm's correction."

READING_CONFIRMATION = (
    "The best of many recipes is partly the luckiest: the seeds that chose it overestimate it. "
    "Fresh seeds took no part in choosing the finalists, so confirmed scores have no such bias. "
    "Only the finalist ranked first is chosen again, by the fresh seeds, and is overestimated a "
    "little; the winner of the search is not. Its corrected score is what the best of two thirds "
    "of the fresh seeds scores on the others, over 500 splits. The 95 % intervals hold for all "
    "finalists together (Bonferroni), whichever comes out best, and so are wider than that of one "
    "recipe alone. Optimism: search score minus confirmed score, in percentage points.",
)
READING_FRONT = (
    "Cost: trainable parameters times weight updates of one seed, the same on every machine. "
    "Simplest: of the lowest cost. Front: no other recipe is solved as often at a lower cost. A "
    "recipe counts as solving the task if the whole Wilson interval of its solve rate lies at or "
    "above the bar, and only on seeds that did not choose it. With several finalists so many "
    "solved seeds must also be too unlikely at the bar after Holm's correction for all of them "
    "(exact binomial test).",
)
READING_ABLATION = (
    "One setting at a time is set back to the reference's, on seeds that chose nothing before. "
    "Difference, seed by seed: set back minus not set back; below 0, setting it back does harm. "
    f"Holm's correction over all that this report compares; within {100 * DEFAULT_MARGIN:g} points "
    "counts as no difference. The solve rate and the score are of the same seeds and count as one: "
    "first the one that the search goes by; the other one is judged where that difference is real.",
)
READING_IMPORTANCE = (
    "fANOVA measures how much of the variance of the score each setting explains over the whole "
    "space, bad regions included. PED-ANOVA measures how much a setting distinguishes the best "
    "trials from the others. They answer different questions and need not agree.",
    "Both use only the trials drawn at random: a sampler that has seen scores mostly looks where "
    "it expects good ones.",
    "Alone: the 95 % interval of the fraction of all variance between trials, that of seeds "
    "included, which lies between the values of a setting (quarters of a range), from the "
    "noncentral F distribution. p: the share of permutations of the scores in which any setting "
    "explains as much, so that it allows for naming the best. Forests find something to explain in "
    "any scores: a setting with a larger p is not shown to matter, whatever its share.",
)
READING_EFFECTS = (
    "In each of several random recipes only the switch is changed; both recipes run on the same "
    "seeds, which no race has used. A dot is the difference in one recipe. The interval is "
    "Student's t over recipes, the test a sign-flip test over recipes, with Holm's correction over "
    "all that this report compares. Unless the sweep file says in how many recipes, it is in as "
    "many as that correction needs if all of them agree, and as there are random ones.",
)
READING_VARIANCE = (
    "One recipe is run on seeds that cross draws of data, of initial weights and of training "
    "order: every draw of one with every draw of the others. The recipe is the winner or, if all "
    "seeds of the winner score the same, its reference. Only in combination: the variance that no "
    "source explains alone. The 95 % intervals (Weerahandi 1993) assume normal effects; a few "
    "draws of each source leave them wide.",
)


def sections(findings: Findings, frames: Mapping[str, pd.DataFrame]) -> list[Section]:
    """Returns the sections in the order of the page; `frames` are `search_tables.frames`."""
    blocks = {
        "Search history": [_history(findings, frames["history"])],
        "Finalists on fresh seeds": [_confirmation(findings, frames["confirmation"])],
        _cost_title(findings): [
            _front(findings, frames["front"]),
            _ablation(findings, frames["ablation"]),
        ],
        "Importance of settings": [
            _importance(findings, frames["importance"]),
            _effects(findings, frames["effects"]),
            _variance(findings),
        ],
        "Failed recipes": [_failed(findings)],
    }
    present = {title: [block for block in parts if block] for title, parts in blocks.items()}
    return [Section(title, tuple(parts)) for title, parts in present.items() if parts]


def _on_stretch(findings: Findings) -> bool:
    """Returns whether a seed counts as solved by its errors on one stretch of data."""
    scores = [row.outcome.score for row in findings.result.trials]
    return bool(scores) and set(scores) == {"skill"}


def _cost_title(findings: Findings) -> str:
    """Returns the title of the section on cost; a skill above 0 is not called solved."""
    return (
        "Skill against cost" if findings.baselines else "The simplest recipe that solves the task"
    )


def _measure(findings: Findings) -> str:
    return wording.measure_name(findings.confirmations.measure)


def _history(findings: Findings, frame: pd.DataFrame) -> Block | None:
    if not np.isfinite(frame["score"] if len(frame) else []).any():
        return None
    search = findings.result.search or {}
    sampler, savings = str(search.get("sampler", "")), findings.savings
    drawn = findings.result.analysis.get("random", ())
    startup = len(drawn) if len(drawn) < len(frame) else 0  # the sampler chose no trial
    name = SAMPLERS.get(sampler, "the sampler")
    figure = search_figures.history(frame, _measure(findings), startup, name)
    sentence = (
        f"All seeds of {counted(savings.recipes, 'distinct recipe')} are "
        f"{counted(savings.full_runs, 'seed run')}. "
    )
    if savings.stopped:
        sentence += (
            f"{savings.runs:,} were made: {wording.percent(savings.share, ' %')} were saved by "
            f"stopping {counted(savings.stopped, 'recipe')} that had no chance left to be "
            "the best."
        )
    else:
        sentence += "All were made: no recipe was stopped early."
    if search.get("batch"):
        sentence += f" They were proposed {search['batch']} at a time."
    open_dots = " Smaller, open dots: stopped after so many seeds." if savings.stopped else ""
    caption = (
        f"Score of each trial against its number, n = {counted(len(frame), 'trial')}; "
        f"filled dots: run on all {seeds_per_trial(findings.result)} seeds.{open_dots} The line is "
        "the best score until then of those run on all seeds, on the seeds that chose it."
    )
    return Block("", (sentence,), Picture("history", figure, "Search history", caption))


def _confirmation(findings: Findings, frame: pd.DataFrame) -> Block | None:
    confirmations = findings.confirmations
    finalists, winner = confirmations.finalists, confirmations.winner
    if not finalists:
        return None
    sentences = []
    # With a data file, finalists are scored on its test set, which is harder or easier.
    data = " and the test set, which the search does not see"
    if winner is not None:
        sentences.append(
            f"The winner of the search, {printable_line(winner.row.of)}, scored "
            f"{wording.percent(winner.search.mean, ' %')} in the search and "
            f"{wording.percent(winner.fresh.mean, ' %')} on fresh seeds"
            f"{data if findings.baselines else ''}. Its optimism, the first minus the second, is "
            f"{wording.signed_points(winner.optimism)} points; the mean over "
            f"{counted(len(finalists), 'finalist')} is "
            f"{wording.signed_points(confirmations.optimism)} points."
        )
    sentences += best_finalist(findings)
    if confirmations.measure == "solve_rate" and len(finalists) > 1:
        sentences.append(
            "An interval for all finalists at once is wider than Wilson's of one recipe alone."
        )
    caption = (
        f"Search score and confirmed score of {counted(len(finalists), 'finalist')}, n = "
        f"{wording.seed_counts([finalist.row for finalist in finalists])} that the search never "
        f"saw; 95 % interval of the confirmed {_measure(findings)}. On the right: the number of "
        "seeds in the search, and of fresh seeds."
    )
    picture = None
    if np.isfinite(frame["score"]).any():
        figure = search_figures.confirmation(frame, _measure(findings))
        picture = Picture("confirmation", figure, "Search score and confirmed score", caption)
    table = search_text_tables.confirmation(confirmations)
    table_caption = (
        f"Finalists, ranked by {_measure(findings)} on fresh seeds; the best is in bold. Scores "
        "and rates in percent."
    )
    return Block("", tuple(sentences), picture, table, table_caption, READING_CONFIRMATION)


def _front(findings: Findings, frame: pd.DataFrame) -> Block | None:
    if not len(frame):
        return None
    simplest = findings.simplest
    rate, interval, label = "Solve rate", "Wilson's 95 % intervals", "Seeds that solve the task, %"
    if _on_stretch(findings):
        rate, interval = "Seeds with a skill above 0", "95 % intervals that count seeds and steps"
        label = f"{rate}, %"
    figure = search_figures.front(frame, simplest.bar, label)
    seeds = wording.seed_counts([point.row for point in findings.front])
    caption = (
        f"{rate} against cost of {counted(len(frame), 'recipe')} with all seeds, n = "
        f"{seeds} per recipe, with {interval}."
    )
    picture = Picture("front", figure, f"{rate} against cost", caption)
    table = search_text_tables.front(findings)
    bold = "; the simplest that solves the task is in bold" if simplest.point else ""
    table_caption = (
        "Recipes on the front, and all recipes that were not chosen by the seeds that score them, "
        f"the simplest first{bold}. front.csv has all recipes."
    )
    headline = headline_result(findings)
    sentences: tuple[str, ...] = (printable_line(simplest.sentence),)
    if headline is not None and headline.verdict != "better":
        sentences = (
            "No finalist is known to be better than the best baseline, so none is the simplest.",
        )
    return Block("", sentences, picture, table, table_caption, READING_FRONT)


def _ablation(findings: Findings, frame: pd.DataFrame) -> Block | None:
    ablations = findings.ablations
    if not ablations:
        return None
    measures = list(dict.fromkeys(frame["measure"]))
    bases = list(dict.fromkeys(printable_line(ablation.base.id) for ablation in ablations))
    names = [
        ablation.name + (f", in {ablation.base.id}" if len(bases) > 1 else "")
        for ablation in ablations
    ]
    solving = "with a skill above 0" if _on_stretch(findings) else "that solve it"
    panels = [
        (
            f"Difference in share of seeds {solving}, points"
            if measure == "solve_rate"
            else f"Difference in {wording.measure_name(measure)}, points",
            _in_points(frame[frame["measure"] == measure]),
        )
        for measure in measures
    ]
    figure = differences_figure([printable_line(name) for name in names], panels)
    seeds = wording.seed_counts([ablation.row for ablation in ablations])
    caption = (
        f"Each setting set back to the reference's, minus {' and '.join(bases)}, n = {seeds} per "
        "row, paired, with 95 % intervals."
    )
    real = [ablation for ablation in ablations if ablation.verdict == "real"]
    sentences = [_capitalize(printable_line(ablation.sentence)) for ablation in real] or [
        "No setting that was set back makes a difference beyond chance."
    ]
    picture = Picture("ablation", figure, "Differences that ablations make", caption)
    table = search_text_tables.ablation(ablations)
    heading = "Ablation: which settings matter"
    return Block(heading, tuple(sentences), picture, table, NUMBERS, READING_ABLATION)


def _in_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns differences of shares in percentage points."""
    columns = ["difference", "low", "high"]
    return frame.assign(**{column: 100 * frame[column] for column in columns})


def _capitalize(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _importance(findings: Findings, frame: pd.DataFrame) -> Block | None:
    importances = findings.importance
    if importances is None:
        return None
    heading = "Settings, among random trials"
    sentences = [printable_line(importances.why)] if importances.why else []
    if not importances.settings:
        return Block(heading, tuple(sentences)) if sentences else None
    seeds = importances.seeds
    fraction = seeds.fraction if seeds else float("nan")
    if seeds is not None:
        ends = wording.percent_interval(seeds.low, seeds.high)
        sentences.append(
            f"{wording.percent(fraction, ' %')} of the variance of single runs lies between seeds "
            f"of one recipe (95 % interval {ends} %, one-way analysis of variance, "
            f"{seeds.recipes} random recipes, {seeds.runs} runs); the settings share the rest."
        )
    figure = effect_figures.importance(frame, fraction)
    caption = (
        f"Importance of each setting, n = {counted(importances.trials, 'random trial')}."
        + " Left: the shares of fANOVA are scaled to what the seeds leave." * bool(seeds)
    )
    picture = Picture("importance", figure, "Importance of settings", caption)
    table = search_text_tables.importance(importances)
    caption = "The same as numbers."
    return Block(heading, tuple(sentences), picture, table, caption, READING_IMPORTANCE)


def _effects(findings: Findings, frame: pd.DataFrame) -> Block | None:
    effects = findings.effects
    if not effects:
        return None
    dots = [np.sort(np.array(effect.differences)) for effect in effects]
    unit = f"Effect on {_measure(findings)}, percentage points"
    names = [printable_line(effect.name) for effect in effects]
    figure = effect_figures.effects(names, frame, dots, unit)
    seeds = _range([count for effect in effects for count in effect.seeds])
    recipes = _range([effect.estimate.n for effect in effects])
    caption = (
        f"Effect of each switch on {_measure(findings)}, n = {recipes} random recipes per row. A "
        f"dot is one recipe in which only the switch is changed, mean over {seeds} shared seeds. "
        "To the right of 0 the first value is the better one."
    )
    picture = Picture("effects", figure, "Paired effects of switches", caption)
    table = search_text_tables.effects(effects)
    return Block("Switches, changed alone", (), picture, table, NUMBERS, READING_EFFECTS)


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _variance(findings: Findings) -> Block | None:
    variance = findings.winner_variance
    if variance is None:
        return None
    names = [search_text_tables.SOURCES[source] for source in variance.fractions]
    data, init, order = variance.draws
    caption = (
        f"Variance of {_measure(findings)} of {printable_line(variance.row.of or variance.row.id)} "
        f"between seeds, n = {len(variance.row.outcome.seeds)} crossed seeds ({data} draws of data "
        f"× {init} of initial weights × {order} of order); standard deviation "
        f"{100 * variance.std:.1f} points."
    )
    title = f"% of the variance between seeds, {_measure(findings)}"
    figure = effect_figures.fractions(names, list(variance.fractions.values()), title)
    picture = Picture("variance", figure, "Variance between seeds by source", caption)
    table = search_text_tables.variance(variance)
    caption = "The same as numbers."
    return Block("Variance between seeds", (), picture, table, caption, READING_VARIANCE)


def _failed(findings: Findings) -> Block | None:
    recipes = findings.result.failed
    if not recipes:
        return None
    caption = f"{counted(len(recipes), 'recipe')} without a score; none counts as a result."
    return Block(table=search_text_tables.failed(recipes), caption=caption)
