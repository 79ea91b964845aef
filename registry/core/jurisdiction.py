"""The ISO 3166-2 jurisdiction that an authority's code implies.

A code begins with the country and, where the second segment is one of its first-level
subdivisions, that: CN.GD.SHENZHEN is CN-GD, CN.STATE-COUNCIL is CN.
"""

from __future__ import annotations

_SUBDIVISIONS = {
    "CN": (
        "AH BJ CQ FJ GD GS GX GZ HA HB HE HI HK HL HN JL JS JX LN MO NM NX QH SC SD SH SN SX "
        "TJ TW XJ XZ YN ZJ"
    ),
    "US": (
        "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS "
        "MT NC ND NE NH NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY"
    ),
}
_KNOWN = {country: frozenset(codes.split()) for country, codes in _SUBDIVISIONS.items()}


def of_authority(code: str) -> str | None:
    """The jurisdiction, or None where the code does not begin with a country."""
    segments = code.split(".")
    country = segments[0]
    if len(country) != 2 or not country.isalpha():
        return None
    if len(segments) > 1 and segments[1] in _KNOWN.get(country, frozenset()):
        return f"{country}-{segments[1]}"
    return country
