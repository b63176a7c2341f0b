/** What of the dependencies no process on the server ever reads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Kinds of files that Node loads, and licences, which must go with what they license. */
const needed = /\.(?:[cm]?js|json|wasm|node)$|(?:^|[/\\])(?:licen[cs]e|copying|notice)[^/\\]*$/i;

/** Folders with other builds of the same code, where there is one for Node. */
const otherBuilds = ['browser', 'react-native', 'workerd', 'esm'];

/** Files below a folder, absolute. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Files and folders of one package that can go. */
export function unneededIn(folder: string): readonly string[] {
  const dist = path.join(folder, 'dist');
  // The service is CommonJS, and so is whatever it requires, down to the last package.
  const builds = existsSync(path.join(dist, 'commonjs'))
    ? otherBuilds.map((name) => path.join(dist, name)).filter((build) => existsSync(build))
    : [];
  const files = filesIn(folder).filter((file) => !needed.test(path.relative(folder, file)));
  return [...builds, ...files];
}

const codecFolder = path.join('node_modules', '@cornerstonejs');

/** Builds of the codecs that the compiled service does not name; each comes in several. */
export function unusedCodecFiles(app: string): readonly string[] {
  const code = filesIn(path.join(app, 'dist'))
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const named = new Set(code.match(/(?<=['"`])@cornerstonejs\/codec-[\w./-]+(?=['"`])/g));
  const resolve = createRequire(path.join(app, 'package.json'));
  const used = new Set([...named].map((name) => resolve.resolve(name)));
  // Beside the script of a WebAssembly build lies its code, under the same name.
  const kept = new Set([...used].flatMap((file) => [file, file.replace(/\.js$/, '.wasm')]));
  return filesIn(path.join(app, codecFolder)).filter(
    (file) => /\.(?:js|wasm)$/.test(file) && !kept.has(file),
  );
}
