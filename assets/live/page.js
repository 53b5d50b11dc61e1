/* Entry points that Dash calls, keyboard shortcuts, and the little that every page needs. */
(function () {
  "use strict";
  const tierscope = (window.tierscope = window.tierscope || {});
  tierscope.lab = null;
  tierscope.runs = null;
  tierscope.FINAL = ["done", "stopped", "failed"]; // as in tiering/stream/bus.py
  let loading = null;

  tierscope.plotly = function (url) {
    if (window.Plotly) return Promise.resolve();
    loading = loading || new Promise((done) => {
      const script = document.createElement("script");
      script.src = url;
      script.onload = done;
      document.head.append(script);
    });
    return loading;
  };

  /* -> the answer's JSON; {error} also when nobody answers */
  tierscope.post = async function (url, body) {
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    try {
      const answer = await fetch(url, request);
      const type = answer.headers.get("content-type") || "";
      return type.startsWith("application/json") ? await answer.json() : { error: await answer.text() };
    } catch (error) {
      if (error instanceof TypeError) return { error: "The server does not answer; is it still running?" };
      throw error;
    }
  };

  tierscope.go = function (pathname, search) {
    history.pushState({}, "", pathname + search);
    window.dispatchEvent(new PopStateEvent("popstate")); // dcc.Location listens to it
  };

  function whenThere(selector, then) {
    if (document.querySelector(selector)) then();
    else requestAnimationFrame(() => whenThere(selector, then));
  }

  const nothing = () => window.dash_clientside.no_update;
  /* Whether a box holds a number; a long one comes as text, an emptied box as "". */
  const told = (tierscope.told = (value) => value !== null && value !== "" && Number.isFinite(Number(value)));
  /* After what was typed has been rendered: put back at once, an unchanged value would be no change. */
  tierscope.afterwards = (then) => requestAnimationFrame(() => setTimeout(then));
  const path = () => window.dash_clientside.callback_context.inputs_list[0].id.path;

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    tierscope: {
      leave() {
        if (tierscope.lab) tierscope.lab.close();
        tierscope.lab = null;
        if (tierscope.runs) tierscope.runs.close();
        tierscope.runs = null;
        return nothing();
      },
      mount(config) {
        whenThere("#charts", () => {
          if (tierscope.lab) tierscope.lab.close();
          tierscope.lab = new tierscope.Lab(config);
        });
        return nothing();
      },
      speed(value) {
        if (tierscope.lab) tierscope.lab.setSpeed(Number(value));
        return nothing();
      },
      mms(chosen, names) {
        if (tierscope.lab) tierscope.lab.picker.pick(chosen || [], names);
        return nothing();
      },
      seed(value) {
        if (tierscope.lab) tierscope.lab.setSeed(value);
        return nothing();
      },
      number(position, value) {
        const { knobs } = tierscope.lab || {};
        const id = path();
        if (!knobs || !knobs.knobs[id]) return nothing();
        const source = window.dash_clientside.callback_context.triggered_id;
        if (source && source.type === "knob-slider") knobs.slid(id, position);
        else if (told(value)) knobs.moved(id, knobs.fit(knobs.knobs[id], Number(value)));
        else tierscope.afterwards(() => knobs.put(id)); // an emptied box
        return nothing();
      },
      other(value) {
        const { knobs } = tierscope.lab || {};
        if (knobs && value !== null && value !== undefined) knobs.moved(path(), value);
        return nothing();
      },
      help(clicks) {
        return Boolean(clicks);
      },
    },
  });

  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const busy = target.closest("input, textarea, select, button, a, summary, [role='slider'], [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
    if (event.key === "?") {
      window.dash_clientside.set_props("help", { opened: true });
    } else if (event.key === "f" && tierscope.lab && tierscope.lab.run !== null) {
      document.getElementById("fork-button").click();
    } else if (!busy && tierscope.lab && (event.key === " " || event.key === "ArrowRight")) {
      event.preventDefault();
      const name = event.key === " " ? (tierscope.lab.run === null ? "run" : "pause") : "step";
      document.getElementById(name + "-button").click();
    }
  });
})();
