"""Paints a scene as one self-contained SVG: no scripts, no fonts or files from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from .layout import Block, Point
from .nesting import Arrangement, Bounds, Request, nested

if TYPE_CHECKING:
    from .scene import Box, Frame, Scene, Tag

__all__ = ["paint"]

# kind -> (fill, border, text, what the legend calls it)
COLOURS = {
    "op": ("#ffffff", "#475569", "#0f172a", "operation"),
    "group": ("#e9edf3", "#475569", "#0f172a", "several operations"),
    "parameter": ("#fff3d1", "#d9a521", "#5b4203", "parameter"),
    "variable": ("#e3f6e8", "#3f9d5d", "#14532d", "variable"),
    "data": ("#e2effd", "#4d8fd1", "#123f6b", "data, no gradient"),
    "output": ("#1e293b", "#1e293b", "#ffffff", "output"),
}
LINE, QUIET, PAPER, INK, STRONG = "#7f8ea3", "#5b6878", "#ffffff", "#0f172a", "#9a3412"
FRAME_FILLS, FRAME_LINE = ("#ffffff", "#f6f8fb"), "#cbd5e1"
# What these become where pages are dark. The elements have the light ones as attributes, which programs that know no
# style sheets show; and the paper is part of the picture, so that it can be read on any page.
DARK = {
    **{PAPER: "#0f141b", FRAME_FILLS[1]: "#171d26", FRAME_LINE: "#344052"},
    **{LINE: "#7c8ba0", QUIET: "#a6b3c3", INK: "#e8edf4", STRONG: "#ff9d6b"},
    **{"#475569": "#7f8ea3", "#e9edf3": "#2a3442", "#1e293b": "#dfe7f1"},  # operations, groups, outputs
    **{"#fff3d1": "#3a2f10", "#d9a521": "#b98d22", "#5b4203": "#ffe2a0"},  # parameters
    **{"#e3f6e8": "#143022", "#3f9d5d": "#4fae72", "#14532d": "#b4efc8"},  # variables
    **{"#e2effd": "#142c47", "#4d8fd1": "#5b9bdc", "#123f6b": "#bcdcff"},  # data
}
CLASS = "wengert-graph"
TIP = ' marker-end="url(#tip)"'
SANS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
TITLE, NOTE, TAG, LONGEST = 14.0, 11.0, 11.5, 48
TAG_HEIGHT, TAG_STEP, TAG_GAP, MARGIN, LEGEND = 21.0, 26.0, 26.0, 24.0, 40.0
BOLD = ' font-weight="600"'
HALO = f' paint-order="stroke" stroke="{PAPER}" stroke-width="4" stroke-linejoin="round"'
WIDE, NARROW = set("mwMW×@%&"), set("iljtfrI.,:;|!'()[] ·")

Arrange = Callable[[Request], Arrangement]


def paint(scene: Scene, arrange: Arrange = nested) -> str:
    """Draw a scene.

    Args:
        scene: what to draw.
        arrange: finds the places: `wengert.viz.nesting.nested`, or one with its signature.

    Returns:
        The text of an SVG file.
    """
    blocks = [_block(box) for box in scene.boxes]
    request = Request(
        blocks,
        [(line.source, line.target) for line in scene.lines],
        [frame.parent for frame in scene.frames],
        [box.frame for box in scene.boxes],
        [width_of(frame_words(frame), NOTE) * 1.05 + 40 for frame in scene.frames],
    )
    layout = arrange(request)
    legend, legend_width = _legend(scene)
    picture, framed = layout.bounds[0], _framed(scene, layout)
    width = max(picture.width, legend_width) + 2 * MARGIN
    height = picture.height + 2 * MARGIN + LEGEND
    left = (width - picture.width) / 2
    painted = "\n".join(
        [
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0.5 0.8 L7.5 4 L0.5 7.2 z" fill="{LINE}"/></marker></defs>',
            f'<rect width="100%" height="100%" fill="{PAPER}"/>',
            f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">{legend}</g>',
            f'<g transform="translate({left:.1f} {MARGIN + LEGEND:.1f})">',
            *(_draw_frame(f, b, depth) for f, b, depth in framed),
            f'<g fill="none" stroke="{LINE}" stroke-width="1.3">',
            *(f'<path d="{_path(route)}"{TIP if tip else ""}/>' for _, route, tip in layout.routes),
            "</g>",
            *(_draw_title(f, b, depth) for f, b, depth in framed),
            *map(_draw, scene.boxes, blocks, layout.centres, _label_sides(scene, layout)),
            "</g>",
        ]
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{CLASS}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{SANS}" role="img" aria-label="computation graph">'
    )
    return "\n".join([head, _dark_style(painted), painted, "</svg>", ""])


def _dark_style(painted: str) -> str:
    """The dark colours of what is painted. A notebook puts the picture into its page: the rules must not reach that."""
    rules = [
        f'.{CLASS} [{what}="{light}"]{{{what}:{dark}}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
        if f'{what}="{light}"' in painted
    ]
    return "\n".join(["<style>@media (prefers-color-scheme: dark) {", *rules, "}</style>"])


def frame_words(frame: Frame) -> str:
    """What stands at the top of a frame."""
    many = f" ×{frame.times}" if frame.times > 1 else ""
    return f"{frame.title}{many}  {frame.note}"


def _framed(scene: Scene, layout: Arrangement) -> list[tuple[Frame, Bounds, int]]:
    depths = [0]
    for frame in scene.frames[1:]:
        depths.append(depths[frame.parent] + 1)
    return list(zip(scene.frames, layout.bounds, depths, strict=True))[1:]


def _draw_frame(frame: Frame, at: Bounds, depth: int) -> str:
    rest = (
        f'width="{at.width:.1f}" height="{at.height:.1f}" rx="12" fill="{FRAME_FILLS[depth % 2]}" '
        f'stroke="{FRAME_LINE}"/>'
    )
    sheets = (8, 4, 0) if frame.times > 1 else (0,)  # a stack stands for the blocks that are not shown
    return "".join(f'<rect x="{at.x + back:.1f}" y="{at.y - back:.1f}" {rest}' for back in sheets)


def _draw_title(frame: Frame, at: Bounds, depth: int) -> str:
    many = f' <tspan fill="{STRONG}">×{frame.times}</tspan>' if frame.times > 1 else ""
    note = f' <tspan dx="5" font-weight="400" fill="{QUIET}">{escape(frame.note)}</tspan>' if frame.note else ""
    return (
        f'<text x="{at.x + 14:.1f}" y="{at.y + 21:.1f}" font-size="{NOTE + 1:g}" font-weight="600" fill="{INK}"'
        f"{HALO.replace(PAPER, FRAME_FILLS[depth % 2])}>{escape(frame.title)}{many}{note}</text>"
    )


def clipped(text: str) -> str:
    """A name that fits into a box: its middle is left out if it is long. The tooltip has all of it."""
    return text if len(text) <= LONGEST else text[: LONGEST // 2 - 1] + "…" + text[1 - LONGEST // 2 :]


def width_of(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font; rather too wide than too narrow."""
    return size * sum(0.92 if c in WIDE else 0.34 if c in NARROW else 0.72 if c.isupper() else 0.6 for c in text)


def _block(box: Box) -> Block:
    half = max(26.0, (max(width_of(_heading(box), TITLE) * 1.04, width_of(clipped(box.note), NOTE)) + 26) / 2)
    height = 44.0 if box.note else 32.0
    left = right = max([half, *(10 + width_of(shape, NOTE) for shape in _few(box.gives))])
    if box.tags:
        left = max(left, half + TAG_GAP + max(map(_tag_width, box.tags)))
        height = max(height, len(box.tags) * TAG_STEP)
    return Block(left, right, height, half)


def _tag_width(tag: Tag) -> float:
    return width_of(clipped(tag.text), TAG) + width_of(tag.shape, NOTE) + 28


def _heading(box: Box) -> str:
    title = clipped(box.title)
    return f"{title} ×{box.times}" if box.times > 1 else title


def _label_sides(scene: Scene, layout: Arrangement) -> list[float]:
    """For each box where its shape stands beside the line: right (1), or left (-1) if the line bends to the right."""
    bends: list[set[bool]] = [set() for _ in scene.boxes]
    for source, route, _ in layout.routes:
        x, y = layout.centres[source]
        starts_here = abs(route[0][0] - x) < 1 and 0 < route[0][1] - y < 100
        turn = next((px - x for px, _ in route if abs(px - x) > 3), 0.0) if starts_here else 0.0
        if turn:
            bends[source].add(turn > 0)
    return [-1.0 if bend == {True} else 1.0 for bend in bends]


def _draw(box: Box, block: Block, at: Point, side: float) -> str:
    fill, border, ink, _ = COLOURS[box.kind]
    x, y = at
    top, h = y - block.height / 2, block.height
    radius = 6 if box.kind in ("op", "group") else min(16, h / 2)
    dash = ' stroke-dasharray="4 3"' if box.kind == "data" else ""
    parts = [
        f"<g><title>{escape(box.tooltip)}</title>",
        *(
            f'<rect x="{x - block.half + back:.1f}" y="{top - back:.1f}" width="{2 * block.half:.1f}" '
            f'height="{h:.1f}" rx="{radius:g}" fill="{fill}" stroke="{border}" stroke-width="1.3"{dash}/>'
            for back in ((8, 4, 0) if box.times > 1 else (0,))
        ),
        _text(x, y + (-3 if box.note else 5), _heading(box), TITLE, ink, "middle", BOLD),
    ]
    if box.note:
        parts.append(_text(x, y + 13, clipped(box.note), NOTE, QUIET, "middle"))
    parts.append("</g>")
    for i, tag in enumerate(box.tags):
        parts.append(_draw_tag(tag, x - block.half, y + (i - (len(box.tags) - 1) / 2) * TAG_STEP))
    for i, shape in enumerate(_few(box.gives)):
        anchor = "start" if side > 0 else "end"
        parts.append(_text(x + 8 * side, top + h + 12 + 12 * i, shape, NOTE, QUIET, anchor, HALO))
    return "\n".join(parts)


def _draw_tag(tag: Tag, edge: float, y: float) -> str:
    fill, border, ink, _ = COLOURS[tag.kind]
    width = _tag_width(tag)
    right = edge - TAG_GAP
    return "\n".join(
        [
            f"<g><title>{escape(tag.tooltip)}</title>",
            f'<path d="M{right:.1f} {y:.1f} H{edge:.1f}" fill="none" stroke="{LINE}" stroke-width="1.3" '
            'marker-end="url(#tip)"/>',
            f'<rect x="{right - width:.1f}" y="{y - TAG_HEIGHT / 2:.1f}" width="{width:.1f}" height="{TAG_HEIGHT:g}" '
            f'rx="{TAG_HEIGHT / 2:g}" fill="{fill}" stroke="{border}"/>',
            _text(right - width + 10, y + 4, clipped(tag.text), TAG, ink, "start"),
            _text(right - 10, y + 4, tag.shape, NOTE, QUIET, "end"),
            "</g>",
        ]
    )


def _few(shapes: list[str]) -> list[str]:
    return shapes if len(shapes) <= 2 else [shapes[0], f"and {len(shapes) - 1} more"]


def _legend(scene: Scene) -> tuple[str, float]:
    """A swatch and a word for each kind that the picture has, and how wide that is."""
    used = {box.kind for box in scene.boxes} | {tag.kind for box in scene.boxes for tag in box.tags}
    parts, x = [], 0.0
    for kind, (fill, border, _, word) in COLOURS.items():
        if kind in used:
            parts.append(
                f'<rect x="{x:.1f}" y="0" width="14" height="14" rx="4" fill="{fill}" stroke="{border}"/>'
                + _text(x + 20, 11, word, NOTE, QUIET, "start")
            )
            x += 20 + width_of(word, NOTE) + 22
    return "".join(parts), max(0.0, x - 22)


def _text(x: float, y: float, text: str, size: float, ink: str, anchor: str, more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{ink}" text-anchor="{anchor}"{more}>'
        f"{escape(text)}</text>"
    )


def _path(route: list[Point]) -> str:
    (x, y), *rest = route
    curves = " ".join(f"{a:.1f} {b:.1f}" for a, b in rest)
    return f"M{x:.1f} {y:.1f} C{curves}" if rest else f"M{x:.1f} {y:.1f}"
