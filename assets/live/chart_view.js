/* One chart on the page: its plot, its legend with values, and the line under the cursor. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  const MOST_LEGEND_PIXELS = 72; // four lines
  const [EQUAL, LITTLE] = [1, 9]; // time of the main thread for others, to that for drawing
  const A_MOMENT_MS = 150;

  tierscope.number = function (value, decimals) {
    if (value === null || value === undefined || Number.isNaN(value)) return "\u2013";
    return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  };

  class ChartView {
    /* lab: the page object with store, zoom and cursor; root: the card of this chart */
    constructor(lab, root) {
      this.lab = lab;
      this.root = root;
      this.id = root.dataset.chart;
      this.plot = root.querySelector(".chart-plot");
      this.legend = root.querySelector(".chart-legend");
      this.line = root.querySelector(".chart-cursor");
      this.told = new tierscope.ToldView(root);
      this.dirty = true;
      this.visible = true;
      this.points = 0;
      this.observer = new IntersectionObserver((seen) => {
        this.visible = seen[seen.length - 1].isIntersecting;
        if (this.visible) lab.draw.kick();
      });
      this.observer.observe(root);
      this.listeners = new AbortController(); // the next view of this card has its own
      const { signal } = this.listeners;
      this.zoom = new tierscope.DragZoom(this, root.querySelector(".chart-selection"), signal);
      this.plot.addEventListener("mousemove", (event) => lab.moveCursor(this.timeAt(event.clientX)), { signal });
      this.plot.addEventListener("mouseleave", () => lab.moveCursor(null), { signal });
    }

    close() {
      this.observer.disconnect();
      this.listeners.abort();
      if (window.Plotly) window.Plotly.purge(this.plot);
      this.legend.replaceChildren();
    }

    get entry() {
      return this.lab.entry(this.id);
    }

    /* Legend for the series of this chart; called when they are known. */
    build() {
      const { chart } = this.entry;
      this.empty = this.root.querySelector(".chart-empty");
      this.values = chart.series.map((series) => {
        const item = document.createElement("span");
        item.className = "legend-item";
        item.title = series.meaning;
        const swatch = document.createElement("i");
        swatch.className = "swatch swatch-" + series.style + " swatch-" + series.dash;
        swatch.style.setProperty("--swatch", series.colour === "ink" ? "var(--ts-text)" : series.colour);
        const value = document.createElement("b");
        item.append(swatch, series.name + " ", value);
        this.legend.append(item);
        return value;
      });
      this.note = document.createElement("span");
      this.note.className = "legend-note";
      this.note.textContent = chart.note;
      this.legend.append(this.note);
      this.fitLegend();
    }

    /* As many lines as it takes at this width; values have room of their own, so nothing jumps. */
    fitLegend() {
      this.legend.style.height = "";
      this.legend.style.height = Math.min(this.legend.scrollHeight, MOST_LEGEND_PIXELS) + "px";
    }

    async render() {
      const range = this.lab.range();
      const { width, height } = this.plot.getBoundingClientRect();
      if (width < 40 || height < 40) return;
      const figure = tierscope.figure(this.entry, this.lab.store, range, Math.floor(width), Math.floor(height));
      await window.Plotly.react(this.plot, figure.data, figure.layout, { staticPlot: true });
      if (this.listeners.signal.aborted) return; // other lines were picked meanwhile
      const started = this.lab.store && this.lab.store.nr > 0;
      const { empty, nothing } = this.entry.chart;
      const valueless = started && this.entry.low === Infinity;
      this.empty.textContent = empty || (!started ? this.lab.whyEmpty() : valueless ? nothing : "");
      this.told.show(this.entry, this.lab.store, range);
      this.points = figure.data.length ? figure.data[0].x.length : 0;
      this.plot.dataset.points = this.points;
      this.showValues();
    }

    /* Simulated time under a pixel of the window; null outside the plot. */
    timeAt(clientX) {
      const box = this.plot.getBoundingClientRect();
      const { l, r } = tierscope.MARGIN;
      const part = (clientX - box.left - l) / (box.width - l - r);
      const [from, to] = this.lab.range();
      if (part < -1e-6 || part > 1 + 1e-6) return null;
      return from + Math.min(1, Math.max(0, part)) * (to - from);
    }

    showValues() {
      const { store, cursor } = this.lab;
      const entry = this.entry;
      const row = !store ? -1 : cursor === null ? store.nr - 1 : store.rowAt(cursor);
      entry.chart.series.forEach((series, at) => {
        const value = row < 0 ? NaN : entry.columns[at][row];
        const decimals = series.unit ? 0 : entry.chart.decimals;
        this.values[at].textContent = tierscope.number(value, decimals) + (series.unit ? " " + series.unit : "");
      });
      const above = entry.chart.references.filter((line) => !tierscope.drawnReferences(entry).includes(line));
      const quiet = entry.chart.references.filter((line) => line.quiet && !above.includes(line));
      const far = [...above, ...quiet].map((line) => line.name + " " + tierscope.number(line.value, line.quiet ? 2 : 0) + " " + entry.chart.unit);
      this.note.textContent = [...(store && store.nr ? far : []), entry.chart.note].filter(Boolean).join("; ");
      this.showLine();
    }

    showLine() {
      const { cursor } = this.lab;
      const [from, to] = this.lab.range();
      const inside = cursor !== null && cursor >= from && cursor <= to;
      this.line.hidden = !inside;
      if (!inside) return;
      const { l, r } = tierscope.MARGIN;
      const width = this.plot.clientWidth - l - r;
      this.line.style.left = l + (width * (cursor - from)) / (to - from) + "px";
    }
  }

  /* Draws one chart after the other, at most half of the time of the main thread; while a long
   * history arrives a tenth, or the drawing of what is soon out of date would take longest. */
  class DrawLoop {
    constructor() {
      this.views = [];
      this.next = 0;
      this.timer = null;
      this.rendering = false;
      this.share = EQUAL;
      this.closed = false;
      this.wake = () => this.kick();
      document.addEventListener("visibilitychange", this.wake);
    }

    close() {
      this.closed = true;
      clearTimeout(this.later);
      document.removeEventListener("visibilitychange", this.wake);
    }

    mark() {
      for (const view of this.views) view.dirty = true;
      this.kick();
    }

    kick() {
      if (this.timer === null && !this.closed) this.timer = setTimeout(() => this.turn(), 0);
    }

    /* Leave the time to others for a moment, or no longer. */
    hurry(now) {
      clearTimeout(this.later);
      if (!now) this.later = setTimeout(() => this.hurry(true), A_MOMENT_MS);
      else if (this.share !== EQUAL && !this.rendering) {
        clearTimeout(this.timer);
        this.timer = null;
      }
      this.share = now ? EQUAL : LITTLE;
      this.kick();
    }

    async turn() {
      const view = this.pick();
      let pause = 0;
      if (view) {
        const began = performance.now();
        view.dirty = false;
        this.rendering = true;
        await view.render();
        this.rendering = false;
        pause = Math.max((performance.now() - began) * this.share, 8);
      }
      this.timer = null;
      if (view && !this.closed) this.timer = setTimeout(() => this.turn(), pause);
    }

    pick() {
      if (document.hidden || !window.Plotly || this.closed) return null;
      for (let i = 0; i < this.views.length; i++) {
        const at = (this.next + i) % this.views.length;
        if (this.views[at].dirty && this.views[at].visible) {
          this.next = at + 1;
          return this.views[at];
        }
      }
      return null;
    }
  }

  tierscope.ChartView = ChartView;
  tierscope.DrawLoop = DrawLoop;
})();
