// The report's page: drawn, sorted, read by keyboard, dark, narrow, printed, and deaf to the names that strangers chose.

import assert from "node:assert/strict";
import { given, visit } from "./harness.mjs";

const url = given("VESPEIRO_PAGE");

await visit(async ({ open, shot }) => {
  const page = await open(url);
  assert.match(await page.title(), /^Vespeiro: /);
  await shot(page, "report-light");

  // Every chart is drawn, and says in words what it shows.
  const charts = page.locator(".chart");
  assert.equal(await charts.count(), 6);
  for (const chart of await charts.all()) {
    const name = await chart.locator("h3").innerText();
    const shapes = await chart.locator("path").evaluateAll((all) =>
      all.map((path) => path.getBBox()).map(({ width, height }) => ({ width, height })),
    );
    assert.ok(shapes.length > 0, `${name}: no shape`);
    assert.ok(shapes.some((box) => box.width > 500), `${name}: nothing is drawn across it`);
    assert.ok(shapes.every((box) => Number.isFinite(box.height)), name);
    // Its axes have few labels, and the scale begins at nothing.
    const labels = async (axis) => chart.locator(`.${axis} span`).allInnerTexts();
    const [ticks, moments] = [await labels("ticks"), await labels("moments")];
    assert.ok(ticks.length >= 2 && ticks.length <= 6 && ticks[0].startsWith("0"), `${name}: ${ticks}`);
    assert.ok(moments.length >= 2 && moments.length <= 8 && moments[0] === "0:00", `${name}: ${moments}`);
    const told = await chart.locator("p.unseen").textContent();
    assert.match(told, /\d.*: from .* to .*, .* at the end\.|: from /, name);
  }

  // Swaps are marks, and rows of the table of events.
  const events = await page.locator("#events tbody tr").allInnerTexts();
  assert.ok(events.some((row) => row.includes("behavior swapped")), events.join("\n"));
  assert.equal(await page.locator("#rate line.mark").count(), events.length);

  // Tables sort by pointer and by keyboard.
  const requests = page.locator("#routes thead th").nth(1);
  const column = async (at) =>
    page.locator(`#routes tbody tr > :nth-child(${at + 1})`).evaluateAll((all) => all.map((cell) => cell.dataset.v));
  const numbers = async () => (await column(1)).map(Number);
  assert.equal(await requests.getAttribute("aria-sort"), "none");
  await requests.locator("button").click();
  assert.equal(await requests.getAttribute("aria-sort"), "descending");
  const descending = await numbers();
  assert.deepEqual(descending, [...descending].sort((a, b) => b - a));
  await requests.locator("button").focus();
  await page.keyboard.press("Enter");
  assert.equal(await requests.getAttribute("aria-sort"), "ascending");
  assert.deepEqual(await numbers(), [...descending].reverse().sort((a, b) => a - b));
  const names = page.locator("#routes thead th").first();
  await names.locator("button").focus();
  await page.keyboard.press("Space");
  assert.equal(await names.getAttribute("aria-sort"), "ascending");
  assert.equal(await requests.getAttribute("aria-sort"), "none");
  const paths = await column(0);
  assert.deepEqual(paths, [...paths].sort((a, b) => a.localeCompare(b)));

  // A chart is read by keyboard and by pointer, and shows the same moment in all of them.
  const field = page.locator("#latency .field");
  await field.focus();
  await page.keyboard.press("End");
  const last = await page.locator("#figures tbody tr").count();
  assert.equal(await field.getAttribute("aria-valuenow"), String(last - 1));
  assert.match(await field.getAttribute("aria-valuetext"), /^\d+:\d\d: p50 .*, p95 .*, p99 /);
  assert.notEqual(await page.locator("#rate .legend output").first().innerText(), "");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#rate .legend output").first().innerText(), "");
  await field.hover({ position: { x: 80, y: 50 } });
  assert.ok(await page.locator("#rate .cursor").isVisible());

  // Every table has a caption and heads with a scope; every control has a name.
  for (const table of await page.locator("table").all()) {
    assert.equal(await table.locator("caption").count(), 1);
    assert.equal(await table.locator("thead th:not([scope=col])").count(), 0);
  }
  for (const button of await page.getByRole("button").all()) {
    assert.notEqual((await button.textContent()).trim(), "");
  }
  assert.equal(await page.locator("h1").count(), 1);

  // The figures that the charts are made of can be read as a table.
  await page.locator("details summary").click();
  assert.ok(await page.locator("#figures tbody tr").first().isVisible());

  // Where scripts do not run, the charts are sentences.
  const still = await open(url, { scripts: false });
  assert.equal(await still.locator(".charts .plot > *").count(), 0);
  const sentence = await still.locator("#rate p").boundingBox();
  assert.ok(sentence.width > 100 && sentence.height > 10, JSON.stringify(sentence));
  assert.ok(await still.locator("noscript .notice").isVisible());

  const dark = await open(url, { theme: "dark" });
  const ground = (of) => of.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.notEqual(await ground(dark), await ground(page));
  await shot(dark, "report-dark");

  const narrow = await open(url, { width: 380, height: 800 });
  const wider = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  assert.equal(await narrow.evaluate(wider), 0, "a narrow page scrolls sideways");
  const tops = await narrow.locator(".cards > *").evaluateAll((all) => all.map((card) => card.getBoundingClientRect().top));
  assert.ok(new Set(tops).size < tops.length, "a narrow page has one card in each row");
  await shot(narrow, "report-narrow");

  const print = await open(url, { theme: "dark", media: "print", width: 800 });
  assert.equal(await ground(print), "rgb(255, 255, 255)");
  await shot(print, "report-print");

  const portuguese = await open(given("VESPEIRO_PAGE_PT"));
  assert.equal(await portuguese.locator("html").getAttribute("lang"), "pt-BR");
  assert.equal(await portuguese.locator("#rate h3").innerText(), "Requisições por segundo");

  // Held against an older run: what has changed stands out from what has not, by word and by color.
  for (const [theme, width] of [["light", 1280], ["dark", 380]]) {
    const compared = await open(given("VESPEIRO_PAGE_COMPARED"), { theme, width });
    const table = compared.locator("#comparison");
    assert.match(await table.locator("caption").innerText(), /^against [a-z0-9]{8}$/i);
    const told = async (verdict) => {
      const cell = table.locator("tbody td:last-child").getByText(verdict);
      assert.ok((await cell.count()) > 0, `nothing is ${verdict}`);
      return cell.first().evaluate((at) => getComputedStyle(at).color);
    };
    // Routes that are as they were are counted, not listed.
    const unchanged = /^(same within|cannot tell)/;
    const rows = table.locator("tbody tr").filter({ has: compared.getByText(unchanged) });
    const quiet = await rows.allInnerTexts();
    assert.ok(quiet.length > 0 && quiet.every((row) => !/^(GET|POST|PUT|DELETE) /.test(row)), quiet.join("\n"));
    assert.match(await compared.locator("#comparison + p").innerText(), /not listed: \d/);
    const colors = new Set([await told("WORSE"), await told("better"), await told(unchanged)]);
    assert.equal(colors.size, 3, [...colors].join(", "));
    assert.equal(await compared.evaluate(wider), 0, "a comparison scrolls the page sideways");
    assert.ok((await table.textContent()).includes(given("VESPEIRO_HOSTILE")));
    assert.equal(await compared.evaluate(() => window.harmed), undefined);
    await shot(compared, `report-compared-${theme}`);
  }

  // Names that want to be more than names stay text: nothing runs, nothing is requested, nothing is missing.
  const hostile = await open(given("VESPEIRO_PAGE_HOSTILE"));
  assert.equal(await hostile.evaluate(() => window.harmed), undefined);
  const name = given("VESPEIRO_HOSTILE");
  for (const place of ["#routes", "#archetypes", "#events", "#mix", "h1"]) {
    assert.ok((await hostile.locator(place).textContent()).includes(name), `${place} lacks the name`);
  }
  // A moment without a latency is a gap in its lines.
  const line = await hostile.locator("#latency path.line").first().getAttribute("d");
  assert.match(line, /^M.*h\.01M.*L/, line);
  assert.equal(await hostile.locator("img, iframe, main script, [onerror], [onload]").count(), 0);
  await shot(hostile, "report-hostile");
});
