/* One number of a series from one row, as tiering/charts/evaluate.py works it out. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  /* Of sorted values; between two of them in proportion. */
  function quantile(sorted, part) {
    const place = part * (sorted.length - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
  }

  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const REDUCE = {
    sum,
    mean: (sorted) => sum(sorted) / sorted.length,
    min: (sorted) => sorted[0],
    max: (sorted) => sorted[sorted.length - 1],
    p10: (sorted) => quantile(sorted, 0.1),
    median: (sorted) => quantile(sorted, 0.5),
    p90: (sorted) => quantile(sorted, 0.9),
  };

  /* Sorted values that count; sorted once for all series of the same numbers in a row. */
  function sorted(series, row, positive, known) {
    const key = series.at + (positive ? "+" : " ") + series.members.join();
    if (known && known.has(key)) return known.get(key);
    let values = row.subarray(series.at, series.at + series.count);
    if (series.members.length) values = Float64Array.from(series.members, (place) => values[place]);
    const found = values.filter((value) => (positive ? value > 0 : Number.isFinite(value))).sort();
    if (known) known.set(key, found);
    return found;
  }

  /* The number of a series in one row (Float64Array), before it is a rate or held; NaN if there is none.
   * positive: only such values count. known: Map that lives as long as the row. */
  tierscope.pick = function (series, row, positive, known) {
    if (!series.reduce) return row[series.at] * series.scale;
    const values = sorted(series, row, positive && !series.per_s, known);
    return values.length ? REDUCE[series.reduce](values) * series.scale : NaN;
  };

  /* Turns the numbers of one series, row by row, into what is drawn. */
  tierscope.Column = class {
    constructor(series, positive) {
      Object.assign(this, { series, positive, before: 0, last: NaN, values: new Float64Array(1024) });
    }

    push(nr, row, seconds, known) {
      const { series } = this;
      let value = tierscope.pick(series, row, this.positive, known);
      if (series.per_s) [value, this.before] = [(value - this.before) / seconds, value];
      if (this.positive && !(value > 0)) value = NaN;
      if (series.hold) value = this.last = Number.isNaN(value) ? this.last : value;
      if (nr === this.values.length) this.values = tierscope.longer(this.values);
      return (this.values[nr] = value);
    }
  };

  tierscope.longer = function (old) {
    const column = new Float64Array(old.length * 2);
    column.set(old);
    return column;
  };
})();
