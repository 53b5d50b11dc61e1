/* The Runs page: all runs known to the server, kept up to date; filter, order and selection. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const EVERY_MS = 1000;
  const LONGEST_WAIT_MS = 8000;

  const values = (changes) => Object.entries(changes).map(([path, value]) => path.split(".").pop() + " " + value);

  class Runs {
    /* config: {figures: [{id, decimals}]} */
    constructor(config) {
      this.config = config;
      this.byId = new Map();
      this.revision = 0;
      this.loaded = false;
      this.lost = new Set();
      this.words = {};
      this.picked = new Set();
      this.failures = 0;
      const query = new URLSearchParams(location.search);
      this.query = query.get("q") || "";
      this.wanted = query.get("status") || "";
      this.sort = query.get("sort") || "-age";
      this.table = new tierscope.RunTable(this);
      this.actions = new tierscope.RunActions(this);
      window.dash_clientside.set_props("runs-filter", { value: this.query });
      window.dash_clientside.set_props("runs-status", { value: this.wanted });
      this.awake = () => { if (!document.hidden) this.hurry(); };
      document.addEventListener("visibilitychange", this.awake);
      this.follow();
    }

    close() {
      this.closed = true;
      clearTimeout(this.timer);
      document.removeEventListener("visibilitychange", this.awake);
      this.table.close();
      this.actions.close();
    }

    hurry() {
      clearTimeout(this.timer);
      if (!this.asking) this.follow();
    }

    async follow() {
      this.asking = true;
      const problem = document.hidden && this.loaded ? "" : await this.ask();
      this.asking = false;
      if (this.closed) return;
      this.failures = problem ? this.failures + 1 : 0;
      this.actions.problem(problem ? problem + " The list keeps what it has and goes on by itself." : "");
      this.timer = setTimeout(() => this.follow(), Math.min(EVERY_MS * 2 ** this.failures, LONGEST_WAIT_MS));
    }

    /* Fetch what changed; everything where runs are missed. -> the sentence of a problem, or "" */
    async ask() {
      const first = await this.page("after=" + this.revision);
      if (first.error) return first.error;
      if (first.revision < this.revision) return this.again();
      let part = first;
      this.take(part);
      while (part.runs.length >= 1000 && !this.closed) {
        part = await this.page("after=" + this.revision + "&before=" + part.runs[part.runs.length - 1].revision);
        if (part.error) return part.error;
        this.take(part);
      }
      this.revision = first.revision;
      if (this.byId.size > first.total) return this.again();
      this.loaded = true;
      this.show();
      return "";
    }

    /* Others deleted runs, or the server is another one. */
    again() {
      this.byId.clear();
      this.revision = 0;
      return this.ask();
    }

    async page(query) {
      try {
        const answer = await fetch("/api/runs?" + query);
        return await answer.json();
      } catch (error) {
        if (error instanceof TypeError || error instanceof SyntaxError) return { error: "The server does not answer." };
        throw error;
      }
    }

    take(part) {
      if (this.closed) return;
      for (const run of part.runs) {
        run.text = this.textOf(run);
        this.byId.set(run.run, run);
      }
      this.lost = new Set(part.lost);
      this.words = part.words;
      if (!this.loaded) this.show();
    }

    textOf(run) {
      const tags = run.tags.map((tag) => "#" + tag);
      const told = [run.run, run.name, run.scenario, run.title, run.status, run.note, "seed " + run.seed];
      return [...told, ...tags, ...values(run.changed), ...values(run.turned)].join(" ").toLowerCase();
    }

    statusWords(run) {
      if (this.lost.has(run.run)) return this.words.lost;
      return run.status === "waiting" ? this.words.waiting : run.status;
    }

    changesOf(run) {
      const turned = values(run.turned).map((change) => "turned " + change);
      return [...values(run.changed), ...turned].join(", ");
    }

    keyOf(run) {
      const by = this.sort.replace("-", "");
      if (by === "name") return (run.name || run.run).toLowerCase();
      if (by === "status") return run.status;
      if (by === "age") return run.created_at;
      return run.figures[by];
    }

    /* Runs that the view shows, in its order; those without the value come last either way. */
    ordered() {
      const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (run) => {
        if (this.wanted === "unfinished" ? tierscope.FINAL.includes(run.status) : this.wanted && run.status !== this.wanted) return false;
        return words.every((word) => run.text.includes(word));
      };
      const keyed = [...this.byId.values()].filter(fits).map((run) => [this.keyOf(run), run]);
      const sign = this.sort.startsWith("-") ? -1 : 1;
      keyed.sort(([a, left], [b, right]) => {
        if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
        if (a !== b) return a < b ? -sign : sign;
        return right.created_at - left.created_at || (left.run < right.run ? -1 : 1);
      });
      return keyed.map(([, run]) => run);
    }

    show() {
      for (const run of this.picked) if (!this.byId.has(run)) this.picked.delete(run);
      this.rows = this.ordered();
      this.table.show(this.rows);
      this.actions.show();
      this.tellEmpty();
    }

    tellEmpty() {
      const empty = document.getElementById("runs-empty");
      empty.hidden = this.rows.length > 0 || !this.loaded;
      empty.textContent = this.byId.size
        ? "No run fits this filter: shorten it, or choose all."
        : "No runs yet. Open a scenario of the gallery and press Run; it appears here.";
    }

    view(changes) {
      Object.assign(this, changes);
      const query = new URLSearchParams();
      if (this.query) query.set("q", this.query);
      if (this.wanted) query.set("status", this.wanted);
      if (this.sort !== "-age") query.set("sort", this.sort);
      const search = query.toString();
      if (location.pathname === "/runs") {
        history.replaceState(history.state, "", location.pathname + (search ? "?" + search : ""));
      }
      this.show();
    }

    pick(run, picked) {
      if (picked) this.picked.add(run);
      else this.picked.delete(run);
      this.actions.show();
      this.table.tellAll();
    }
  }

  tierscope.Runs = Runs;
})();
