"""Wire layout of one block: a fixed header, the rows as they lie in memory, events as JSON.

    magic "TSB1" | u32 step | u32 rows | u32 row bytes | u32 event bytes | u32 reserved
    rows | events

The header is 24 bytes, so rows stay 8-byte aligned for a browser's Float64Array. Blocks follow
each other without padding except that the events text is padded with spaces to a multiple of 8.
Nothing here is ever unpickled: whoever can write to Redis must not be able to run code.
"""

import struct

import orjson

from tiering.model.block import Block

__all__ = ["HEADER", "MAGIC", "BadBlock", "Block", "decode", "encode"]

MAGIC = b"TSB1"
HEADER = struct.Struct("<4sIIIII")


class BadBlock(ValueError):
    """The bytes are not a block of this layout."""


def encode(block: Block) -> bytes:
    """Bytes of one block."""
    events = orjson.dumps(block.events)
    events += b" " * (-len(events) % 8)
    row_bytes = len(block.rows) // block.nr_rows if block.nr_rows else 0
    head = HEADER.pack(MAGIC, block.step, block.nr_rows, row_bytes, len(events), 0)
    return head + block.rows + events


def decode(data: bytes) -> Block:
    """The block in `data`; raises BadBlock naming what is wrong."""
    if len(data) < HEADER.size:
        raise BadBlock(f"a block has at least {HEADER.size} bytes, got {len(data)}")
    magic, step, nr_rows, row_bytes, event_bytes, _ = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise BadBlock(f"a block starts with {MAGIC!r}, got {magic!r}")
    end = HEADER.size + nr_rows * row_bytes
    if len(data) != end + event_bytes:
        raise BadBlock(f"block {step} should have {end + event_bytes} bytes, got {len(data)}")
    return Block(step, nr_rows, data[HEADER.size : end], orjson.loads(data[end:]))
