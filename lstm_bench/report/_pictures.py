"""The pictures of a page that every sweep may have: scores, memory spans and learning curves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from lstm_bench.analysis import Comparison, Family, Findings
from lstm_bench.report import _tables as tables
from lstm_bench.report import _wording as wording
from lstm_bench.report._memory_span_figure import memory_span_figure, predicted_spans_note
from lstm_bench.report._sections import Picture
from lstm_bench.results import (
    BACKGROUND,
    GRID_COLOR,
    MAX_CURVES,
    TEXT_COLOR,
    Row,
    accuracy_figure,
    curves_figure,
    measure_mean,
    score_strip,
    score_title,
    solve_curve,
)
from lstm_bench.safety import printable_line

MAX_TRIALS = 20
"""The accuracy figure shows this many recipes of the search."""
NEAR_POINT = 9
"""Tenths of a point: on the page, a curve has no two corners closer than this."""
MIN_SHARED = 3
"""A style that fewer parts of a figure have stays with them."""
NEARLY_ALL = 0.95
"""A mean accuracy above it looks like success, even where no seed solves the task."""
TUNED = "learning rate "
"""How the part of a recipe's name begins that is tuned for each line, and named last."""
OTHER_RATES = " Learning rates differ between lines: “Recipes in full” has them."
MAX_DETAILS = 80
"""Up to this many fixed and confirmed recipes, each has its learning curve and its steps."""


def page_pictures(findings: Findings) -> list[Picture]:
    """Returns the pictures in the order of the page; an empty list without results."""
    if not (findings.unselected or findings.searched):
        return []
    # Families are in the figures of memory spans; their accuracies hide what is not remembered.
    in_families = {row.id for family in findings.families for row in family.rows}
    rows = [row for row in findings.unselected if row.id not in in_families]
    shown = rows or (findings.searched and not findings.families)
    return [
        *([_accuracy(findings, rows)] if shown else []),
        *_memory_spans(findings.families),
        *_learning_curves(findings, rows),
    ]


def _accuracy(findings: Findings, unselected: Sequence[Row]) -> Picture:
    """Returns the scores of fixed and confirmed recipes, and of the best of the search."""
    searched = findings.searched[:MAX_TRIALS]
    rows = [*unselected, *searched]
    below = ", below the line" if unselected else ""
    chosen = (
        f"Recipes of the search{below}: the best {len(searched)} of {len(findings.searched)}, best "
        "first, chosen by the seeds that score them. "
    )
    measure = tables.ranking_measure(rows)
    recall = measure == "accuracy" and _accuracy_hides_failure(rows) and _all_recall(rows)
    measure = "recall_accuracy" if recall else measure
    title = f"{wording.heading(measure).capitalize()} by recipe"
    caption = (
        f"{title}, n = {wording.seed_counts(rows)} per recipe, one dot per seed; dots with equal "
        f"or similar values are spread vertically. {chosen if searched else ''}There is no "
        "interval if all seeds agree, or if there are too few."
    )
    if recall:
        caption += " Recall accuracy: of the steps that need memory."
    strips = [
        score_strip(
            row.outcome,
            wording.recipe_label(row),
            None if recall else row.published_accuracy,
            measure,
        )
        for row in rows
    ]
    axis = "Accuracy of the steps that need memory, %" if recall else score_title(rows[0].outcome)
    figure = accuracy_figure(strips, axis, len(searched))
    line = bool(unselected and searched)
    hints = {
        f"seeds-{place + (line and place >= len(unselected))}": _seed_hints(row, measure)
        for place, row in enumerate(rows)
    }
    return Picture("accuracy", figure, title, caption, hints=hints)


def _accuracy_hides_failure(rows: Sequence[Row]) -> bool:
    """Returns whether a recipe that no seed solves is right on nearly all steps."""
    means = [(measure_mean(row.outcome, "accuracy").mean, row.outcome.solve_rate) for row in rows]
    return any(mean > NEARLY_ALL and rate.k == 0 for mean, rate in means)


def _all_recall(rows: Sequence[Row]) -> bool:
    return all("recall_accuracy" in row.outcome.seeds for row in rows)


def _seed_hints(row: Row, measure: str) -> list[str]:
    """Returns what the dot of each seed says, in the order in which they are drawn."""
    seeds = row.outcome.seeds.sort_values(measure, kind="stable")
    return [
        f"seed {seed}: {wording.percent(value, ' %')}"
        for seed, value in zip(seeds["seed"], seeds[measure], strict=True)
    ]


def _memory_spans(families: Sequence[Family]) -> list[Picture]:
    """Returns the solve rate along each axis, with at most `MAX_CURVES` families per figure."""
    by_axis: dict[str, list[Family]] = {}
    for family in families:
        by_axis.setdefault(family.axis, []).append(family)
    parts = [
        (axis, on_axis[start : start + MAX_CURVES])
        for axis, on_axis in by_axis.items()
        for start in range(0, len(on_axis), MAX_CURVES)
    ]
    pictures, labels = [], family_labels(families)
    for number, (axis, part) in enumerate(parts, 1):
        lines = [(labels[family.id], family.rates()) for family in part]
        predicted = [family.predicted for family in part]
        figure = memory_span_figure(wording.heading(axis).capitalize(), lines, predicted)
        rows = [row for family in part for row in family.rows]
        title = f"Solve rate against {wording.heading(axis)}"
        caption = (
            f"{title}, n = {wording.seed_counts(rows)} per point, with Wilson's 95 % "
            "intervals. The memory span is where the solve rate falls to 50 %. Points at one value "
            "stand a little apart, so that all are visible."
        )
        rates = {family.rows[0].outcome.settings.get("learning_rate") for family in families}
        caption += OTHER_RATES * (len(rates) > 1) + predicted_spans_note(part)
        stem = "horizon" if len(parts) == 1 else f"horizon-{number}"
        hints = {f"family-{place}": _span_hints(family) for place, family in enumerate(part)}
        pictures.append(Picture(stem, figure, title, caption, hints=hints, column=True))
    return pictures


def family_labels(families: Sequence[Family]) -> dict[str, str]:
    """Returns the label of the line of each family: its id, network, framing and what differs.

    Of families with the same network and framing, it has the settings that not all of them share;
    the learning rate only where nothing else tells two of them apart.
    """
    groups: dict[str, list[Family]] = {}
    for family in families:
        groups.setdefault(wording.short_name(family.rows[0]), []).append(family)
    labels = {}
    for name, group in groups.items():
        parts = {family.id: _name_parts(family) for family in group}
        shared = set.intersection(*map(set, parts.values()))
        several = [[p for p in parts[f.id] if p not in shared] for f in group]
        plain = [", ".join(p for p in its if not p.startswith(TUNED)) for its in several]
        for family, its, text in zip(group, several, plain, strict=True):
            rates = [p for p in its if p.startswith(TUNED)] if plain.count(text) > 1 else []
            words = ", ".join(filter(None, [name, text, *rates]))
            labels[family.id] = f"{printable_line(family.id)}: {words}"
    return labels


def _name_parts(family: Family) -> list[str]:
    """Returns the parts of the name after network and framing that are the same at each value."""
    named = [wording.full_name(row).split(", ")[2:] for row in family.rows]
    return [part for part in named[0] if all(part in other for other in named)]


def _span_hints(family: Family) -> list[str]:
    """Returns what each point of a family says."""
    return [
        f"{printable_line(family.id)}, {wording.heading(family.axis)} {row.value:,g}: "
        f"{row.outcome.solve_rate.k} of {row.outcome.solve_rate.n} seeds solve it"
        for row in family.rows
    ]


def _learning_curves(findings: Findings, unselected: Sequence[Row]) -> list[Picture]:
    """Returns the learning curves of fixed and confirmed recipes, or else of the best trials.

    Recipes that are compared with one another are in one figure, as far as it has room.
    """
    rows = [row for row in unselected[:MAX_DETAILS] if len(row.outcome.curves)]
    if not rows and not findings.families:
        rows = [row for row in findings.searched[:MAX_CURVES] if len(row.outcome.curves)]
    pictures = []
    for number, part in enumerate(_curve_groups(rows, findings.comparisons), 1):
        solved = _accuracy_hides_failure(part)
        frames = [
            solve_curve(row.outcome) if solved else row.outcome.learning_curve() for row in part
        ]
        title = "Seeds that solve the task, %" if solved else "Accuracy, %"
        figure = curves_figure(frames, [wording.recipe_label(row) for row in part], title)
        stem = "curves" if len(rows) <= MAX_CURVES else f"curves-{number}"
        ids = ", ".join(printable_line(row.id) for row in part)
        caption = _curve_caption(part, frames, solved)
        alt = f"Learning curves of {ids}"
        pictures.append(Picture(stem, figure, alt, caption, title=ids))
    return pictures


def _curve_groups(rows: Sequence[Row], comparisons: Sequence[Comparison]) -> list[list[Row]]:
    """Returns the rows in groups of at most `MAX_CURVES`, those that are compared together."""
    if len(rows) <= MAX_CURVES:
        return [list(rows)] if rows else []
    group = {row.id: number for number, row in enumerate(rows)}
    for comparison in comparisons:
        pair = [group.get(id_) for id_ in (comparison.question.of, comparison.question.to)]
        first, second = pair
        if first is None or second is None or first == second:
            continue
        if sum(number in pair for number in group.values()) <= MAX_CURVES:
            merged = min(first, second)
            group = {id_: merged if number in pair else number for id_, number in group.items()}
    members: dict[int, list[Row]] = {}
    for row in rows:
        members.setdefault(group[row.id], []).append(row)
    groups: list[list[Row]] = []
    single: list[Row] = []
    for part in members.values():
        groups += [part] if len(part) > 1 else []
        single += part if len(part) == 1 else []
    groups += [single[k : k + MAX_CURVES] for k in range(0, len(single), MAX_CURVES)]
    return groups


def _curve_caption(rows: Sequence[Row], frames: Sequence[pd.DataFrame], solved: bool) -> str:
    ids = ", ".join(printable_line(row.id) for row in rows)
    caption = f"Learning curves of {ids}: mean over n = {wording.seed_counts(rows)}, band from the "
    if solved:
        skill = all(row.outcome.score == "skill" for row in rows)
        what = "whose skill stays above 0" if skill else "that have solved the task for good"
        why = "" if skill else ", because the accuracy of nearly all steps hides failure"
        caption += (
            f"lowest to the highest seed. Left: seeds {what}, with Wilson's 95 % interval{why}."
        )
    else:
        caption += (
            "lowest to the highest seed. Accuracy is measured by an evaluation after the epoch, "
            "loss during it."
        )
    if any(frame["loss_mean"].isna().any() for frame in frames):
        caption += " A line ends where the loss of a seed is no longer finite."
    return caption


def inline_svg(picture: Picture) -> Markup:
    """Returns the SVG element of a picture, in the colours of the page, as short as it can be.

    Its ids start with the stem of the picture, because several pictures share one document. Marks
    of `Picture.hints` say what they are when they are pointed at.
    """
    text = picture.svg.decode()
    text = text[text.index("<svg") :].strip()
    for group, hints in picture.hints.items():
        text = _with_hints(text, group, hints)
    text = _shortened(text)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\bid="', f'id="{picture.stem}-', text)
    text = re.sub(r'href="#', f'href="#{picture.stem}-', text)
    text = text.replace("url(#", f"url(#{picture.stem}-")
    variables = {
        TEXT_COLOR: "currentColor",
        GRID_COLOR: "var(--rule)",
        BACKGROUND: "var(--paper)",
    }
    for color, variable in variables.items():
        text = text.replace(color, variable)
    text = _with_classes(text, picture.stem)
    label = Markup.escape(picture.alt)
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))


def _with_hints(svg: str, group: str, hints: Sequence[str]) -> str:
    """Returns the SVG with a hint for each mark of a group, in their order.

    A seed without a value has a hint, the last ones, but no mark.
    """
    start = svg.find(f'<g id="{group}">')
    if start < 0:
        return svg
    depth, end = 0, start
    for tag in re.finditer(r"<g[ >]|</g>", svg[start:]):
        depth += -1 if tag[0] == "</g>" else 1
        if depth == 0:
            end = start + tag.end()
            break
    remaining = iter(hints)

    def hinted(mark: re.Match[str]) -> str:
        hint = next(remaining, None)
        return mark[0] if hint is None else f"{mark[1]}><title>{Markup.escape(hint)}</title></use>"

    marks = re.sub(r"(<use [^>]*[^>/\s])\s*/>", hinted, svg[start:end])
    return svg[:start] + marks + svg[end:]


def _shortened(svg: str) -> str:
    """Returns the same SVG with coordinates to a tenth of a point, and without white space."""
    svg = re.sub(r' d="([^"]*)"', lambda path: f' d="{_short_path(path[1])}"', svg)
    svg = re.sub(r' [xy]="[^"]*"', lambda place: _rounded(place[0]), svg)
    svg = re.sub(r">\s+<", "><", svg).replace("xlink:href=", "href=")
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    svg = svg.replace("; font-family: 'DejaVu Sans'", "").replace("; stroke-linecap: square", "")
    names = dict.fromkeys(re.findall(r'\bid="([mp][0-9a-f]{10})"', svg))
    for number, name in enumerate(names):
        svg = svg.replace(name, f"k{number}")
    used = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", svg)
    # Marks of one kind have one style, which their group can have as well.
    marks = r"<g[^>]*>(?:<use [^>]*?(?:/>|><title>[^<]*</title></use>))+</g>"
    return re.sub(marks, _one_style, svg)


def _with_classes(svg: str, prefix: str) -> str:
    """Returns the SVG with a class in place of each style that several of its parts have."""
    counts = Counter(re.findall(r' style="([^"]*)"', svg))
    common = [style for style, count in counts.items() if count >= MIN_SHARED]
    rules = ""
    for number, style in enumerate(common):
        svg = svg.replace(f' style="{style}"', f' class="{prefix}-{number}"')
        rules += f".{prefix}-{number}{{{style}}}"
    return svg.replace("<defs>", f"<defs><style>{rules}</style>", 1) if rules else svg


def _rounded(text: str) -> str:
    """Returns text with its numbers rounded to a tenth."""
    return re.sub(r"-?\d+\.\d{2,}", lambda number: _tenths(round(10 * float(number[0]))), text)


def _tenths(tenths: int) -> str:
    """Returns a number of tenths: `12.5`, `12`."""
    return f"{tenths / 10:.1f}".removesuffix(".0")


def _short_path(path: str) -> str:
    """Returns a path with rounded coordinates; lines as steps, without points along a straight one.

    >>> _short_path("M 10.04 5 L 11.04 5 L 12.04 5 L 12.04 7.5 z")
    'M10 5h2v2.5z'
    """
    if not re.fullmatch(r"[MLz\s\d.e+-]*", path):
        return _rounded(" ".join(path.split()))
    parts: list[str] = []
    place, run = (0, 0), (0, 0)
    commands = re.findall(r"([MLz])\s*([\d.e+-]*)\s*([\d.e+-]*)", path)
    for (command, x, y), (following, *_) in zip(commands, [*commands[1:], ("z",)], strict=True):
        to = (round(10 * float(x)), round(10 * float(y))) if x else place
        step = (to[0] - place[0], to[1] - place[1])
        if command == following == "L" and max(map(abs, step)) < NEAR_POINT:
            continue
        place = to
        along = any(run[k] == step[k] == 0 and run[1 - k] * step[1 - k] > 0 for k in (0, 1))
        if command == "L" and along:
            run = (run[0] + step[0], run[1] + step[1])
            continue
        parts.append(_step(run))
        run = step if command == "L" else (0, 0)
        if command != "L":
            parts.append(f"M{_tenths(to[0])} {_tenths(to[1])}" if command == "M" else "z")
    return "".join([*parts, _step(run)])


def _step(run: tuple[int, int]) -> str:
    """Returns the command for a line to a point so many tenths away; nothing for no way at all."""
    across, down = run
    if not across or not down:
        return f"h{_tenths(across)}" if across else f"v{_tenths(down)}" if down else ""
    return f"l{_tenths(across)} {_tenths(down)}".replace(" -", "-")


def _one_style(group: re.Match[str]) -> str:
    """Returns a group of marks with the style that all of them have in place of theirs."""
    styles = set(re.findall(r'<use [^>]*?( style="[^"]*")', group[0]))
    if len(styles) != 1 or group[0].count("<use ") != len(
        re.findall(r"<use [^>]*? style=", group[0])
    ):
        return group[0]
    (style,) = styles
    return group[0].replace(style, "").replace("<g", f"<g{style}", 1)
