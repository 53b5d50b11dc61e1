/* The run bar: status in words, clock, progress, and which of the buttons make sense now. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const BUTTONS = ["run", "pause", "step", "stop", "fork"];

  class RunBar {
    constructor(lab) {
      this.lab = lab;
      this.shown = "";
      this.clicked = (event) => {
        const button = event.target.closest("[data-action]");
        if (button && !button.disabled) this.act(button.dataset.action);
      };
      document.addEventListener("click", this.clicked);
    }

    close() {
      document.removeEventListener("click", this.clicked);
    }

    act(action) {
      const { lab } = this;
      if (action === "run") lab.start();
      else if (action === "fork") lab.fork();
      else if (action === "pause") lab.send({ cmd: lab.status === "paused" ? "resume" : "pause" });
      else if (action === "step" || action === "stop") lab.send({ cmd: action });
      else if (action === "unzoom") lab.zoomTo(null);
    }

    status(words, status) {
      const badge = document.getElementById("status");
      badge.textContent = words;
      badge.dataset.status = status;
    }

    buttons(status) {
      if (status === this.shown) return;
      this.shown = status;
      const usable = {
        before: ["run"], waiting: ["stop", "fork"], running: ["pause", "stop", "fork"],
        paused: ["pause", "step", "stop", "fork"],
        done: ["run", "fork"], stopped: ["run", "fork"], failed: ["run", "fork"], gone: [],
      }[status] || [];
      for (const name of BUTTONS) {
        window.dash_clientside.set_props(name + "-button", { disabled: !usable.includes(name) });
      }
      const again = tierscope.FINAL.includes(status);
      window.dash_clientside.set_props("run-button", { children: again ? "Run again" : "Run" });
      window.dash_clientside.set_props("pause-button", { children: status === "paused" ? "Resume" : "Pause" });
    }

    clock(now, until, part) {
      document.getElementById("clock").textContent = now.toFixed(1).padStart(7) + " s / " + until + " s";
      const bar = document.getElementById("progress");
      bar.value = part;
      bar.title = Math.round(100 * part) + " %";
    }

    problem(sentence) {
      const box = document.getElementById("problem");
      box.hidden = !sentence;
      box.textContent = sentence || "";
    }
  }

  tierscope.RunBar = RunBar;
})();
