/* Decoding of binary frames: blocks one after another, laid out as in tiering/stream/codec.py. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  const HEADER = 24;
  const MAGIC = 0x31425354; // "TSB1", little endian
  const NO_EVENTS = 0x5b5d; // "[]"
  const text = new TextDecoder();

  /* -> [{step, nr, rowFloats, rows: Float64Array, events: []}] */
  tierscope.decodeFrame = function (buffer) {
    const view = new DataView(buffer);
    const blocks = [];
    for (let at = 0; at < buffer.byteLength; ) {
      if (view.getUint32(at, true) !== MAGIC) throw new Error("not a block at byte " + at);
      const nr = view.getUint32(at + 8, true);
      const rowFloats = view.getUint32(at + 12, true) / 8;
      const eventBytes = view.getUint32(at + 16, true);
      const rows = new Float64Array(buffer, at + HEADER, nr * rowFloats);
      const eventsAt = at + HEADER + nr * rowFloats * 8;
      const none = view.getUint16(eventsAt) === NO_EVENTS;
      const events = none ? [] : JSON.parse(text.decode(new Uint8Array(buffer, eventsAt, eventBytes)));
      blocks.push({ step: view.getUint32(at + 4, true), nr, rowFloats, rows, events });
      at = eventsAt + eventBytes;
    }
    return blocks;
  };
})();
