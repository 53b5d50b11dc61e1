/* The event log: kernel-style lines, bounded, following the end unless the reader scrolled up. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const MOST_LINES = 500;

  tierscope.logLine = function (event) {
    return "[" + (event.t_ns / 1e9).toFixed(6).padStart(13) + "] " + event.text;
  };

  class EventLog {
    constructor(root) {
      this.root = root;
      this.waiting = [];
      this.dropped = 0;
      this.frame = null;
    }

    close() {
      cancelAnimationFrame(this.frame);
      this.root.replaceChildren();
    }

    add(events) {
      if (!events.length) return;
      this.waiting.push(...events);
      if (this.waiting.length > MOST_LINES) {
        this.dropped += this.waiting.length - MOST_LINES;
        this.waiting = this.waiting.slice(-MOST_LINES);
      }
      if (this.frame === null) this.frame = requestAnimationFrame(() => this.write());
    }

    write() {
      this.frame = null;
      const { root } = this;
      const following = root.scrollTop + root.clientHeight >= root.scrollHeight - 4;
      const lines = document.createDocumentFragment();
      for (const event of this.waiting) {
        const line = document.createElement("div");
        line.textContent = tierscope.logLine(event);
        if (event.kind && event.kind !== "log") line.className = "log-" + event.kind;
        lines.append(line);
      }
      this.waiting = [];
      root.append(lines);
      while (root.childElementCount > MOST_LINES) {
        root.firstElementChild.remove();
        this.dropped += 1;
      }
      root.dataset.dropped = this.dropped ? "last " + MOST_LINES + " lines" : "";
      if (following) root.scrollTop = root.scrollHeight;
    }
  }

  tierscope.EventLog = EventLog;
})();
