/* What the page keeps of a run: one growing column of numbers per series, nothing else of a row. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const NS_PER_S = 1e9;

  const pick = (series, row) => tierscope.pick(series, row, false, null);

  class Store {
    constructor(drawing) {
      this.nr = 0;
      this.time = new Float64Array(1024);
      this.rowFloats = drawing.row_floats;
      this.charts = drawing.charts.map((chart) => ({
        chart,
        series: chart.series.map((series) => new tierscope.Column(series, chart.range === "log")),
        told: chart.told.map((told) => new tierscope.Told(told)),
        high: 0,
        low: Infinity,
      }));
      for (const entry of this.charts) Object.defineProperty(entry, "columns", { get: () => entry.series.map((one) => one.values) });
      this.figures = drawing.figures.map((figure) => ({ figure, now: NaN, base: NaN }));
      this.progressOf = drawing.progress; // share of the fixed work that is done
      this.progress = 0;
      this.marks = []; // moved knobs
      this.borders = []; // of phases
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
        if (event.kind === "phase") this.borders.push({ t: event.t_ns / NS_PER_S, label: event.name });
      }
      return true;
    }

    row(row) {
      if (this.nr === this.time.length) this.time = tierscope.longer(this.time);
      const now = row[0] / NS_PER_S;
      const seconds = now - this.now;
      const known = new Map();
      for (const entry of this.charts) this.chartRow(entry, row, now, seconds, known);
      this.time[this.nr] = now;
      this.nr += 1;
    }

    /* What is told of the newest row alone. */
    newest(row) {
      for (const entry of this.figures) entry.now = pick(entry.figure.series, row);
      this.progress = pick(this.progressOf, row);
    }

    chartRow(entry, row, now, seconds, known) {
      let stack = 0;
      entry.chart.series.forEach((series, at) => {
        let value = entry.series[at].push(this.nr, row, seconds, known);
        if (series.style === "hover" || Number.isNaN(value)) return;
        if (series.style === "area") value = stack += value;
        entry.high = Math.max(entry.high, value);
        entry.low = Math.min(entry.low, value);
      });
      for (const one of entry.told) one.push(this.nr, row, seconds, now, known);
    }

    mark(event) {
      const name = event.knob.split(".").pop();
      this.marks.push({ t: event.t_ns / NS_PER_S, label: name + " " + event.value });
      for (const entry of this.figures) entry.base = entry.now;
      for (const { chart } of this.charts) {
        for (const line of chart.references) if (line.knob === event.knob) line.value = event.value;
      }
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
