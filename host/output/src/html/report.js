// Tables sort by a click on a heading; charts are drawn from the table of their figures, and tell them at the pointer or by
// the arrow keys. Without this script the page tells the same in its tables. `Chart` and the numbers stand before it in the
// page's script.

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

const figures = document.querySelector("#figures");
const moments = [...(figures?.tBodies[0].rows ?? [])];
const end = Number(figures?.dataset.end);
const events = [...document.querySelectorAll("#events tbody tr")].map((row) => ({
  at: Number(row.dataset.at),
  bad: "bad" in row.dataset,
  title: `${row.cells[2].textContent.trim()} ${row.cells[3].textContent}`.trim(),
}));
const units = { count: plain, cores: plain, time: latency, share: percent };

/** `0:07`, `12:30`, `2:05:00`. */
function clockOf(seconds) {
  const two = (n) => String(n % 60).padStart(2, "0");
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** Labels of the time axis: at most eight, a round time apart. */
function labels() {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
  const step = steps.find((one) => end / one <= 7) ?? Math.ceil(end / 7 / 86400) * 86400;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => [at * step, clockOf(at * step)]);
}

const charts = moments.length === 0 ? [] : [...document.querySelectorAll(".chart")].map((figure) => {
  const { unit, stacked, top } = figure.dataset;
  const items = [...figure.querySelectorAll(".legend li")];
  const chart = new Chart(figure.querySelector(".plot"), {
    name: figure.querySelector("h3").textContent,
    tick: units[unit],
    stacked: stacked !== undefined,
    top: top && Number(top),
    pick: look,
  });
  const number = (cell) => (cell.dataset.v === undefined ? null : Number(cell.dataset.v));
  chart.draw({
    at: moments.map((row) => Number(row.dataset.at)),
    from: 0,
    to: end,
    lines: items.map(({ dataset: { column, color } }) => ({
      color,
      values: moments.map((row) => number(row.cells[column])),
    })),
    moments: labels(),
    marks: events,
  });
  return { chart, items };
});

// One cursor for all charts: what happened at that moment is seen in each of them.
function look(index) {
  const row = moments[index];
  for (const { chart, items } of charts) {
    const figure = (item) => row?.cells[item.dataset.column].textContent ?? "";
    for (const item of items) item.querySelector("output").value = figure(item);
    const said = items.map((item) => `${item.querySelector(".name").textContent} ${figure(item)}`);
    const time = row?.cells[0].textContent;
    chart.show(index, time, `${time}: ${said.join(", ")}`);
  }
}
