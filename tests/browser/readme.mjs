// The picture of the live page in the README: the four archetypes under way, as far as a first look goes.

import { eventually, given, visit } from "./harness.mjs";

const url = `${given("VESPEIRO_PAGE")}/`;

await visit(async ({ open, shot }) => {
  const page = await open(url, { allow: (to) => to.startsWith(url), width: 1100, height: 900 });
  const sent = async () => Number(((await page.locator("#rate-note").innerText()) || "0").replace(/\D/g, ""));
  await eventually("figures worth a look", async () => (await sent()) > 800);
  await page.getByText("power", { exact: true }).first().waitFor();
  await shot(page, "readme", { fullPage: false });
});
