/* From a chart and its columns to what Plotly draws: traces, axes, reference lines, knob marks. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const MARGIN = (tierscope.MARGIN = { l: 52, r: 10, t: 22, b: 22 });
  const NICE = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  const POINTS_PER_PIXEL = 2;
  const LABEL_GAP = 2;
  const LEAST_BORDER_PIXELS = 16;
  const SAME_PIXELS = 4; // marks as close as this share a label

  /* The next round number that is not below the value. */
  function roundUp(value) {
    if (!(value > 0)) return 1;
    const decade = 10 ** Math.floor(Math.log10(value));
    return decade * NICE.find((step) => step * decade >= value * 0.999999);
  }

  /* Axis from 0 that grows in a few large steps, so that a live chart does not creep. */
  tierscope.timeRange = function (store, until, final) {
    const now = store ? store.now : 0;
    if (final && now > 0) return [0, now];
    const end = roundUp(Math.max(now * 1.02, 10));
    return [0, until ? Math.min(end, until) : end];
  };

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(name).trim();
    return { text: get("--ts-dim"), strong: get("--ts-text"), grid: get("--ts-grid"), mark: get("--ts-mark"), card: get("--ts-card") };
  }

  /* References above the data by half are named in the legend, not drawn: they would flatten it. */
  tierscope.drawnReferences = function (entry) {
    const { chart, high } = entry;
    if (chart.range === "log") return chart.references;
    return chart.references.filter((line) => line.value <= 1.5 * high);
  };

  /* Borders of phases, as long as one can tell them apart. */
  tierscope.drawnBorders = function (store, range, width) {
    const seen = store ? store.borders.filter((mark) => mark.t >= range[0] && mark.t <= range[1]) : [];
    return seen.length * LEAST_BORDER_PIXELS > width ? [] : seen;
  };

  /* 1, 2 and 5 of every decade, or the decades alone if there are many. */
  function logTicks([from, to]) {
    const digits = to - from > 2.2 ? [1] : [1, 2, 5];
    const ticks = [];
    for (let decade = Math.floor(from); decade <= to; decade++) {
      ticks.push(...digits.map((digit) => digit * 10 ** decade));
    }
    const seen = ticks.filter((tick) => Math.log10(tick) >= from && Math.log10(tick) <= to);
    return { tickvals: seen, ticktext: seen.map((tick) => tick.toLocaleString("en-US")) };
  }

  function valueAxis(entry) {
    const { chart } = entry;
    const drawn = tierscope.drawnReferences(entry).map((line) => line.value);
    if (chart.range === "percent") return { range: [0, 103], tickvals: [0, 25, 50, 75, 100] };
    if (chart.range === "log") {
      const low = Math.min(entry.low, ...drawn, Infinity);
      const high = Math.max(entry.high, ...drawn, 0);
      if (!(low < Infinity) || !(high > 0)) return { type: "log", range: [0, 4], ...logTicks([0, 4]) };
      const range = [Math.log10(low) - 0.12, Math.log10(high) + 0.42];
      return { type: "log", range, ...logTicks(range) };
    }
    if (!entry.high) return { range: [0, 1], tickvals: [0] }; // nothing yet
    return { range: [0, roundUp(1.05 * Math.max(entry.high, ...drawn, 0))], nticks: 5 };
  }

  function trace(series, x, y, ink) {
    const base = { type: "scatter", mode: "lines", x, y, hoverinfo: "skip", showlegend: false };
    const line = { color: series.colour === "ink" ? ink.strong : series.colour, width: series.width, dash: series.dash };
    if (series.style === "step" || series.style.startsWith("band")) line.shape = "hv";
    if (series.style === "area") {
      return { ...base, line: { ...line, width: 0.5 }, stackgroup: "all", fillcolor: series.colour };
    }
    if (series.style === "band_high") return { ...base, line, fill: "tonexty", fillcolor: series.colour + "40" };
    return { ...base, line };
  }

  function references(entry, ink) {
    const logarithmic = entry.chart.range === "log";
    const lines = tierscope.drawnReferences(entry);
    return {
      shapes: lines.map((line) => ({
        type: "line", xref: "paper", x0: 0, x1: 1, y0: line.value, y1: line.value,
        line: { color: ink.strong, width: 1, dash: line.quiet ? "dot" : "dash" },
      })),
      annotations: lines.filter((line) => !line.quiet).map((line) => ({
        xref: "paper", x: 1, xanchor: "right", yanchor: "bottom", showarrow: false, borderpad: 0,
        y: logarithmic ? Math.log10(line.value) : line.value,
        text: line.name + " " + tierscope.number(line.value, 0) + " " + entry.chart.unit,
        font: { size: 10, color: ink.strong }, bgcolor: ink.card,
      })),
    };
  }

  const pen = document.createElement("canvas").getContext("2d");
  function labelWidth(text) {
    pen.font = "10px " + getComputedStyle(document.body).fontFamily;
    return pen.measureText(text).width + LABEL_GAP;
  }

  /* Marks that lie on each other, the newest first: {x, label}; x in pixels of the plot. */
  function heaps(marks, range, width) {
    const found = [];
    for (const mark of [...marks].reverse()) {
      const x = (width * (mark.t - range[0])) / (range[1] - range[0]);
      const last = found[found.length - 1];
      if (last && last.x - x < SAME_PIXELS) last.hidden += 1;
      else found.push({ x, t: mark.t, label: mark.label, border: mark.border, hidden: 0 });
    }
    for (const heap of found) if (heap.hidden) heap.label += " and " + heap.hidden + " more";
    return found;
  }

  /* Labels above the plot, where they cover nothing, on that side of their line where there is room;
   * the newest first. The line of one without room stays, and the event log has them all. */
  function placeLabels(marks, range, width) {
    const taken = [];
    const placed = [];
    for (const heap of heaps(marks, range, width)) {
      const size = labelWidth(heap.label);
      const sides = [["left", heap.x, heap.x + size], ["right", heap.x - size, heap.x]];
      const free = ([, from, to]) => from > -MARGIN.l && to < width + MARGIN.r && taken.every(([a, b]) => to <= a || from >= b);
      const side = sides.find(free);
      if (!side) continue;
      taken.push(side.slice(1));
      placed.push({ ...heap, anchor: side[0] });
    }
    return placed;
  }

  function knobMarks(store, range, width, ink) {
    const seen = store ? store.marks.filter((mark) => mark.t >= range[0] && mark.t <= range[1]) : [];
    const borders = tierscope.drawnBorders(store, range, width);
    const line = (mark, color, dash) => ({
      type: "line", yref: "paper", y0: 0, y1: 1, x0: mark.t, x1: mark.t, line: { color, width: 1, dash },
    });
    const both = [...borders.map((mark) => ({ ...mark, border: true })), ...seen];
    return {
      shapes: [...borders.map((mark) => line(mark, ink.text, "solid")), ...seen.map((mark) => line(mark, ink.mark, "dot"))],
      annotations: placeLabels(both, range, width).map(({ t, anchor, label, border }) => ({
        x: t, xanchor: anchor, yref: "paper", y: 1, yanchor: "bottom", yshift: 2,
        text: label, showarrow: false, borderpad: 0, font: { size: 10, color: border ? ink.text : ink.mark },
      })),
    };
  }

  /* -> {data, layout} for Plotly.react */
  tierscope.figure = function (entry, store, range, width, height) {
    const ink = colours();
    const data = [];
    if (entry && store && store.nr) {
      const first = Math.max(0, store.rowAt(range[0]));
      const end = Math.min(store.nr, store.rowAt(range[1]) + 2);
      const shown = entry.chart.series.map((s, at) => [s, entry.columns[at]]).filter(([s]) => s.style !== "hover");
      const rows = tierscope.decimate(shown.map(([, c]) => c), first, end, POINTS_PER_PIXEL * width);
      const x = Float64Array.from(rows, (row) => store.time[row]);
      for (const [series, column] of shown) {
        data.push(trace(series, x, Float64Array.from(rows, (row) => column[row]), ink));
      }
    }
    const lines = references(entry, ink);
    const marks = knobMarks(store, range, width - MARGIN.l - MARGIN.r, ink);
    const axis = { gridcolor: ink.grid, zerolinecolor: ink.grid, linecolor: ink.grid, tickfont: { size: 10, color: ink.text } };
    return {
      data,
      layout: {
        width, height, margin: MARGIN, hovermode: false, dragmode: false, showlegend: false,
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", uirevision: "run",
        font: { family: "inherit", size: 10, color: ink.text },
        xaxis: { ...axis, range, ticksuffix: " s", nticks: 6, showgrid: false, ticks: "outside", ticklen: 3, tickcolor: ink.grid },
        yaxis: { ...axis, fixedrange: true, separatethousands: true, ...valueAxis(entry) },
        shapes: [...lines.shapes, ...marks.shapes],
        annotations: [...lines.annotations, ...marks.annotations],
      },
    };
  };
})();
