/* The Lab page: joins the connection, the store and everything that shows them. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  class Lab {
    /* config: what tiering/ui/pages/lab.py put into the page's store */
    constructor(config) {
      this.config = config;
      this.run = config.run;
      this.status = config.run === null ? "before" : "waiting";
      this.until = config.until_s;
      this.store = null;
      this.zoom = null;
      this.hover = null; // simulated time under the pointer
      this.locked = null; // where a click locked the line
      this.picker = new tierscope.MmPicker(this, config.mms);
      this.drawing = config.drawing; // the charts as they will be
      this.planned = new tierscope.Store(this.picker.drawing(config.drawing));
      this.draw = new tierscope.DrawLoop();
      this.bar = new tierscope.RunBar(this);
      this.log = new tierscope.EventLog(document.getElementById("log"));
      this.figures = new tierscope.Figures(document.getElementById("figures"));
      this.knobs = new tierscope.Knobs(this, config.knobs);
      this.theme = new MutationObserver(() => this.draw.mark());
      this.theme.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
      this.sized = new ResizeObserver(() => {
        for (const view of this.draw.views) view.fitLegend();
        this.draw.mark();
      });
      this.sized.observe(document.getElementById("charts"));
      const bar = document.querySelector(".run-bar"); // grows with the sentence of a problem
      this.risen = new ResizeObserver(() => bar.parentElement.style.setProperty("--bar-now", bar.offsetHeight + "px"));
      this.risen.observe(bar);
      this.grid = new tierscope.Grid(this);
      this.showZoom();
      this.showCharts();
      this.bar.buttons(this.status);
      this.bar.clock(0, this.until, 0);
      tierscope.plotly(config.plotly).then(() => this.draw.mark());
      if (this.run !== null) this.connect();
    }

    close() {
      if (this.connection) this.connection.close();
      this.theme.disconnect();
      this.sized.disconnect();
      this.risen.disconnect();
      for (const part of [this.draw, this.bar, this.log, this.figures, this.knobs, this.grid, ...this.draw.views]) part.close();
    }

    showCharts() {
      for (const view of this.draw.views) view.close();
      this.draw.views = [...document.querySelectorAll(".chart")].map((root) => new tierscope.ChartView(this, root));
      for (const view of this.draw.views) view.build();
      this.draw.mark();
    }

    entry(id) {
      return (this.store || this.planned).charts.find((entry) => entry.chart.id === id);
    }

    connect() {
      this.connection = new tierscope.Connection(this.run, {
        drawing: (drawing) => this.setDrawing(drawing),
        meta: (meta) => this.setMeta(meta),
        blocks: (blocks, behind) => this.take(blocks, behind),
        lost: () => this.lost("connection lost"),
        gone: () => {
          this.bar.status("this run is gone", "failed");
          this.bar.buttons("gone");
        },
      });
    }

    setDrawing(drawing) {
      if (this.store) return; // after a reconnect: it is known already
      this.drawing = drawing;
      this.store = new tierscope.Store(this.picker.drawing(drawing));
      this.showCharts();
    }

    setMeta(meta) {
      if (meta.problem) {
        this.bar.problem(meta.problem + " The page keeps what it has and goes on by itself.");
        this.lost("connection lost");
        return;
      }
      this.bar.problem(meta.status === "failed" ? "The run failed. " + meta.error : "");
      if (!this.meta || this.meta.why_empty !== meta.why_empty) this.draw.mark();
      this.meta = meta;
      this.until = meta.until_s || this.until;
      const ended = meta.final && meta.status !== this.status;
      this.status = meta.status;
      this.bar.status(meta.words, meta.words.startsWith("worker lost") ? "lost" : meta.status);
      this.bar.buttons(meta.status);
      this.figures.elapsed(meta.result);
      window.dash_clientside.set_props("speed", { value: String(meta.speed), disabled: meta.final });
      this.showClock();
      if (ended) this.draw.mark();
      if (meta.final) this.knobs.freeze(this.addressBefore());
    }

    /* What a chart without rows says. */
    whyEmpty() {
      if (this.run === null) return "Press Run, and this chart fills.";
      return this.meta ? this.meta.why_empty : "Asking for the rows of this run.";
    }

    lost(words) {
      const upTo = this.store && this.store.nr ? ", data up to " + this.store.now.toFixed(1) + " s" : "";
      this.bar.status(words + upTo, "lost");
    }

    /* behind: whether more of the history is on its way. -> the last step the page has */
    take(blocks, behind) {
      const turned = {};
      for (const block of blocks) {
        if (block.rowFloats !== this.store.rowFloats && block.nr) continue;
        if (!this.picker.push(block)) continue;
        this.log.add(block.events);
        for (const event of block.events) {
          if (event.kind === "knob") turned[event.knob] = event.value;
        }
      }
      for (const [knob, value] of Object.entries(turned)) this.knobs.show(knob, value);
      this.showClock();
      this.figures.show(this.store);
      this.draw.mark();
      this.draw.hurry(!behind);
      return blocks[blocks.length - 1].step;
    }

    showClock() {
      const now = this.store ? this.store.now : 0;
      const work = this.store ? this.store.progress : 0;
      const done = this.status === "done";
      this.bar.clock(now, this.until, done ? 1 : Math.min(1, Math.max(now / this.until, work || 0)));
    }

    range() {
      if (this.zoom) return this.zoom;
      const final = tierscope.FINAL.includes(this.status);
      return tierscope.timeRange(this.store, this.until, final);
    }

    zoomTo(range) {
      this.zoom = range;
      this.showZoom();
      this.writeUrl();
      this.draw.mark();
    }

    showZoom() {
      const { classList } = document.getElementById("charts");
      classList.toggle("zoomed", this.zoom !== null);
      classList.toggle("cursor-locked", this.locked !== null);
    }

    /* Where the line is: where it was locked, else under the pointer. */
    get cursor() {
      return this.locked ?? this.hover;
    }

    /* Lock the line at a time, or let it go. */
    lock(t) {
      this.locked = this.locked === null ? t : null;
      this.showZoom();
      this.writeUrl();
      this.followCursor();
    }

    moveCursor(t) {
      if (this.hover === t) return;
      this.hover = t;
      if (this.locked === null) this.followCursor();
    }

    followCursor() {
      if (this.moving) return;
      this.moving = requestAnimationFrame(() => {
        this.moving = null;
        for (const view of this.draw.views) if (view.visible) view.showValues();
      });
    }

    /* What is shown lives in the address, and before a run its settings, so that a copied link opens the same. */
    writeUrl() {
      const before = location.pathname.startsWith("/lab/");
      if (!before && !location.pathname.startsWith("/run/")) return; // the page is being left
      const query = new URLSearchParams(before ? "" : location.search);
      if (before) this.writeSettings(query);
      this.grid.write(query);
      this.picker.write(query);
      const search = query.toString().replaceAll("%2C", ",");
      history.replaceState(history.state, "", location.pathname + (search ? "?" + search : ""));
    }

    writeSettings(query) {
      for (const [path, value] of Object.entries(this.knobs.overrides())) query.append("set", path + "=" + value);
      if (this.config.seed !== this.config.base_seed) query.set("seed", this.config.seed);
      if (this.config.speed !== 10) query.set("speed", this.config.speed);
    }

    /* The order of the charts and what is hidden go along to the run. */
    layout() {
      const query = new URLSearchParams();
      this.grid.write(query);
      this.picker.write(query);
      query.delete("zoom");
      query.delete("at");
      const search = query.toString().replaceAll("%2C", ",");
      return search ? "?" + search : "";
    }

    /* Begin a run with these settings, and again with the same ones once it has ended. */
    async start() {
      const again = this.run !== null;
      this.bar.buttons("gone");
      const answer = await tierscope.post("/api/runs", {
        scenario: this.config.scenario,
        seed: this.config.seed,
        overrides: again ? this.config.overrides : this.knobs.overrides(),
        speed: this.speed,
      });
      this.bar.problem(answer.error);
      if (answer.run) tierscope.go("/run/" + answer.run, this.layout());
      else this.bar.buttons(this.status);
    }

    /* Another run with the knobs as they were last turned; this one goes on. */
    /* change: knobs by path that the new run begins with beside those turned in this one */
    async fork(change = {}) {
      const answer = await tierscope.post("/api/runs/" + this.run + "/fork", { change });
      this.bar.problem(answer.error);
      if (answer.run) tierscope.go("/run/" + answer.run, "");
    }

    get speed() {
      return this.meta ? this.meta.speed : this.config.speed;
    }

    /* Where the settings of this run can be changed before another one. */
    addressBefore() {
      const query = new URLSearchParams();
      const others = Object.entries(this.config.overrides).filter(([path]) => !(path in this.config.knobs));
      const wanted = [...others, ...Object.entries(this.knobs.overrides())]; // as the form shows it
      for (const [path, value] of wanted) query.append("set", path + "=" + value);
      query.set("seed", this.config.seed);
      query.set("speed", this.speed);
      return "/lab/" + encodeURIComponent(this.config.scenario) + "?" + query.toString();
    }

    /* -> the sentence of a refusal, or "" */
    async send(message) {
      const answer = await tierscope.post("/api/runs/" + this.run + "/control", message);
      if (message.cmd !== "set") this.bar.problem(answer.error);
      return answer.error || "";
    }

    setSpeed(speed) {
      if (this.run === null) {
        if (this.config.speed === speed) return;
        this.config.speed = speed;
        this.writeUrl();
      } else if (this.meta && !this.meta.final && this.meta.speed !== speed) {
        this.meta.speed = speed;
        this.send({ cmd: "speed", value: speed });
      }
    }

    /* value: what the box holds */
    setSeed(value) {
      if (this.run !== null || value === this.config.seed) return;
      const { seed, most_seed: most } = this.config;
      this.config.seed = tierscope.told(value) ? Math.min(most, Math.max(0, Math.trunc(Number(value)))) : seed;
      if (this.config.seed !== value) {
        tierscope.afterwards(() => window.dash_clientside.set_props("seed", { value: this.config.seed }));
      }
      if (this.config.seed !== seed) this.writeUrl();
    }
  }

  tierscope.Lab = Lab;
})();
