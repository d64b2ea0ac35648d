// The harness notices what it is there to notice.

import assert from "node:assert/strict";
import { given, visit } from "./harness.mjs";

const page = (body) => `data:text/html,<!doctype html><title>a</title>${encodeURIComponent(body)}`;

await visit(async ({ open, shot }) => {
  const fine = await open(given("VESPEIRO_PAGE"));
  assert.equal(await fine.locator("h1").innerText(), "A page");
  assert.deepEqual(open.complaints(fine), []);

  const loud = await open(page("<script>console.error('ouch'); throw new Error('broken')</script>"));
  assert.deepEqual(open.complaints(loud).sort(), ["console: ouch", "uncaught: broken"]);

  const chatty = await open(page("<img src='http://127.0.0.1:9/pixel.png' alt=''>"));
  assert.match(open.complaints(chatty).join(), /request: http:\/\/127\.0\.0\.1:9\/pixel\.png/);

  const background = (of) => of.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await open(given("VESPEIRO_PAGE"), { theme: "dark" });
  assert.notEqual(await background(dark), await background(fine));
  await shot(dark, "harness-dark");
  await shot(fine, "harness-light");
});
