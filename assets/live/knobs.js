/* The knob form: slider and box of a knob agree, changes are marked, go into the URL before a run
 * and to the running simulation afterwards. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  const same = (a, b) => a === b || (typeof a === "number" && typeof b === "number" && Math.abs(a - b) < 1e-9);

  class Knobs {
    /* knobs: {path: {kind, value, base}}, numbers also {lo, hi, log, within: paths of their bounds} */
    constructor(lab, knobs) {
      this.lab = lab;
      this.knobs = knobs;
      this.waiting = {}; // knobs turned that this run cannot take, by path
      this.ofRun = Object.fromEntries(Object.entries(knobs).map(([path, knob]) => [path, knob.value]));
      this.clicked = (event) => {
        const button = event.target.closest("[data-reset], [data-restart]");
        if (!button) return;
        const { reset, restart } = button.dataset;
        if (reset) this.change(reset, this.knobs[reset].base);
        else if (restart === "fork") this.lab.fork(this.waiting);
        else this.takeBack();
      };
      document.addEventListener("click", this.clicked);
      for (const path of Object.keys(knobs)) this.mark(path);
    }

    close() {
      document.removeEventListener("click", this.clicked);
    }

    overrides() {
      const changed = Object.entries(this.knobs).filter(([, knob]) => !same(knob.value, knob.base));
      return Object.fromEntries(changed.map(([path, knob]) => [path, knob.value]));
    }

    /* A slider's position is the value itself, or its decimal logarithm. */
    position(knob, value) {
      return knob.log ? Math.log10(value) : value;
    }

    /* Three digits in between, and the very bounds at the ends. */
    fromSlider(knob, position) {
      const [lo, hi] = this.bounds(knob);
      if (position <= this.position(knob, lo)) return lo;
      if (position >= this.position(knob, hi)) return hi;
      let value = position;
      if (knob.log) {
        const digit = 10 ** (Math.floor(position) - 2);
        value = Math.round(10 ** position / digit) * digit;
      }
      return this.fit(knob, value);
    }

    fit(knob, value) {
      if (knob.kind === "int") value = Math.round(value);
      else value = Number(value.toPrecision(6));
      return this.hold(knob, value);
    }

    /* The range of a number in this run: other knobs may narrow it. */
    bounds(knob) {
      const [low, high] = knob.within.map((path) => this.knobs[path].value);
      const lo = Math.max(knob.lo, low ?? knob.lo);
      return [lo, Math.max(lo, Math.min(knob.hi, high ?? knob.hi))];
    }

    hold(knob, value) {
      if (!knob.within) return value;
      const [lo, hi] = this.bounds(knob);
      return Math.min(hi, Math.max(lo, value));
    }

    inForce(knob) {
      return this.hold(knob, knob.value);
    }

    /* A slider moved by hand (or by `put`, which changes nothing any more). */
    slid(path, position) {
      const knob = this.knobs[path];
      if (Math.abs(position - this.position(knob, this.inForce(knob))) < 1e-6) return;
      const value = this.fromSlider(knob, position);
      if (same(this.inForce(knob), value)) this.put(path); // back to where it belongs
      else this.change(path, value);
    }

    /* Any other control. */
    moved(path, value) {
      const knob = this.knobs[path];
      if (knob && !same(this.inForce(knob), value)) this.change(path, value);
    }

    change(path, value) {
      const before = this.knobs[path].value;
      this.show(path, value);
      if (this.lab.run === null) this.lab.writeUrl();
      else if (!this.knobs[path].live) this.wait(path, value);
      else {
        this.lab.send({ cmd: "set", knob: path, value }).then((problem) => {
          this.complain(path, problem);
          if (problem) this.show(path, before);
        });
      }
    }

    /* A change that needs a restart is kept for a fork. */
    wait(path, value) {
      if (same(value, this.ofRun[path])) delete this.waiting[path];
      else this.waiting[path] = value;
      this.row(path).classList.toggle("knob-waiting", path in this.waiting);
      const nr = Object.keys(this.waiting).length;
      document.getElementById("restart").hidden = nr === 0;
      const words = nr === 1 ? "1 change needs a restart." : nr + " changes need a restart.";
      document.getElementById("restart-words").textContent = nr ? words : "";
    }

    takeBack() {
      for (const path of Object.keys(this.waiting)) {
        this.show(path, this.ofRun[path]);
        this.wait(path, this.ofRun[path]);
      }
    }

    /* Take a value without sending it anywhere; knobs that it bounds follow. */
    show(path, value) {
      const knob = this.knobs[path];
      if (!knob) return;
      knob.value = value;
      this.put(path);
      for (const [other, bound] of Object.entries(this.knobs)) {
        if (bound.within && bound.within.includes(path)) this.put(other);
      }
    }

    /* What is in force, into the form. */
    put(path) {
      const knob = this.knobs[path];
      const value = this.inForce(knob);
      const set = (type, props) => window.dash_clientside.set_props({ type, path }, props);
      if (knob.kind === "bool") set("knob-switch", { checked: value });
      else if (knob.kind === "choice") set("knob-choice", { value });
      else {
        const [min, max] = this.bounds(knob);
        const [low, high] = [this.position(knob, min), this.position(knob, max)];
        set("knob-slider", { min: low, max: high > low ? high : low + 1, value: this.position(knob, value) });
        set("knob-box", { min, max, value });
      }
      this.mark(path);
    }

    /* As `held` in knob_form.py. */
    held(knob) {
      const value = this.inForce(knob);
      if (!knob.within || !knob.within.length || same(value, knob.value)) return "";
      const by = knob.within[value < knob.value ? 1 : 0].split(".").pop();
      return "Set to " + knob.value + ", held to " + value + " by " + by + ".";
    }

    /* After the end of a run nothing can be turned any more but in a new one. */
    freeze(again) {
      if (this.frozen) return;
      this.frozen = true;
      const form = document.getElementById("knobs");
      form.classList.add("knobs-ended");
      for (const title of form.querySelectorAll("[data-after]")) title.textContent = title.dataset.after;
      window.dash_clientside.set_props("change", { href: again });
      const types = { bool: ["knob-switch"], choice: ["knob-choice"] };
      for (const [path, knob] of Object.entries(this.knobs)) {
        for (const type of types[knob.kind] || ["knob-slider", "knob-box"]) {
          window.dash_clientside.set_props({ type, path }, { disabled: true });
        }
        const reset = document.querySelector("[data-reset='" + path + "']");
        if (reset) reset.disabled = true;
      }
    }

    row(path) {
      return document.querySelector("[data-knob='" + path + "']");
    }

    mark(path) {
      const row = this.row(path);
      const knob = this.knobs[path];
      if (!row) return;
      row.classList.toggle("knob-changed", !same(knob.value, knob.base));
      row.querySelector(".knob-held").textContent = this.held(knob);
    }

    complain(path, sentence) {
      const row = this.row(path);
      if (row) row.querySelector(".knob-problem").textContent = sentence || "";
    }
  }

  tierscope.Knobs = Knobs;

  /* Mantine calls these to turn a logarithmic slider's position into what it stands for. */
  const functions = (window.dashMantineFunctions = window.dashMantineFunctions || {});
  functions.tenTo = (position) => 10 ** position;
  functions.round = (value) => Number(Number(value).toPrecision(3)).toLocaleString("en-US");
})();
