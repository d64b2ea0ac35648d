// Makes a component of a behavior as the documentation of componentize-js says, with all that it brings: also `wasi:http`.
import { readFile, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';
const [source, wit, module] = process.argv.slice(2);
const { component } = await componentize(await readFile(source, 'utf8'), { witPath: wit, worldName: 'archetype' });
await writeFile(module, component);
