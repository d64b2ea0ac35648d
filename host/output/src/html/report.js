"use strict";

// Tables sort by a click on a heading; charts tell their figures at the pointer or by the arrow keys. Without this
// script the page tells the same, only standing still.

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("thead th")];
  const body = table.tBodies[0];
  const value = (row, at) => row.cells[at].dataset.v;
  heads.forEach((head, at) => {
    head.querySelector("button").addEventListener("click", () => {
      const rows = [...body.rows];
      const isText = at === 0;
      // Names begin with a, figures with the largest; the next click turns it around.
      const now = head.getAttribute("aria-sort");
      const up = now === "none" ? isText : now === "descending";
      rows.sort((a, b) => {
        const [x, y] = [value(a, at), value(b, at)];
        const order = isText ? x.localeCompare(y) : Number(x) - Number(y);
        return up ? order : -order;
      });
      body.append(...rows);
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });
}

const rows = [...(document.querySelector("#figures tbody")?.rows ?? [])];
const charts = [...document.querySelectorAll(".chart")].map((chart) => ({
  field: chart.querySelector(".field"),
  cursor: chart.querySelector(".cursor"),
  items: [...chart.querySelectorAll(".legend li")],
}));
let at = -1;

// One cursor for all charts: what happened at that moment is seen in each of them.
function show(index) {
  at = index;
  for (const { field, cursor, items } of charts) {
    cursor.hidden = index < 0;
    if (index < 0) {
      for (const item of items) item.querySelector("output").value = "";
      continue;
    }
    const row = rows[index];
    const time = row.cells[0].textContent;
    cursor.style.left = `${row.dataset.x * 100}%`;
    cursor.firstElementChild.textContent = time;
    const said = items.map((item) => {
      const figure = row.cells[item.dataset.column].textContent;
      item.querySelector("output").value = figure;
      return `${item.querySelector(".name").textContent} ${figure}`;
    });
    field.setAttribute("aria-valuenow", index);
    field.setAttribute("aria-valuetext", `${time}: ${said.join(", ")}`);
  }
}

const nearest = (x) => {
  let best = 0;
  rows.forEach((row, index) => {
    if (Math.abs(row.dataset.x - x) < Math.abs(rows[best].dataset.x - x)) best = index;
  });
  return best;
};

for (const { field } of rows.length > 0 ? charts : []) {
  field.addEventListener("pointermove", (event) => {
    const { left, width } = field.getBoundingClientRect();
    show(nearest((event.clientX - left) / width));
  });
  field.addEventListener("pointerleave", () => show(-1));
  field.addEventListener("blur", () => show(-1));
  field.addEventListener("keydown", (event) => {
    const last = rows.length - 1;
    const to = {
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      PageUp: at + 10,
      PageDown: at - 10,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Escape") show(-1);
    if (to === undefined) return;
    event.preventDefault();
    show(Math.max(0, Math.min(last, to)));
  });
}
