/**
 * Bundles the page of `web/` into `dist/web/`, or a folder that is named, which both hosts serve. The bundler is the WebAssembly
 * build of esbuild: one package for every platform. Nothing is done when no source has changed.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const source = path.join(root, 'web');
const target = path.resolve(process.argv[2] ?? path.join(root, 'dist/web'));
const stamp = path.join(target, '.sources');

function digestOfSources() {
  const hash = createHash('sha256');
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  for (const file of [...files, path.join(root, 'package-lock.json')]) {
    hash.update(path.relative(root, file)).update('\0').update(readFileSync(file));
  }
  return hash.digest('hex');
}

function builtDigest() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

const digest = digestOfSources();
if (builtDigest() !== digest) {
  const { build } = await import('esbuild-wasm');
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [path.join(source, 'main.tsx')],
    bundle: true,
    minify: true,
    format: 'esm',
    splitting: true,
    chunkNames: 'part-[hash]',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryNames: 'page-[hash]',
    outdir: target,
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  });
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const names = outputFiles.map((file) => path.basename(file.path));
  for (const file of outputFiles) {
    writeFileSync(path.join(target, path.basename(file.path)), file.contents);
  }
  const html = readFileSync(path.join(source, 'index.html'), 'utf8')
    .replace(
      'page.css',
      names.find((name) => name.endsWith('.css')),
    )
    .replace(
      'page.js',
      names.find((name) => /^page-.*\.js$/.test(name)),
    );
  writeFileSync(path.join(target, 'index.html'), html);
  writeFileSync(path.join(target, 'icon.svg'), readFileSync(path.join(source, 'icon.svg')));
  writeFileSync(stamp, digest);
}
