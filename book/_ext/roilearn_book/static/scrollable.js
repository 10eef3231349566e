// A formula or a block of code wider than the page scrolls in its own frame; one that does must be
// reachable from the keyboard, and only one that does.
(() => {
  "use strict";
  const update = () => {
    for (const block of document.querySelectorAll(".bd-article :is(div.math, pre)"))
      if (block.scrollWidth > block.clientWidth) block.setAttribute("tabindex", "0");
      else block.removeAttribute("tabindex");
  };
  addEventListener("resize", update);
  addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(update));
})();
