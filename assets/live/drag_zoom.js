/* Zooming by dragging over a chart. Plotly's own would be cut off by every redraw of a live chart. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const LEAST_PIXELS = 6;

  class DragZoom {
    /* view: a ChartView; box: the element that shows what is selected */
    constructor(view, box, signal) {
      this.view = view;
      this.box = box;
      this.from = null;
      const { plot, lab } = view;
      plot.addEventListener("pointerdown", (event) => this.begin(event), { signal });
      plot.addEventListener("pointermove", (event) => this.move(event), { signal });
      plot.addEventListener("pointerup", (event) => this.end(event), { signal });
      plot.addEventListener("pointercancel", () => this.cancel(), { signal });
      plot.addEventListener("dblclick", () => lab.zoomTo(null), { signal }); // its two clicks lock and let go
    }

    begin(event) {
      if (event.button !== 0 || event.pointerType === "touch" || this.view.timeAt(event.clientX) === null) return;
      this.from = event.clientX;
      this.view.plot.setPointerCapture(event.pointerId);
    }

    move(event) {
      if (this.from === null) return;
      const [left, right] = this.span(event.clientX);
      const origin = this.view.plot.getBoundingClientRect().left;
      this.box.hidden = right - left < LEAST_PIXELS;
      this.box.style.left = left - origin + "px";
      this.box.style.width = right - left + "px";
    }

    end(event) {
      if (this.from === null) return;
      const [left, right] = this.span(event.clientX);
      this.cancel();
      if (right - left < LEAST_PIXELS) this.view.lab.lock(this.view.timeAt(event.clientX));
      else this.view.lab.zoomTo([this.view.timeAt(left), this.view.timeAt(right)]);
    }

    cancel() {
      this.from = null;
      this.box.hidden = true;
    }

    /* Both ends in pixels of the window, kept inside the plot. */
    span(clientX) {
      const area = this.view.plot.getBoundingClientRect();
      const { l, r } = tierscope.MARGIN;
      const inside = Math.min(area.right - r, Math.max(area.left + l, clientX));
      return [Math.min(this.from, inside), Math.max(this.from, inside)];
    }
  }

  tierscope.DragZoom = DragZoom;
})();
