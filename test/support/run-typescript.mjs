/**
 * Runs TypeScript of this repository in a process of its own, without a build: `node <this file> some.ts
 * ...arguments`. For tests and benchmarks. `SOURCE_MUTATION`, as JSON `{ file, find, replace }`, changes one
 * file as it is read, to see which tests notice.
 */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { transformSync } from '@swc/core';

const options = {
  jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};

const mutation = JSON.parse(process.env.SOURCE_MUTATION ?? 'null');

function sourceOf(filename) {
  const source = readFileSync(filename, 'utf8');
  if (mutation === null || !filename.endsWith(mutation.file)) return source;
  if (source.split(mutation.find).length !== 2) throw new Error(`${mutation.file} has changed.`);
  return source.replace(mutation.find, () => mutation.replace);
}

Module._extensions['.ts'] = (module, filename) => {
  const source = sourceOf(filename);
  module._compile(transformSync(source, { ...options, filename }).code, filename);
};

// Imports are written with the extension that they have once compiled.
const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) => {
  try {
    return resolve(request, ...rest);
  } catch (error) {
    if (!/^\.{1,2}\/.*\.js$/.test(request)) throw error;
    return resolve(request.replace(/\.js$/, '.ts'), ...rest);
  }
};

process.argv.splice(1, 1);
const script = path.resolve(process.argv[1]);
Module.createRequire(script)(script);
