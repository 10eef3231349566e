// Live figures without a kernel. A figure is an ES module that Jupyter runs as an anywidget; here
// its text and its state stand in the page, and this script mounts it on a model of its own.
// The text is imported as a Blob, because a page opened from a file may not import other files.
(() => {
  "use strict";
  const STATES = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const FIGURES =
    'script[type="application/vnd.jupyter.widget-view+json"], script[type="application/vnd.roilearn.figure+json"]';
  const modules = new Map();

  // What a figure uses of anywidget's model. Nobody else holds the state, so nothing is sent.
  function createModel(state) {
    const handlers = new Map();
    const fire = (event, value) => [...(handlers.get(event) ?? [])].forEach((handler) => handler(model, value));
    const model = {
      get: (name) => state[name],
      set(name, value) {
        if (typeof name === "object") return Object.entries(name).forEach((pair) => model.set(...pair));
        if (state[name] === value) return;
        state[name] = value;
        fire(`change:${name}`, value);
        fire("change");
      },
      on(events, handler) {
        for (const event of events.split(" ")) handlers.set(event, [...(handlers.get(event) ?? []), handler]);
      },
      off(events, handler) {
        for (const event of events?.split(" ") ?? [...handlers.keys()])
          handlers.set(event, handler ? handlers.get(event)?.filter((other) => other !== handler) : []);
      },
      save_changes() {},
      send() {},
    };
    return model;
  }

  // Arrays of bytes travel beside the state as base64, each with the path to its place in it.
  function placeBuffers({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const owner = path.slice(0, -1).reduce((place, key) => place[key], state);
      owner[path.at(-1)] = new DataView(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer);
    }
    return state;
  }

  function load(text) {
    if (!modules.has(text)) {
      const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      modules.set(text, import(address).then((module) => module.default));
    }
    return modules.get(text);
  }

  function addStyle(css) {
    if (!css || [...document.head.querySelectorAll("style")].some((style) => style.textContent === css)) return;
    document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  }

  async function mount(place, figure) {
    const state = placeBuffers(figure);
    addStyle(state._css);
    const exported = await load(state._esm);
    const widget = typeof exported === "function" ? await exported() : exported;
    const model = (place.model = createModel(state)); // within reach of the console, and of tests
    await widget.initialize?.({ model });
    await widget.render({ model, el: place });
  }

  function needsKernel(place) {
    const launch = document.querySelector(".dropdown-launch-buttons a[href]");
    place.className = "live-figure-note";
    place.textContent = "This control needs a running kernel. ";
    if (launch) place.append(Object.assign(document.createElement("a"), { href: launch.href, textContent: "Open this page in a notebook" }));
  }

  async function start(script, stored) {
    const data = JSON.parse(script.textContent);
    const figure = data.model_id ? stored[data.model_id] : data;
    const place = Object.assign(document.createElement("div"), { className: "live-figure-mount" });
    script.after(place);
    try {
      if (!figure?.state?._esm) throw new Error("no module stored");
      await mount(place, figure);
      script.parentElement.dataset.live = "mounted";
    } catch (error) {
      if (figure?.state?._esm) console.error("A live figure did not start:", error);
      place.replaceChildren();
      needsKernel(place);
      script.parentElement.dataset.live = "failed";
    }
  }

  const stored = JSON.parse(document.querySelector(STATES)?.textContent ?? "{}").state ?? {};
  document.querySelectorAll(FIGURES).forEach((script) => start(script, stored));
})();
