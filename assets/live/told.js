/* Figures beside a chart, of the range of time that is shown (tiering/charts/chart.py: Told). */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const MOST_EVENTS = 1 << 19; // then every second one is forgotten
  const SPREAD = ["min", "mean", "p99", "max"];

  class Told {
    constructor(told) {
      this.told = told;
      this.column = told.series && new tierscope.Column(told.series, false);
      this.over = told.over && new tierscope.Column(told.over, false);
      this.times = [];
      this.values = [];
      this.counts = [];
      this.every = 1;
      this.seen = 0;
      this.before = null;
    }

    push(nr, row, seconds, now, known) {
      if (this.column) {
        this.column.push(nr, row, seconds, known);
        if (this.over) this.over.push(nr, row, seconds, known);
        return;
      }
      const { at, count, counter, scale } = this.told;
      this.before = this.before || new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const rose = row[counter + i] - this.before[i];
        this.before[i] = row[counter + i];
        const value = row[at + i] * scale;
        if (rose > 0 && value > 0 && this.seen++ % this.every === 0) this.keep(now, value, rose);
      }
    }

    keep(now, value, rose) {
      this.times.push(now);
      this.values.push(value);
      this.counts.push(rose);
      if (this.times.length < MOST_EVENTS) return;
      for (const name of ["times", "values", "counts"]) this[name] = this[name].filter((_, i) => i % 2 === 0);
      this.every *= 2;
    }

    /* -> {min, mean, p99, max}, {value} or {}; rows [first, end) lie in the range of time */
    figures([from, to], first, end) {
      const { how } = this.told;
      if (how === "spread") return this.spread(from, to);
      const { values } = this.column;
      if (how === "top") {
        const seen = values.subarray(first, end).filter(Number.isFinite);
        return seen.length ? { value: seen.reduce((a, b) => Math.max(a, b)) } : {};
      }
      const rise = (column) => (end > first ? column[end - 1] - (first ? column[first - 1] : 0) : 0);
      if (!this.over) return { value: rise(values) };
      const whole = rise(this.over.values);
      return whole > 0 ? { value: (100 * rise(values)) / whole } : {};
    }

    spread(from, to) {
      const found = [];
      let nr = 0;
      let sum = 0;
      this.times.forEach((t, i) => {
        if (t <= from || t > to) return;
        found.push([this.values[i], this.counts[i]]);
        nr += this.counts[i];
        sum += this.values[i] * this.counts[i];
      });
      if (!nr) return {};
      found.sort((a, b) => a[0] - b[0]);
      const wanted = Math.ceil((99 * nr) / 100);
      let at = 0;
      const p99 = found.find(([, times]) => (at += times) >= wanted)[0];
      return { nr, min: found[0][0], mean: sum / nr, p99, max: found[found.length - 1][0] };
    }
  }

  /* Fills the table and the line of a chart. */
  class ToldView {
    constructor(root) {
      this.table = root.querySelector(".told-table");
      this.line = root.querySelector(".told-line");
    }

    show(entry, store, range) {
      if (!entry.told.length || !store) return;
      const first = store.rowAt(range[0]) + 1;
      const end = store.rowAt(range[1]) + 1;
      const words = [];
      const rows = [];
      for (const one of entry.told) {
        const found = one.figures(range, first, end);
        if (one.told.how === "spread") rows.push([one.told, found]);
        else if (found.value || (one.told.how === "share" && found.value === 0)) {
          words.push(one.told.name + " " + tierscope.number(found.value, one.told.decimals) + (one.told.unit ? " " + one.told.unit : ""));
        }
      }
      this.line.textContent = words.join("; ");
      this.line.title = "of the time that is shown";
      if (rows.length) this.fill(rows, entry.chart.unit);
    }

    fill(rows, unit) {
      const cell = (kind, text) => Object.assign(document.createElement(kind), { textContent: text });
      const line = (head, cells, title) => {
        const row = document.createElement("tr");
        row.append(cell("th", head), ...cells);
        row.title = title;
        return row;
      };
      const body = rows.map(([told, found]) =>
        line(told.name, SPREAD.map((name) => cell("td", tierscope.number(found[name], told.decimals))), told.meaning)
      );
      this.table.replaceChildren(line(unit, SPREAD.map((name) => cell("th", name)), "of all visits in the time that is shown"), ...body);
    }
  }

  tierscope.Told = Told;
  tierscope.ToldView = ToldView;
})();
