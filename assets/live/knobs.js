/* The knob form: slider and box of a knob agree, changes are marked, go into the URL before a run
 * and to the running simulation afterwards. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});

  const same = (a, b) => a === b || (typeof a === "number" && typeof b === "number" && Math.abs(a - b) < 1e-9);

  class Knobs {
    /* knobs: {path: {base, value, kind, log, lo, hi, decimals, live}} */
    constructor(lab, knobs) {
      this.lab = lab;
      this.knobs = knobs;
      this.clicked = (event) => {
        const button = event.target.closest("[data-reset]");
        if (button) this.change(button.dataset.reset, this.knobs[button.dataset.reset].base);
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

    fromSlider(knob, position) {
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
      return Math.min(knob.hi, Math.max(knob.lo, value));
    }

    /* A control moved by hand (or by `show`, which changes nothing any more). */
    moved(path, value) {
      const knob = this.knobs[path];
      if (knob && !same(knob.value, value)) this.change(path, value);
    }

    change(path, value) {
      const before = this.knobs[path].value;
      this.show(path, value);
      if (this.lab.run === null) this.lab.writeUrl();
      else {
        this.lab.send({ cmd: "set", knob: path, value }).then((problem) => {
          this.complain(path, problem);
          if (problem) this.show(path, before);
        });
      }
    }

    /* Put a value into the form without sending it anywhere. */
    show(path, value) {
      const knob = this.knobs[path];
      if (!knob) return;
      knob.value = value;
      const set = (type, props) => window.dash_clientside.set_props({ type, path }, props);
      if (knob.kind === "bool") set("knob-switch", { checked: value });
      else if (knob.kind === "choice") set("knob-choice", { value });
      else {
        set("knob-slider", { value: this.position(knob, value) });
        set("knob-box", { value });
      }
      this.mark(path);
    }

    /* After the end of a run nothing can be turned any more. */
    freeze() {
      if (this.frozen) return;
      this.frozen = true;
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
      if (row) row.classList.toggle("knob-changed", !same(knob.value, knob.base));
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
