"""Which windows of an image were computed, and which took another's result? Fig. 9, as pictures."""

import base64
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mercuric.page import chart
from mercuric.page.chart import figure, plotly_text

_STATES = (
    ("H", "HIT", chart.MERCURY),
    ("U", "MAU", chart.MAU),
    ("N", "MNU", chart.MNU),
    ("Z", "HIT, zero vector", chart.ZERO_HIT),
)


def hitmap_picture(maps: pd.DataFrame, image: Path) -> go.Figure:
    """Fig. 9's outcome, window by window: the image, and the Hitmaps of channels of some layers."""
    tiles = list(maps.groupby(["layer", "channel"], sort=False))
    columns = min(4, len(tiles) + 1)
    rows = -(-(len(tiles) + 1) // columns)
    titles = ["the image", *(f"{plotly_text(str(key[0]))}, channel {key[1]}" for key, _ in tiles)]
    picture = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.03, vertical_spacing=0.12,
        figure=figure(40 + 285 * rows, "", ""),
    )  # fmt: skip
    encoded = base64.b64encode(image.read_bytes()).decode("ascii")
    picture.add_trace(go.Image(source=f"data:image/png;base64,{encoded}", hoverinfo="skip"), 1, 1)
    for place, (_, states) in enumerate(tiles, start=1):
        picture.add_trace(_hitmap(states), place // columns + 1, place % columns + 1)
    for _, label, colour in _STATES:
        picture.add_scatter(
            x=[None], y=[None], mode="markers", name=label,
            marker={"symbol": "square", "size": 11, "color": colour},
        )  # fmt: skip
    picture.update_xaxes(visible=False)
    picture.update_yaxes(visible=False, showgrid=False, autorange="reversed")
    for index in range(1, len(tiles) + 2):
        number = "" if index == 1 else str(index)
        picture.update_layout({f"yaxis{number}": {"scaleanchor": f"x{number}", "constrain": "domain"}})
        picture.update_layout({f"xaxis{number}": {"constrain": "domain"}})
    picture.update_annotations(font={"size": 12})
    picture.update_layout(hovermode="closest", legend={"y": 1 + 0.16 / rows}, margin={"t": 84})
    return picture


def _hitmap(states: pd.DataFrame) -> go.Heatmap:
    letters = "".join(letter for letter, _, _ in _STATES)
    steps = len(letters)
    scale = [
        [(place + end) / steps, colour] for place, (_, _, colour) in enumerate(_STATES) for end in (0, 1)
    ]
    rows = states.sort_values("row")["states"]
    return go.Heatmap(
        z=[[letters.index(letter) for letter in row] for row in rows],
        zmin=-0.5, zmax=steps - 0.5, colorscale=scale, showscale=False, hoverinfo="skip",
    )  # fmt: skip
