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

GRANULE_OF, NR, STAMP = range(3)  # columns of `head`
FIRST, END, WORD, WORD_END, PLACE, WAITING = range(6)  # fields of `at`


class Chunks(NamedTuple):
    """head: i64[H, 3] granule, candidates and ns of arrival of each chunk. words: u16[W] offsets or
    bitmaps. at: i64[6] first and last chunk, first and last word, place inside the first chunk
    (candidates taken, or bits passed), candidates waiting."""

    head: NDArray[np.int64]
    words: NDArray[np.uint16]
    at: NDArray[np.int64]


def chunks(nr_chunks: int, nr_words: int) -> Chunks:
    """An empty queue of that size."""
    return Chunks(
        np.zeros((nr_chunks, 3), np.int64), np.zeros(nr_words, np.uint16), np.zeros(6, np.int64)
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


@loop
def _end_of_chunk(folios, i):  # type: ignore[no-untyped-def]
    """End of the run of candidates from i on that lie in one granule, in order."""
    granule = folios[i] // np.uint32(GRANULE)
    i += 1
    while i < folios.size and folios[i] > folios[i - 1]:
        if folios[i] // np.uint32(GRANULE) != granule:
            break
        i += 1
    return i


@loop
def room_needed(folios):  # type: ignore[no-untyped-def]
    """(chunks, words) that these candidates take, u32 folio indices."""
    nr_chunks = 0
    nr_words = 0
    i = 0
    while i < folios.size:
        first = i
        i = _end_of_chunk(folios, i)
        nr_chunks += 1
        nr_words += min(i - first, BITMAP_WORDS)
    return nr_chunks, nr_words


@loop
def push(queue, folios, stamp):  # type: ignore[no-untyped-def]
    """Append candidates, u32 folio indices, that arrive at `stamp` ns; room must be there."""
    at = queue.at
    i = 0
    while i < folios.size:
        granule = np.int64(folios[i]) // GRANULE
        first = i
        i = _end_of_chunk(folios, i)
        nr = i - first
        head = queue.head[at[END]]
        head[GRANULE_OF], head[NR], head[STAMP] = granule, nr, stamp
        words = queue.words[at[WORD_END] :]
        if nr > DENSE:
            words[:BITMAP_WORDS] = 0
            for j in range(first, i):
                offset = np.int64(folios[j]) % GRANULE
                words[offset >> 4] |= np.uint16(1 << (offset & 15))
        else:
            for j in range(first, i):
                words[j - first] = np.uint16(np.int64(folios[j]) % GRANULE)
        at[END] += 1
        at[WORD_END] += min(nr, BITMAP_WORDS)
        at[WAITING] += nr


@loop
def next_offset(queue):  # type: ignore[no-untyped-def]
    """Take the next candidate of the first chunk; its offset, or -1 once the chunk is used up.

    A chunk that is used up leaves the queue.
    """
    at = queue.at
    head = queue.head[at[FIRST]]
    if head[NR] > DENSE:
        while at[PLACE] < GRANULE:
            place = at[PLACE]
            word = np.int64(queue.words[at[WORD] + (place >> 4)]) >> (place & 15)
            if word == 0:
                at[PLACE] = (place | 15) + 1
                continue
            at[PLACE] += 1
            if word & 1:
                at[WAITING] -= 1
                return place
    elif at[PLACE] < head[NR]:
        at[PLACE] += 1
        at[WAITING] -= 1
        return np.int64(queue.words[at[WORD] + at[PLACE] - 1])
    at[WORD] += min(head[NR], BITMAP_WORDS)
    at[FIRST] += 1
    at[PLACE] = 0
    return np.int64(-1)
