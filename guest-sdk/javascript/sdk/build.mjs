//! Builds a behavior: `node vespeiro/build.mjs SOURCE MODULE`. Bundles the source, whose default export is a behavior,
//! with the SDK, and makes a component of it that imports nothing but the host of the contract.

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentize } from 'componentize-qjs';
import { build } from 'esbuild';

const [source, module] = process.argv.slice(2);
if (module === undefined || !existsSync(source)) {
  console.error('usage: node vespeiro/build.mjs SOURCE MODULE');
  process.exit(2);
}
const sdk = dirname(fileURLToPath(import.meta.url));
/** Stands in the bundle for the author's lines, which are known once it is made. */
const PLACES = '"the lines of the author"';
// Imports run in order: what `prepare` sets up is there before the behavior's own code runs.
const entry = `
import 'vespeiro:prepare';
import definition from ${JSON.stringify(resolve(source))};
import { exported } from ${JSON.stringify(join(sdk, 'module.js'))};
import { placing } from ${JSON.stringify(join(sdk, 'places.js'))};
definition.place = placing(${PLACES});
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
  sourcemap: 'external',
  outfile: resolve(module),
  format: 'esm',
  target: 'es2022',
  external: ['vespeiro:behavior/*'],
  plugins: [prepare],
  logLevel: 'error',
});
const [{ text: map }, { text: code }] = bundle.outputFiles.sort((one, other) => other.path.length - one.path.length);
const { component } = await componentize({
  jsSource: code.replace(PLACES, () => JSON.stringify(authored(code, new SourceMap(JSON.parse(map))))),
  witPath: join(sdk, 'wit/0.2'),
  world: 'archetype',
  stubWasi: true,
  sync: true,
});
await mkdir(dirname(resolve(module)), { recursive: true });
await writeFile(module, component);

console.log(`${module}: ${(component.length / 2 ** 20).toFixed(1)} MiB`);

/** Where lines of the bundle come from, as places.js reads it: for each that is the author's, its number, and a file and a line. */
function authored(code, map) {
  const files = [];
  const lines = code.split('\n').flatMap((text, at) => {
    const { generatedLine, originalSource, originalLine } = map.findEntry(at, text.length);
    // A line of which nothing is known gets the entry of an earlier one.
    const path = generatedLine === at && originalSource ? resolve(dirname(resolve(module)), originalSource) : sdk;
    if (path.startsWith(sdk) || path.includes('node_modules') || !existsSync(path)) {
      return [];
    }
    const name = relative(process.cwd(), path);
    const file = files.includes(name) ? files.indexOf(name) : files.push(name) - 1;
    return [[at + 1, file, originalLine + 1]];
  });
  return { files, lines };
}
