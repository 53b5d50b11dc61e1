/* Where the charts are: their order, which is large, which are hidden; and what of it is in the address. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const ARROWS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
  const KEYS = ["order", "hide", "show", "big", "zoom", "at"];

  class Grid {
    constructor(lab) {
      this.lab = lab;
      this.root = document.getElementById("charts");
      this.shelf = document.getElementById("chart-shelf");
      this.first = this.ids();
      this.hiddenFirst = this.first.filter((id) => this.card(id).dataset.hidden === "true");
      this.hidden = new Set(this.hiddenFirst);
      this.big = null;
      this.listeners = new AbortController();
      const { signal } = this.listeners;
      const part = document.querySelector(".lab-main");
      part.addEventListener("click", (event) => this.clicked(event), { signal });
      part.addEventListener("keydown", (event) => this.pressed(event), { signal });
      part.addEventListener("pointerdown", (event) => this.grab(event), { signal });
      this.read(new URLSearchParams(location.search));
      this.arrange();
    }

    close() {
      this.listeners.abort();
    }

    cards() {
      return [...this.root.querySelectorAll(":scope > .chart")];
    }

    ids() {
      return this.cards().map((card) => card.dataset.chart);
    }

    card(id) {
      return this.root.querySelector(":scope > [data-chart='" + id + "']");
    }

    /* What the address asks for; names that there are not are passed over. */
    read(query) {
      const listed = (key) => (query.get(key) || "").split(",").filter((id) => this.first.includes(id));
      for (const id of listed("hide")) this.hidden.add(id);
      for (const id of listed("show")) this.hidden.delete(id);
      for (const id of listed("order").reverse()) this.root.prepend(this.card(id));
      this.big = listed("big")[0] || null;
      const numbers = (key) => (query.get(key) || "").split("-").map(Number);
      const [from, to] = numbers("zoom");
      if (to > from) this.lab.zoom = [from, to];
      const [at] = numbers("at");
      if (query.get("at") && at >= 0) this.lab.locked = at;
    }

    /* Adds what differs from how the page comes. */
    write(query) {
      for (const key of KEYS) query.delete(key);
      const ids = this.ids();
      if (ids.join() !== this.first.join()) query.set("order", ids.join());
      const hide = [...this.hidden].filter((id) => !this.hiddenFirst.includes(id));
      const show = this.hiddenFirst.filter((id) => !this.hidden.has(id));
      if (hide.length) query.set("hide", hide.join());
      if (show.length) query.set("show", show.join());
      if (this.big) query.set("big", this.big);
      const { zoom, locked } = this.lab;
      if (zoom) query.set("zoom", zoom.map((t) => t.toFixed(3)).join("-"));
      if (locked !== null) query.set("at", locked.toFixed(3));
    }

    changed() {
      this.arrange();
      this.lab.writeUrl();
      this.lab.draw.mark();
    }

    arrange() {
      for (const card of this.cards()) {
        const id = card.dataset.chart;
        card.hidden = this.hidden.has(id);
        card.classList.toggle("chart-big", id === this.big);
        const button = card.querySelector("[data-chart-action='big']");
        if (button) button.setAttribute("aria-pressed", String(id === this.big));
      }
      const named = this.ids().filter((id) => this.hidden.has(id));
      this.shelf.replaceChildren(...named.map((id) => this.back(id)));
    }

    back(id) {
      const button = document.createElement("button");
      const title = this.card(id).querySelector("h2").firstChild.textContent;
      Object.assign(button, { className: "chart-back", textContent: "Show " + title, type: "button" });
      Object.assign(button.dataset, { chartAction: "show", of: id });
      return button;
    }

    clicked(event) {
      const button = event.target.closest("[data-chart-action]");
      if (!button) return;
      const id = button.dataset.of || button.closest(".chart").dataset.chart;
      const action = button.dataset.chartAction;
      if (action === "move") return;
      if (action === "hide") this.hidden.add(id);
      if (action === "show") this.hidden.delete(id);
      if (action === "big") this.big = this.big === id ? null : id;
      if (action === "hide" && this.big === id) this.big = null;
      this.changed();
      if (action === "show") this.card(id).querySelector("[data-chart-action='hide']").focus();
    }

    pressed(event) {
      if (event.key === "Escape" && this.big) {
        this.big = null;
        this.changed();
      }
      const handle = event.target.closest("[data-chart-action='move']");
      if (!handle || !(event.key in ARROWS)) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(handle.closest(".chart"), ARROWS[event.key]);
      handle.focus();
    }

    /* One place on or back among those that are shown. */
    move(card, by) {
      const shown = this.cards().filter((one) => !one.hidden);
      const other = shown[shown.indexOf(card) + by];
      if (!other) return;
      if (by < 0) other.before(card);
      else other.after(card);
      this.changed();
    }

    /* Drag a chart by its handle: it takes the place of the one under the pointer. */
    grab(event) {
      const handle = event.target.closest("[data-chart-action='move']");
      if (!handle || event.button !== 0) return;
      const card = handle.closest(".chart");
      const { signal } = this.listeners;
      card.classList.add("chart-moving");
      const over = (move) => {
        const at = document.elementFromPoint(move.clientX, move.clientY);
        const other = at && at.closest("#charts > .chart");
        if (!other || other === card) return;
        const cards = this.cards();
        if (cards.indexOf(other) < cards.indexOf(card)) other.before(card);
        else other.after(card);
      };
      const drop = () => {
        card.classList.remove("chart-moving");
        document.removeEventListener("pointermove", over);
        this.changed();
      };
      document.addEventListener("pointermove", over, { signal });
      document.addEventListener("pointerup", drop, { signal, once: true });
    }
  }

  tierscope.Grid = Grid;
})();
