/* What the page keeps of a run: one growing column of numbers per series, nothing else of a row. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const NS_PER_S = 1e9;

  function median(values) {
    const sorted = Float64Array.from(values).sort();
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  const REDUCE = {
    sum: (values) => values.reduce((a, b) => a + b, 0),
    min: (values) => values.reduce((a, b) => Math.min(a, b), Infinity),
    max: (values) => values.reduce((a, b) => Math.max(a, b), -Infinity),
    median,
  };

  /* The number of a series in one row; a row is a Float64Array. NaN if there is none. */
  function pick(series, row) {
    if (!series.reduce) return row[series.at] * series.scale;
    if (!series.count) return NaN;
    return REDUCE[series.reduce](row.subarray(series.at, series.at + series.count)) * series.scale;
  }

  class Store {
    constructor(drawing) {
      this.nr = 0;
      this.time = new Float64Array(1024);
      this.rowFloats = drawing.row_floats;
      this.charts = drawing.charts.map((chart) => ({
        chart,
        columns: chart.series.map(() => new Float64Array(1024)),
        high: 0,
        low: Infinity,
      }));
      this.figures = drawing.figures.map((figure) => ({ figure, now: NaN, base: NaN }));
      this.progressOf = drawing.progress; // share of the fixed work that is done
      this.progress = 0;
      this.marks = [];
      this.step = -1;
    }

    get now() {
      return this.nr ? this.time[this.nr - 1] : 0;
    }

    /* Take one decoded block; a step seen before is ignored. -> whether it was new */
    push(block) {
      if (block.step <= this.step) return false;
      this.step = block.step;
      for (let i = 0; i < block.nr; i++) {
        this.row(block.rows.subarray(i * block.rowFloats, (i + 1) * block.rowFloats));
      }
      if (block.nr) this.newest(block.rows.subarray(-block.rowFloats));
      for (const event of block.events) {
        if (event.kind === "knob") this.mark(event);
      }
      return true;
    }

    row(row) {
      if (this.nr === this.time.length) this.grow();
      this.time[this.nr] = row[0] / NS_PER_S;
      for (const entry of this.charts) this.chartRow(entry, row);
      this.nr += 1;
    }

    /* What is told of the newest row alone. */
    newest(row) {
      for (const entry of this.figures) entry.now = pick(entry.figure.series, row);
      this.progress = pick(this.progressOf, row);
    }

    chartRow(entry, row) {
      const logarithmic = entry.chart.range === "log";
      let stack = 0;
      entry.chart.series.forEach((series, at) => {
        let value = pick(series, row);
        if (logarithmic && !(value > 0)) value = NaN;
        entry.columns[at][this.nr] = value;
        if (series.style === "hover" || Number.isNaN(value)) return;
        if (series.style === "area") value = stack += value;
        entry.high = Math.max(entry.high, value);
        entry.low = Math.min(entry.low, value);
      });
    }

    mark(event) {
      const name = event.knob.split(".").pop();
      this.marks.push({ t: event.t_ns / NS_PER_S, label: name + " " + event.value });
      for (const entry of this.figures) entry.base = entry.now;
    }

    grow() {
      const larger = (old) => {
        const column = new Float64Array(old.length * 2);
        column.set(old);
        return column;
      };
      this.time = larger(this.time);
      for (const entry of this.charts) entry.columns = entry.columns.map(larger);
    }

    /* Index of the newest row at or before time t (seconds); -1 if there is none. */
    rowAt(t) {
      let lo = 0;
      let hi = this.nr;
      while (lo < hi) {
        const middle = (lo + hi) >> 1;
        if (this.time[middle] <= t) lo = middle + 1;
        else hi = middle;
      }
      return lo - 1;
    }
  }

  tierscope.Store = Store;
})();
