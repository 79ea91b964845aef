"""Dates of the issuing authority's own calendar, as days from 1970-01-01.

The contract keeps a date as int32 so that no time zone is ever guessed and laws of
the 1950s fit. An entry may hold any int32, far outside Python's years 1 to 9999, and
must still be shown.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache

from registry.core.units import Day, UnixSeconds
from registry.errors import InputError

NO_DATE = -(2**31)
"""What an entry's `effectiveOn` holds where no date is given."""

FIRST_DAY = Day(NO_DATE + 1)
LAST_DAY = Day(2**31 - 1)

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_START = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SECONDS_PER_DAY = 86_400
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_ISO_TIME = re.compile(
    _ISO_DATE.pattern + r"[Tt ][0-9]{2}(:[0-9]{2}){2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


# A log's dates and times are few beside its entries: each is read and written once for many.
_REMEMBERED = 4096


@lru_cache(maxsize=_REMEMBERED)
def parse_day(text: str, what: str = "date") -> Day:
    """The day of an RFC 3339 full-date; raises InputError naming `what`."""
    if not _ISO_DATE.fullmatch(text):
        raise InputError(
            f"the {what} {text[:40]!r} is not a date", hint="write it as YYYY-MM-DD: 2024-07-01"
        )
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"the {what} {text} does not exist in the calendar") from None
    return Day(date.toordinal() - _EPOCH)


@lru_cache(maxsize=_REMEMBERED)
def iso_date(day: int) -> str:
    """The day as YYYY-MM-DD; outside the years 1 to 9999 in ISO 8601's expanded form."""
    ordinal = day + _EPOCH
    if 1 <= ordinal <= datetime.date.max.toordinal():
        return datetime.date.fromordinal(ordinal).isoformat()
    # The Gregorian calendar repeats every 400 years, of 146,097 days each.
    cycles, rest = divmod(ordinal - 1, 146_097)
    near = datetime.date.fromordinal(rest + 1)
    return f"{near.year + 400 * cycles:+07d}-{near.month:02d}-{near.day:02d}"


@lru_cache(maxsize=_REMEMBERED)
def year_of(day: int) -> int:
    """The year that a day's ISO form begins with: of those from 0 to 9999."""
    return int(iso_date(day)[:4])


def iso_or_none(day: Day | None) -> str | None:
    """The day in ISO form; None for no day and for the beginning of time."""
    return None if day is None or day <= FIRST_DAY else iso_date(day)


def day_of(moment: UnixSeconds) -> Day:
    """The UTC day of a moment: the default for acts that name no date."""
    return Day(moment // _SECONDS_PER_DAY)


@lru_cache(maxsize=_REMEMBERED)
def iso_time(moment: int) -> str:
    """The moment as RFC 3339 in UTC, for any uint64."""
    days, seconds = divmod(moment, _SECONDS_PER_DAY)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{iso_date(days)}T{clock}Z"


def parse_beginning(text: str) -> UnixSeconds:
    """A moment as parse_time takes it, but of a date its first second; not before 1970."""
    moment = parse_time(text)
    if _ISO_DATE.fullmatch(text):
        moment = UnixSeconds(parse_day(text) * _SECONDS_PER_DAY)
    if moment < 0:
        raise InputError(f"{text} lies before 1970, where the contract's time begins")
    return moment


def parse_time(text: str) -> UnixSeconds:
    """A moment from an RFC 3339 date-time, to the second begun, or the end of a UTC day;
    raises InputError."""
    if _ISO_DATE.fullmatch(text):
        return UnixSeconds((parse_day(text) + 1) * _SECONDS_PER_DAY - 1)
    try:
        if not _ISO_TIME.fullmatch(text):
            raise ValueError
        moment = datetime.datetime.fromisoformat(text.upper())
    except ValueError:
        raise InputError(
            f"{text[:40]!r} is not a time",
            hint="write it as 2024-07-01T12:00:00Z, or as 2024-07-01 for the end of that day (UTC)",
        ) from None
    return UnixSeconds((moment - _START) // datetime.timedelta(seconds=1))
