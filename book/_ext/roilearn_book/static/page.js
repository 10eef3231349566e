// Four small repairs of every page.
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

  // A table wider than a phone becomes a list: a row after another, each value after its column's name.
  const roles = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", th: "columnheader", td: "cell" };
  const stack = () => {
    for (const table of document.querySelectorAll(".bd-article table:not(.stacked)")) {
      const frame = table.closest(".pst-scrollable-table-container") ?? table.parentElement;
      if (innerWidth > 576 || frame.scrollWidth <= frame.clientWidth || !table.tHead) continue;
      const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
      for (const row of table.tBodies[0].rows)
        [...row.cells].forEach((cell, column) => (cell.dataset.column = names[column]));
      for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, th, td")])
        part.setAttribute("role", roles[part.tagName.toLowerCase()]); // blocks would lose them
      table.classList.add("stacked");
    }
  };
  addEventListener("resize", stack);
  addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(stack));
  document.addEventListener("toggle", stack, true); // a folded section opens

  // A link to something inside a folded section opens the section; so does a link to the section.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const own = target.querySelector(":scope > details");
    for (let fold = target.matches(".in-depth") ? own : target.closest("details"); fold; fold = fold.parentElement.closest("details"))
      fold.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  addEventListener("DOMContentLoaded", open);
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("a[href^='#']")?.hash === location.hash) open(); // the address does not change
  });

  // Paper is white, whatever the screen is.
  const root = document.documentElement;
  let onScreen = "light";
  addEventListener("beforeprint", () => {
    onScreen = root.dataset.theme;
    root.dataset.theme = "light";
    for (const fold of document.querySelectorAll(".in-depth > details:not([open])")) {
      fold.open = true;
      fold.dataset.printed = "";
    }
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = onScreen;
    for (const fold of document.querySelectorAll("details[data-printed]")) {
      fold.open = false;
      delete fold.dataset.printed;
    }
  });
})();
