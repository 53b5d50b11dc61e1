/* The key figures: newest numbers, and their change since the last knob move. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const EVERY_MS = 200; // digits that change faster cannot be read

  /* "+4.2", "-0.3", or nothing if it rounds to zero. */
  function signed(change, decimals) {
    const text = tierscope.number(Math.abs(change), decimals);
    if (Number(text.replace(/,/g, "")) === 0) return "";
    return (change > 0 ? "+" : "\u2212") + text;
  }

  class Figures {
    constructor(root) {
      this.root = root;
      this.last = 0;
      this.timer = null;
    }

    close() {
      clearTimeout(this.timer);
    }

    show(store) {
      const wait = this.last + EVERY_MS - performance.now();
      if (this.timer !== null) return;
      this.timer = setTimeout(() => {
        this.timer = null;
        this.last = performance.now();
        this.write(store);
      }, Math.max(wait, 0));
    }

    write(store) {
      for (const { figure, now, base } of store.figures) {
        const box = this.root.querySelector("[data-figure='" + figure.id + "']");
        if (!box) continue;
        const none = figure.zero_is_none && now === 0;
        const text = none ? "\u2013" : tierscope.number(now, figure.decimals);
        box.querySelector(".figure-value").textContent = text;
        const change = now - base;
        const told = figure.delta && Number.isFinite(change) && store.marks.length > 0;
        box.querySelector(".figure-delta").textContent = told ? signed(change, figure.decimals) : "";
      }
    }

    elapsed(result) {
      const box = this.root.querySelector("[data-figure='elapsed'] .figure-value");
      const known = result && result.elapsed_s !== null && result.elapsed_s !== undefined;
      box.textContent = known ? tierscope.number(result.elapsed_s, 2) : "\u2013";
    }
  }

  tierscope.Figures = Figures;
})();
