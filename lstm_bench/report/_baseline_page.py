"""The section of a page that sets networks beside naive answers, and its table and figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lstm_bench.analysis import BaselineResult, ReportFacts, amount, headline, signed_amount
from lstm_bench.report import _wording as w
from lstm_bench.report._figures import FAINT, INK, LINES, WIDTH, canvas
from lstm_bench.report._sections import Block, Picture, Section
from lstm_bench.report._text_tables import Grid
from lstm_bench.statistics import BASELINE_PREFIX, STRETCHES

STEPS_DRAWN = 120
"""Steps of a forecast that the figure shows: the first ones."""

READING = (
    "Naive answers need no network: the last value; the value a season before; the middle or the "
    "most frequent one; a linear model (least squares; of symbols, logistic regression) of so many "
    "latest rows, fitted to what the network was trained on. They are asked about the very "
    "steps that the network beside them is asked about, none of which was trained on.",
    "Each step is forecast from the true past up to it, by a network that was trained once. "
    "Gain: the best naive answer's error minus the network's, above 0 where the network is better. "
    f"Its interval counts the seeds and {STRETCHES} stretches of neighbouring steps "
    "(Ibragimov and Müller 2010), because another stretch of data would tell another story. The "
    "best naive answer is chosen with hindsight, on these steps. p after Holm's correction for all "
    "rows of the table.",
    "A search was scored on the part before these steps, on networks that learnt from fewer rows; "
    "what its finalists lose or gain here is due to other seeds, other data and more of them.",
    "Skill is the share by which a network's error is below that of the best naive answer: 100 % "
    "is perfect, 0 % no better, and below 0 % it is minus the share by which the naive answer's "
    "error is below the network's. It is measured against the naive answers that every recipe has; "
    "a linear model of a recipe's own window, in the table, is not among them. Solved means a "
    "skill above 0. Accuracy, of real values, is the share of steps forecast to within the error "
    "that half of the last values make.",
)


def frame(found: Sequence[BaselineResult]) -> pd.DataFrame:
    """Returns one row a recipe and naive answer: errors, what is gained, and how sure that is."""
    return pd.DataFrame(
        [
            {"id": each.row.id, "name": each.row.outcome.name, **vars(one), "skill": one.skill}
            | ({"p_holm": each.corrected, "verdict": each.word} if one is each.best else {})
            for each in found
            for one in each.all
        ]
    )


def sections(found: ReportFacts) -> list[Section]:
    """Returns the section; none without naive answers."""
    told = found.beside
    if not told:
        return []
    first = chosen(found)
    assert first is not None
    steps = sorted({each.best.steps for each in told})
    caption = f"Errors on {w.many(steps[-1], 'step')} never trained on: " + (
        "mean absolute error, in the data's units." if first.real else "share of wrong answers."
    )
    said = (w.printable(first.sentence),)
    picture = _forecast(first) if first.real else None
    block = Block("", said, picture, _grid(told, first), caption, READING)
    return [Section("Better than a naive answer?", (block,))]


def chosen(found: ReportFacts) -> BaselineResult | None:
    """Returns the recipe that the verdict is about: the best one of the page."""
    return headline(found.beside, found.best.id if found.best else None)


def _grid(told: Sequence[BaselineResult], first: BaselineResult) -> Grid:
    titles = ("Answer", "What it is", "Seeds", "Error", "Seeds better", "Gain", "95 %", "p")
    numeric = (False, False, *[True] * 6, False)
    lines: list[tuple[float, tuple[str, ...], str]] = []
    naive = _naive(told)
    for (name, error), ids in naive.items():
        apart = sum(other == name for other, _ in naive) > 1
        label = f"{name}, beside {', '.join(ids)}" if apart else name
        cells: tuple[str, ...] = (w.printable(label), "naive", w.NONE, error, *[w.NONE] * 4, "")
        lines.append((float(error.removesuffix(" %")), cells, ""))
    for each in told:
        best, rate = each.best, each.row.outcome.solve_rate
        known = not np.isnan(best.low)
        ends = f"[{signed_amount(best.low, each.real)}, {signed_amount(best.high, each.real)}]"
        cells = (
            w.printable(each.row.id),
            w.printable(each.row.outcome.name),
            w.count(best.seeds),
            amount(best.network_error, each.real),
            w.solved(rate),
            signed_amount(best.difference, each.real),
            ends.replace("-", "−") if known else w.NONE,
            w.p_value(each.corrected),
            each.word,
        )
        size = float(amount(best.network_error, each.real).removesuffix(" %"))
        lines.append((size, cells, "best" if each is first else ""))
    lines.sort(key=lambda line: line[0])
    return Grid((*titles, "Verdict"), numeric, tuple(cells for _, cells, _ in lines),
                tuple(mark for *_, mark in lines))  # fmt: skip


def _naive(told: Sequence[BaselineResult]) -> dict[tuple[str, str], list[str]]:
    """Returns beside which recipes each naive answer errs by how much, by its name and that."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in told:
        for one in each.all:
            key = one.naive, amount(one.naive_error, each.real)
            found.setdefault(key, []).append(each.row.id)
    return found


def _forecast(first: BaselineResult) -> Picture:
    """Returns the figure of the first steps that are scored: what came, and what was forecast."""
    table = first.row.outcome.predictions
    own = table[table["sequence"] == table["sequence"].min()]
    told = "predicted"
    band = own.groupby("step", sort=True).agg(
        due=("expected", "first"), low=(told, "min"), mean=(told, "mean"), high=(told, "max"),
        naive=(BASELINE_PREFIX + first.best.naive, "first"), when=("input", "first"),
    ).head(STEPS_DRAWN)  # fmt: skip
    gained = np.abs(band["naive"] - band["due"]) - np.abs(band["mean"] - band["due"])
    places = np.arange(len(band))
    with canvas(WIDTH, 5.0) as (figure, saved):
        axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1.2))
        network, naive, gain = LINES[0], LINES[1], LINES[2]
        label = "network, all seeds"
        axes.fill_between(places, band["low"], band["high"], color=network, alpha=0.25, label=label)
        axes.plot(places, band["mean"], color=network, linewidth=1.4, label="network, mean")
        label = w.printable(first.best.naive)
        axes.plot(places, band["naive"], color=naive, linewidth=1, linestyle="--", label=label)
        axes.plot(places, band["due"], "o", color=INK, markersize=2.6, label="what came")
        axes.set_ylabel(w.printable(first.row.outcome.settings.get("target") or "value"))
        axes.legend(loc="upper left", fontsize=8, ncols=4, frameon=False, labelcolor=INK)
        axes.margins(x=0.01, y=0.2)
        below.axhline(0, color=FAINT, linewidth=0.8)
        below.plot(places, gained.cumsum(), color=gain, linewidth=1.4)
        below.set_ylabel("gain so far")
        ticks = np.unique(np.linspace(0, len(band) - 1, min(6, len(band))).round().astype(int))
        below.set_xticks(ticks, [w.printable(band["when"].iloc[tick])[:16] for tick in ticks])
    caption = (
        f"The first {len(band)} scored steps: what came, what {first.row.id} forecast step by step "
        f"(mean and range over {w.many(first.best.seeds, 'seed')}), and the best naive answer. "
        "Below: the errors of that minus those of the mean network, added up; it rises where the "
        "network is the better one."
    )
    return Picture("forecast", saved[0], "Forecasts beside what came", caption)
