"""The rig's arithmetic: medians, quartiles, spread, and the cell that a comparison becomes."""

from dataclasses import asdict, dataclass


def quantile(values, share):
    """The value below which `share` of them lie, between neighbours by their distance."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(values):
    return quantile(values, 0.5)


def spread(values):
    """The distance between the quartiles, as a share of the median; 0 for one value."""
    middle = median(values)
    return abs((quantile(values, 0.75) - quantile(values, 0.25)) / middle) if middle else 0.0


def rounded(number, digits=4):
    """To `digits` significant digits: more than the noise leaves."""
    return None if number is None else float(f"{number:.{digits}g}")


@dataclass(frozen=True)
class Cell:
    """One figure: ours, the peer's (None where there is none), and ours divided by the peer's."""

    name: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    rounds: int
    spread: float

    def as_json(self):
        return asdict(self)


def compare(name, unit, ours, peer=None):
    """The cell of values taken in turns. Its spread is that of the ratios within the rounds, so that what
    slowed a whole round down counts on both sides."""
    if peer is not None and len(peer) != len(ours):
        raise ValueError(f"{name}: {len(ours)} rounds of ours, {len(peer)} of the peer")
    mine = median(ours)
    theirs = None if peer is None else median(peer)
    pairs = ours if peer is None else [a / b for a, b in zip(ours, peer) if b]
    return Cell(
        name,
        rounded(mine),
        rounded(theirs),
        unit,
        rounded(mine / theirs) if theirs else None,
        len(ours),
        rounded(spread(pairs), 3) if pairs else 0.0,
    )
