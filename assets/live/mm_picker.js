/* Which mms have lines of their own where there are too many for all (tiering/ui/components/mm_picker.py). */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  class MmPicker {
    /* config: {first, fewest, picked: [[mm, name]], colours}, or null where every mm has a line */
    constructor(lab, config) {
      this.lab = lab;
      this.config = config;
      this.picked = config ? config.picked : [];
      this.next = null; // the store with other lines, until it has caught up
    }

    /* The names that were chosen, out of all. */
    pick(chosen, names) {
      if (!this.config || chosen.join() === this.names()) return;
      this.picked = chosen.map((name) => [names.indexOf(name), name]);
      this.lab.writeUrl();
      this.redraw();
    }

    /* The rows are asked for again, and what is shown stays until they are here. */
    redraw() {
      const { lab } = this;
      const store = new tierscope.Store(this.drawing(lab.drawing));
      if (lab.store && lab.store.nr) {
        this.next = store;
        lab.connection.close();
        lab.connect();
        return;
      }
      if (lab.store) lab.store = store;
      else lab.planned = store;
      lab.showCharts();
    }

    /* Take a block; -> whether it is news to what was shown. */
    push(block) {
      const { lab, next } = this;
      if (!next) return lab.store.push(block);
      next.push(block);
      if (next.step < lab.store.step) return false;
      const news = next.step > lab.store.step;
      lab.store = next;
      this.next = null;
      lab.showCharts();
      return news;
    }

    names() {
      return this.picked.map(([, name]) => name).join();
    }

    /* The same charts with lines for those that are picked. */
    drawing(plain) {
      if (!this.config) return plain;
      return { ...plain, charts: plain.charts.map((chart) => ({ ...chart, series: chart.series.flatMap((one) => this.lines(one)) })) };
    }

    /* In place of the line of the first picked mm those of all, in place of the others none. */
    lines(series) {
      if (series.picked < 0) return [series];
      if (series.picked > 0) return [];
      const { first, colours } = this.config;
      return this.picked.map(([mm, name], nr) => ({
        ...series,
        name: name + series.name.slice(first.length),
        at: series.at + (mm - series.mm) * series.stride,
        colour: colours[nr],
        picked: nr,
        mm,
      }));
    }

    /* Adds what differs from how the page comes. */
    write(query) {
      query.delete("mms");
      if (this.config && this.names() !== this.config.fewest.join()) query.set("mms", this.names());
    }
  }

  tierscope.MmPicker = MmPicker;
})();
