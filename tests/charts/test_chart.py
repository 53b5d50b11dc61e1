import numpy as np
import orjson
import pytest

from tests.charts.rows import columns, rows, shape
from tests.charts.setting import setting
from tiering.charts.chart import Series, as_json, series_json
from tiering.charts.evaluate import evaluate
from tiering.charts.table import lab_charts


def test_a_series_knows_where_its_number_lies_in_a_row() -> None:
    of = shape("redis", "rocksdb")
    made = rows(of, 1)
    made["mm_node.resident_mib"][0] = [[1, 2], [3, 4]]
    found = series_json(Series("x", "mm_node.resident_mib", (1, 0)), columns(of))
    flat = np.frombuffer(made.tobytes(), "<f8")
    assert flat[found["at"]] == 3


def test_a_reduced_series_spans_its_sub_array() -> None:
    of = shape("a", "b", "c")
    made = rows(of, 1)
    made["mm.scan_period_ms"][0] = [400, 2000, 5000]
    found = series_json(Series("x", "mm.scan_period_ms", reduce="max"), columns(of))
    flat = np.frombuffer(made.tobytes(), "<f8")[found["at"] : found["at"] + found["count"]]
    assert flat.tolist() == [400, 2000, 5000]


@pytest.mark.parametrize("index", [(), (2,), (0, 0), (-1,)])
def test_an_index_outside_the_row_is_an_error(index: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="resident_mib"):
        series_json(Series("x", "node.resident_mib", index), columns(shape()))


def test_every_chart_goes_through_json_unchanged() -> None:
    of = columns(shape("redis", "rocksdb"))
    for chart in lab_charts(of, setting()):
        told = as_json(chart, of)
        assert orjson.loads(orjson.dumps(told)) == told
        assert all(series["meaning"] for series in told["series"])


def test_page_and_export_agree_on_every_number() -> None:
    of = shape("redis", "rocksdb")
    made = rows(of, 3)
    made.view("<f8").reshape(3, -1)[:, 1:] = np.random.default_rng(1).random((3, 1)) + np.arange(
        made.dtype.itemsize // 8 - 1
    )
    flat = np.frombuffer(made.tobytes(), "<f8").reshape(3, -1)
    for chart in lab_charts(columns(of), setting()):
        values = evaluate(chart, made)
        for series in as_json(chart, columns(of))["series"]:
            if series["reduce"] or series["per_s"]:
                continue
            at = flat[:, series["at"]] * series["scale"]
            np.testing.assert_array_equal(values[series["name"]], at)
