"""Exponential smoothing with additive errors: a model chosen by AICc, and forecasts at every row.

The models are those of Hyndman, Koehler, Ord & Snyder (2008), Forecasting with Exponential
Smoothing, table 2.3: without a trend, with a linear or a damped one; without a season, with an
additive or a multiplicative one. statsmodels fits them.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FIT_ROWS, MAX_FIT_ROWS = 1000, 5000
"""A model is fitted to so many of the latest rows, or to four seasons, up to the second number."""
MIN_FIT_ROWS = 12
"""With fewer rows nothing is fitted: statsmodels needs 10 for the initial states."""
START_DAMPING = 0.95
"""The damping from which the fit of a damped trend starts, at the other parameters without it."""

Floats = NDArray[np.float64]
Trend = Literal["N", "A", "Ad"]  # none, additive, damped
Season = Literal["N", "A", "M"]  # none, additive, multiplicative
TRENDS: tuple[Trend, ...] = ("N", "A", "Ad")
COMPONENTS: dict[str, Literal["add", "mul"] | None] = {
    "N": None, "A": "add", "Ad": "add", "M": "mul",
}  # fmt: skip


@dataclass(frozen=True)
class SmoothingModel:
    """A fitted model: its form, its parameters, and the states before the row `start`."""

    trend: Trend
    season: Season
    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    slope: float
    seasonal: tuple[float, ...]  # of the rows from `start` on; empty without a season
    start: int
    aicc: float

    @property
    def form(self) -> str:
        """The error, the trend and the season, as in the book: `A,Ad,M`."""
        return f"A,{self.trend},{self.season}"


def fit_smoothing(
    values: Floats, season: int | None, form: tuple[Trend, Season] | None = None
) -> SmoothingModel | None:
    """Returns the model with the smallest AICc for the last rows of `values` (n,).

    `form` allows only one form of model. Initial states come from the heuristics of statsmodels
    (section 2.6.1 of the book); they count as parameters in the AICc. A season is tried if two of
    it fit into the rows, a multiplicative one if all values are positive. Fits that fail or do not
    converge are left out; returns None if all are, or if there are fewer than `MIN_FIT_ROWS` rows.
    """
    models = _fits(values, season, form)
    return min(models, key=lambda model: model.aicc, default=None)


def best_form(series: Sequence[Floats], season: int | None) -> tuple[Trend, Season] | None:
    """Returns the form with the smallest sum of AICc among those that fit all series, if any."""
    sums: dict[tuple[Trend, Season], list[float]] = {}
    for values in series:
        for model in _fits(values, season, None):
            sums.setdefault((model.trend, model.season), []).append(model.aicc)
    complete = {form: sum(values) for form, values in sums.items() if len(values) == len(series)}
    return min(complete, key=lambda form: complete[form], default=None)


def _fits(
    values: Floats, season: int | None, form: tuple[Trend, Season] | None
) -> list[SmoothingModel]:
    """Returns the models that could be fitted to the last rows of `values`: see `fit_smoothing`."""
    rows = min(len(values), MAX_FIT_ROWS, max(FIT_ROWS, 4 * (season or 1)))
    latest = values[len(values) - rows :]
    if rows < MIN_FIT_ROWS or not np.ptp(latest) > 0:
        return []
    seasons: list[Season] = ["N"]
    if season and rows >= max(2 * season, 10 + 2 * (season // 2)):
        seasons += ["A", "M"] if latest.min() > 0 else ["A"]
    start = len(values) - rows
    fitted: dict[tuple[Trend, Season], SmoothingModel | None] = {}
    for kind, trend in itertools.product(seasons, TRENDS):
        if form is None or kind == form[1]:  # a damped trend also starts from the undamped one
            fitted[trend, kind] = _fit(latest, trend, kind, season, start, fitted.get(("A", kind)))
    return [model for key, model in fitted.items() if model and form in (None, key)]


def _fit(
    values: Floats,
    trend: Trend,
    season: Season,
    period: int | None,
    start: int,
    undamped: SmoothingModel | None,
) -> SmoothingModel | None:
    """Returns the model of one form; None if statsmodels cannot fit it or does not converge."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # takes a second to import

    seasonal, damped = season != "N", trend == "Ad"
    starts: list[list[float] | None] = [None]
    if damped and undamped is not None:  # or a damped trend may end in a bad local optimum
        parameters = [undamped.alpha, undamped.beta, *[undamped.gamma] * seasonal]
        starts.append([*parameters, START_DAMPING])
    fits = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for first in starts:
            with contextlib.suppress(ValueError, ArithmeticError, np.linalg.LinAlgError):
                model = ETSModel(
                    values,
                    error="add",
                    trend=COMPONENTS[trend],
                    damped_trend=damped,
                    seasonal=COMPONENTS[season],
                    seasonal_periods=period if seasonal else None,
                    initialization_method="heuristic",
                )
                fits.append(model.fit(start_params=first, disp=False))
    fits = [fit for fit in fits if fit.mle_retvals["converged"] and np.isfinite(fit.llf)]
    if not fits:
        return None
    fitted = max(fits, key=lambda fit: float(fit.llf))
    count = 3 + 2 * (trend != "N") + damped + (period or 0) * seasonal  # variance and states too
    rows = len(values)
    if rows <= count + 1:
        return None
    aicc = -2 * fitted.llf + 2 * count * rows / (rows - count - 1)
    chosen = SmoothingModel(
        trend,
        season,
        float(fitted.smoothing_level),
        float(fitted.smoothing_trend) if trend != "N" else 0.0,
        float(fitted.smoothing_seasonal) if seasonal else 0.0,
        float(fitted.damping_trend) if damped else 1.0,
        float(fitted.initial_level),
        float(fitted.initial_trend) if trend != "N" else 0.0,
        tuple(map(float, fitted.initial_seasonal)) if seasonal else (),
        start,
        float(aicc),
    )
    numbers = [chosen.aicc, chosen.alpha, chosen.beta, chosen.gamma, chosen.phi, chosen.level]
    return chosen if np.isfinite([*numbers, chosen.slope, *chosen.seasonal]).all() else None


def smoothing_forecasts(
    model: SmoothingModel, values: Floats, observed: NDArray[np.bool_], horizon: int
) -> Floats:
    """Returns the forecast for row t + horizon from the rows up to t, for every t: (n,).

    The parameters stay as fitted; the states are updated row by row. A row that was not observed
    changes neither level nor season, as if it had been forecast exactly. The forecasts before
    `model.start` are NaN, and so are those after a state that is not finite.
    """
    forecasts = np.full(len(values), np.nan)
    multiplicative, period = model.season == "M", len(model.seasonal) or 1
    seasonal = list(model.seasonal) or [0.0]
    alpha, beta, gamma, phi = model.alpha, model.beta, model.gamma, model.phi
    level, slope = model.level, model.slope
    ahead = sum(phi**k for k in range(1, horizon + 1))
    rows = zip(values[model.start :].tolist(), observed[model.start :].tolist(), strict=True)
    for number, (value, seen) in enumerate(rows):
        place = number % period
        base, index = level + phi * slope, seasonal[place]
        later = (number + horizon) % period
        if multiplicative:
            change = value / index - base if seen and index else 0.0  # of the level, at alpha = 1
            level = base + alpha * change
            if seen and level:  # as statsmodels: the season is relative to the new level
                seasonal[place] = index + gamma / (1 - alpha) * (value / level - index)
        else:
            change = value - (base + index) if seen else 0.0
            level = base + alpha * change
            seasonal[place] = index + gamma * change
        slope = phi * slope + beta * change
        trend = level + ahead * slope
        forecast = trend * seasonal[later] if multiplicative else trend + seasonal[later]
        if not math.isfinite(forecast):
            break
        forecasts[model.start + number] = forecast
    return forecasts
