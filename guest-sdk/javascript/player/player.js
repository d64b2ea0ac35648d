//! Plays a behavior that is written as a script: takes its files from the host, compiles them, and is the behavior that the
//! first of them exports. `script.wasm` is made of this, with the SDK; the host embeds that.
//!
//! What must stay true: a line of the engine's is a line of the author's. So the compiler keeps lines, and each file begins
//! at a line of its own in the numbering of the engine, which knows all of them by one name.

import './prepared.js';

import { transform } from 'sucrase';

import * as sdk from '../sdk/index.js';
import { exported } from '../sdk/module.js';
import { decode } from '../sdk/text.js';

/** What the engine calls code that it is given as text, in a stack. */
const FRAME = /<input>:(\d+)/;

let made;

/** One script: its files by path, and where each begins. */
class Script {
  constructor(files) {
    this.files = files;
    this.modules = new Map();
    /** Paths and the lines that they begin behind, in turn. */
    this.begun = [];
    this.lines = 0;
  }

  /** The exports of a file; those of one that is being run may lack some. */
  module(path) {
    const known = this.modules.get(path);
    if (known !== undefined) {
      return known;
    }
    const exports = {};
    this.modules.set(path, exports);
    const code = compiled(path, this.files[path]);
    const above = this.lines;
    this.begun.push([path, above]);
    this.lines += code.split('\n').length;
    const run = (0, eval)(`${'\n'.repeat(above)}(function (exports, require) {${code}\n})`);
    run(exports, (wanted) => this.#import(path, wanted));
    return exports;
  }

  #import(from, wanted) {
    if (wanted === 'vespeiro') {
      return sdk;
    }
    if (!/^\.\.?\//.test(wanted)) {
      throw new sdk.UsageError(
        `${from} imports ${JSON.stringify(wanted)}: a script has 'vespeiro' and files of its own, './…'; for packages, build a module (vespeiro new --lang javascript)`,
      );
    }
    const path = found(this.files, from, wanted);
    if (path === undefined) {
      throw new sdk.UsageError(
        `${from} imports ${JSON.stringify(wanted)}, which is not there: name a file beside it or below, with its ending`,
      );
    }
    return this.module(path);
  }

  /** The author's line that a stack leads to first: `shop.js:12`. */
  place(stack) {
    for (const frame of String(stack).split('\n')) {
      const line = Number(FRAME.exec(frame)?.[1]);
      const file = this.begun.findLast(([, above]) => line > above);
      if (file !== undefined) {
        return `${file[0]}:${line - file[1]}`;
      }
    }
    return undefined;
  }
}

/** JavaScript with CommonJS for what is imported and exported, on the lines where the author has it. */
function compiled(path, text) {
  if (path.endsWith('.json')) {
    return `exports.__esModule = true; exports.default = ${text};`;
  }
  try {
    return transform(text, {
      transforms: /\.m?ts$/.test(path) ? ['typescript', 'imports'] : ['imports'],
      disableESTransforms: true,
      preserveDynamicImport: true,
    }).code;
  } catch (error) {
    throw new SyntaxError(`${path}:${error.loc?.line ?? 1}: ${error.message.replace(/ ?\(\d+:\d+\)$/, '')}`);
  }
}

/** The path of what a file imports: as it is written, or as TypeScript's authors leave the ending out or write `.js`. */
function found(files, from, wanted) {
  const parts = from.split('/').slice(0, -1);
  for (const part of wanted.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') {
      parts.pop();
    } else if (part !== '.') {
      parts.push(part);
    }
  }
  const path = parts.join('/');
  return [path, `${path}.js`, `${path}.ts`, path.replace(/\.js$/, '.ts')].find((one) => Object.hasOwn(files, one));
}

/** The files of a script; a text that is no pack of them is the only one. */
function unpacked(name, text) {
  try {
    const { entry, files } = JSON.parse(text);
    if (typeof files?.[entry] === 'string') {
      return { entry, files };
    }
  } catch {
    // It is a script itself.
  }
  const entry = name.replace(/^.*\//, '');
  return { entry, files: { [entry]: text } };
}

function load(name, source) {
  const { entry, files } = unpacked(name, decode(new Uint8Array(source)));
  const script = new Script(files);
  try {
    const definition = script.module(entry).default;
    if (definition?.table === undefined) {
      throw new sdk.UsageError(
        `${entry} has no behavior as its default export: end it with \`export default behavior({ routes: {…}, *journey(me) {…} })\``,
      );
    }
    definition.name ??= entry.replace(/^.*\//, '').replace(/\.\w+$/, '');
    definition.version ??= '0.0.0';
    definition.place = (stack) => script.place(stack);
    made = exported(definition);
  } catch (error) {
    const place = script.place(error?.stack);
    const said = String(error?.message ?? error);
    const kind = error instanceof sdk.UsageError || !(error instanceof Error) ? '' : `${error.name}: `;
    throw `${place === undefined || said.startsWith(place) ? '' : `${place}: `}${kind}${said}`;
  }
}

export const program = { load };

export const behavior = {
  describe: () => made.describe(),
  Session: class {
    constructor(setup) {
      this.session = new made.Session(setup);
    }

    next(context, outcomes) {
      return this.session.next(context, outcomes);
    }
  },
};
