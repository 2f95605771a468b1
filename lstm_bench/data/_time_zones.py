"""Zones of times: offsets from their texts, and the offset that applies to a later time."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._time_patterns import Times

ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "IST": 330, "CET": 60,
    "CEST": 120, "MEZ": 60, "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "JST": 540,
    "KST": 540, "AEST": 600, "AEDT": 660, "ACST": 570, "AWST": 480, "NZST": 720, "NZDT": 780,
    "AKST": -540, "AKDT": -480, "HST": -600,
}  # fmt: skip
"""Minutes east of Greenwich; those of North America are in the standard of e-mail dates."""
ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "Australia/Sydney", "America/Halifax",
    "America/Anchorage", "Pacific/Auckland", "America/Santiago", "Asia/Jerusalem",
)  # fmt: skip
"""Zones with summer time whose rules are compared with the offsets of a file."""
OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d\d?):?(\d\d)?")
MAX_COMPARED = 400
"""Times whose offsets are compared with the rules of a zone: at most this many, and all changes."""


def offsets(zones: Sequence[str], wall: Times) -> NDArray[np.float64]:
    """Returns the minutes east of Greenwich of each time, NaN where its zone is not known.

    `wall` are the times that clocks in the zone show. Of a time that comes twice when summer time
    ends, the second is the later one, in the order of the rows.
    """
    names, places = np.unique(np.array(zones, object).astype(str), return_inverse=True)
    minutes = np.full(len(zones), np.nan)
    for number, name in enumerate(names):
        rows = np.flatnonzero(places == number)
        if "/" in name and name[0] not in "+-":
            minutes[rows] = _named_offsets(name, wall[rows])
        else:
            minutes[rows] = _fixed_offset(name)
    return minutes


@functools.lru_cache(maxsize=256)
def _fixed_offset(name: str) -> float:
    if match := OFFSET.match(name):
        minutes = 60 * int(match[2]) + int(match[3] or 0)
        return float(-minutes if match[1] == "-" else minutes)
    if name.upper() in ABBREVIATIONS:
        return float(ABBREVIATIONS[name.upper()])
    mail = parsedate_tz(f"Mon, 01 Jan 2001 00:00:00 {name}")
    known = mail is not None and mail[9] is not None and mail[9] != 0
    return float(mail[9]) / 60 if mail is not None and mail[9] is not None and known else np.nan


def _named_offsets(name: str, wall: Times) -> NDArray[np.float64]:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return np.full(len(wall), np.nan)
    hours, places = np.unique(wall.astype("M8[h]"), return_inverse=True)
    minutes = np.array([
        [
            time.replace(tzinfo=zone, fold=fold).utcoffset() / timedelta(minutes=1)
            for time in hours.astype("M8[us]").tolist()
        ]
        for fold in (0, 1)
    ])  # fmt: skip
    order = np.argsort(wall, kind="stable")
    second = np.zeros(len(wall), np.intp)
    second[order[1:]] = wall[order[1:]] == wall[order[:-1]]
    return np.asarray(minutes[second, places], float)


def zone_offset(zone: str, time: np.datetime64, wall: bool) -> float:
    """Returns the minutes east of Greenwich in a zone at a time, of its clocks or in UTC."""
    when: datetime = time.astype("M8[us]").item()
    aware = when.replace(tzinfo=ZoneInfo(zone)) if wall else when.replace(
        tzinfo=UTC).astimezone(ZoneInfo(zone))  # fmt: skip
    offset = aware.utcoffset()
    return 0.0 if offset is None else offset / timedelta(minutes=1)


def fitting_zones(times: Times, minutes: NDArray[np.float64]) -> list[str]:
    """Returns the zones of `ZONES` that have these offsets at these times in UTC."""
    changes = np.flatnonzero(np.diff(minutes))
    spread = np.linspace(0, len(times) - 1, min(len(times), MAX_COMPARED)).astype(int)
    rows = np.unique(np.concatenate([spread, changes, changes + 1]))
    fitting = []
    for zone in ZONES:
        try:
            if all(zone_offset(zone, times[row], False) == minutes[row] for row in rows):
                fitting.append(zone)
        except (ZoneInfoNotFoundError, OSError):  # no rules of zones on this machine
            return []
    return fitting


def written_zone(minutes: float, like: str) -> str:
    """Returns an offset as text, written like another one.

    >>> written_zone(120, "+01:00"), written_zone(-330, "+0100"), written_zone(0, "Z")
    ('+02:00', '-0530', 'Z')
    >>> written_zone(120, "CET")
    'CEST'
    """
    if _fixed_offset(like) == minutes or "/" in like:
        return like
    if not OFFSET.match(like):
        summer = {"CET": "CEST", "MEZ": "MESZ", "EET": "EEST", "WET": "WEST", "GMT": "BST",
                  "EST": "EDT", "CST": "CDT", "MST": "MDT", "PST": "PDT", "AEST": "AEDT",
                  "NZST": "NZDT", "AKST": "AKDT"}  # fmt: skip
        pairs = summer | {late: early for early, late in summer.items()}
        other = pairs.get(like.upper(), "")
        if other and _fixed_offset(other) == minutes:
            return other
        like = "+00:00"
    whole = int(abs(minutes))
    hours, rest = f"{whole // 60:02}", f"{whole % 60:02}"
    sign = "-" if minutes < 0 else "+"
    if like[0] in "UG":  # UTC+1
        return f"{like[:3]}{sign}{whole // 60}" + (f":{rest}" if rest != "00" else "")
    if len(like) == 3:
        return sign + hours + (f":{rest}" if rest != "00" else "")
    return sign + hours + (":" if ":" in like else "") + rest


def summer_time_zone(wall: Times) -> str | None:
    """Returns a zone in whose clocks these times, in the order of the rows, are evenly spaced.

    They must have a hole where an hour is left out in spring, or an hour twice in autumn; None
    otherwise, and where they are evenly spaced as they stand. If several zones fit, it is the
    first of `ZONES`: those that fit leave the same distances between the times.
    """
    steps = np.diff(wall)
    if len(steps) < 3:
        return None
    values, counts = np.unique(steps, return_counts=True)
    common = values[counts.argmax()]
    if not np.timedelta64(0, "us") < common <= np.timedelta64(1, "h") or (steps == common).all():
        return None
    odd = np.flatnonzero(steps != common)
    jump = np.timedelta64(1, "h")
    spring, autumn = common + jump, common - jump
    candidates = odd[(steps[odd] == spring) | (steps[odd] == autumn)]
    if not len(candidates):
        return None
    fewest, best = int((steps != common).sum()), None
    for zone in ZONES:
        try:
            minutes = _named_offsets(zone, wall)
        except (ZoneInfoNotFoundError, OSError):
            return None
        even = np.diff(wall - (minutes * 60e6).astype("m8[us]"))
        left = int((even != common).sum())
        if left < fewest and (even > np.timedelta64(0, "us")).all():
            fewest, best = left, zone
    return best
