from tests.charts.rows import columns, shape
from tiering.charts.figures import FIGURES, figures_json


def test_every_figure_finds_its_column_in_any_run() -> None:
    for of in (shape(), shape("a", "b", threads=())):
        told = figures_json(columns(of))
        assert [figure["id"] for figure in told] == [figure.id for figure in FIGURES]


def test_without_threads_the_busy_share_sums_nothing() -> None:
    told = {figure["id"]: figure for figure in figures_json(columns(shape(threads=())))}
    assert told["cpu"]["series"]["count"] == 0


def test_a_scan_period_of_nothing_is_not_a_number() -> None:
    """A run without a scanner says 0 ms; the page shows a dash."""
    told = {figure["id"]: figure["zero_is_none"] for figure in figures_json(columns(shape()))}
    assert [name for name, none in told.items() if none] == ["period"]
