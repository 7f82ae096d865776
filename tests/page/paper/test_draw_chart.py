"""Is what a chart has in its picture for a paper, and is what is not drawn named?"""

import base64
import io
import math
import re

import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from PIL import Image
from plotly.subplots import make_subplots

from mercuric.errors import ArgumentError
from mercuric.page import chart
from mercuric.page.chart import figure, name_layers, named
from mercuric.page.layer_charts import outcome_chart
from mercuric.page.paper.drawing import draw_chart
from mercuric.page.paper.style import COLUMN, PAGE


def bars_of(drawn: Figure) -> list[tuple[float, ...]]:
    """Left, width, bottom and height of each bar."""
    [axes] = drawn.axes
    found = [one for one in axes.patches if isinstance(one, Rectangle)]
    boxes = ((one.get_x(), one.get_width(), one.get_y(), one.get_height()) for one in found)
    return [tuple(round(float(side), 6) for side in box) for box in boxes]


def labels_of(drawn: Figure, name: str) -> list[str]:
    return [label.get_text() for label in getattr(drawn.axes[0], f"get_{name}ticklabels")()]


def legend_of(drawn: Figure) -> list[str]:
    return [text.get_text() for legend in drawn.legends for text in legend.get_texts()]


def with_bars(**layout: object) -> go.Figure:
    picture = figure(330, "", "cycles")
    for name, heights in (("one", [1, 2]), ("two", [3, None])):
        picture.add_bar(x=["a", "b"], y=heights, name=name)
    return picture.update_layout(**layout)


def test_bars_stand_side_by_side_on_one_another_or_where_they_say() -> None:
    side = bars_of(draw_chart(with_bars()))
    assert side[:3] == [(-0.4, 0.4, 0, 1), (0.6, 0.4, 0, 2), (0, 0.4, 0, 3)]
    stacked = bars_of(draw_chart(with_bars(barmode="stack", bargap=0.5)))
    assert stacked[:3] == [(-0.25, 0.5, 0, 1), (0.75, 0.5, 0, 2), (-0.25, 0.5, 1, 3)]
    placed = figure(330, "", "")
    placed.add_bar(x=[0, 4], y=[1, 2], base=[5, 6], offset=-0.38, width=0.38)
    placed.add_bar(orientation="h", y=[0], x=[2], base=[3], width=0.7)
    placed.update_layout(barmode="overlay")
    upright, _, level = bars_of(draw_chart(placed))
    assert upright == (-0.38, 0.38, 5, 1)
    assert level == (3, 2, -0.35, 0.7)


def test_names_legend_title_and_axis_titles_are_there() -> None:
    drawn = draw_chart(named(with_bars(), "vgg13 &lt;b&gt;, 2 images"))
    assert labels_of(drawn, "x") == ["a", "b"]
    assert legend_of(drawn) == ["one", "two"]
    assert drawn.axes[0].get_ylabel() == "cycles"
    assert [text.get_text() for text in drawn.texts] == ["vgg13 &lt;b&gt;, 2 images"]
    assert legend_of(draw_chart(with_bars(showlegend=False))) == []


def test_a_legend_is_over_the_plot_and_read_row_by_row() -> None:
    picture = figure(330, "", "")
    for number in range(7):
        picture.add_scatter(x=[0, 1], y=[0, number], mode="lines", name=f"a rather long name, {number}")
    drawn = draw_chart(picture)
    [legend] = drawn.legends
    assert legend.get_window_extent().y0 > drawn.axes[0].get_window_extent().y1
    places = {text.get_text(): text.get_window_extent() for text in legend.get_texts()}
    read = sorted(places, key=lambda text: (-round(places[text].y0), places[text].x0))
    assert read == [f"a rather long name, {number}" for number in range(7)]


def test_nothing_is_cut() -> None:
    layers = [f"layer{block}.{part}.conv{part}" for block in range(4) for part in range(3)]
    picture = figure(330, "", "a share of what is counted")
    name_layers(picture, layers)
    picture.add_bar(x=list(range(len(layers))), y=[0.5] * len(layers))
    drawn = draw_chart(picture)
    whole, inner = drawn.bbox, drawn.axes[0].get_tightbbox()
    assert inner is not None
    assert whole.x0 <= inner.x0 and whole.y0 <= inner.y0 and inner.x1 <= whole.x1 and inner.y1 <= whole.y1
    assert drawn.get_figwidth() == COLUMN
    assert all(label.get_rotation() == 50 for label in drawn.axes[0].get_xticklabels())


def test_what_is_cramped_in_a_column_has_both() -> None:
    picture = figure(330, "", "")
    name_layers(picture, [f"layer.{place}" for place in range(150)])
    picture.add_bar(x=list(range(150)), y=[1] * 150)
    assert draw_chart(picture).get_figwidth() == PAGE


def test_lines_points_errors_guides_and_areas() -> None:
    picture = figure(330, "bits", "found")
    picture.add_scatter(
        x=[1, 2, None, 3], y=[1, 4, None, 9], mode="lines+markers", name="RPQ",
        line={"color": "#1f7fc4", "width": 3, "dash": "dash", "shape": "hv"}, marker={"size": 9},
        error_y={"array": [0.5] * 4, "thickness": 1, "width": 0},
    )  # fmt: skip
    picture.add_scatter(x=[1], y=[2], mode="markers+text", text=["original"], name="star",
                        textposition="bottom left", marker={"symbol": "star-open", "size": 16})  # fmt: skip
    picture.add_scatter(x=[1, 2, 2], y=[1, 1, 2], fill="toself", fillcolor="rgba(0,0,0,0.2)", mode="none")
    picture.add_hline(y=1, line={"color": chart.GUIDE, "dash": "dash"})
    picture.add_hrect(y0=0, y1=1, fillcolor=chart.LOSS, opacity=0.07, line_width=0, layer="below")
    [axes] = draw_chart(picture).axes
    line, star, *_, guide = axes.lines
    assert (line.get_drawstyle(), line.get_marker(), round(line.get_linewidth(), 2)) == (
        "steps-post",
        "o",
        1.53,
    )
    assert math.isnan(line.get_ydata()[2])  # type: ignore[index]
    assert (star.get_marker(), star.get_markerfacecolor()) == ("*", "none")
    assert [text.get_text() for text in axes.texts] == ["original"]
    assert list(guide.get_ydata()) == [1, 1]
    assert len(axes.patches) == 2 and len(axes.containers) == 1


def test_axes_are_as_they_are_told() -> None:
    picture = figure(330, "", "")
    picture.add_scatter(x=[1, 300], y=[0.1, 0.9], mode="lines", showlegend=False)
    picture.update_xaxes(type="log", range=[0, 3], dtick="D2", tickformat="~g")
    picture.update_yaxes(tickformat=".0%", range=[0, 1])
    drawn = draw_chart(picture)
    assert labels_of(drawn, "x") == ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1000"]
    assert labels_of(drawn, "y") == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert drawn.axes[0].get_xlim() == pytest.approx((1, 1000))


def test_a_heat_map_has_its_figures_and_its_scale() -> None:
    picture = figure(300, "ways", "entries")
    picture.add_heatmap(
        x=["4", "16"], y=["256", "1024"], z=[[1.0, 1.2], [0.8, None]], zmin=0.8, zmax=1.2, xgap=2, ygap=2,
        colorscale=[[0, chart.LOSS], [1, chart.MERCURY]], text=[["1x", "1.2x"], ["0.8x", "none"]],
        texttemplate="%{text}", colorbar={"ticksuffix": "x", "thickness": 12, "outlinewidth": 0},
    )  # fmt: skip
    picture.update_yaxes(type="category", autorange="reversed", showgrid=False)
    picture.update_xaxes(type="category")
    drawn = draw_chart(picture)
    axes, bar = drawn.axes
    assert [text.get_text() for text in axes.texts] == ["1x", "1.2x", "0.8x", "none"]
    assert labels_of(drawn, "x") == ["4", "16"]
    assert axes.get_ylim() == (1.5, -0.5)
    assert [label.get_text() for label in bar.get_yticklabels()] == ["0.8x", "0.9x", "1x", "1.1x", "1.2x"]


def test_plots_beside_one_another_have_their_titles() -> None:
    picture = make_subplots(1, 2, subplot_titles=["the image", "a map"], figure=figure(300, "", ""))
    for column in (1, 2):
        picture.add_trace(
            go.Heatmap(z=[[0, 1]], colorscale=[[0, "#fff"], [1, "#000"]], showscale=False), 1, column
        )
    picture.update_xaxes(visible=False)
    picture.update_yaxes(visible=False)
    drawn = draw_chart(picture)
    assert [axes.get_title() for axes in drawn.axes] == ["the image", "a map"]
    assert all(isinstance(axes.get_images()[0], AxesImage) for axes in drawn.axes)


def test_an_image_is_drawn_pixel_by_pixel() -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 4), "#ff0000").save(content, format="PNG")
    picture = figure(480, "", "")
    picture.add_image(source=f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}")
    picture.update_xaxes(visible=False)
    picture.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    drawn = draw_chart(picture)
    [image] = drawn.axes[0].get_images()
    assert list(image.get_extent()) == [-0.5, 7.5, -0.5, 3.5]
    assert drawn.get_figheight() < 0.6 * COLUMN, "as high as the image"


def test_bars_under_groups() -> None:
    picture = figure(300, "", "")
    picture.add_bar(x=[["a", "a", "b"], ["dense<br>1", "reuse", "dense<br>1"]], y=[1, 2, 3])
    drawn = draw_chart(picture)
    assert [bar[0] for bar in bars_of_first(drawn)] == pytest.approx([-0.4, 0.6, 1.6])
    assert labels_of(drawn, "x") == ["dense\n1", "reuse", "dense\n1"]
    [under, _] = drawn.axes[0].child_axes
    assert [label.get_text().strip() for label in under.get_xticklabels()] == ["a", "b"]


def bars_of_first(drawn: Figure) -> list[tuple[float, ...]]:
    return [(one.get_x(), one.get_width()) for one in drawn.axes[0].patches if isinstance(one, Rectangle)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.add_pie(values=[1]), "type was 'pie'"),
        (lambda one: one.add_scatter(x=[1], y=[1], marker={"symbol": "cross"}), "symbol was 'cross'"),
        (lambda one: one.add_scatter(x=[1], y=[1], line={"shape": "spline"}), "line.shape was 'spline'"),
        (lambda one: one.add_bar(y=[1], x=[1], marker={"pattern": {"shape": "/"}}), "pattern.shape was '/'"),
        (lambda one: one.update_layout(barmode="relative"), "barmode was 'relative'"),
        (lambda one: one.update_layout(uniformtext={"mode": "hide"}), "uniformtext.mode was 'hide'"),
        (lambda one: one.update_xaxes(tickprefix="$"), "tickprefix was '$'"),
        (lambda one: one.update_yaxes(tickformat=".3e"), "tickformat was '.3e'"),
        (lambda one: one.add_annotation(x=1, y=1, text="here"), "xref was|xanchor was|text was 'here'"),
        (lambda one: one.add_shape(type="circle", x0=0, x1=1, y0=0, y1=1), "type was 'circle'"),
    ],
)  # fmt: skip
def test_what_is_not_drawn_is_named(change: object, said: str) -> None:
    picture = with_bars()
    change(picture)  # type: ignore[operator]
    with pytest.raises(ArgumentError, match=said.replace("$", re.escape("$")).replace(".3e", "[.]3e")):
        draw_chart(picture)


def test_shares_of_a_network_s_layers() -> None:
    import pandas as pd

    layers = pd.DataFrame(
        {
            "layer": ["a", "b"],
            "similar": [0.5, 0.2],
            "zero_hit": [0.1, 0.2],
            "mau": [0.3, 0.3],
            "mnu": [0.1, 0.3],
        }
    )
    drawn = draw_chart(outcome_chart(layers, "similar", "share of vectors"))
    assert len(bars_of(drawn)) == 8
    assert sum(height for *_, height in bars_of(drawn)) == pytest.approx(2)
    assert legend_of(drawn)[0] == "HIT, similar vector"
