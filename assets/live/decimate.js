/* Fewer points than pixels can show, without losing an extreme: of every bucket of rows the
 * smallest and the largest value of each column is kept. All columns share the rows kept, so that
 * stacked areas stay aligned. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  /* -> Int32Array of row numbers in [first, end), ascending, about `points` of them */
  tierscope.decimate = function (columns, first, end, points) {
    const nr = end - first;
    if (nr <= points || columns.length === 0) {
      return Int32Array.from({ length: Math.max(nr, 0) }, (_, i) => first + i);
    }
    const buckets = Math.max(40, Math.floor(points / (2 * columns.length)));
    const kept = [];
    for (let bucket = 0; bucket < buckets; bucket++) {
      const from = first + Math.floor((bucket * nr) / buckets);
      const to = first + Math.floor(((bucket + 1) * nr) / buckets);
      if (to <= from) continue;
      const rows = new Set([from, to - 1]);
      for (const column of columns) {
        let low = from;
        let high = from;
        for (let i = from + 1; i < to; i++) {
          if (column[i] < column[low]) low = i;
          if (column[i] > column[high]) high = i;
        }
        rows.add(low);
        rows.add(high);
      }
      kept.push(...[...rows].sort((a, b) => a - b));
    }
    return Int32Array.from(kept);
  };
})();
