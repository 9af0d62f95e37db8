"""Draw the built-in samples: scenes for lesson 5, cars and planes for lesson 6.

    python data/make_samples.py            # draws into data/samples/
    python data/make_samples.py FOLDER     # draws somewhere else

The pictures stand in for the real ones where there is neither a local copy nor a network. They are drawn
with polygons and ellipses only (no fonts, no photographs), from fixed seeds: drawing them again gives the
same pixels. Each is drawn at twice its size and halved, which smooths the edges. The digits of the
MNIST sample are not drawn: ``helpers.datasets`` enlarges those that come with scikit-learn.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

TRAIN_PER_SCENE, TEST_PER_SCENE = 24, 8
TRAIN_PER_VEHICLE, VALIDATION_PER_VEHICLE = 24, 8
TEST_CARS, TEST_PLANES = 9, 6  # as in the real set

Colour = tuple[int, int, int]
Point = tuple[float, float]

WHITE: Colour = (250, 250, 250)
SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((66, 134, 208), (186, 218, 240)),  # clear day
    ((104, 156, 214), (226, 236, 242)),  # haze
    ((150, 166, 182), (214, 220, 224)),  # overcast
    ((70, 92, 150), (248, 190, 140)),  # evening
    ((46, 108, 190), (130, 190, 236)),  # deep blue
)


class Canvas:
    """A picture drawn at twice its size; coordinates are fractions of its width and height."""

    def __init__(self, width: int, height: int, top: Colour, bottom: Colour):
        self.width, self.height = 2 * width, 2 * height
        share = np.linspace(0.0, 1.0, self.height)[:, None]
        rows = np.rint(np.array(top) * (1 - share) + np.array(bottom) * share).astype(np.uint8)
        self.image = Image.fromarray(np.repeat(rows[:, None, :], self.width, axis=1))
        self.pen = ImageDraw.Draw(self.image)

    def at(self, points: Iterable[Point]) -> list[tuple[int, int]]:
        """Fractions of the picture to whole pixels, so that no rounding is left to the drawing library."""
        return [(round(x * self.width), round(y * self.height)) for x, y in points]

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self.pen.polygon(self.at(points), fill=colour)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        (x0, y0), (x1, y1) = self.at([(left, top), (right, bottom)])
        if x1 > x0 and y1 > y0:
            self.pen.rectangle([x0, y0, x1 - 1, y1 - 1], fill=colour)

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, colour: Colour) -> None:
        """Fill an ellipse around (x, y)."""
        self.pen.ellipse(self.at([(x - radius_x, y - radius_y), (x + radius_x, y + radius_y)]), fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A round disc, whatever the picture's shape; the radius is a fraction of the width."""
        self.ellipse(x, y, radius, radius * self.width / self.height, colour)

    def line(self, points: Iterable[Point], colour: Colour, thickness: float) -> None:
        """Draw a line; its thickness is a fraction of the width."""
        self.pen.line(
            self.at(points), fill=colour, width=max(1, round(thickness * self.width)), joint="curve"
        )

    def finished(self) -> Image.Image:
        """Return the picture, at half the size it was drawn."""
        return self.image.reduce(2)


# ---------------------------------------------------------------------------------------------------
# Small things that many pictures share


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number from low to high."""
    return float(rng.uniform(low, high))


def one_of(rng: np.random.Generator, choices: tuple | list):
    """Draw one of several things."""
    return choices[int(rng.integers(len(choices)))]


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (factor < 1) or lighter (factor > 1) colour."""
    if factor <= 1:
        return tuple(round(c * factor) for c in colour)
    return tuple(round(255 - (255 - c) * (2 - min(factor, 2.0))) for c in colour)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Mix two colours: share 0 is the first, 1 the second."""
    return tuple(round(x * (1 - share) + y * share) for x, y in zip(a, b, strict=True))


def vary(rng: np.random.Generator, colour: Colour, by: int = 14) -> Colour:
    """Change each channel of a colour a little."""
    return tuple(int(np.clip(c + rng.integers(-by, by + 1), 0, 255)) for c in colour)


def cloud(
    c: Canvas, rng: np.random.Generator, x: float, y: float, size: float, colour: Colour = WHITE
) -> None:
    """Draw one cloud around (x, y)."""
    for _ in range(6):
        c.ellipse(
            x + between(rng, -1, 1) * size,
            y + between(rng, -0.22, 0.22) * size,
            between(rng, 0.3, 0.6) * size,
            between(rng, 0.14, 0.26) * size,
            vary(rng, colour, 5),
        )


def clouds(c: Canvas, rng: np.random.Generator, lowest: float, most: int = 4) -> None:
    """Draw up to ``most`` clouds, none below ``lowest``."""
    for _ in range(int(rng.integers(0, most + 1))):
        cloud(
            c, rng, between(rng, 0, 1), between(rng, 0.04, lowest), between(rng, 0.08, 0.18), (240, 243, 246)
        )


def ridge(rng: np.random.Generator, left: float, right: float, height: float, steps: int = 5) -> list[Point]:
    """A jagged line from x=0 to x=1, made by halving its pieces again and again."""
    line = [(0.0, left), (1.0, right)]
    for _ in range(steps):
        finer = [line[0]]
        for (x0, y0), (x1, y1) in zip(line, line[1:], strict=False):
            finer += [((x0 + x1) / 2, (y0 + y1) / 2 + between(rng, -height, height)), (x1, y1)]
        line, height = finer, height * 0.52
    return line


def land(c: Canvas, line: list[Point], colour: Colour, bottom: float = 1.0) -> None:
    """Fill everything below a line."""
    c.polygon([*line, (1.0, bottom), (0.0, bottom)], colour)


def conifer(c: Canvas, x: float, base: float, height: float, colour: Colour) -> None:
    """Draw a fir tree, lit from the left."""
    c.rectangle(x - 0.03 * height, base - 0.15 * height, x + 0.03 * height, base, (78, 56, 40))
    for tier in range(5):
        low = base - height * (0.10 + 0.16 * tier)
        half = height * (0.22 - 0.036 * tier)
        tip = low - 0.27 * height
        c.polygon([(x - half, low), (x, tip), (x + half, low)], shade(colour, 0.92 + 0.06 * tier))
        c.polygon(
            [(x + 0.2 * half, low - 0.02 * height), (x, tip), (x + half, low)],
            shade(colour, 0.62 + 0.06 * tier),
        )


def leafy_tree(
    c: Canvas, rng: np.random.Generator, x: float, base: float, height: float, colour: Colour
) -> None:
    """Draw a tree with a round crown."""
    trunk = one_of(rng, [(94, 70, 50), (76, 60, 48), (116, 96, 78)])
    c.rectangle(x - 0.05 * height, base - 0.55 * height, x + 0.05 * height, base, trunk)
    for k in range(9):
        c.ellipse(
            x + between(rng, -0.24, 0.24) * height,
            base - between(rng, 0.45, 0.95) * height,
            between(rng, 0.10, 0.2) * height,
            between(rng, 0.08, 0.16) * height,
            shade(colour, 0.72 + 0.055 * k),
        )


def windows(
    c: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float], wall: Colour
) -> None:
    """A grid of windows on a wall: (left, top, right, bottom)."""
    left, top, right, bottom = box
    columns = max(2, round((right - left) / between(rng, 0.045, 0.07)))
    rows = max(2, round((bottom - top) / between(rng, 0.055, 0.085)))
    glass = one_of(rng, [(52, 72, 96), (84, 116, 146), (40, 46, 56), (140, 176, 204)])
    style = int(rng.integers(3))
    for row in range(rows):
        y = top + (row + 0.28) * (bottom - top) / rows
        tall = (bottom - top) / rows * 0.55
        if style == 0:  # bands of glass
            c.rectangle(left + 0.008, y, right - 0.008, y + tall, glass)
            for column in range(1, columns):
                x = left + column * (right - left) / columns
                c.rectangle(x - 0.004, y, x + 0.004, y + tall, shade(wall, 0.9))
            continue
        for column in range(columns):
            x = left + (column + 0.25) * (right - left) / columns
            lit = rng.random() < 0.15
            pane = (246, 222, 150) if lit else vary(rng, glass, 8)
            c.rectangle(x, y, x + 0.5 * (right - left) / columns, y + tall, pane)
            if style == 2:  # a sill
                c.rectangle(
                    x - 0.004,
                    y + tall,
                    x + 0.5 * (right - left) / columns + 0.004,
                    y + tall + 0.008,
                    shade(wall, 1.3),
                )


# ---------------------------------------------------------------------------------------------------
# Scenes, 150 x 150

WALLS = [
    (178, 92, 70),
    (196, 190, 178),
    (214, 188, 142),
    (134, 142, 152),
    (226, 222, 212),
    (150, 112, 92),
    (112, 138, 160),
]


def buildings(rng: np.random.Generator) -> Image.Image:
    """A town of high houses, or one of them seen from its foot."""
    c = Canvas(150, 150, *one_of(rng, SKIES))
    clouds(c, rng, 0.35, 3)
    if rng.random() < 0.25:
        _tower_from_below(c, rng)
        return c.finished()
    for layer in range(2):
        x = between(rng, -0.15, 0.0)
        while x < 1.0:
            width = between(rng, 0.18, 0.36)
            top = between(rng, 0.08, 0.42) + 0.14 * layer
            wall = vary(rng, one_of(rng, WALLS))
            if layer == 0:
                wall = mix(wall, (190, 204, 218), 0.35)  # farther away, paler
            side = width * between(rng, 0.15, 0.3)
            front = x + width - side
            c.rectangle(x, top, front, 1.0, wall)
            lean = between(rng, 0.01, 0.04)
            c.polygon(
                [(front, top), (x + width, top + lean), (x + width, 1.0), (front, 1.0)], shade(wall, 0.66)
            )
            _roof(c, rng, x, front, top, wall)
            windows(c, rng, (x + 0.012, top + 0.03, front - 0.012, 1.0), wall)
            for y in np.arange(top + 0.07, 1.0, 0.075):
                c.polygon(
                    [
                        (front + 0.2 * side, y),
                        (front + 0.8 * side, y + 0.006),
                        (front + 0.8 * side, y + 0.04),
                        (front + 0.2 * side, y + 0.034),
                    ],
                    shade(wall, 0.45),
                )
            x += width + between(rng, -0.03, 0.05 + 0.1 * layer)
    return c.finished()


def _roof(c: Canvas, rng: np.random.Generator, left: float, right: float, top: float, wall: Colour) -> None:
    kind = int(rng.integers(4))
    middle = (left + right) / 2
    if kind == 0:
        c.rectangle(left - 0.008, top - 0.018, right + 0.008, top + 0.008, shade(wall, 0.8))
    elif kind == 1:
        c.polygon(
            [(left - 0.012, top), (middle, top - 0.09), (right + 0.012, top)],
            one_of(rng, [(140, 66, 52), (86, 88, 96)]),
        )
    elif kind == 2:
        c.line([(middle, top), (middle, top - 0.12)], (70, 74, 80), 0.008)
        c.rectangle(middle - 0.04, top - 0.03, middle + 0.04, top, shade(wall, 0.75))
    else:
        c.rectangle(left + 0.03, top - 0.045, right - 0.03, top, shade(wall, 0.9))
        c.rectangle(left + 0.03, top - 0.055, right - 0.03, top - 0.045, shade(wall, 0.7))


def _tower_from_below(c: Canvas, rng: np.random.Generator) -> None:
    """One high house seen from the pavement: it narrows towards the sky."""
    wall = vary(rng, one_of(rng, WALLS))
    glass = vary(rng, one_of(rng, [(60, 84, 112), (120, 158, 188), (48, 54, 66)]))
    corner, peak = between(rng, 0.35, 0.65), between(rng, 0.04, 0.14)
    left_top, right_top = corner - between(rng, 0.16, 0.24), corner + between(rng, 0.16, 0.24)
    faces = [
        ((left_top, peak + 0.09), (-0.25, 1.05), wall),
        ((right_top, peak + 0.09), (1.25, 1.05), shade(wall, 0.7)),
    ]
    for (far_x, far_y), (base_x, base_y), colour in faces:
        c.polygon([(corner, peak), (far_x, far_y), (base_x, base_y), (corner, 1.05)], colour)
        rows, columns = int(rng.integers(8, 12)), 5
        for row in range(rows):
            # Rows come closer to each other towards the top, as they do for the eye.
            a, b = ((row + 0.2) / rows) ** 1.5, ((row + 0.8) / rows) ** 1.5
            for column in range(columns):
                corners = []
                for down, across in (
                    (a, column + 0.18),
                    (a, column + 0.82),
                    (b, column + 0.82),
                    (b, column + 0.18),
                ):
                    near = (corner, peak + (1.05 - peak) * down)
                    away = (far_x + (base_x - far_x) * down, far_y + (base_y - far_y) * down)
                    share = across / columns
                    corners.append(
                        (near[0] * (1 - share) + away[0] * share, near[1] * (1 - share) + away[1] * share)
                    )
                c.polygon(corners, vary(rng, shade(glass, 1.0 if colour == wall else 0.75), 8))


GREENS = [(58, 112, 52), (76, 132, 58), (44, 94, 56), (98, 138, 60), (66, 104, 44)]
AUTUMN = [(190, 120, 40), (206, 152, 52), (162, 82, 40), (120, 126, 50), (180, 96, 36)]


def forest(rng: np.random.Generator) -> Image.Image:
    """Firs, trunks, or crowns, in summer or autumn."""
    leaves = AUTUMN if rng.random() < 0.2 else GREENS
    kind = int(rng.integers(3))
    mist = mix(one_of(rng, leaves), (226, 236, 214), 0.6)
    c = Canvas(150, 150, mist, mix(one_of(rng, leaves), (20, 40, 20), 0.45))
    if kind == 0:  # firs, row behind row
        colour = one_of(rng, GREENS)
        for row in range(4):
            tone = mix(shade(colour, 0.8), mist, (0.72, 0.5, 0.25, 0.0)[row])
            land(c, [(0, 0.5 + 0.16 * row), (1, 0.5 + 0.16 * row)], shade(tone, 0.85))
            for x in np.arange(between(rng, -0.1, 0.0), 1.1, 0.13 + 0.045 * row):
                height = between(rng, 0.40, 0.56) + 0.11 * row
                place = float(x) + between(rng, -0.03, 0.03)
                conifer(c, place, 0.56 + 0.15 * row, height, vary(rng, tone, 8))
    elif kind == 1:  # among the trunks
        ground = one_of(rng, [(104, 92, 52), (84, 100, 50), (126, 96, 58)])
        land(c, ridge(rng, 0.72, 0.72, 0.03, 4), ground)
        for row in range(4):
            bark = mix(one_of(rng, [(84, 66, 52), (104, 94, 82), (66, 54, 46)]), mist, 0.5 - 0.16 * row)
            for _ in range(7 - row):
                x, half = between(rng, -0.02, 1.02), 0.009 + 0.011 * row
                base = 0.74 + 0.08 * row
                c.polygon(
                    [
                        (x - half * 0.7, -0.02),
                        (x + half * 0.7, -0.02),
                        (x + half * 1.3, base),
                        (x - half * 1.3, base),
                    ],
                    vary(rng, bark, 8),
                )
                c.polygon(
                    [
                        (x + half * 0.1, -0.02),
                        (x + half * 0.7, -0.02),
                        (x + half * 1.3, base),
                        (x + half * 0.3, base),
                    ],
                    shade(bark, 0.72),
                )
            for _ in range(26):
                c.ellipse(
                    between(rng, -0.05, 1.05),
                    between(rng, -0.05, 0.24 + 0.03 * row),
                    between(rng, 0.03, 0.08),
                    between(rng, 0.02, 0.05),
                    vary(rng, mix(one_of(rng, leaves), mist, 0.45 - 0.14 * row), 10),
                )
        for _ in range(30):
            c.ellipse(
                between(rng, 0, 1),
                between(rng, 0.84, 1.0),
                between(rng, 0.02, 0.05),
                between(rng, 0.01, 0.025),
                vary(rng, shade(one_of(rng, leaves), 0.8), 10),
            )
    else:  # leafy trees, crown against crown
        land(c, [(0, 0.6), (1, 0.6)], shade(one_of(rng, GREENS), 0.6))
        for row in range(4):
            for x in np.arange(between(rng, -0.08, 0.0), 1.1, 0.2):
                tone = mix(vary(rng, one_of(rng, leaves)), mist, 0.4 - 0.13 * row)
                leafy_tree(
                    c,
                    rng,
                    float(x) + between(rng, -0.05, 0.05),
                    0.62 + 0.14 * row,
                    between(rng, 0.55, 0.72),
                    tone,
                )
    return c.finished()


def glacier(rng: np.random.Generator) -> Image.Image:
    """A wall of ice that ends in water, or a tongue of ice in a valley."""
    c = Canvas(150, 150, *one_of(rng, SKIES[:3]))
    ice = one_of(rng, [(206, 228, 240), (190, 218, 236), (222, 236, 242)])
    deep = one_of(rng, [(84, 154, 196), (104, 172, 206), (70, 136, 184)])
    rock = vary(rng, (112, 112, 118))
    land(
        c,
        ridge(rng, between(rng, 0.2, 0.32), between(rng, 0.2, 0.32), 0.12),
        mix(rock, (220, 228, 236), 0.45),
    )
    if rng.random() < 0.6:  # a wall of ice that ends in water
        water_line = between(rng, 0.68, 0.78)
        top = ridge(rng, between(rng, 0.3, 0.42), between(rng, 0.3, 0.42), 0.05, 5)
        land(c, top, ice, water_line)
        for x0, y0 in top[1:-1]:  # pillars of ice, lit on one side
            if rng.random() < 0.75:
                width, low = between(rng, 0.015, 0.05), between(rng, 0.75, 1.0) * (water_line - y0) + y0
                tone = mix(ice, deep, between(rng, 0.1, 0.75))
                c.polygon(
                    [
                        (x0, y0 + 0.01),
                        (x0 + width, y0 + 0.04),
                        (x0 + width * 0.7, low),
                        (x0 - width * 0.2, low),
                    ],
                    tone,
                )
        for _ in range(9):  # crevasses
            x, y = between(rng, 0, 1), between(rng, 0.45, 0.55)
            crack = [(x, y)]
            while crack[-1][1] < water_line - 0.04:
                crack.append((crack[-1][0] + between(rng, -0.02, 0.02), crack[-1][1] + 0.05))
            c.line(crack, shade(deep, 0.85), 0.008)
        sea_colour = one_of(rng, [(62, 118, 138), (96, 150, 160), (78, 104, 124)])
        c.rectangle(0, water_line, 1, 1, sea_colour)
        c.rectangle(0, water_line, 1, water_line + 0.02, shade(sea_colour, 0.75))
        for _ in range(int(rng.integers(5, 12))):  # floes
            x, y = between(rng, 0, 1), between(rng, water_line + 0.05, 0.97)
            size = between(rng, 0.03, 0.09) * (0.5 + 1.5 * (y - water_line) / (1 - water_line))
            c.polygon(
                [
                    (x - size, y),
                    (x - 0.5 * size, y - 0.5 * size),
                    (x + 0.4 * size, y - 0.6 * size),
                    (x + size, y),
                ],
                mix(ice, WHITE, 0.5),
            )
            c.polygon(
                [
                    (x - size, y),
                    (x + size, y),
                    (x + 0.6 * size, y + 0.2 * size),
                    (x - 0.7 * size, y + 0.2 * size),
                ],
                mix(ice, deep, 0.6),
            )
    else:  # a tongue of ice that comes down a valley
        _tongue_of_ice(c, rng, ice, deep, rock)
    return c.finished()


def _tongue_of_ice(c: Canvas, rng: np.random.Generator, ice: Colour, deep: Colour, rock: Colour) -> None:
    source, turn = between(rng, 0.38, 0.62), between(rng, -0.2, 0.2)
    summits = ridge(rng, between(rng, 0.16, 0.26), between(rng, 0.16, 0.26), 0.14)
    land(c, summits, mix(WHITE, (200, 214, 230), 0.4))  # the snow field that feeds it
    land(c, [(x, y + 0.05 + between(rng, 0, 0.05)) for x, y in summits], WHITE)
    left, right = [], []
    for step in range(13):
        t = step / 12
        middle = source + 1.3 * turn * math.sin(math.pi * t)
        half = 0.13 + 0.30 * t**1.3
        left.append((middle - half + between(rng, -0.012, 0.012), 0.36 + 0.66 * t))
        right.append((middle + half + between(rng, -0.012, 0.012), 0.36 + 0.66 * t))
    c.polygon([*left, *reversed(right)], ice)
    for step in range(13):  # crevasses bend with the stream and open in its middle
        (x0, y), (x1, _) = left[step], right[step]
        for _ in range(4):
            begin, low = between(rng, 0.05, 0.6), y + between(rng, -0.03, 0.03)
            shares = np.linspace(begin, begin + between(rng, 0.15, 0.4), 7)
            bow = [(x0 + (x1 - x0) * s, low + 0.06 * math.sin(math.pi * s)) for s in shares]
            gap = 0.008 + 0.02 * step / 12
            c.polygon(
                [
                    *bow,
                    *[
                        (x, y0 + gap * math.sin(math.pi * k / 6))
                        for k, (x, y0) in reversed(list(enumerate(bow)))
                    ],
                ],
                mix(ice, deep, between(rng, 0.35, 1.0)),
            )
    for side, edge, corner in ((-1, left, -0.02), (1, right, 1.02)):  # the valley's walls
        tone = shade(rock, 0.74 if side < 0 else 0.56)
        crest = [
            (edge[0][0] + (corner - edge[0][0]) * s, 0.37 - 0.22 * s + between(rng, -0.03, 0.03))
            for s in np.linspace(0, 1, 7)
        ]
        c.polygon([*crest, (corner, 1.02), *reversed(edge)], tone)
        for _ in range(7):  # snow in the gullies
            s = between(rng, 0.15, 0.9)
            x, y = edge[0][0] + (corner - edge[0][0]) * s, 0.40 - 0.22 * s
            drop, wide = between(rng, 0.1, 0.2), between(rng, 0.02, 0.05)
            c.polygon([(x - wide, y), (x + wide, y), (x - side * (0.4 * drop), y + drop)], (228, 234, 240))
        for k in range(12):  # rubble along the edge
            x, y = edge[k]
            c.ellipse(x, y, 0.016 + 0.001 * k, 0.006 + 0.001 * k, shade(tone, 0.85))


def mountain(rng: np.random.Generator) -> Image.Image:
    """One peak or three, mostly with snow."""
    top, bottom = one_of(rng, SKIES)
    c = Canvas(150, 150, top, bottom)
    clouds(c, rng, 0.25, 3)
    rock = vary(rng, one_of(rng, [(112, 104, 100), (128, 108, 90), (92, 98, 112), (140, 96, 74)]))
    far = mix(rock, bottom, 0.6)
    land(c, ridge(rng, between(rng, 0.42, 0.52), between(rng, 0.42, 0.52), 0.1), far)
    peaks = [(between(rng, 0.25, 0.75), between(rng, 0.10, 0.24))]
    if rng.random() < 0.6:
        peaks.insert(0, (between(rng, -0.05, 0.2), between(rng, 0.28, 0.4)))
        peaks.insert(0, (between(rng, 0.8, 1.05), between(rng, 0.28, 0.4)))
    snowy = rng.random() < 0.75
    for x, y in peaks:
        half = (0.95 - y) * between(rng, 0.62, 0.85)
        left = _slope(rng, (x, y), (x - half, 1.0))
        right = _slope(rng, (x, y), (x + half, 1.0))
        edge = _slope(rng, (x, y), (x + between(rng, -0.1, 0.15), 1.0))  # between light and shadow
        c.polygon([*left, *reversed(edge)], shade(rock, 1.18))
        c.polygon([*right, *reversed(edge)], shade(rock, 0.62))
        for _ in range(8):  # gullies
            k = int(rng.integers(1, len(left) - 3))
            gx, gy = left[k]
            ex = edge[min(k + 3, len(edge) - 1)]
            c.line([(gx + 0.02, gy + 0.03), ((gx + ex[0]) / 2, ex[1])], shade(rock, 0.9), 0.01)
        if snowy:
            depth = int(rng.integers(3, 6))
            _snow(c, rng, left[: depth + 1], edge[: depth + 1], (246, 249, 252))
            _snow(c, rng, right[: depth + 1], edge[: depth + 1], (178, 196, 216))
    front = one_of(rng, [(84, 110, 62), (112, 122, 70), (62, 84, 58), (132, 116, 84)])
    land(c, ridge(rng, between(rng, 0.74, 0.84), between(rng, 0.74, 0.84), 0.04), front)
    hill = ridge(rng, between(rng, 0.84, 0.94), between(rng, 0.84, 0.94), 0.03)
    land(c, hill, shade(front, 0.78))
    if rng.random() < 0.5:
        for _ in range(12):
            x = between(rng, 0, 1)
            conifer(c, x, between(rng, 0.9, 1.0), between(rng, 0.06, 0.12), (44, 74, 50))
    return c.finished()


def _slope(rng: np.random.Generator, start: Point, end: Point, steps: int = 9) -> list[Point]:
    line = [start]
    for k in range(1, steps + 1):
        t = k / steps
        wobble = between(rng, -0.022, 0.022) if k < steps else 0.0
        line.append((start[0] + (end[0] - start[0]) * t + wobble, start[1] + (end[1] - start[1]) * t))
    return line


def _snow(
    c: Canvas, rng: np.random.Generator, outer: list[Point], inner: list[Point], colour: Colour
) -> None:
    """Snow from the peak down, with a ragged lower edge."""
    (x0, y0), (x1, y1) = outer[-1], inner[-1]
    ragged = [
        (x0 + (x1 - x0) * s, y0 + (y1 - y0) * s + between(rng, -0.05, 0.06))
        for s in (0.17, 0.33, 0.5, 0.67, 0.83)
    ]
    c.polygon([*outer, *ragged, *reversed(inner)], colour)


def sea(rng: np.random.Generator) -> Image.Image:
    """Water up to the horizon, with a boat, a beach, breakers or a rock."""
    top, bottom = one_of(rng, SKIES)
    c = Canvas(150, 150, top, bottom)
    horizon = between(rng, 0.32, 0.56)
    clouds(c, rng, horizon - 0.12, 4)
    evening = bottom[2] < 180
    sun = between(rng, 0.2, 0.8)
    if evening:
        c.disc(sun, horizon - between(rng, 0.02, 0.12), 0.07, (255, 236, 170))
    water = vary(
        rng,
        (70, 84, 120)
        if evening
        else one_of(rng, [(24, 98, 150), (30, 120, 150), (52, 110, 134), (20, 76, 128)]),
    )
    for row in range(24):  # lighter far away
        y = horizon + (1 - horizon) * row / 24
        c.rectangle(0, y, 1, 1, mix(mix(water, bottom, 0.45), shade(water, 0.86), row / 23))
    for _ in range(150):  # waves grow towards the eye
        depth = between(rng, 0, 1) ** 1.4
        x, y = between(rng, -0.05, 1.05), horizon + (1 - horizon) * depth
        half = 0.008 + 0.07 * depth * between(rng, 0.5, 1.2)
        tone = mix(water, WHITE, between(rng, 0.2, 0.55)) if rng.random() < 0.6 else shade(water, 0.72)
        c.polygon([(x - half, y), (x, y - 0.16 * half), (x + half, y), (x, y + 0.10 * half)], tone)
    if evening:
        for k in range(28):  # the sun's path on the water
            y = horizon + (1 - horizon) * (k + 0.5) / 28
            half = 0.03 + 0.05 * k / 28
            x = sun + between(rng, -0.03, 0.03)
            c.polygon([(x - half, y), (x, y - 0.006), (x + half, y), (x, y + 0.006)], (255, 222, 160))
    extra = int(rng.integers(4))
    if extra == 0:
        _sailing_boat(
            c, rng, between(rng, 0.2, 0.8), horizon + between(rng, 0.03, 0.12), between(rng, 0.09, 0.16)
        )
    elif extra == 1:  # a beach, with foam where the water ends
        line = ridge(rng, between(rng, 0.76, 0.86), between(rng, 0.8, 0.92), 0.03, 4)
        land(c, [(x, y - 0.03) for x, y in line], (244, 248, 248))
        land(c, line, vary(rng, (212, 190, 146)))
        land(c, [(x, y + 0.035) for x, y in line], vary(rng, (226, 206, 164)))
    elif extra == 2:  # breakers
        for k in range(3):
            y = 0.62 + 0.13 * k
            crest = [
                (x, y + 0.02 * math.sin(9 * x + 2 * k) + between(rng, -0.008, 0.008))
                for x in np.linspace(0, 1, 17)
            ]
            c.polygon([*crest, *[(x, y0 + 0.05) for x, y0 in reversed(crest)]], shade(water, 0.7))
            c.line(crest, (240, 246, 248), 0.022)
    else:  # a rock in the surf, and gulls
        x = one_of(rng, [0.12, 0.88])
        c.polygon(
            [
                (x - 0.22, horizon + 0.2),
                (x - 0.1, horizon - 0.1),
                (x + 0.03, horizon - 0.14),
                (x + 0.2, horizon + 0.2),
            ],
            (92, 82, 74),
        )
        c.polygon(
            [(x + 0.03, horizon - 0.14), (x + 0.2, horizon + 0.2), (x - 0.02, horizon + 0.2)], (64, 58, 54)
        )
        c.ellipse(x, horizon + 0.2, 0.25, 0.02, (240, 246, 248))
        for _ in range(3):
            gx, gy = between(rng, 0.25, 0.75), between(rng, 0.08, horizon - 0.1)
            c.line([(gx - 0.03, gy - 0.012), (gx, gy), (gx + 0.03, gy - 0.012)], (60, 64, 70), 0.007)
    return c.finished()


def _sailing_boat(c: Canvas, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    c.polygon(
        [(x - size, y), (x + size, y), (x + 0.7 * size, y + 0.3 * size), (x - 0.75 * size, y + 0.3 * size)],
        one_of(rng, [(150, 50, 44), (60, 62, 74), (242, 242, 238)]),
    )
    c.line([(x, y), (x, y - 2.2 * size)], (90, 70, 54), 0.008)
    c.polygon(
        [
            (x + 0.06 * size, y - 0.15 * size),
            (x + 0.06 * size, y - 2.2 * size),
            (x + 0.95 * size, y - 0.15 * size),
        ],
        (250, 250, 246),
    )
    c.polygon(
        [
            (x - 0.06 * size, y - 0.15 * size),
            (x - 0.06 * size, y - 1.8 * size),
            (x - 0.7 * size, y - 0.15 * size),
        ],
        one_of(rng, [(222, 226, 230), (206, 84, 66)]),
    )


def street(rng: np.random.Generator) -> Image.Image:
    """A street that runs to the horizon between houses."""
    c = Canvas(150, 150, *one_of(rng, SKIES))
    clouds(c, rng, 0.25, 2)
    vx, vy = between(rng, 0.38, 0.62), between(rng, 0.44, 0.54)
    tarmac = vary(rng, one_of(rng, [(88, 90, 96), (110, 108, 106), (70, 72, 80)]), 5)
    paving = vary(rng, (172, 166, 158), 6)
    c.polygon([(-0.6, 1), (vx, vy), (1.6, 1)], paving)
    c.rectangle(0, 0.97, 1, 1, paving)
    for wall_x, street_edge in ((-0.02, -0.55), (1.02, 1.55)):
        _row_of_houses(c, rng, wall_x, street_edge, vx, vy)
    left, right = between(rng, -0.2, -0.02), between(rng, 1.02, 1.2)
    c.polygon([(left, 1.0), (vx - 0.015, vy), (vx + 0.015, vy), (right, 1.0)], tarmac)
    for base in (left, right):  # kerbs
        c.polygon([(base - 0.03, 1.0), (vx, vy), (base + 0.03, 1.0)], (206, 204, 198))
    middle = (left + right) / 2
    crossing = rng.random() < 0.35
    for k in range(10):  # the dashed line in the middle
        a, b = (k / 10) ** 0.5, ((k + 0.5) / 10) ** 0.5
        if crossing and k < 4:
            continue
        near, far = 1 - a, 1 - b
        points = [
            (middle + (vx - middle) * (1 - s) + side * 0.018 * s, vy + (1 - vy) * s)
            for s, side in ((near, -1), (near, 1), (far, 1), (far, -1))
        ]
        c.polygon(points, (236, 230, 190))
    if crossing:
        for k in range(9):
            x0 = left + (right - left) * (k + 0.25) / 9
            x1 = left + (right - left) * (k + 0.75) / 9
            c.polygon(
                [
                    (vx + (x - vx) * s, vy + (1 - vy) * s)
                    for x, s in ((x0, 0.92), (x1, 0.92), (x1, 0.68), (x0, 0.68))
                ],
                (238, 238, 234),
            )
    for side in (-1, 1):
        if rng.random() < 0.75:
            _lamps(c, left if side < 0 else right, side, vx, vy)
    for _ in range(int(rng.integers(1, 4))):
        s = between(rng, 0.28, 0.75)
        lane = between(rng, 0.18, 0.36) if rng.random() < 0.5 else between(rng, 0.64, 0.82)
        x = left + (right - left) * lane
        _car_from_behind(c, rng, vx + (x - vx) * s, vy + (1 - vy) * s, 0.20 * s)
    for _ in range(int(rng.integers(0, 4))):  # people on the pavement
        s = between(rng, 0.4, 0.85)
        x = one_of(rng, [left - 0.12, right + 0.12])
        _person(c, rng, vx + (x - vx) * s, vy + (1 - vy) * s, 0.26 * s)
    return c.finished()


def _row_of_houses(
    c: Canvas, rng: np.random.Generator, wall_x: float, base_x: float, vx: float, vy: float
) -> None:
    """Houses on one side of the street; s is 1 at the eye and 0 at the vanishing point."""
    s = 1.25
    blocks = []
    while s > 0.12:
        nearer, s = s, s * between(rng, 0.62, 0.78)
        blocks.append((nearer, s))
    for nearer, farther in reversed(blocks):
        wall = vary(rng, one_of(rng, WALLS))
        height = between(rng, 0.5, 0.95)  # above the eye
        below = 0.36

        def corner(s: float, up: float) -> Point:
            return vx + (base_x * 0.82 + wall_x * 0.18 - vx) * s, vy - up * s

        c.polygon(
            [
                corner(nearer, height),
                corner(farther, height),
                corner(farther, -below),
                corner(nearer, -below),
            ],
            wall,
        )
        # The gable that faces the eye, as far as it stands above the next house.
        c.line([corner(nearer, height), corner(farther, height)], shade(wall, 0.6), 0.012)
        c.line([corner(farther, height), corner(farther, -below)], shade(wall, 0.55), 0.008)
        glass = one_of(rng, [(58, 72, 90), (96, 126, 150), (48, 50, 58)])
        floors = max(2, round(height / 0.22))
        for floor in range(floors):
            low = -0.02 + floor * height / floors + 0.05
            for k in range(3):
                a = nearer + (farther - nearer) * (k + 0.25) / 3
                b = nearer + (farther - nearer) * (k + 0.75) / 3
                c.polygon(
                    [corner(a, low + 0.11), corner(b, low + 0.11), corner(b, low), corner(a, low)],
                    vary(rng, glass, 10),
                )
        awning = one_of(rng, [(180, 60, 52), (60, 110, 80), (210, 170, 70), (70, 90, 140)])
        c.polygon(
            [corner(nearer, -0.06), corner(farther, -0.06), corner(farther, -0.14), corner(nearer, -0.14)],
            awning,
        )
        for k in range(2):
            a = nearer + (farther - nearer) * (k + 0.15) / 2
            b = nearer + (farther - nearer) * (k + 0.85) / 2
            c.polygon(
                [corner(a, -0.15), corner(b, -0.15), corner(b, -0.34), corner(a, -0.34)], shade(glass, 0.8)
            )


def _lamps(c: Canvas, base_x: float, side: int, vx: float, vy: float) -> None:
    for s in (0.25, 0.42, 0.72):
        x, foot = vx + (base_x + side * 0.04 - vx) * s, vy + (1 - vy) * s
        head = foot - 0.85 * s
        c.line([(x, foot), (x, head), (x - side * 0.12 * s, head - 0.03 * s)], (58, 60, 66), 0.018 * s)
        c.ellipse(x - side * 0.13 * s, head - 0.02 * s, 0.04 * s, 0.02 * s, (250, 240, 200))


CAR_COLOURS = [
    (188, 44, 40),
    (38, 84, 156),
    (232, 232, 230),
    (60, 62, 68),
    (214, 172, 52),
    (58, 122, 84),
    (150, 156, 164),
    (112, 52, 92),
    (226, 116, 42),
]


def _car_from_behind(c: Canvas, rng: np.random.Generator, x: float, y: float, half: float) -> None:
    paint = one_of(rng, CAR_COLOURS)
    c.ellipse(x, y, half * 1.1, half * 0.14, (50, 50, 54))
    for side in (-1, 1):
        c.rectangle(
            x + side * half * 0.72 - half * 0.16,
            y - half * 0.3,
            x + side * half * 0.72 + half * 0.16,
            y,
            (28, 28, 30),
        )
    c.polygon(
        [
            (x - half * 0.72, y - half * 0.8),
            (x - half * 0.5, y - half * 1.3),
            (x + half * 0.5, y - half * 1.3),
            (x + half * 0.72, y - half * 0.8),
        ],
        shade(paint, 0.85),
    )
    c.polygon(
        [
            (x - half * 0.6, y - half * 0.82),
            (x - half * 0.43, y - half * 1.2),
            (x + half * 0.43, y - half * 1.2),
            (x + half * 0.6, y - half * 0.82),
        ],
        (52, 66, 82),
    )
    c.rectangle(x - half, y - half * 0.82, x + half, y - half * 0.2, paint)
    for side in (-1, 1):
        c.rectangle(
            x + side * half * 0.8 - half * 0.16,
            y - half * 0.68,
            x + side * half * 0.8 + half * 0.16,
            y - half * 0.5,
            (230, 60, 44),
        )
    c.rectangle(x - half * 0.28, y - half * 0.5, x + half * 0.28, y - half * 0.34, (236, 236, 226))


def _person(c: Canvas, rng: np.random.Generator, x: float, y: float, tall: float) -> None:
    c.rectangle(x - 0.10 * tall, y - 0.5 * tall, x - 0.01 * tall, y, (44, 48, 64))
    c.rectangle(x + 0.01 * tall, y - 0.5 * tall, x + 0.10 * tall, y, (52, 56, 72))
    c.ellipse(x, y - 0.62 * tall, 0.15 * tall, 0.24 * tall, one_of(rng, CAR_COLOURS))
    c.disc(x, y - 0.93 * tall, 0.085 * tall, (196, 150, 122))


# ---------------------------------------------------------------------------------------------------
# Cars and planes, of any size

# Side views, nose to the right: x and height above the ground, in lengths of the car.
SHAPES = {
    "saloon": (
        [(0.02, 0.08), (0.0, 0.18), (0.03, 0.25), (0.17, 0.275), (0.29, 0.385), (0.36, 0.40),
         (0.58, 0.40), (0.65, 0.38),
         (0.78, 0.275), (0.94, 0.24), (0.995, 0.18), (0.99, 0.08)],
        [(0.225, 0.28), (0.315, 0.365), (0.37, 0.375), (0.57, 0.375), (0.63, 0.36), (0.725, 0.28)],
        0.085,
    ),
    "hatchback": (
        [(0.02, 0.08), (0.0, 0.2), (0.03, 0.34), (0.09, 0.42), (0.48, 0.435), (0.58, 0.415),
         (0.74, 0.285), (0.95, 0.245),
         (1.0, 0.17), (0.99, 0.08)],
        [(0.075, 0.30), (0.125, 0.39), (0.48, 0.405), (0.56, 0.385), (0.675, 0.29)],
        0.095,
    ),
    "van": (
        [(0.01, 0.09), (0.0, 0.25), (0.015, 0.46), (0.05, 0.49), (0.70, 0.49), (0.76, 0.46),
         (0.86, 0.31), (0.97, 0.28),
         (1.0, 0.2), (0.99, 0.09)],
        [(0.06, 0.32), (0.065, 0.44), (0.69, 0.44), (0.73, 0.43), (0.81, 0.32)],
        0.09,
    ),
    "sports": (
        [(0.01, 0.06), (0.0, 0.18), (0.04, 0.235), (0.24, 0.255), (0.37, 0.32), (0.52, 0.325),
         (0.69, 0.235), (0.92, 0.19),
         (1.0, 0.12), (0.985, 0.06)],
        [(0.285, 0.255), (0.385, 0.305), (0.51, 0.31), (0.63, 0.245)],
        0.085,
    ),
    "pickup": (
        [(0.01, 0.10), (0.0, 0.28), (0.36, 0.285), (0.385, 0.44), (0.42, 0.455), (0.60, 0.455),
         (0.66, 0.43), (0.76, 0.30),
         (0.95, 0.275), (1.0, 0.2), (0.99, 0.10)],
        [(0.41, 0.305), (0.425, 0.42), (0.59, 0.42), (0.635, 0.405), (0.71, 0.305)],
        0.1,
    ),
}  # fmt: skip


def car(rng: np.random.Generator) -> Image.Image:
    """A car from the side or from the front."""
    width, height = _size(rng)
    c = Canvas(width, height, *one_of(rng, SKIES))
    ground = between(rng, 0.68, 0.8)
    _roadside(c, rng, ground - between(rng, 0.06, 0.16))
    road = vary(rng, one_of(rng, [(98, 98, 102), (124, 120, 114), (150, 140, 122), (78, 80, 86)]))
    c.rectangle(0, ground - 0.06, 1, 1, road)
    c.rectangle(0, ground - 0.075, 1, ground - 0.06, shade(road, 1.35))
    if rng.random() < 0.5:
        for x in np.arange(between(rng, -0.2, 0.0), 1.0, 0.3):
            c.rectangle(float(x), 0.91, float(x) + 0.16, 0.935, (236, 232, 210))
    aspect = c.width / c.height
    if rng.random() < 0.2:
        half = between(rng, 0.24, 0.34) / max(1.0, aspect / 1.3)
        _car_from_the_front(c, rng, between(rng, 0.4, 0.6), ground + 0.12, half, aspect)
    else:
        length = min(between(rng, 0.66, 0.92), 1.5 / aspect)
        _car_from_the_side(c, rng, (1 - length) * between(rng, 0.25, 0.75), ground + 0.05, length, aspect)
    return c.finished()


def _size(rng: np.random.Generator) -> tuple[int, int]:
    width = int(rng.integers(80, 301))
    return width, max(64, round(width / one_of(rng, [1.0, 1.25, 4 / 3, 1.5, 1.6])))


def _roadside(c: Canvas, rng: np.random.Generator, horizon: float) -> None:
    kind = int(rng.integers(4))
    if kind == 0:  # hills
        land(c, ridge(rng, horizon - 0.12, horizon - 0.12, 0.08, 4), mix((96, 128, 96), (190, 206, 220), 0.4))
    elif kind == 1:  # a town
        x = between(rng, -0.1, 0.0)
        while x < 1:
            wide, tall = between(rng, 0.1, 0.2), between(rng, 0.15, 0.4)
            wall = mix(one_of(rng, WALLS), (200, 208, 216), 0.35)
            c.rectangle(x, horizon - tall, x + wide, horizon + 0.05, wall)
            for row in range(int(tall / 0.07)):
                c.rectangle(
                    x + 0.02,
                    horizon - tall + 0.02 + 0.07 * row,
                    x + wide - 0.02,
                    horizon - tall + 0.05 + 0.07 * row,
                    shade(wall, 0.7),
                )
            x += wide
    elif kind == 2:  # trees
        for x in np.arange(between(rng, -0.05, 0.0), 1.05, 0.16):
            leafy_tree(c, rng, float(x), horizon + 0.03, between(rng, 0.25, 0.4), one_of(rng, GREENS))
    c.rectangle(
        0, horizon, 1, 1, one_of(rng, [(110, 142, 84), (170, 154, 116), (150, 152, 150), (132, 150, 92)])
    )


def _car_from_the_side(
    c: Canvas, rng: np.random.Generator, x: float, y: float, length: float, aspect: float
) -> None:
    """Left end at x, wheels at y; length is a fraction of the picture's width."""
    body, glass, wheel = SHAPES[one_of(rng, sorted(SHAPES))]
    paint = vary(rng, one_of(rng, CAR_COLOURS))
    to_left = rng.random() < 0.5

    def place(points: list[Point]) -> list[Point]:
        return [(x + length * ((1 - px) if to_left else px), y - length * aspect * py) for px, py in points]

    def at(px: float, py: float) -> Point:
        return place([(px, py)])[0]

    c.ellipse(*at(0.5, 0.0), 0.54 * length, 0.035 * length * aspect, (54, 54, 58))
    c.polygon(place(body), paint)
    waist = max(py for px, py in body if px < 0.02 or px > 0.9) * 0.92
    c.polygon(place([(0.012, 0.085), (0.012, 0.15), (0.985, 0.15), (0.985, 0.085)]), shade(paint, 0.62))
    c.line(place([(0.03, waist), (0.96, waist - 0.015)]), shade(paint, 1.4), 0.008 * length)
    c.polygon(place(glass), (66, 86, 106))
    left, right = min(p[0] for p in glass), max(p[0] for p in glass)
    low, high = min(p[1] for p in glass), max(p[1] for p in glass)
    c.polygon(
        place(
            [
                (left + 0.25 * (right - left), low),
                (left + 0.4 * (right - left), high),
                (left + 0.5 * (right - left), high),
                (left + 0.35 * (right - left), low),
            ]
        ),
        (128, 152, 172),
    )
    for share in (0.52,) if right - left < 0.4 else (0.36, 0.66):
        pillar = left + share * (right - left)
        c.line(place([(pillar, low - 0.005), (pillar, high + 0.01)]), paint, 0.02 * length)
        c.line(place([(pillar, low), (pillar, 0.11)]), shade(paint, 0.7), 0.006 * length)
        c.line(
            place([(pillar - 0.07, low - 0.03), (pillar - 0.03, low - 0.03)]),
            shade(paint, 0.45),
            0.011 * length,
        )
    for hub in (0.2, 0.8):
        c.disc(*at(hub, wheel), (wheel + 0.018) * length, (34, 34, 38))
        c.disc(*at(hub, wheel), wheel * length, (22, 22, 24))
        c.disc(*at(hub, wheel), wheel * 0.6 * length, (184, 188, 194))
        c.disc(*at(hub, wheel), wheel * 0.2 * length, (90, 94, 100))
    c.polygon(place([(0.94, 0.185), (0.985, 0.18), (0.975, 0.215), (0.93, 0.222)]), (252, 246, 206))
    c.polygon(place([(0.012, 0.185), (0.045, 0.185), (0.04, 0.225), (0.018, 0.225)]), (206, 36, 34))


def _car_from_the_front(
    c: Canvas, rng: np.random.Generator, x: float, y: float, half: float, aspect: float
) -> None:
    paint = vary(rng, one_of(rng, CAR_COLOURS))

    def box(left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        c.rectangle(
            x + left * half, y - top * half * aspect, x + right * half, y - bottom * half * aspect, colour
        )

    def shape(points: list[Point], colour: Colour) -> None:
        c.polygon([(x + px * half, y - py * half * aspect) for px, py in points], colour)

    c.ellipse(x, y, 1.12 * half, 0.1 * half * aspect, (54, 54, 58))
    for side in (-1, 1):
        box(side * 0.78 - 0.17, 0.4, side * 0.78 + 0.17, 0.0, (26, 26, 28))
        shape(
            [(side * 0.82, 0.95), (side * 1.12, 1.0), (side * 1.12, 0.84), (side * 0.84, 0.84)],
            shade(paint, 0.8),
        )
    shape(
        [(-0.86, 0.9), (-0.62, 1.42), (-0.4, 1.5), (0.4, 1.5), (0.62, 1.42), (0.86, 0.9)], shade(paint, 0.9)
    )
    shape([(-0.74, 0.92), (-0.54, 1.36), (0.54, 1.36), (0.74, 0.92)], (66, 86, 106))
    shape([(-0.3, 0.92), (-0.05, 1.36), (0.15, 1.36), (-0.1, 0.92)], (128, 152, 172))
    shape(
        [
            (-1.0, 0.72),
            (-0.88, 0.92),
            (0.88, 0.92),
            (1.0, 0.72),
            (1.0, 0.24),
            (0.94, 0.16),
            (-0.94, 0.16),
            (-1.0, 0.24),
        ],
        paint,
    )
    shape([(-0.9, 0.86), (-0.8, 0.92), (0.8, 0.92), (0.9, 0.86)], shade(paint, 1.35))
    box(-0.44, 0.66, 0.44, 0.42, (38, 40, 44))
    for k in range(3):
        box(-0.44, 0.62 - 0.08 * k, 0.44, 0.595 - 0.08 * k, (130, 134, 140))
    for side in (-1, 1):
        c.ellipse(
            x + side * 0.72 * half,
            y - 0.58 * half * aspect,
            0.19 * half,
            0.12 * half * aspect,
            (252, 248, 216),
        )
        c.ellipse(
            x + side * 0.72 * half,
            y - 0.58 * half * aspect,
            0.08 * half,
            0.06 * half * aspect,
            (206, 214, 222),
        )
    box(-0.95, 0.32, 0.95, 0.26, shade(paint, 0.6))
    box(-0.25, 0.38, 0.25, 0.24, (238, 238, 228))


LIVERIES = [(196, 40, 44), (28, 70, 150), (24, 120, 110), (226, 150, 36), (92, 46, 120), (52, 58, 70)]


def plane(rng: np.random.Generator) -> Image.Image:
    """An airliner in the air, on the ground or from above, or a propeller plane."""
    width, height = _size(rng)
    c = Canvas(width, height, *one_of(rng, SKIES))
    kind = one_of(rng, ["flying", "flying", "standing", "above", "above", "propeller"])
    aspect = c.width / c.height
    if kind == "standing":
        ground = between(rng, 0.66, 0.78)
        _roadside(c, rng, ground - between(rng, 0.06, 0.14))
        runway = vary(rng, (118, 118, 122))
        c.rectangle(0, ground - 0.05, 1, 1, runway)
        for x in np.arange(between(rng, -0.2, 0.0), 1.0, 0.28):
            c.rectangle(float(x), 0.92, float(x) + 0.16, 0.945, (240, 240, 236))
        length = min(between(rng, 0.8, 0.94), 2.2 / aspect)
        _airliner(c, rng, (0.5, ground - 0.115 * length * aspect), length, 0.0, aspect, wheels=True)
        return c.finished()
    for _ in range(int(rng.integers(1, 5))):
        cloud(c, rng, between(rng, 0, 1), between(rng, 0.1, 0.9), between(rng, 0.1, 0.22), (238, 242, 246))
    if rng.random() < 0.3:
        land(c, ridge(rng, 0.92, 0.92, 0.04, 4), vary(rng, (98, 120, 92)))
    centre = (between(rng, 0.46, 0.54), between(rng, 0.44, 0.54))
    if kind == "above":
        _airliner_from_above(
            c, rng, centre, between(rng, 0.66, 0.88) / max(1.0, aspect / 1.1), between(rng, 0, 360), aspect
        )
    elif kind == "propeller":
        _propeller_plane(
            c, rng, centre, min(between(rng, 0.66, 0.86), 1.6 / aspect), between(rng, -4, 14), aspect
        )
    else:
        _airliner(
            c,
            rng,
            centre,
            min(between(rng, 0.76, 0.92), 1.8 / aspect),
            between(rng, -6, 20),
            aspect,
            wheels=rng.random() < 0.3,
        )
    return c.finished()


def _placer(
    centre: Point, length: float, degrees: float, aspect: float, to_left: bool
) -> Callable[[list[Point]], list[Point]]:
    """Own coordinates (x forward, y up, in lengths, the middle at 0.5, 0) to the picture's."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def place(points: list[Point]) -> list[Point]:
        placed = []
        for px, py in points:
            forward, up = (px - 0.5) * length, py * length
            across, high = forward * cos - up * sin, forward * sin + up * cos
            placed.append((centre[0] + (-across if to_left else across), centre[1] - high * aspect))
        return placed

    return place


def _airliner(
    c: Canvas,
    rng: np.random.Generator,
    centre: Point,
    length: float,
    degrees: float,
    aspect: float,
    wheels: bool,
) -> None:
    body = one_of(rng, [(240, 242, 244), (226, 230, 236), (206, 214, 222)])
    paint = one_of(rng, LIVERIES)
    place = _placer(centre, length, degrees, aspect, rng.random() < 0.5)
    fat = between(rng, 0.9, 1.25)
    if wheels:
        for x in (0.44, 0.5, 0.86):
            (ax, ay), (bx, by) = place([(x, -0.03), (x, -0.1)])
            c.line([(ax, ay), (bx, by)], (92, 96, 102), 0.012 * length)
            c.disc(bx, by, 0.019 * length, (30, 30, 34))
    c.polygon(
        place([(0.60, 0.01), (0.50, 0.085), (0.44, 0.085), (0.47, 0.01)]), shade(body, 0.78)
    )  # the far wing
    c.polygon(
        place([(0.04, 0.03 * fat), (-0.01, 0.21), (0.075, 0.21), (0.19, 0.045 * fat)]), paint
    )  # the fin
    c.polygon(
        place([(0.0, 0.045), (0.10, 0.052 * fat), (0.84, 0.054 * fat), (0.92, 0.044 * fat),
               (0.975, 0.018), (1.0, -0.008),
               (0.98, -0.03), (0.9, -0.052 * fat), (0.25, -0.052 * fat), (0.08, 0.0)]),
        body,
    )  # fmt: skip
    c.polygon(
        place(
            [
                (0.08, 0.0),
                (0.25, -0.052 * fat),
                (0.9, -0.052 * fat),
                (0.98, -0.03),
                (0.9, -0.03 * fat),
                (0.25, -0.028 * fat),
            ]
        ),
        shade(body, 0.74),
    )
    c.polygon(place([(0.06, 0.008), (0.97, 0.0), (0.985, -0.014), (0.12, -0.012)]), paint)
    for x in np.arange(0.17, 0.86, 0.034):
        ((px, py),) = place([(float(x), 0.024)])
        c.disc(px, py, 0.0075 * length, (62, 80, 104))
    c.polygon(place([(0.915, 0.036 * fat), (0.955, 0.026), (0.965, 0.012), (0.92, 0.016)]), (50, 64, 84))
    c.polygon(
        place([(0.13, 0.03), (-0.03, 0.075), (-0.06, 0.075), (0.05, 0.025)]), shade(body, 0.82)
    )  # the tailplane
    c.polygon(
        place([(0.62, -0.018), (0.34, -0.155), (0.275, -0.155), (0.42, -0.018)]), shade(body, 0.66)
    )  # the near wing
    c.polygon(place([(0.62, -0.018), (0.34, -0.155), (0.325, -0.155), (0.59, -0.018)]), shade(body, 0.92))
    engine = [
        (0.42, -0.075),
        (0.43, -0.055),
        (0.54, -0.05),
        (0.56, -0.06),
        (0.56, -0.095),
        (0.54, -0.108),
        (0.44, -0.1),
    ]
    c.polygon(place(engine), shade(paint, 0.9))
    c.polygon(place([(0.545, -0.052), (0.56, -0.06), (0.56, -0.095), (0.545, -0.106)]), (44, 46, 52))


def _airliner_from_above(
    c: Canvas, rng: np.random.Generator, centre: Point, length: float, degrees: float, aspect: float
) -> None:
    body = one_of(rng, [(244, 245, 246), (222, 227, 232), (120, 128, 138)])
    paint = one_of(rng, LIVERIES)
    place = _placer(centre, length, degrees, aspect, False)
    sweep, span = between(rng, 0.1, 0.24), between(rng, 0.4, 0.5)
    for side in (-1, 1):

        def s(points: list[Point], side: int = side) -> list[Point]:
            return place([(x, side * y) for x, y in points])

        for where in (0.2, 0.33) if span > 0.45 else (0.19,):  # engines
            front = 0.66 - sweep * where / span
            c.polygon(
                s(
                    [
                        (front - 0.1, where - 0.024),
                        (front, where - 0.026),
                        (front + 0.012, where),
                        (front, where + 0.026),
                        (front - 0.1, where + 0.024),
                    ]
                ),
                shade(body, 0.6),
            )
        c.polygon(
            s([(0.66, 0.04), (0.54 - sweep, span), (0.47 - sweep, span), (0.42, 0.04)]),
            shade(body, 0.84 if side < 0 else 0.74),
        )
        c.polygon(
            s(
                [
                    (0.54 - sweep + 0.02, span - 0.03),
                    (0.54 - sweep, span),
                    (0.47 - sweep, span),
                    (0.47 - sweep, span - 0.03),
                ]
            ),
            paint,
        )
        c.polygon(s([(0.17, 0.02), (0.06, 0.17), (0.0, 0.17), (0.04, 0.02)]), paint)
    hull = [
        (0.0, 0.008),
        (0.12, 0.038),
        (0.3, 0.048),
        (0.84, 0.048),
        (0.93, 0.038),
        (0.98, 0.018),
        (1.0, 0.0),
    ]
    c.polygon(place([*hull, *[(x, -y) for x, y in reversed(hull)]]), body)
    c.polygon(
        place([(0.0, 0.0), *[(x, -y) for x, y in hull], (0.9, -0.02), (0.12, -0.012)]), shade(body, 0.82)
    )
    c.polygon(place([(0.0, 0.007), (0.2, 0.012), (0.2, -0.012), (0.0, -0.007)]), shade(paint, 0.85))
    c.polygon(place([(0.92, 0.028), (0.95, 0.02), (0.95, -0.02), (0.92, -0.028), (0.935, 0.0)]), (50, 64, 84))


def _propeller_plane(
    c: Canvas, rng: np.random.Generator, centre: Point, length: float, degrees: float, aspect: float
) -> None:
    paint = one_of(rng, LIVERIES + CAR_COLOURS[:3])
    place = _placer(centre, length, degrees, aspect, rng.random() < 0.5)
    for x, y in ((0.7, -0.17), (0.84, -0.16)):
        (ax, ay), (bx, by) = place([(x - 0.04, -0.06), (x, y)])
        c.line([(ax, ay), (bx, by)], (80, 84, 90), 0.014 * length)
        c.disc(bx, by, 0.032 * length, (32, 32, 36))
    c.polygon(place([(0.03, 0.03), (-0.01, 0.2), (0.07, 0.21), (0.2, 0.03)]), paint)
    c.polygon(
        place([(0.0, 0.04), (0.3, 0.06), (0.5, 0.13), (0.72, 0.13), (0.8, 0.06), (0.94, 0.04),
               (0.965, 0.0), (0.94, -0.05),
               (0.8, -0.085), (0.55, -0.085), (0.04, 0.0)]),
        (240, 240, 238),
    )  # fmt: skip
    c.polygon(place([(0.02, 0.02), (0.955, 0.02), (0.96, -0.02), (0.3, -0.03)]), paint)
    c.polygon(place([(0.47, 0.055), (0.53, 0.115), (0.7, 0.115), (0.76, 0.055)]), (70, 92, 114))
    c.line(place([(0.62, 0.055), (0.62, 0.115)]), (240, 240, 238), 0.012 * length)
    c.polygon(place([(-0.02, 0.055), (0.13, 0.055), (0.14, 0.035), (-0.03, 0.035)]), shade(paint, 0.75))
    c.polygon(
        place([(0.45, 0.165), (0.74, 0.175), (0.77, 0.15), (0.75, 0.13), (0.46, 0.135)]), shade(paint, 0.85)
    )
    c.line(place([(0.6, -0.06), (0.64, 0.135)]), (120, 124, 130), 0.012 * length)
    c.line(place([(0.975, 0.15), (0.975, -0.15)]), (70, 72, 78), 0.018 * length)
    c.polygon(place([(0.955, 0.03), (1.0, 0.0), (0.955, -0.03)]), (60, 62, 68))


# ---------------------------------------------------------------------------------------------------

SCENES = {
    "buildings": buildings,
    "forest": forest,
    "glacier": glacier,
    "mountain": mountain,
    "sea": sea,
    "street": street,
}
VEHICLES = {"cars": car, "planes": plane}


def draw_all(folder: Path) -> int:
    """Draw every sample into ``folder``; return how many there are."""
    drawn = 0

    def draw(artist: Callable, seed: list[int], path: Path) -> None:
        nonlocal drawn
        path.parent.mkdir(parents=True, exist_ok=True)
        artist(np.random.default_rng(seed)).save(path, optimize=True)
        drawn += 1

    for number, (name, artist) in enumerate(SCENES.items()):
        for part, count in (("seg_train", TRAIN_PER_SCENE), ("seg_test", TEST_PER_SCENE)):
            for k in range(count):
                path = folder / "intel-scenes" / part / part / name / f"{name}-{part[4:]}-{k + 1:02}.png"
                draw(artist, [5, number, len(part), k], path)
    base = folder / "car-plane"
    for number, (name, artist) in enumerate(VEHICLES.items()):
        for part, count in (("training_set", TRAIN_PER_VEHICLE), ("val_set", VALIDATION_PER_VEHICLE)):
            for k in range(count):
                draw(
                    artist,
                    [6, number, len(part), k],
                    base / part / name / f"{name[:-1]}-{part[:5]}-{k + 1:02}.png",
                )
    # Test pictures carry no class in their names, as in the real set; a table of labels lies beside them.
    order = np.random.default_rng(6).permutation([0] * TEST_CARS + [1] * TEST_PLANES)
    rows = []
    for k, label in enumerate(order.tolist()):
        name = list(VEHICLES)[label]
        draw(VEHICLES[name], [6, label, 0, k], base / "test" / f"test-{k + 1:02}.png")
        rows.append((f"test-{k + 1:02}.png", label, name))
    with (base / "test-labels.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows([("file", "label", "class"), *rows])
    return drawn


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "samples"
    print(f"{draw_all(target)} pictures drawn")
