// Opens pages in Debian's Chromium and holds them to what every page of ours promises: nothing in the console, no
// request beyond what its script allows. The scripts beside this file are given to `visit`; the end-to-end target
// `browser` runs each with the paths and addresses that it needs in the environment.

import { createRequire } from "node:module";
import path from "node:path";

// `npm ci` puts the library where NODE_PATH points to, under `target` and not beside this file.
const { chromium } = createRequire(import.meta.url)("playwright-core");

/** Longest that one script may take, in milliseconds. */
const PATIENCE = 50_000;

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What the target in Rust hands to this script. */
export function given(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this by the end-to-end target browser`);
  return value;
}

/** Ask again and again until there is an answer that is true; a page has no other way to say that it is ready. */
export async function eventually(what, ask, patience = PATIENCE / 2) {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((wake) => setTimeout(wake, 25));
  }
}

/**
 * Runs `script({ open, shot })` in a browser with a profile of its own, and ends the process: 0 when all has held.
 *
 * `open(url, options)` gives a page of the Playwright kind. Options: `theme` ("light" or "dark"), `width`, `height`,
 * `media` ("print"), `scripts` (false: the page's do not run), and `allow(url)`, which says what the page may request
 * beside its own address. What a page did wrong fails the script at its end; `open.complaints(page)` takes it out before,
 * for a script that wants it so.
 * `shot(page, name)` keeps a picture under `target`.
 */
export async function visit(script) {
  const watchdog = setTimeout(() => fail(new Error(`not done after ${PATIENCE} ms`)), PATIENCE);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: FLAGS,
    chromiumSandbox: false,
  });
  const complaints = new Map();

  async function open(url, options = {}) {
    const context = await browser.newContext({
      colorScheme: options.theme ?? "light",
      viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
      reducedMotion: "reduce",
      javaScriptEnabled: options.scripts ?? true,
    });
    const page = await context.newPage();
    const wrong = [];
    complaints.set(page, wrong);
    page.on("console", (said) => {
      if (["error", "warning"].includes(said.type())) wrong.push(`console: ${said.text()}`);
    });
    page.on("pageerror", (error) => wrong.push(`uncaught: ${error.message}`));
    page.on("request", (request) => {
      const to = request.url();
      const own = to === url || to.startsWith("data:") || to.startsWith("blob:");
      if (!own && !options.allow?.(to)) wrong.push(`request: ${to}`);
    });
    if (options.media) await page.emulateMedia({ media: options.media });
    await page.goto(url);
    return page;
  }
  open.complaints = (page) => complaints.get(page).splice(0);

  async function shot(page, name, options = {}) {
    const file = path.join(given("VESPEIRO_SHOTS"), `${name}.png`);
    await page.screenshot({ path: file, fullPage: true, ...options });
    return file;
  }

  let failed = null;
  try {
    await script({ open, shot });
    const wrong = [...complaints.values()].flat();
    if (wrong.length > 0) throw new Error(`a page did what none of ours does:\n${wrong.join("\n")}`);
  } catch (error) {
    failed = error;
    // The page may be gone with the browser; the first error is the one to tell.
    const pages = [...complaints.keys()].filter((page) => !page.isClosed());
    await Promise.allSettled(pages.map((page, at) => shot(page, `failed-${at}`)));
    failed.message += [...complaints.values()].flat().map((line) => `\n${line}`).join("");
  }
  clearTimeout(watchdog);
  await browser.close();
  if (failed) fail(failed);
  process.exit(0);
}

function fail(error) {
  console.error(error.stack.includes(error.message) ? error.stack : `${error.message}\n${error.stack}`);
  process.exit(1);
}
