// The live page of a run, as a person uses it: watch the figures move, pause, change the users, swap a behavior by a file
// and by dropping one, stop; by mouse and by keyboard, in light and dark.

import assert from "node:assert/strict";
import path from "node:path";
import { eventually, given, visit } from "./harness.mjs";

const url = `${given("VESPEIRO_PAGE")}/`;
const module = given("VESPEIRO_MODULE");
const own = { allow: (to) => to.startsWith(url) };

const number = (text) => Number(text.replace(/[^\d.]/g, ""));

await visit(async ({ open, shot }) => {
  const page = await open(url, own);
  const dark = await open(url, { ...own, theme: "dark" });
  const phone = await open(url, { ...own, width: 390, height: 800 });
  const text = (id, of = page) => of.locator(`#${id}`).innerText();
  const sent = async () => number((await text("rate-note")) || "0");
  const button = (name) => page.getByRole("button", { name, exact: true });
  const state = (word) => eventually(word, async () => (await page.getByRole("status").first().innerText()) === word);
  const said = (part) => eventually(part, async () => (await text("said")).includes(part) && text("said"));

  // The figures move, and the charts say in words what they draw.
  await state("Running");
  const before = await sent();
  await eventually("more requests", async () => (await sent()) > before);
  assert.equal(await text("users-note"), "of 10");
  const chart = page.getByRole("img", { name: /^Requests per second: now [\d.,]+, highest/ });
  await eventually("a chart in words", () => chart.isVisible());
  assert.equal(await page.locator("html").getAttribute("lang"), "en");

  // A phone shows all of it without scrolling sideways.
  const wide = await phone.evaluate(() => {
    const out = (one) => one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll > *");
    return [...document.querySelectorAll("body *")].filter(out).map((one) => one.outerHTML);
  });
  assert.deepEqual(wide, []);
  const swap = await phone.locator(".swap").first().boundingBox();
  assert.ok(swap.x > 0 && swap.x + swap.width <= 390, JSON.stringify(swap));

  // Users, by keyboard.
  await page.getByRole("spinbutton", { name: "Number of users" }).fill("7");
  await page.keyboard.press("Enter");
  await said("7 users play");
  await eventually("seven users", async () => (await text("users")) === "7");

  await button("Pause").click();
  await state("Paused");
  await eventually("silence", async () => (await text("rate")) === "0.0");
  await button("Resume").click();
  await state("Running");

  // A module by a file.
  const rows = page.getByRole("row").filter({ has: page.locator("code") });
  assert.equal(await rows.count(), 1);
  await page.getByLabel("Swap mine…").setInputFiles(module);
  await said("mine: 0.1.0#");
  await eventually("two versions", async () => (await rows.count()) === 2);
  assert.match(await rows.nth(0).innerText(), /rounds 0\.1\.0 .*100\.0%/s);
  assert.match(await rows.nth(1).innerText(), /first 0\.1\.0 .*0\.0%/s);
  await eventually("the new one plays", async () => /100\.0%\s+(?!0\b)\d/.test(await rows.nth(0).innerText()));

  // One that is none, dropped: it is refused in words, and nothing changes.
  const dropped = await page.evaluateHandle((name) => {
    const files = new DataTransfer();
    files.items.add(new File(["no module at all"], name));
    return files;
  }, "broken.wasm");
  const target = page.locator("#archetypes tbody").first();
  for (const type of ["dragenter", "dragover"]) await target.dispatchEvent(type, { dataTransfer: dropped });
  await eventually("it can be dropped here", async () => (await target.getAttribute("class")) === "over");
  await shot(page, "live-drop");
  await target.dispatchEvent("drop", { dataTransfer: dropped });
  assert.match(await said("was not swapped"), /mine was not swapped: .*broken\.wasm/);
  assert.equal(await rows.count(), 2);
  // The refusal is the browser's to log too: that is no mistake of the page.
  const logged = [];
  await eventually("the browser's own line", () => logged.push(...open.complaints(page)) > 0);
  assert.ok(logged.every((line) => line.includes("422")), logged.join("\n"));
  assert.equal(await target.getAttribute("class"), "");

  // The same file again, part of it, dropped on the same rows.
  await page.getByLabel("New sessions").selectOption("25%");
  await page.getByLabel("Swap mine…").setInputFiles(path.join(path.dirname(module), "first.wasm"));
  await said("25.0% of new sessions");
  assert.match(await page.locator("#news").innerText(), /mine/);

  // Everything that can be pressed has a name, and nothing is said twice a second.
  const nameless = await page.locator("button, input, select").evaluateAll((all) =>
    all.filter((one) => one.offsetParent && !(one.ariaLabel || one.innerText || one.labels?.length)).map((one) => one.outerHTML),
  );
  assert.deepEqual(nameless, []);
  const live = await page.locator("[role=status], [aria-live]").evaluateAll((all) => all.map((one) => one.id));
  assert.deepEqual(live, ["state", "notes", "said"]);

  await shot(page, "live-light");
  await shot(dark, "live-dark");
  await shot(phone, "live-phone");

  // Stopping asks first; Escape takes it back.
  await button("Stop…").focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Stop this run?" });
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "stop-no");
  await shot(page, "live-stop");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await state("Running");
  await button("Stop…").click();
  await button("Stop the run").click();
  await state("Ended");
  assert.match(await text("notes"), /somebody stopped it/);
  assert.ok((await sent()) > before);
  assert.ok(await button("Pause").isDisabled());
  await shot(page, "live-ended");
  await eventually("every page knows", async () => (await text("state", dark)) === "Ended");
});
