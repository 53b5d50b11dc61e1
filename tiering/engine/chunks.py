"""Candidates waiting for migration, packed: a chunk holds those of one granule, in order.

Up to 512 of them are kept as 16-bit offsets, more as a bitmap of the granule, so that a queue that
holds every folio of the machine takes an eighth of a byte a folio. Nothing is lost or reordered.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE
from tiering.engine.jit import loop

BITMAP_WORDS = GRANULE // 16
DENSE = BITMAP_WORDS
"""More candidates than this make a bitmap."""

GRANULE_OF, NR, STAMP, LEFT = range(4)  # columns of `head`
FIRST, END, WORD, WORD_END, PLACE, WAITING = range(6)  # fields of `at`


class Chunks(NamedTuple):
    """head: i64[H, 4] granule, candidates, ns of arrival and candidates left of each chunk. words:
    u16[W] offsets or bitmaps. at: i64[6] first and last chunk, first and last word, place inside
    the first chunk (candidates taken, or bits passed), candidates waiting."""

    head: NDArray[np.int64]
    words: NDArray[np.uint16]
    at: NDArray[np.int64]


def chunks(nr_chunks: int, nr_words: int) -> Chunks:
    """An empty queue of that size."""
    return Chunks(
        np.zeros((nr_chunks, 4), np.int64), np.zeros(nr_words, np.uint16), np.zeros(6, np.int64)
    )


def with_room(queue: Chunks, nr_chunks: int, nr_words: int) -> Chunks:
    """The queue with room for as many more: packed to the front, or in larger arrays."""
    at = queue.at
    if at[END] + nr_chunks <= queue.head.shape[0] and at[WORD_END] + nr_words <= queue.words.size:
        return queue
    head = queue.head[at[FIRST] : at[END]].copy()
    words = queue.words[at[WORD] : at[WORD_END]].copy()
    chunks_needed, words_needed = len(head) + nr_chunks, words.size + nr_words
    if chunks_needed > queue.head.shape[0] // 2 or words_needed > queue.words.size // 2:
        queue = chunks(
            max(2 * chunks_needed, queue.head.shape[0]), max(2 * words_needed, queue.words.size)
        )._replace(at=at)
    queue.head[: len(head)] = head
    queue.words[: words.size] = words
    at[FIRST], at[END], at[WORD], at[WORD_END] = 0, len(head), 0, words.size
    return queue


def without(queue: Chunks, gone: NDArray[np.bool_]) -> None:
    """Take chunks out of the queue, whatever is left of them; gone: bool[at[END] - at[FIRST]]."""
    at = queue.at
    head = queue.head[at[FIRST] : at[END]]
    words = queue.words[at[WORD] : at[WORD_END]]
    kept = head[~gone]
    kept_words = words[np.repeat(~gone, np.minimum(head[:, NR], BITMAP_WORDS))]
    at[WAITING] -= head[gone, LEFT].sum()
    if gone[:1].any():
        at[PLACE] = 0
    queue.head[: len(kept)] = kept
    queue.words[: kept_words.size] = kept_words
    at[FIRST], at[END], at[WORD], at[WORD_END] = 0, len(kept), 0, kept_words.size


@loop
def room_needed(found, nr_folios):  # type: ignore[no-untyped-def]
    """(chunks, words) that the first nr_folios of these reports take."""
    nr_chunks = np.int64(0)
    nr_words = np.int64(0)
    first = np.int64(0)
    for end in found.ends:
        if first >= nr_folios:
            break
        nr_chunks += 1
        nr_words += min(min(end, nr_folios) - first, BITMAP_WORDS)
        first = end
    return nr_chunks, nr_words


@loop
def push(queue, found, nr_folios):  # type: ignore[no-untyped-def]
    """Append the first nr_folios of these reports, which arrive when they are handed on; there is
    room."""
    at = queue.at
    first = np.int64(0)
    for run in range(found.ends.size):
        end = min(found.ends[run], nr_folios)
        if first >= end:
            break
        nr = end - first
        head = queue.head[at[END]]
        head[GRANULE_OF], head[NR] = np.int64(found.folios[first]) // GRANULE, nr
        head[STAMP], head[LEFT] = found.stamps[run], nr
        words = queue.words[at[WORD_END] :]
        if nr > DENSE:
            words[:BITMAP_WORDS] = 0
            for j in range(first, end):
                offset = found.folios[j] % np.uint32(GRANULE)
                words[offset >> np.uint32(4)] |= np.uint16(1 << (offset & np.uint32(15)))
        else:
            for j in range(first, end):
                words[j - first] = np.uint16(found.folios[j] % np.uint32(GRANULE))
        at[END] += 1
        at[WORD_END] += min(nr, BITMAP_WORDS)
        at[WAITING] += nr
        first = end


@loop
def expand(queue, granule, most, out):  # type: ignore[no-untyped-def]
    """Folio indices (u32) of what is left of the first chunk, into out[]; returns their number.

    Enough is written for whoever wants at most `most`, but not all if it is more.
    """
    at = queue.at
    head = queue.head[at[FIRST]]
    base = np.uint32(granule * GRANULE)
    n = np.int64(0)
    if head[NR] <= DENSE:
        for i in range(at[PLACE], min(head[NR], at[PLACE] + most)):
            out[n] = base + np.uint32(queue.words[at[WORD] + i])
            n += 1
        return n
    for word in range(at[PLACE] >> 4, BITMAP_WORDS):
        bits = np.uint32(queue.words[at[WORD] + word])
        if word == at[PLACE] >> 4:
            bits = (bits >> np.uint32(at[PLACE] & 15)) << np.uint32(at[PLACE] & 15)
        for bit in range(16):
            out[n] = base + np.uint32(word * 16 + bit)
            n += np.int64((bits >> np.uint32(bit)) & np.uint32(1))
        if n >= most:
            break
    return n


@loop
def consume(queue, granule, out, done):  # type: ignore[no-untyped-def]
    """Take the first `done` of the candidates that `expand` gave; an empty chunk leaves."""
    at = queue.at
    head = queue.head[at[FIRST]]
    at[WAITING] -= done
    head[LEFT] -= done
    if head[LEFT] == 0:
        at[WORD] += min(head[NR], BITMAP_WORDS)
        at[FIRST] += 1
        at[PLACE] = 0
    elif head[NR] <= DENSE:
        at[PLACE] += done
    elif done > 0:
        at[PLACE] = np.int64(out[done - 1]) - granule * GRANULE + 1
