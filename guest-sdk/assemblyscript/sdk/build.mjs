//! Builds a behavior: `node vespeiro/build.mjs SOURCE MODULE`. Compiles the source with the SDK, and gives the module's
//! exports the names of the contract, which no identifier of AssemblyScript can have.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';

const BEHAVIOR = 'vespeiro:behavior/behavior@0.1.0#';
const NAMES = {
  realloc: ['cabi_realloc'],
  describe: [`${BEHAVIOR}describe`],
  construct: [`${BEHAVIOR}[constructor]session`],
  next: [`${BEHAVIOR}[method]session.next`],
  drop: [`${BEHAVIOR}[dtor]session`],
  clear: [`cabi_post_${BEHAVIOR}describe`, `cabi_post_${BEHAVIOR}[method]session.next`],
};

const [source, module] = process.argv.slice(2);
if (module === undefined) {
  console.error('usage: node vespeiro/build.mjs SOURCE MODULE');
  process.exit(2);
}
const own = relative(process.cwd(), join(dirname(fileURLToPath(import.meta.url)), 'module'));
const plain = `${module}.plain`;
const { error, stderr } = await asc.main([
  `${own}.ts`,
  source,
  '--outFile', plain,
  '--optimizeLevel', '3', '--shrinkLevel', '1',
  '--runtime', 'incremental',
  '--exportStart', '_initialize',
  '--use', `abort=${own}/aborted`,
]);
if (error) {
  console.error(stderr.toString());
  process.exit(1);
}
const built = binaryen.readBinary(await readFile(plain));
await rm(plain);
for (let at = built.getNumExports() - 1; at >= 0; at -= 1) {
  const { name, value } = binaryen.getExportInfo(built.getExportByIndex(at));
  if (name === 'memory' || name === '_initialize') continue;
  built.removeExport(name);
  for (const canonical of NAMES[name] ?? []) built.addFunctionExport(value, canonical);
}
await writeFile(module, built.emitBinary());
