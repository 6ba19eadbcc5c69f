"""The colours of every picture. Okabe & Ito 2008 (jfly.uni-koeln.de/color): told apart by colour-blind readers."""

BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"

CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
"""In the order in which lines and groups take them."""

INK = "#1b2330"
"""Text and bonds: 15.8 : 1 on white."""

MUTED = "#5b6675"
"""Axes, ticks and secondary text: 5.8 : 1 on white."""

FAINT = "#dfe3e8"
"""Grid lines and bands."""

GREY = "#8b97a5"
"""Marks that stand behind others."""


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green and blue in [0, 1] of a `#rrggbb` text."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def diverging(value: float | int) -> tuple[float, float, float]:
    """Blue (-1) over white (0) to vermillion (+1), linear in RGB; values beyond are cut.

    The ends are lightened by a quarter: dark text stays readable on them (4.8 : 1).
    """
    value = 0.75 * max(-1.0, min(1.0, value))
    full = rgb(VERMILLION if value > 0 else BLUE)
    red, green, blue = (1 - abs(value) * (1 - c) for c in full)
    return red, green, blue
