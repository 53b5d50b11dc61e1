/* What people do to runs of the list, and the entry points of the Runs page that Dash calls. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const plural = (nr) => nr + (nr === 1 ? " run" : " runs");

  class RunActions {
    constructor(runs) {
      this.runs = runs;
      this.usable = {};
      this.clicked = (event) => {
        const button = event.target.closest("[data-runs]");
        if (button && !button.disabled) this.act(button.dataset.runs);
      };
      document.addEventListener("click", this.clicked);
    }

    close() {
      document.removeEventListener("click", this.clicked);
    }

    get picked() {
      return [...this.runs.picked].map((id) => this.runs.byId.get(id)).filter(Boolean);
    }

    show() {
      const { picked } = this;
      const some = picked.length > 0;
      const running = picked.some((run) => !tierscope.FINAL.includes(run.status));
      const usable = { again: some, fork: some, stop: running, edit: some, delete: some };
      for (const [name, now] of Object.entries(usable)) {
        if (this.usable[name] !== now) set("runs-" + name, { disabled: !now });
      }
      this.usable = usable;
      const { rows, byId } = this.runs;
      const shown = rows && rows.length !== byId.size ? rows.length + " of " + plural(byId.size) : plural(byId.size);
      document.getElementById("runs-count").textContent = shown + (some ? ", " + picked.length + " selected" : "");
    }

    problem(sentence) {
      this.lost = sentence;
      this.tell();
    }

    tell() {
      const box = document.getElementById("runs-problem");
      box.textContent = this.lost || this.refused || "";
      box.hidden = !box.textContent;
    }

    async each(runs, path, body) {
      this.refused = "";
      const answers = await Promise.all(runs.map((run) => tierscope.post("/api/runs/" + run.run + path, body)));
      const refusal = answers.find((answer) => answer.error);
      this.refused = refusal ? refusal.error : "";
      this.tell();
      this.runs.hurry();
      return answers;
    }

    async act(name) {
      const { picked } = this;
      if (name === "again" || name === "fork") {
        const answers = await this.each(picked, "/fork", { turned: name === "fork" });
        if (answers.length === 1 && answers[0].run && name === "fork") tierscope.go("/run/" + answers[0].run, "");
      } else if (name === "stop") {
        await this.each(picked.filter((run) => !tierscope.FINAL.includes(run.status)), "/control", { cmd: "stop" });
      } else if (name === "delete") this.askToDelete(picked);
      else this.edit(picked);
    }

    askToDelete(picked) {
      const running = picked.filter((run) => !tierscope.FINAL.includes(run.status)).length;
      const stopped = running ? " " + plural(running) + " of them " + (running === 1 ? "is" : "are") + " not finished and will be stopped first." : "";
      set("runs-delete-panel", { opened: true });
      set("runs-question", { children: "Delete " + plural(picked.length) + " with all rows? This cannot be undone." + stopped });
    }

    async erase() {
      const runs = this.picked.map((run) => run.run);
      set("runs-delete-panel", { opened: false });
      const answer = await tierscope.post("/api/runs/delete", { runs });
      this.refused = answer.error || "";
      for (const run of answer.deleted || []) this.runs.byId.delete(run);
      this.runs.show();
      this.tell();
      this.runs.hurry();
    }

    edit(picked) {
      const [first] = picked;
      const one = picked.length === 1;
      this.common = first.tags.filter((tag) => picked.every((run) => run.tags.includes(tag)));
      this.edited = picked.map((run) => run.run);
      set("runs-edit-panel", { opened: true, title: one ? "Name, tags and note" : "Tags of " + plural(picked.length) });
      set("runs-edit-one", { hidden: !one });
      set("runs-name", { value: first.name });
      set("runs-note", { value: first.note });
      set("runs-tags", { value: this.common });
    }

    async save(name, note, tags) {
      const runs = this.edited;
      const add = tags.filter((tag) => !this.common.includes(tag));
      const remove = this.common.filter((tag) => !tags.includes(tag));
      const answer = runs.length === 1
        ? await tierscope.post("/api/runs/" + runs[0] + "/describe", { name, note, tags })
        : await tierscope.post("/api/runs/tag", { runs, add, remove });
      set("runs-edit-problem", { children: answer.error || "" });
      if (!answer.error) set("runs-edit-panel", { opened: false });
      this.runs.hurry();
    }
  }

  tierscope.RunActions = RunActions;

  const nothing = () => window.dash_clientside.no_update;
  function mountWhenThere(config) {
    if (!document.getElementById("runs-rows")) {
      requestAnimationFrame(() => mountWhenThere(config));
      return;
    }
    if (tierscope.runs) tierscope.runs.close();
    tierscope.runs = new tierscope.Runs(config);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    tierscope_runs: {
      mount(config) {
        mountWhenThere(config);
        return nothing();
      },
      filter(value) {
        const { runs } = tierscope;
        if (runs && runs.query !== (value || "")) runs.view({ query: value || "" });
        return nothing();
      },
      status(value) {
        const { runs } = tierscope;
        if (runs && runs.wanted !== (value || "")) runs.view({ wanted: value || "" });
        return nothing();
      },
      save(clicks, name, note, tags) {
        if (clicks && tierscope.runs) tierscope.runs.actions.save(name || "", note || "", tags || []);
        return nothing();
      },
      erase(clicks) {
        if (clicks && tierscope.runs) tierscope.runs.actions.erase();
        return nothing();
      },
      keep(clicks) {
        if (clicks) set("runs-delete-panel", { opened: false });
        return nothing();
      },
    },
  });

  document.addEventListener("keydown", (event) => {
    if (!tierscope.runs || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type='checkbox']), textarea, select, [role='dialog']")) return;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("runs-filter").focus();
    } else if (event.key === "f" && tierscope.runs.picked.size) {
      event.preventDefault();
      tierscope.runs.actions.act("fork");
    }
  });
})();
