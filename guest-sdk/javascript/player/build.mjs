//! Makes script.wasm: the player with the SDK and the compiler of scripts, on the JavaScript engine of the templates; and
//! script.sources, with the hash of each file that it is made of; and script.licences, of the packages in it. Run by `scripts/script-player`.

import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentize } from 'componentize-qjs';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const bundle = await build({
  entryPoints: [join(here, 'player.js')],
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  keepNames: true,
  external: ['vespeiro:behavior/*'],
  // The SDK has no packages of its own here.
  nodePaths: [join(here, 'node_modules')],
  logLevel: 'error',
});
const wit = await mkdtemp(join(tmpdir(), 'wit-'));
await cp(join(here, '../../wit/0.2'), wit, { recursive: true });
await cp(join(here, 'player.wit'), join(wit, 'player.wit'));
const { component } = await componentize({
  jsSource: bundle.outputFiles[0].text,
  witPath: wit,
  world: 'scripted',
  stubWasi: true,
  sync: true,
});
await rm(wit, { recursive: true });
await writeFile(join(here, 'script.wasm'), component);
const parts = Object.keys(bundle.metafile.inputs).filter((path) => !path.includes('node_modules'));
const others = ['build.mjs', 'package-lock.json', 'player.wit', '../../wit/0.2/behavior.wit'];
const names = [...parts.map((path) => relative(here, resolve(path))), ...others].sort();
const hash = async (name) => createHash('sha256').update(await readFile(join(here, name))).digest('hex');
const lines = await Promise.all(names.map(async (name) => `${await hash(name)}  ${name}\n`));
await writeFile(join(here, 'script.sources'), lines.join(''));
// What is in it of others, under whose licences.
const packages = Object.keys(bundle.metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
const owners = [...new Set([...packages.filter((name) => name !== undefined), 'componentize-qjs'])].sort();
const licences = owners.map(async (name) => `${name}\n\n${await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8')}`);
await writeFile(join(here, 'script.licences'), (await Promise.all(licences)).join('\n'));
console.log(`script.wasm: ${(component.length / 2 ** 20).toFixed(1)} MiB`);
