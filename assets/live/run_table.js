/* The table of runs: only the rows in sight are in the document, whatever their number. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const MARGIN_ROWS = 6;
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 96;
  const HEIGHT = 24;
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

  tierscope.age = function (created) {
    const seconds = Math.floor(Date.now() / 1000 - created);
    for (const [size, unit] of UNITS) if (seconds >= size) return Math.floor(seconds / size) + " " + unit + " ago";
    return "just now";
  };

  function cell(row, name, ...lines) {
    const made = document.createElement("td");
    made.className = "col-" + name;
    made.append(...lines);
    row.append(made);
    return made;
  }

  function line(text, className) {
    const made = document.createElement("div");
    made.textContent = text;
    made.title = text;
    if (className) made.className = className;
    return made;
  }

  class RunTable {
    constructor(runs) {
      this.runs = runs;
      this.rows = [];
      this.made = new Map(); // run id -> {element, told}
      this.scroll = document.getElementById("runs-scroll");
      this.body = document.getElementById("runs-rows");
      this.top = document.createElement("tr");
      this.bottom = document.createElement("tr");
      for (const spacer of [this.top, this.bottom]) spacer.setAttribute("aria-hidden", "true");
      this.body.replaceChildren(this.top, this.bottom);
      this.all = document.createElement("input");
      this.all.type = "checkbox";
      this.all.setAttribute("aria-label", "Select all runs that are shown");
      document.getElementById("runs-all").replaceChildren(this.all);
      this.scrolled = () => (this.frame = this.frame || requestAnimationFrame(() => this.draw()));
      this.scroll.addEventListener("scroll", this.scrolled, { passive: true });
      this.sized = new ResizeObserver(this.scrolled);
      this.sized.observe(this.scroll);
      this.changed = (event) => this.change(event);
      this.clicked = (event) => this.click(event);
      this.table = document.getElementById("runs-table");
      this.table.addEventListener("change", this.changed);
      this.table.addEventListener("click", this.clicked);
    }

    close() {
      cancelAnimationFrame(this.frame);
      this.sized.disconnect();
      this.scroll.removeEventListener("scroll", this.scrolled);
      this.table.removeEventListener("change", this.changed);
      this.table.removeEventListener("click", this.clicked);
    }

    change({ target }) {
      if (target === this.all) {
        for (const { run } of this.rows) this.runs.pick(run, target.checked);
        this.draw();
      } else if (target.dataset.pick) this.runs.pick(target.dataset.pick, target.checked);
    }

    click(event) {
      const sort = event.target.closest("[data-sort]");
      const tag = event.target.closest("[data-tag]");
      const link = event.target.closest("a[href]");
      if (sort) {
        const by = sort.dataset.sort;
        const down = by === "name" || by === "status" ? by : "-" + by; // the usual order first
        const other = down.startsWith("-") ? by : "-" + by;
        this.runs.view({ sort: this.runs.sort === down ? other : down });
      } else if (tag) {
        window.dash_clientside.set_props("runs-filter", { value: "#" + tag.dataset.tag });
      } else if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        tierscope.go(link.getAttribute("href"), "");
      } else if (event.shiftKey && event.target.dataset.pick) this.pickTo(event.target.dataset.pick, event.target.checked);
      if (event.target.dataset.pick) this.last = event.target.dataset.pick;
    }

    /* From the row picked last up to this one. */
    pickTo(run, picked) {
      const at = [this.last, run].map((id) => this.rows.findIndex((row) => row.run === id));
      if (at.includes(-1)) return;
      for (const row of this.rows.slice(Math.min(...at), Math.max(...at) + 1)) this.runs.pick(row.run, picked);
      this.draw();
    }

    show(rows) {
      this.rows = rows;
      this.table.setAttribute("aria-rowcount", rows.length + 1);
      for (const button of this.table.querySelectorAll("[data-sort]")) {
        const by = this.runs.sort.replace("-", "") === button.dataset.sort;
        const order = this.runs.sort.startsWith("-") ? "descending" : "ascending";
        button.closest("th").setAttribute("aria-sort", by ? order : "none");
      }
      this.tellAll();
      this.draw();
    }

    tellAll() {
      const nr = this.rows.reduce((sum, { run }) => sum + this.runs.picked.has(run), 0);
      this.all.checked = nr > 0 && nr === this.rows.length;
      this.all.indeterminate = nr > 0 && nr < this.rows.length;
    }

    get rowHeight() {
      return window.matchMedia("(max-width: 900px)").matches ? 72 : 40;
    }

    draw() {
      this.frame = null;
      const high = this.rowHeight;
      const first = Math.max(0, Math.floor(this.scroll.scrollTop / high) - MARGIN_ROWS);
      const last = Math.min(this.rows.length, first + Math.ceil(this.scroll.clientHeight / high) + 2 * MARGIN_ROWS);
      const shown = this.rows.slice(first, last);
      const wanted = new Set(shown.map(({ run }) => run));
      for (const [run, { element }] of this.made) {
        if (wanted.has(run)) continue;
        element.remove();
        this.made.delete(run);
      }
      let before = this.top;
      shown.forEach((run, nr) => {
        const element = this.row(run);
        element.setAttribute("aria-rowindex", first + nr + 2);
        if (before.nextSibling !== element) before.after(element);
        before = element;
      });
      this.top.style.height = first * high + "px";
      this.bottom.style.height = (this.rows.length - last) * high + "px";
    }

    /* The row of a run, made anew only where it would say something else. */
    row(run) {
      const words = this.runs.statusWords(run);
      const told = [run.revision, words, tierscope.age(run.created_at)].join("|");
      let made = this.made.get(run.run);
      if (!made) {
        made = { element: document.createElement("tr") };
        made.box = document.createElement("input");
        made.box.type = "checkbox";
        made.box.dataset.pick = run.run;
        cell(made.element, "pick", made.box);
        this.made.set(run.run, made);
      }
      made.box.checked = this.runs.picked.has(run.run);
      made.element.classList.toggle("picked", made.box.checked);
      if (made.told !== told) {
        made.told = told;
        this.fill(made, run, words);
      }
      return made.element;
    }

    fill({ element, box }, run, words) {
      const focused = element.contains(document.activeElement) && document.activeElement !== box && document.activeElement.tagName === "A";
      while (element.childElementCount > 1) element.lastElementChild.remove();
      const name = run.name || run.run;
      box.setAttribute("aria-label", "Select " + name);
      const link = document.createElement("a");
      link.href = "/run/" + run.run;
      link.textContent = name;
      link.title = run.note || run.run;
      const of = run.parent ? run.scenario + ", from " + run.parent : run.scenario;
      cell(element, "name", link, line(run.note ? of + " \u00b7 " + run.note : of, "dim"));
      const badge = line(words, "status");
      badge.dataset.status = this.runs.lost.has(run.run) ? "lost" : run.status;
      cell(element, "status", badge, line(this.reach(run), run.error ? "reason" : "dim"));
      cell(element, "curve", this.curve(run.curve));
      for (const { id, decimals } of this.runs.config.figures) {
        const value = run.figures[id];
        cell(element, id, value === undefined ? "\u2013" : tierscope.number(value, decimals));
      }
      cell(element, "changed", line(this.runs.changesOf(run) || "nothing", run.text ? "" : "dim"), this.tags(run));
      cell(element, "age", line(tierscope.age(run.created_at)), line("seed " + run.seed, "dim"));
      if (focused) link.focus();
    }

    /* How far the run has come. */
    reach(run) {
      if (run.status === "failed") return run.error;
      if (run.rows_gone) return "rows let go, run again";
      const now = tierscope.number(run.now_s, 1) + " s";
      if (run.status === "waiting") return tierscope.number(run.until_s, 0) + " s to simulate";
      return run.status === "done" ? now : now + " of " + run.until_s + " s";
    }

    tags(run) {
      const made = document.createElement("div");
      for (const tag of run.tags) {
        const button = document.createElement("button");
        button.className = "tag";
        button.dataset.tag = tag;
        button.textContent = tag;
        button.title = "Show runs with the tag " + tag;
        made.append(button);
      }
      return made;
    }

    curve(points) {
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("viewBox", "0 0 " + WIDTH + " " + HEIGHT);
      svg.setAttribute("role", "img");
      const told = points.length ? "hits from " + points[0] + " % to " + points[points.length - 1] + " %" : "no rows yet";
      svg.setAttribute("aria-label", told);
      const drawn = document.createElementNS(SVG, "polyline");
      const step = WIDTH / Math.max(points.length - 1, 1);
      const at = (value, nr) => (nr * step).toFixed(1) + "," + (HEIGHT - 1 - (value / 100) * (HEIGHT - 2)).toFixed(1);
      drawn.setAttribute("points", points.map(at).join(" "));
      svg.append(drawn);
      return svg;
    }
  }

  tierscope.RunTable = RunTable;
})();
