/**
 * Runs TypeScript of this repository in a process of its own, without a build: `node <this file> some.ts
 * ...arguments`. For tests and benchmarks. What was compiled once is kept below `node_modules`, by its content, for
 * a run of the tests starts some hundred processes. `SOURCE_MUTATION`, as JSON `{ file, find, replace }`, changes one
 * file as it is read, to see which tests notice.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

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

const load = Module.createRequire(import.meta.url);
const kept = fileURLToPath(new URL('../../node_modules/.cache/run-typescript', import.meta.url));
const compiler = `${load('@swc/core/package.json').version} ${JSON.stringify(options)}`;

function compile(source, filename) {
  const name = createHash('sha256').update([compiler, filename, source].join('\0')).digest('hex');
  const file = path.join(kept, `${name}.js`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const { code } = load('@swc/core').transformSync(source, { ...options, filename });
    // Another process may read it meanwhile: it is there whole, or not at all.
    mkdirSync(kept, { recursive: true });
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, code);
    renameSync(unfinished, file);
    return code;
  }
}

Module._extensions['.ts'] = (module, filename) => {
  module._compile(compile(sourceOf(filename), filename), filename);
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
