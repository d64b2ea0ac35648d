//! Builds a behavior: `node vespeiro/build.mjs SOURCE MODULE`. Bundles the source, whose default export is a behavior,
//! with the SDK, and makes a component of it that imports nothing but the host of the contract.

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentize } from 'componentize-qjs';
import { build } from 'esbuild';

const [source, module] = process.argv.slice(2);
if (module === undefined || !existsSync(source)) {
  console.error('usage: node vespeiro/build.mjs SOURCE MODULE');
  process.exit(2);
}
const sdk = dirname(fileURLToPath(import.meta.url));
// Imports run in order: what `prepare` sets up is there before the behavior's own code runs.
const entry = `
import 'vespeiro:prepare';
import definition from ${JSON.stringify(resolve(source))};
import { exported } from ${JSON.stringify(join(sdk, 'module.js'))};
export const behavior = exported(definition);
`;
const prepare = {
  name: 'prepare',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vespeiro:prepare$/ }, ({ path }) => ({ path, namespace: 'prepare' }));
    onLoad({ filter: /.*/, namespace: 'prepare' }, () => ({
      contents: `import { prepare } from ${JSON.stringify(join(sdk, 'module.js'))}; prepare();`,
      resolveDir: sdk,
    }));
  },
};
const bundle = await build({
  stdin: { contents: entry, resolveDir: process.cwd() },
  bundle: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  external: ['vespeiro:behavior/*'],
  plugins: [prepare],
  logLevel: 'error',
});
const { component } = await componentize({
  jsSource: bundle.outputFiles[0].text,
  witPath: join(sdk, 'wit/0.2'),
  world: 'archetype',
  stubWasi: true,
  sync: true,
});
await mkdir(dirname(resolve(module)), { recursive: true });
await writeFile(module, component);

console.log(`${module}: ${(component.length / 2 ** 20).toFixed(1)} MiB`);
