"use strict";
(() => {
  // "1,024" -> 1024, "16/30" -> 0.53, "> 99.9" -> a little more than 99.9, no number -> NaN
  const asNumber = (text) => {
    const plain = text.trim().replace(/,(?=\d{3})/g, "").replace(/−/g, "-").replace(/^\[/, "");
    const parts = plain.match(/^([<>]?)\s*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:\/(\d+))?/i);
    if (!parts) return NaN;
    const value = Number(parts[2]) / Number(parts[3] || 1);
    const nudge = 1e-9 * (1 + Math.abs(value));
    return parts[1] === ">" ? value + nudge : parts[1] === "<" ? value - nudge : value;
  };
  const compare = (numeric) => (a, b) => {
    if (!numeric) return a.localeCompare(b, "en", { numeric: true });
    const [x, y] = [asNumber(a), asNumber(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : x - y;
  };
  const makeSortable = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      const order = compare(head.classList.contains("n"));
      button.addEventListener("click", () => {
        const state = head.getAttribute("aria-sort");
        const next = { ascending: "descending", descending: null }[state];
        const direction = state === null ? "ascending" : next;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        let rows = original;
        if (direction) {
          head.setAttribute("aria-sort", direction);
          const text = (row) => row.cells[column].textContent;
          const sign = direction === "ascending" ? 1 : -1;
          // Cells without a number stay last in both directions.
          const known = (row) => !head.classList.contains("n") || !Number.isNaN(asNumber(text(row)));
          rows = original.filter(known).sort((a, b) => sign * order(text(a), text(b)));
          rows.push(...original.filter((row) => !known(row)));
        }
        body.append(...rows);
      });
    });
  };
  const makeFilter = (table) => {
    const rows = [...table.tBodies[0].rows];
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Filter rows";
    field.setAttribute("aria-label", "Filter the rows of this table");
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = words.length ? ` ${shown} of ${rows.length} rows` : "";
    });
    const line = document.createElement("p");
    line.className = "filter";
    line.append(field, count);
    table.closest(".scroll").before(line);
  };
  document.querySelectorAll("table").forEach((table) => {
    if (table.tBodies[0].rows.length < 2) return;
    makeSortable(table);
    if (table.tBodies[0].rows.length >= 8) makeFilter(table);
  });
  // A link to a recipe opens the part of the page that it is in.
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") part.open = true;
    }
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  if (location.hash) openTarget();
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .steps)")];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));
})();
