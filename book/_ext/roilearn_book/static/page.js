// Two small repairs of every page.
(() => {
  "use strict";

  // A formula, a plot or a block of code wider than the page scrolls in its own frame; one that does
  // must be reachable from the keyboard, and only one that does.
  const update = () => {
    for (const block of document.querySelectorAll(".bd-article :is(div.math, mjx-container, pre, .cell_output)"))
      if (block.scrollWidth > block.clientWidth) block.setAttribute("tabindex", "0");
      else block.removeAttribute("tabindex");
  };
  addEventListener("resize", update);
  addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(update));

  // Paper is white, whatever the screen is.
  const root = document.documentElement;
  let onScreen = "light";
  addEventListener("beforeprint", () => {
    onScreen = root.dataset.theme;
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = onScreen;
  });
})();
