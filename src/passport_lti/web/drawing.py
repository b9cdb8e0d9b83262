"""Charts as SVG, by pygal, in the colours of the pages."""

import sys
from typing import Any

import pygal
from pygal.style import Style

from passport_lti.web.figures import Chart

# Pygal looks for its own plug-ins at every import of anything, in a way that Python has given up.
sys.meta_path[:] = [x for x in sys.meta_path if type(x).__name__ != "PluginImportFixer"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
COLOURS = {
    "good": ("#198754", "#198754"),
    "going": ("#0dcaf0", "#0dcaf0"),
    "bad": ("#dc3545", "#dc3545"),
    "none": ("#dee2e6", "#495057"),
}
"""Light and dark, as grades.css has them for the legend beside the picture."""
WIDE, NARROW = 30, 18
"""Letters of a name that stand beside its bar."""
BAR, FRAME = 26, 50
"""Height of a lying bar and of what is around all of them, in units of the picture."""


def draw(chart: Chart, *, lying: bool, dark: bool, narrow: bool) -> bytes:
    """The picture: stacked bars, lying for long names, else standing."""
    text, ground = ("#dee2e6", "#212529") if dark else ("#212529", "#ffffff")
    style = Style(
        background=ground, plot_background=ground, foreground=text, foreground_strong=text,
        foreground_subtle=text, opacity="1", opacity_hover="1", transition="0s",
        colors=[COLOURS[series.colour][dark] for series in chart.series],
        font_family=FONT, label_font_size=12, major_label_font_size=12,
        no_data_font_size=20, tooltip_font_size=13,
    )  # fmt: skip
    kind = pygal.HorizontalStackedBar if lying else pygal.StackedBar
    labels = [_short(label, NARROW if narrow else WIDE) for label in chart.labels]
    names = labels[::-1] if lying else labels
    if lying:
        own = {"height": FRAME + BAR * len(names), "show_x_guides": True, "show_y_guides": False}
    else:
        # The name of every day would not fit below the bars of a month.
        own = {
            "height": 220, "show_minor_x_labels": False,
            "x_labels_major_every": 10 if narrow else 5,
            "y_labels_major_count": 4, "show_minor_y_labels": False,
        }  # fmt: skip
    picture = kind(
        style=style, js=[], width=340 if narrow else 640, margin=8, spacing=6,
        explicit_size=True, show_legend=False, truncate_label=-1,
        value_formatter=lambda value: f"{value:.0f}", order_min=0, x_labels=names,
        no_data_text="–", disable_xml_declaration=True, **own,
    )  # fmt: skip
    picture.add_xml_filter(_still)
    for series in chart.series:
        picture.add(series.name, series.values[::-1] if lying else series.values)
    drawn: bytes = picture.render(is_unicode=False)
    return drawn


def _still(root: Any) -> Any:
    """Without the script that pygal puts into every picture."""
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).endswith("script"):
                parent.remove(child)
    return root


def _short(label: str, most: int) -> str:
    """Names of one course's items often begin alike, so the middle is left out."""
    return label if len(label) <= most else f"{label[: most - 10]}…{label[-9:]}"
