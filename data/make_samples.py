"""Draw the built-in samples: scenes for lesson 5, cars and planes for lesson 6.

    python data/make_samples.py            # draws into data/samples/
    python data/make_samples.py FOLDER     # draws somewhere else

The pictures stand in for the real ones where there is neither a local copy nor a network. A picture's path is
its seed, and every coordinate is a whole number: drawing again gives the same pixels. A canvas is 600 units
wide; the finished picture is a half of it or less, which smooths the edges.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

# Each sky: its top, its bottom, its clouds, and the light that it throws on everything
SKIES = [
    ((66, 134, 208), (186, 218, 240), (246, 248, 250), (255, 255, 255)),  # clear
    ((36, 98, 184), (130, 190, 236), (240, 244, 248), (255, 252, 246)),  # deep blue
    ((140, 152, 164), (206, 212, 216), (176, 184, 192), (214, 220, 228)),  # overcast
    ((84, 96, 156), (250, 188, 136), (240, 170, 160), (255, 222, 196)),  # evening
    ((96, 106, 152), (206, 180, 194), (130, 124, 160), (222, 218, 236)),  # dusk
]
WALLS = [(178, 92, 70), (196, 190, 178), (214, 188, 142), (134, 142, 152), (226, 222, 212), (112, 138, 160)]
GLASS = [(52, 72, 96), (84, 116, 146), (40, 46, 56), (140, 176, 204)]
GREENS = [(58, 112, 52), (76, 132, 58), (44, 94, 56), (98, 138, 60)]
AUTUMN = [(190, 120, 40), (206, 152, 52), (162, 82, 40), (150, 126, 50)]
FROST = [(206, 218, 224), (186, 204, 210), (222, 228, 232)]
ROCKS = [(122, 106, 92), (108, 110, 120), (138, 92, 78), (98, 92, 116), (110, 116, 96)]
PAINTS = [(196, 30, 34), (24, 70, 156), (232, 232, 228), (40, 44, 50), (232, 176, 30), (24, 108, 78)]
TAR, SNOW, LIT = (92, 94, 100), (244, 248, 252), (250, 222, 140)


def mix(first: Colour, second: Colour, percent: int) -> Colour:
    """Mix two colours: 0 percent is the first, 100 the second."""
    return tuple((a * (100 - percent) + b * percent) // 100 for a, b in zip(first, second, strict=True))


def dark(colour: Colour, percent: int = 35) -> Colour:
    """The colour in the shade."""
    return mix(colour, (10, 12, 20), percent)


class Canvas(ImageDraw.ImageDraw):
    """What is drawn on, and the dice that decide what is drawn."""

    def __init__(self, rng: np.random.Generator, height: int):
        self.rng, self.height, self.light = rng, height, (255, 255, 255)
        self.picture = Image.new("RGB", (600, height))
        super().__init__(self.picture)

    def number(self, low: int, high: int) -> int:
        """Draw a whole number, both ends allowed."""
        return int(self.rng.integers(low, high + 1))

    def one_of(self, things):
        """Draw one of several things."""
        return things[self.number(0, len(things) - 1)]

    def near(self, colour: Colour, by: int = 12) -> Colour:
        """A colour a little lighter or darker, warmer or colder."""
        return tuple(min(255, max(0, c + self.number(-by, by))) for c in colour)

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        """Fill a rectangle up to, and without, ``right`` and ``bottom``."""
        self.rectangle([left, top, right - 1, bottom - 1], colour)

    def oval(self, x: int, y: int, half_width: int, half_height: int, colour: Colour) -> None:
        """Fill an ellipse around (x, y)."""
        self.ellipse([x - half_width, y - half_height, x + half_width, y + half_height], colour)

    def gradient(self, top: int, first: Colour, last: Colour) -> None:
        """Fill everything below ``top``, from one colour to another at the bottom."""
        for y in range(top, self.height, 4):
            self.box(0, y, 600, y + 4, mix(first, last, 100 * (y - top) // (self.height - top)))

    def finished(self, part: int) -> Image.Image:
        """Return the picture in its light, at one part-th of the size it was drawn at."""
        pixels = np.asarray(self.picture.reduce(part), dtype=np.int64) * self.light // 255
        return Image.fromarray(pixels.astype(np.uint8))


def sky(c: Canvas, lowest: int) -> Colour:
    """Fill the picture with a sky, with clouds down to ``lowest``; return the colour of the haze."""
    top, bottom, cloud, c.light = c.one_of(SKIES)
    c.gradient(0, c.near(top), bottom)
    for _ in range(c.number(0, 4)):
        x, y, size = c.number(0, 600), c.number(20, max(20, lowest)), c.number(45, 110)
        for _ in range(6):
            place = x + c.number(-size, size), y + c.number(-size // 5, size // 5)
            c.oval(*place, c.number(size // 3, size // 2), size // 5, c.near(cloud, 4))
    return bottom


def ridge(c: Canvas, low: int, high: int, rough: int) -> list[tuple[int, int]]:
    """A jagged line across the picture, made by halving its pieces again and again."""
    heights = [c.number(low, high), c.number(low, high)]
    while len(heights) < 33:
        middles = [(a + b) // 2 + c.number(-rough, rough) for a, b in zip(heights, heights[1:], strict=False)]
        heights = [y for pair in zip(heights, middles, strict=False) for y in pair] + heights[-1:]
        rough //= 2
    return [(600 * k // 32, y) for k, y in enumerate(heights)]


def land(c: Canvas, line: list[tuple[int, int]], colour: Colour) -> None:
    """Fill everything below a line."""
    c.polygon([*line, (600, c.height), (0, c.height)], colour)


def tree(c: Canvas, x: int, base: int, height: int, colour: Colour, fir: bool) -> None:
    """A fir, lit from the left, or a tree with a round crown."""
    c.box(x - height // 26, base - height // 2, x + height // 26, base, c.near((86, 64, 48)))
    for k in range(5 if fir else 9):
        if fir:
            low, half, tip = base - height * (10 + 16 * k) // 100, height * (24 - 4 * k) // 100, height // 4
            c.polygon([(x - half, low), (x, low - tip), (x + half, low)], mix(colour, SNOW, 4 * k))
            c.polygon([(x + half // 5, low), (x, low - tip), (x + half, low)], dark(colour, 38 - 4 * k))
        else:
            place = x + c.number(-height, height) // 5, base - height * c.number(45, 90) // 100
            size = height * c.number(11, 19) // 100
            c.oval(*place, size, size * 4 // 5, c.near(dark(colour, 36 - 4 * k), 6))


def house(c: Canvas, left: int, right: int, top: int, bottom: int, haze: int = 0) -> None:
    """A house with rows of windows, a few of them lit; its side lies in the shade."""
    wall, glass = mix(c.near(c.one_of(WALLS)), (190, 204, 218), haze), c.one_of(GLASS)
    wide, high, side = c.number(24, 40), c.number(34, 52), right + (right - left) // 5
    gable = (left + side) // 2, top - c.one_of([0, 8, 50])
    c.polygon([(left - 6, top), gable, (side + 6, top)], (130, 70, 60))
    c.box(left, top, side, bottom, dark(wall))
    c.box(left, top, right, bottom, wall)
    for y in range(top + 20, bottom, high):
        for x in range(left + 8, right - wide // 2, wide):
            c.box(x, y, x + wide * 6 // 10, y + high * 6 // 10, c.one_of([LIT] + 8 * [glass]))


def peak(c: Canvas, x: int, top: int, base: int, rock: Colour, snow: int) -> None:
    """A mountain whose right side lies in the shade, white down to ``snow`` percent of its height."""
    height, slope = base - top, c.number(55, 85)
    for side, colour, white in ((-1, rock, SNOW), (1, dark(rock), (190, 206, 228))):
        reach = side * height * slope
        places = [(x + reach * k // 1600 + c.number(-k, k), top + height * k // 16) for k in range(17)]
        c.polygon([*places, (x + height // 12, base)], colour)
        foot, low = places[snow * 16 // 100]
        c.polygon([*places[: 1 + snow * 16 // 100], ((foot + x) // 2, (2 * low + top) // 3), (x, low)], white)


def water(c: Canvas, top: int, colour: Colour, haze: Colour) -> None:
    """Water down to the bottom: small strokes far away, long ones near."""
    c.gradient(top, mix(colour, haze, 40), dark(colour, 20))
    for _ in range(140):
        x, y = c.number(-20, 600), c.number(top + 4, c.height)
        right, low = x + c.number(5, 9 + (y - top) // 6), y + 2 + (y - top) // 90
        c.box(x, y, right, low, c.one_of([mix(colour, haze, 55), dark(colour, 32)]))


def buildings(c: Canvas) -> None:
    """A town of high houses in two rows, or a few large houses."""
    sky(c, 200)
    widest = c.one_of([160, 160, 160, 440])
    for row, haze in ((0, 40), (1, 0)):
        x = c.number(-90, 0)
        while x < 600:
            width = c.number(widest // 2, widest)
            house(c, x, x + width, c.number(50, 260) + 90 * row, 600, haze)
            x += width * 6 // 5 + c.number(-10, 30 + 40 * row)


def forest(c: Canvas) -> None:
    """Firs or leafy trees row behind row, seen whole or from among their trunks, in three seasons."""
    leaves = c.one_of([GREENS, GREENS, GREENS, AUTUMN, FROST])
    fir, growth = c.one_of([True, False]), c.one_of([40, 120])
    mist, c.light = mix(c.one_of(leaves), (226, 236, 214), 60), c.one_of(SKIES)[3]
    ground = mix(c.one_of(leaves), (90, 74, 46), 0 if leaves is FROST else 45)
    c.gradient(0, mist, ground)
    for row in range(5):
        base, haze = 330 + 75 * row, 70 - 17 * row
        land(c, ridge(c, base - 20, base - 20, 12), mix(ground, mist, haze))
        for x in range(c.number(-40, 20), 660, 64 + 24 * row):
            tone, height = mix(c.near(c.one_of(leaves)), mist, haze), c.number(240, 330) + growth * row
            tree(c, x + c.number(-24, 24), base + c.number(0, 20), height, tone, fir)


def glacier(c: Canvas) -> None:
    """A wall of ice above water with floes, or a river of ice between dark slopes."""
    haze, ice, rock = sky(c, 120), c.near((206, 230, 244), 8), c.one_of(ROCKS)
    if c.number(0, 1):
        shore = c.number(370, 470)
        land(c, ridge(c, 120, 200, 50), mix(rock, haze, 45))
        land(c, ridge(c, 180, 260, 20), ice)
        for x in range(0, 600, 16):  # columns, some of them in the shade
            c.box(x, c.number(250, 310), x + 11, shore, mix(ice, (96, 160, 208), c.number(0, 70)))
        water(c, shore, c.one_of([(70, 118, 138), (60, 90, 116), (84, 136, 140)]), haze)
        for _ in range(c.number(3, 9)):
            x, y, size = c.number(0, 600), c.number(shore + 30, 590), c.number(16, 50)
            c.polygon([(x - size, y), (x - size // 2, y - size // 2), (x, y - size), (x + size, y)], ice)
        return
    for _ in range(3):
        peak(c, c.number(40, 560), c.number(40, 110), 420, rock, c.number(60, 90))
    land(c, ridge(c, 210, 230, 20), ice)
    for y in range(230, 600, 14):  # crevasses bend down the valley
        middle, wide = c.number(200, 400), c.number(20, 60) + y // 10
        arc = [(middle + wide * k // 2, y - abs(k) * 4 + c.number(-3, 3)) for k in range(-4, 5)]
        c.line(arc, mix(ice, (84, 148, 200), c.number(25, 80)), 5)
    for side, edge in ((0, c.number(80, 280)), (600, c.number(320, 520))):
        slope = [(edge + (side - edge) * k // 12 + c.number(-14, 14), 240 + 40 * k) for k in range(10)]
        c.polygon([(side, c.number(90, 150)), *slope, (side, 640)], dark(c.one_of(ROCKS), 40))


def mountain(c: Canvas) -> None:
    """Peaks with and without snow, above meadows or firs."""
    haze, rock, snow = sky(c, 150), c.near(c.one_of(ROCKS)), c.one_of([0, 20, 35, 45])
    land(c, ridge(c, 240, 330, 60), mix(c.one_of(ROCKS), haze, 60))
    for top in sorted((c.number(50, 260) for _ in range(c.number(1, 4))), reverse=True):
        peak(c, c.number(80, 520), top, 500, c.near(rock, 8), snow)
    land(c, ridge(c, 430, 500, 24), c.near(c.one_of([*GREENS, (132, 120, 70)])))
    for y in sorted(c.number(510, 600) for _ in range(c.one_of([0, 14]))):
        tree(c, c.number(0, 600), y, c.number(40, 90), c.near(c.one_of(GREENS)), True)


def sea(c: Canvas) -> None:
    """Water to the horizon, with the sun, breakers, a boat or a beach."""
    horizon = c.number(180, 330)
    haze = sky(c, horizon - 40)
    water(c, horizon, c.near(c.one_of([(30, 110, 160), (24, 84, 136), (60, 140, 150), (80, 112, 130)])), haze)
    seen = c.one_of(["sun boat", "sun breakers", "breakers boat", "breakers beach", "boat beach"])
    x, y, size = c.number(120, 480), horizon + c.number(20, 110), c.number(60, 130)
    if "sun" in seen:
        c.oval(600 - x, horizon - c.number(30, 130), 34, 34, (255, 240, 190))
        for low in range(horizon + 6, 600, 16):
            c.oval(600 - x, low, c.number(8, 30) + (low - horizon) // 10, 4, (255, 236, 184))
    for low in range(horizon + 50, 600, c.number(60, 110)) if "breakers" in seen else ():
        c.line(ridge(c, low - 10, low + 10, 10), (236, 244, 246), 5 + (low - horizon) // 30)
    if "boat" in seen:
        c.polygon([(x - 4, y), (x - 4, y - 2 * size), (x - size, y)], (246, 246, 240))
        c.polygon([(x + 4, y), (x + 4, y - 2 * size), (x + size, y)], c.one_of(PAINTS))
        c.polygon([(x - size, y + 6), (x + size, y + 6), (x + size // 2, y + 30)], TAR)
    if "beach" in seen:
        shore = ridge(c, 480, 580, 10)
        c.line(shore, (240, 246, 246), 26)
        land(c, shore, c.near((222, 202, 158)))


def street(c: Canvas) -> None:
    """A road between two rows of houses that run to a point far away, with cars on it."""
    haze, x, y, half = sky(c, 180), c.number(220, 380), c.number(260, 330), c.number(200, 330)
    c.box(0, y, 600, 600, mix((176, 170, 162), haze, 20))  # the pavements
    c.polygon([(x, y), (x + half, 640), (x - half, 640)], c.near(TAR))

    def wall(side: int, far: int, near: int, low: int, high: int, colour: Colour) -> None:
        """Fill a part of a row of houses, between two distances in percent and two heights in units."""
        places, reach = [(far, low), (far, high), (near, high), (near, low)], side * (half + 90)
        c.polygon([(x + reach * d // 100, y + (270 - up) * d // 100) for d, up in places], colour)

    for side in (-1, 1):
        far = 12
        while far < 260:
            near, top, glass = far * c.number(125, 160) // 100, c.number(420, 600), c.one_of(GLASS)
            wall(side, far, near, 0, top, c.near(c.one_of(WALLS)))
            step = max(4, (near - far) // 3)
            for s in range(far + step // 4, near - step // 2, step):
                for up in range(90, top - 60, 90):
                    wall(side, s, s + step // 2, up, up + 50, c.one_of([glass] * 7 + [LIT]))
            far = near
    for s in (14, 22, 36, 58, 92):  # the dashes of the middle line
        c.box(x - s // 12, y + 3 * s, x + s // 12, y + 4 * s, SNOW)
    for s in sorted(c.number(25, 90) for _ in range(c.number(0, 4))):
        place, paints = x + c.one_of([-1, 1]) * half * s // 200, colours(c, c.one_of(PAINTS))
        shape(c, CAR_FACE, paints, place, y + 3 * s, half * s // 250)


# A car or a plane is a text: on each line a colour's name, then corners as x,y or discs as x,y,radius, in
# thousandths of the length; x runs from the tail to the nose, y up.
CAR_BODIES = [
    """paint 0,90 0,170 30,225 200,245 330,345 620,345 770,255 950,225 1000,170 990,90
       glass 235,250 345,325 460,325 460,250 480,250 480,325 605,325 715,250""",
    """paint 10,110 5,250 40,290 90,410 600,410 730,285 950,260 995,180 980,110
       glass 80,295 120,380 300,380 300,295 325,295 325,380 580,380 680,295""",
    """paint 5,100 5,450 45,485 700,485 860,300 975,250 995,110
       glass 470,300 470,440 680,440 680,300 700,300 700,440 815,300""",
]
CAR_REST = """
    shade 5,80 990,80 985,125 5,125
    lamp 930,205 985,200 990,160 945,165
    rear 3,200 40,210 40,150 3,150
    dark 200,90,112 790,90,112
    tyre 200,85,88 790,85,88
    metal 200,85,52 790,85,52"""
CAR_FACE = """
    tyre 90,0 260,0 260,200 740,200 740,0 910,0 910,200 90,200
    paint 50,110 20,400 100,490 230,740 770,740 900,490 980,400 950,110
    glass 265,690 175,510 825,510 735,690
    dark 300,420 700,420 660,290 340,290
    lamp 165,355,75 835,355,75
    shade 40,240 960,240 955,140 45,140
    metal 390,220 610,220 610,160 390,160"""
PLANES = [
    f"""trim 40,30 -10,210 75,210 190,45
        body 0,45 100,56 840,58 920,46 975,18 1000,-8 980,-30 900,-56 250,-56 80,0
        trim 60,8 970,0 985,-14 120,-12
        glass {" ".join(f"{x},26,8" for x in range(170, 940, 34))}
        wing 130,30 -30,75 -60,75 50,25
        dark 850,-30 860,-130 866,-30 620,-18 340,-155 275,-155 420,-18
        trim 420,-75 430,-55 540,-50 560,-75 540,-108 440,-100
        tyre 430,-130,22 470,-130,22 859,-130,20""",
    """trim 30,30 -10,200 70,210 200,30
       body 0,40 300,60 500,130 720,130 800,60 940,40 965,0 940,-50 800,-85 550,-85 40,0
       trim 20,20 955,20 960,-20 300,-30
       glass 470,55 530,115 700,115 760,55
       wing 450,165 740,175 770,150 750,130 460,135
       dark 560,-60 575,-60 615,-120 600,-120 830,-60 842,-60 857,-120 845,-120
       tyre 605,-120,32 850,-120,32
       dark 966,150 984,150 984,-150 966,-150""",
]
PLANE_HALVES = [  # from above: one half, the other is its mirror image
    """wing 480,165 590,160 600,190 590,220 480,215
       wing 660,40 400,460 330,460 420,40
       trim 170,20 60,170 0,170 40,20
       body 0,0 0,8 120,38 300,48 840,48 930,38 980,18 1000,0
       glass 920,0 935,0 950,20 920,28""",
    """wing 720,50 240,380 120,380 120,40
       trim 120,40 0,170 -40,170 10,30
       body 0,0 0,50 600,60 780,40 1000,0
       glass 640,0 660,24 780,18 810,0""",
]


def shape(c: Canvas, text: str, paints: dict, x: int, y: int, length: int, turn=(100, 0), flip=1, up=1):
    """Draw a shape so that the middle of its own horizontal axis lies at (x, y)."""
    for name, *places in (line.split() for line in text.strip().splitlines()):
        placed = []
        for px, py, *radius in (map(int, place.split(",")) for place in places):
            px, py = px - 500, up * py
            across = (px * turn[0] - py * turn[1]) * length // 100_000
            placed.append((x + flip * across, y - (px * turn[1] + py * turn[0]) * length // 100_000))
            for r in radius:
                c.oval(*placed[-1], r * length // 1000, r * length // 1000, paints[name])
        if not radius:
            c.polygon(placed, paints[name])


def colours(c: Canvas, paint: Colour) -> dict[str, Colour]:
    """The colours that the shapes name."""
    body = c.one_of([(242, 244, 246), (226, 230, 236), (196, 204, 212), mix(paint, SNOW, 50)])
    paints = {"paint": paint, "trim": paint, "shade": dark(paint, 30), "body": body, "wing": dark(body, 22)}
    paints |= {"glass": (92, 120, 146), "lamp": (252, 246, 210), "rear": (206, 30, 34)}
    return paints | {"dark": (44, 46, 52), "tyre": (26, 26, 30), "metal": (196, 200, 206)}


def ground(c: Canvas) -> int:
    """A sky, something at the horizon, and ground below it; return where a car or a plane stands."""
    horizon = c.height * c.number(50, 84) // 100
    haze, behind = sky(c, horizon - 60), c.one_of(["nothing", "hills", "trees", "houses"])
    floor = c.near(c.one_of([TAR, (70, 72, 78), (82, 112, 60), (150, 128, 96)]))
    if behind == "hills":
        land(c, ridge(c, horizon - 120, horizon - 20, 50), mix(c.one_of(GREENS + ROCKS), haze, 40))
    for x in range(c.number(-60, 0), 640, c.number(70, 100)):
        if behind == "trees":
            tree(c, x, horizon, c.number(110, 240), mix(c.one_of(GREENS), haze, 20), False)
        elif behind == "houses":
            house(c, x, x + 60, horizon - c.number(60, 220), horizon, 30)
    c.gradient(horizon, floor, dark(floor, 15))
    low = c.number(horizon + 20, max(horizon + 20, c.height - 40))
    c.oval(c.number(290, 310), low, 270, 14, dark(floor, 45))  # the shadow
    return low


def car(c: Canvas) -> None:
    """A car from its side or from the front: on a road, before houses, or against the sky."""
    low, paints = ground(c), colours(c, c.near(c.one_of(PAINTS)))
    if c.number(0, 3) == 0:
        shape(c, CAR_FACE, paints, c.number(220, 380), low, min(low, c.number(280, 400)))
    else:
        x, length, body = c.number(280, 320), min(2 * low, c.number(400, 560)), c.one_of(CAR_BODIES)
        shape(c, body + CAR_REST, paints, x, low, length, flip=c.one_of([-1, 1]))


def plane(c: Canvas) -> None:
    """A plane standing on the ground, flying past, or seen from above or below."""
    paints, kind = colours(c, c.near(c.one_of(PAINTS))), c.one_of(["standing", *3 * ["passing", "turning"]])
    x, length, flip, turn = c.number(285, 315), c.number(430, 560), c.one_of([-1, 1]), (100, 0)
    if kind == "standing":
        y = ground(c) - length * 15 // 100
    else:
        haze, y, turn = sky(c, c.height), c.height // 2, (100, c.number(-8, 30))
        land(c, ridge(c, c.height * 4 // 5, c.height * 3 // 2, 20), mix(c.one_of(GREENS + ROCKS), haze, 30))
    if kind == "turning":
        half, turn = c.one_of(PLANE_HALVES), c.one_of([(100, 0), (96, 28), (80, 60), (60, 80), (0, 100)])
        for up in (-1, 1):
            shape(c, half, paints, x, y, min(length, c.height * 9 // 10), turn, flip, up)
    else:
        shape(c, c.one_of(PLANES), paints, x, y, length, turn, flip)


SCENES, VEHICLES = (buildings, forest, glacier, mountain, sea, street), (car, plane)
PARTS = [  # the paths up to their numbers, what draws them, how many
    ("intel-scenes/seg_train/seg_train/{0}/{0}-train", SCENES, 24),
    ("intel-scenes/seg_test/seg_test/{0}/{0}-test", SCENES, 8),
    ("car-plane/training_set/{0}s/{0}-train", VEHICLES, 24),
    ("car-plane/val_set/{0}s/{0}-val_s", VEHICLES, 8),
]


def draw_all(folder: Path) -> int:
    """Draw every sample into ``folder``; return how many there are."""
    tasks = []
    for stem, artists, count in PARTS:
        tasks += [(f"{stem.format(a.__name__)}-{k + 1:02}.png", a) for a in artists for k in range(count)]
    # Test pictures carry no class in their names, as in the real set; a table of labels lies beside them.
    table = "file,label,class\n"
    for k, label in enumerate(np.random.default_rng(6).permutation([0] * 9 + [1] * 6)):
        tasks.append((f"car-plane/test/test-{k + 1:02}.png", VEHICLES[label]))
        table += f"test-{k + 1:02}.png,{label},{VEHICLES[label].__name__}s\n"
    for name, artist in tasks:
        rng = np.random.default_rng(list(name.encode()))  # the name is the seed
        height, part = (20 * rng.integers(17, 31), rng.integers(2, 6)) if artist in VEHICLES else (600, 4)
        canvas = Canvas(rng, int(height))
        artist(canvas)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        canvas.finished(int(part)).save(folder / name, optimize=True)
    (folder / "car-plane" / "test-labels.csv").write_bytes(table.encode())
    return len(tasks)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "samples"
    print(f"{draw_all(target)} pictures drawn")
