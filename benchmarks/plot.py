"""The plot: processor time of each server for each query, as an SVG of bars."""

from collections.abc import Sequence
from html import escape

from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figures, value_of

_WIDTH = 860
_LABELS = 300
_VALUES = 90
_BAR = 18
_STEP = 24
_HEAD = 34
# Ours and the others', readable on white by those who see few colours.
_OURS = "#0b6e99"
_OTHERS = "#b9b2a8"


def plotted(figures: Figures, queries: Sequence[str], *, connections: int) -> str:
    """A panel for each query; a line at a bar's end reaches from the least to the largest."""
    parts: list[str] = []
    top = 10.0
    for query in queries:
        top = _panel(parts, figures, query, connections, top)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top:.0f}" '
        f'viewBox="0 0 {_WIDTH} {top:.0f}" font-family="system-ui, sans-serif" font-size="13">\n'
        f'<rect width="{_WIDTH}" height="{top:.0f}" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(parts: list[str], figures: Figures, query: str, connections: int, top: float) -> float:
    found = [
        (one, spread)
        for one in CONTENDERS
        if (spread := figures.spread(one.name, query, connections, value_of("cpu_ms")))
    ]
    # The plain executor is so far off that on its scale the others would look alike.
    scale = max((spread.high for one, spread in found if one.name != "reference"), default=1.0)
    room = _WIDTH - _LABELS - _VALUES
    parts.append(
        f'<text x="12" y="{top + 18:.0f}" font-weight="600" fill="#222">{escape(query)}: '
        "CPU of the server, ms a request</text>"
    )
    top += _HEAD
    for one, spread in found:
        beyond = spread.middle > scale
        width = room * min(spread.middle / scale, 1.0)
        colour = _OURS if one.name.startswith("cabinet") else _OTHERS
        middle = top + _BAR / 2
        ends = [_LABELS + room * min(end / scale, 1.0) for end in (spread.low, spread.high)]
        parts += [
            f'<text x="{_LABELS - 8}" y="{middle + 4:.1f}" text-anchor="end" fill="#222">'
            f"{escape(one.label)}</text>",
            f'<rect x="{_LABELS}" y="{top:.1f}" width="{width:.1f}" height="{_BAR}" '
            f'fill="{colour}"/>',
            f'<line x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" '
            'stroke="#222"/>',
            f'<text x="{max(_LABELS + width, ends[1]) + 6:.1f}" y="{middle + 4:.1f}" fill="#222">'
            f"{spread.middle:.3g}{' →' if beyond else ''}</text>",
        ]
        top += _STEP
    return top + 12
