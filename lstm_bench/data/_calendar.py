"""Calendars of times: their regular step, the moments that are absent, and the next ones."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.15
"""A step may differ from a whole number of common steps by this much."""
MAX_STEPS = 1e9
"""A gap of more steps is not counted: the most common step then says little about the others."""
MAX_ABSENT, MAX_GAPS = 0.5, 0.02
"""At most this share of moments may be absent, or this share of steps be gaps: else irregular."""
MIN_EXACT = 0.9
"""At least this share of steps must be known to the day for the next moment to be known."""
MAX_CYCLE = 4
"""Days of each month by which the next moment is known."""
MIN_COMMON = 0.5
"""At least this share of the steps must be one step of the calendar."""
MIN_SPAN = 10
"""Days that times must span for times of day that never occur to be left out of a calendar."""
LATEST = 240
"""Times by which the usual day of the month is known."""
DAY, MONTH = np.timedelta64(1, "D").astype("m8[us]"), np.timedelta64(1, "M")
MONTHS = {1: ("monthly", "month"), 3: ("quarterly", "quarter"), 12: ("yearly", "year")}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Moments = NDArray[Any]  # datetime64[us], or numbers


@dataclass(frozen=True)
class Calendar:
    """The moments at which a series has rows: every so many months, days, microseconds or units."""

    kind: Literal["months", "days", "clock", "numbers"]
    step: Any  # int months or days, timedelta64[us], or a number
    name: str
    unit: str
    whole: NDArray[np.float64]  # the steps between the times, in steps of the calendar
    uneven: bool = False  # some steps are no whole number of the calendar's
    weekdays: tuple[bool, ...] = (True,) * 7
    clock: frozenset[int] = frozenset()  # microseconds of the day, if some never occur
    exact: float = 1.0  # share of the steps in days or months that are known to the day

    @property
    def absent(self) -> int:
        """How many moments of the calendar are absent between the times."""
        return int(self.whole.sum()) - len(self.whole)

    @property
    def has_sessions(self) -> bool:
        """Whether weekdays or times of day never occur: what is absent is then closed, no gap."""
        return bool(self.clock) or not all(self.weekdays)

    @property
    def regular(self) -> bool:
        """Whether absent moments are gaps."""
        if self.uneven or self.has_sessions or not len(self.whole):
            return False
        common = float((self.whole == 1).mean())
        few = self.absent <= MAX_ABSENT * (self.absent + len(self.whole) + 1)
        return common >= MIN_COMMON and (few or 1 - common <= MAX_GAPS)

    @property
    def scattered(self) -> bool:
        """Whether so much is absent that the times are no calendar with gaps."""
        return bool(self.absent) and not self.regular and not self.has_sessions

    def absent_moments(self, times: Moments) -> Moments:
        """Returns the moments that are absent between the times from which it was inferred."""
        gaps = [
            self._steps_after(times, place, int(self.whole[place]) - 1)
            for place in np.flatnonzero(self.whole > 1).tolist()
        ]
        return np.concatenate(gaps) if gaps else times[:0]

    def following(self, times: Moments, count: int) -> Moments:
        """Returns the next `count` moments after the last of the times."""
        return self._steps_after(times, len(times) - 1, count, past_end=True)

    def _steps_after(
        self, times: Moments, place: int, count: int, past_end: bool = False
    ) -> Moments:
        start, numbers = times[place], np.arange(1, count + 1)
        if self.kind == "months":
            return np.array(
                [_months_after(times, start, n * self.step) for n in numbers.tolist()], "M8[us]"
            )
        if self.kind == "numbers" and not past_end:
            return np.asarray(start + (times[place + 1] - start) * numbers / (count + 1))
        if not self.has_sessions:
            return np.asarray(start + self._width * numbers)
        moments: list[np.datetime64] = []
        for _ in range(100_000 * max(count, 1)):
            if len(moments) == count:
                break
            start = start + self._width
            open_day = self.weekdays[(start.astype("M8[D]").astype(int) + 3) % 7]
            if open_day and (not self.clock or _clock(start) in self.clock):
                moments.append(start)
        return np.array(moments, "M8[us]")

    @property
    def _width(self) -> Any:
        return self.step * DAY if self.kind == "days" else self.step


def _clock(times: Any) -> Any:
    """Returns the microseconds since midnight."""
    return (times - times.astype("M8[D]")).astype("int64")


def _months_after(times: Moments, start: np.datetime64, months: int) -> Any:
    """Returns the time some months later, on the day of the month that the times are usually on."""
    latest = times[-LATEST:].astype("M8[D]")
    month = start.astype("M8[M]") + np.timedelta64(months, "M")
    dates = latest.tolist()
    last = all(d.day == calendar.monthrange(d.year, d.month)[1] for d in dates)
    if not last and len({d.day for d in dates}) > 1 and (workday := _workday(latest)) is not None:
        return workday(month) + (start - start.astype("M8[D]"))
    year, number = divmod(int(month.astype(int)), 12)
    length = calendar.monthrange(1970 + year, number + 1)[1]
    day = length if last else min(max(d.day for d in dates), length)
    return month.astype("M8[D]") + np.timedelta64(day - 1, "D") + (start - start.astype("M8[D]"))


def days_of_months_after(times: Moments, count: int) -> Moments | None:
    """Returns the next moments of dates on the same few days of each month, None for others.

    >>> dates = np.array(["2024-01-15", "2024-01-31", "2024-02-15", "2024-02-29"], "M8[us]")
    >>> days_of_months_after(dates, 1)
    array(['2024-03-15T00:00:00.000000'], dtype='datetime64[us]')
    """
    dates, clocks = times.astype("M8[D]"), np.unique(_clock(times))
    months = dates.astype("M8[M]")
    before_end = (months + MONTH).astype("M8[D]") - dates
    days = np.where(before_end.astype(int) == 1, 31, (dates - months).astype(int) + 1)
    cycle = np.unique(days)
    place = np.searchsorted(cycle, days) + len(cycle) * (
        months.astype(int) - int(months[0].astype(int))
    )
    if len(clocks) > 1 or not 1 < len(cycle) <= MAX_CYCLE or (np.diff(place) != 1).any():
        return None
    later = place[-1] + np.arange(1, count + 1)
    month = months[0] + (later // len(cycle)).astype("m8[M]")
    first = month.astype("M8[D]")
    end = (month + MONTH).astype("M8[D]") - DAY
    moments = np.minimum(first + (cycle[later % len(cycle)] - 1).astype("m8[D]"), end)
    return np.asarray(moments.astype("M8[us]") + clocks.astype("m8[us]"))


def _workday(dates: Moments) -> Callable[[Any], Any] | None:
    """Returns by which function all dates are the first or last weekday of months, or None."""
    for workday in (_first_workday, _last_workday):
        if (workday(dates.astype("M8[M]")) == dates).all():
            return workday
    return None


def _first_workday(months: Any) -> Any:
    return np.busday_offset(months.astype("M8[D]"), 0, "forward")


def _last_workday(months: Any) -> Any:
    return np.busday_offset((months + MONTH).astype("M8[D]"), -1, "forward")


def infer_calendar(times: Moments) -> Calendar | None:
    """Returns the calendar of times in order, None for fewer than two.

    >>> infer_calendar(np.array(["2010-01", "2010-02", "2010-06"], "M8[us]")).absent
    3
    """
    if len(times) < 2:
        return None
    if not np.issubdtype(times.dtype, np.datetime64):
        steps = np.diff(times)
        common = _most_common(steps)
        with np.errstate(all="ignore"):
            ratios = np.nan_to_num(steps / common)
        return _evaluated("numbers", common, f"in steps of {common:g}", "step", ratios)
    times = times.astype("M8[us]")
    steps = np.diff(times)
    common = _most_common(steps)
    if common >= 28 * DAY and (monthly := _monthly(times)) is not None:
        return monthly
    if common % DAY == np.timedelta64(0, "us") and len(np.unique(_clock(times))) == 1:
        return _daily(times, int(common // DAY))
    return _hourly(times, steps, common)


def _most_common(steps: Moments) -> Any:
    values, counts = np.unique(steps, return_counts=True)
    return values[counts.argmax()]


def _evaluated(kind: Any, step: Any, name: str, unit: str, ratios: Any, **more: Any) -> Calendar:
    whole = np.round(np.asarray(ratios, float))
    far = np.abs(ratios - whole) > TOLERANCE
    uneven = bool(far.any() or whole.min() < 1 or whole.max() > MAX_STEPS)
    if uneven:
        whole = np.where(far | (whole < 1) | (whole > MAX_STEPS), 0, whole)
    return Calendar(kind, step, name, unit, whole, uneven, **more)


def _monthly(times: Moments) -> Calendar | None:
    """Returns a calendar of months, None if two times are in one month or their days differ."""
    months = np.diff(times.astype("M8[M]").astype(int))
    days = np.array([d.day for d in times.astype("M8[D]").tolist()])
    lengths = [calendar.monthrange(d.year, d.month)[1] for d in times.astype("M8[D]").tolist()]
    late = np.minimum(days.max(), lengths) - days
    if months.min() < 1 or (late.max() > 0 and np.ptp(days) > 4):
        return None
    step = int(_most_common(months))
    name, unit = MONTHS.get(step, (f"every {step} months", "step"))
    exact = float(late.max() == 0 or _workday(times.astype("M8[D]")) is not None)
    return _evaluated("months", step, name, unit, months / step, exact=exact)


def _daily(times: Moments, step: int) -> Calendar:
    dates = times.astype("M8[D]")
    weekdays = (dates.astype(int) + 3) % 7
    seen = tuple(bool((weekdays == day).any()) for day in range(7))
    long = len(times) > 8 and dates[-1] - dates[0] >= np.timedelta64(10, "D")
    if step == 1 and long and not all(seen):
        closed = [name for name, open_day in zip(WEEKDAYS, seen, strict=True) if not open_day]
        name = f"every day but {' and '.join(closed)}"
        name = "every weekday" if closed == list(WEEKDAYS[5:]) else name
        ratios = np.busday_count(dates[:-1], dates[1:], weekmask=list(seen))
        return _evaluated("days", 1, name, "weekday", ratios, weekdays=seen)
    names = {1: ("daily", "day"), 7: ("weekly", "week")}
    name, unit = names.get(step, (f"every {step} days", "step"))
    parts = np.diff(dates).astype(int) / step
    exact = float((parts == np.round(parts)).mean())
    return _evaluated("days", step, name, unit, parts, exact=exact)


def _hourly(times: Moments, steps: Moments, common: np.timedelta64) -> Calendar:
    seconds = float(common / np.timedelta64(1, "s"))
    for unit, width in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = round(seconds / width, 6)
        if count >= 1 or unit == "second":
            break
    name = f"every {unit}" if count == 1 else f"every {count:.3g} {unit}s"
    calendar = _evaluated("clock", common, name, "step", steps / common)
    span = times[-1] - times[0]
    if calendar.uneven or not calendar.absent or span < MIN_SPAN * DAY or common >= DAY:
        return calendar
    clock, counts = np.unique(_clock(times), return_counts=True)
    possible = DAY / common
    dates = times.astype("M8[D]")
    days = len(np.unique(dates))
    frequent = counts >= days / 2
    weekdays = (np.unique(dates).astype(int) + 3) % 7
    seen = tuple(bool((weekdays == day).any()) for day in range(7))
    closed = len(clock) <= 0.95 * possible and frequent.mean() > 0.9
    if not closed and all(seen):
        return calendar
    hours = f", at {len(clock)} times of the day" if closed else ""
    shut = "" if all(seen) else ", " + ("on weekdays" if seen == (True,) * 5 + (False,) * 2 else
                                      f"on {sum(seen)} days of the week")  # fmt: skip
    slots = frozenset(clock.tolist()) if closed else frozenset()
    return Calendar(
        "clock", common, name + hours + shut, "step", calendar.whole, False, seen, slots
    )


def describe_spacing(series: Iterable[Moments]) -> str:
    """Returns in words the most common step between the times of each series, and missing steps.

    >>> describe_spacing([np.array([1, 2, 3, 5]), np.array([7, 8])])
    'in steps of 1, 1 step missing'
    >>> months = np.array(["2010-01", "2010-02", "2010-06"], "datetime64[M]").astype("M8[s]")
    >>> describe_spacing([months])
    'monthly, 3 months missing'
    """
    calendars = [calendar for times in series if (calendar := infer_calendar(times)) is not None]
    if not calendars:
        return "one time"
    names = [calendar.name for calendar in calendars for _ in calendar.whole]
    name = max(dict.fromkeys(names), key=names.count)
    common = next(calendar for calendar in calendars if calendar.name == name)
    if any(calendar.uneven or calendar.scattered for calendar in calendars):
        whole = np.concatenate([calendar.whole for calendar in calendars])
        return f"irregular: mostly {name} ({(whole == 1).mean():.0%} of steps)"
    if common.clock:
        return name
    missing = sum(calendar.absent for calendar in calendars)
    others = len({calendar.name for calendar in calendars}) - 1
    text = name + (" (the most common of several calendars)" if others else "")
    return text + (f", {missing:,} {common.unit}{'s' * (missing > 1)} missing" if missing else "")
