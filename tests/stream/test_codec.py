import struct

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiering.model.metrics import RowShape, row_dtype
from tiering.stream.codec import MAGIC, BadBlock, Block, decode, encode

EVENTS = st.lists(st.fixed_dictionaries({"t_ns": st.integers(0, 2**53), "text": st.text()}))


@given(
    step=st.integers(0, 2**32 - 1),
    nr_rows=st.integers(0, 5),
    width=st.integers(1, 9),
    events=EVENTS,
    data=st.data(),
)
def test_a_block_survives_the_round_trip(
    step: int, nr_rows: int, width: int, events: list[dict[str, object]], data: st.DataObject
) -> None:
    size = nr_rows * width * 8
    block = Block(step, nr_rows, data.draw(st.binary(min_size=size, max_size=size)), events)
    assert decode(encode(block)) == block


def test_the_header_is_laid_out_as_documented() -> None:
    data = encode(Block(7, 2, bytes(32), [{"t_ns": 5, "text": "é"}]))
    magic, step, rows, row_bytes, event_bytes, reserved = struct.unpack_from("<4sIIIII", data)
    assert (magic, step, rows, row_bytes, reserved) == (MAGIC, 7, 2, 16, 0)
    assert event_bytes % 8 == 0
    assert len(data) == 24 + 32 + event_bytes
    assert orjson.loads(data[56:]) == [{"t_ns": 5, "text": "é"}]


def test_rows_come_back_as_the_columns_they_were() -> None:
    dtype = row_dtype(RowShape(("DRAM", "CXL"), ("a",), ()))
    rows = np.zeros(2, dtype)
    rows["time_ns"] = [1e8, 2e8]
    rows["node.resident_mib"] = [[1, 2], [3, 4]]
    array = decode(encode(Block(0, 2, rows.tobytes()))).array(dtype)
    assert array["node.resident_mib"].tolist() == [[1, 2], [3, 4]]
    assert array.tobytes() == rows.tobytes()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "at least 24 bytes, got 0"),
        (b"\x80\x04" + bytes(40), "starts with b'TSB1'"),
        (encode(Block(3, 1, bytes(8)))[:-1], "block 3 should have 40 bytes, got 39"),
        (encode(Block(3, 1, bytes(8))) + b"x", "block 3 should have 40 bytes, got 41"),
    ],
)
def test_bytes_that_are_no_block_are_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(BadBlock, match=sentence):
        decode(data)
