/* The live connection of one run: WebSocket with acknowledgements, resumed by step after a loss,
 * and plain polling where sockets do not get through. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const FIRST_WAIT_MS = 250;
  const LONGEST_WAIT_MS = 8000;
  const POLL_MS = 500;
  const TRIES_BEFORE_POLLING = 4;
  const SILENCE_MS = 25000; // the server says something every 10 s
  const HEELS_MS = 50; // news come every 100 ms
  const GONE = [4403, 4404];

  class Connection {
    /* on: {drawing, meta, blocks, lost, gone}; `blocks` returns the last step it has */
    constructor(run, on) {
      this.run = run;
      this.on = on;
      this.after = -1;
      this.accepted = -Infinity;
      this.wait = FIRST_WAIT_MS;
      this.failures = 0;
      this.closed = false;
      this.open();
    }

    close() {
      this.closed = true;
      clearTimeout(this.timer);
      clearTimeout(this.silence);
      if (this.socket) this.socket.close();
    }

    open() {
      if (this.closed) return;
      const scheme = location.protocol === "https:" ? "wss://" : "ws://";
      const url = scheme + location.host + "/live/" + encodeURIComponent(this.run) + "?after=" + this.after;
      const socket = (this.socket = new WebSocket(url));
      socket.binaryType = "arraybuffer";
      socket.onopen = () => this.listen();
      socket.onmessage = (event) => this.take(socket, event.data);
      socket.onclose = (event) => this.lost(event.code);
    }

    listen() {
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.socket.close(), SILENCE_MS);
    }

    take(socket, data) {
      if (this.closed) return;
      this.listen();
      this.wait = FIRST_WAIT_MS;
      this.failures = 0;
      if (typeof data === "string") {
        const message = JSON.parse(data);
        if (message.type === "drawing") this.on.drawing(message);
        if (message.type === "meta") this.on.meta(message);
        return;
      }
      this.accept(data);
      socket.send(String(this.after));
    }

    lost(code) {
      clearTimeout(this.silence);
      if (this.closed) return;
      if (GONE.includes(code)) {
        this.closed = true;
        this.on.gone();
        return;
      }
      this.failures += 1;
      this.on.lost();
      const next = this.failures >= TRIES_BEFORE_POLLING ? () => this.poll() : () => this.open();
      this.timer = setTimeout(next, this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    }

    /* Ask over plain HTTP for as long as that works; then try the socket again. */
    async poll() {
      const base = "/api/runs/" + encodeURIComponent(this.run);
      try {
        for (let round = 0; round < 60 && !this.closed; round++) {
          const state = await fetch(base);
          if (!state.ok) break;
          const meta = await state.json();
          if (meta.drawing) this.on.drawing(meta.drawing);
          this.on.meta({ ...meta, problem: "" });
          if (meta.drawing) await this.pollBlocks(base);
          await new Promise((done) => (this.timer = setTimeout(done, POLL_MS)));
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // fetch reports a lost network so
        this.on.lost();
      }
      this.open();
    }

    async pollBlocks(base) {
      for (;;) {
        const answer = await fetch(base + "/blocks?after=" + this.after);
        const buffer = await answer.arrayBuffer();
        if (!answer.ok || buffer.byteLength === 0 || this.closed) return;
        this.accept(buffer);
      }
    }

    /* A frame on the heels of another is one of a long history. */
    accept(frame) {
      const behind = performance.now() - this.accepted < HEELS_MS;
      this.after = this.on.blocks(tierscope.decodeFrame(frame), behind);
      this.accepted = performance.now();
    }
  }

  tierscope.Connection = Connection;
})();
