/** Renders frames with the tools of DCMTK, asked to do what the service does. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Picture } from '../../src/dicom/pixel/render/picture.js';
import type { Presentation } from '../../src/dicom/pixel/render/presentation.js';

const run = promisify(execFile);
const timeout = 60_000;

/** The tool that reads a transfer syntax by itself; `gdcmconv` makes others uncompressed first. */
const readers: readonly (readonly [pattern: RegExp, tool: string, first?: 'gdcmconv'])[] = [
  [/^1\.2\.840\.10008\.1\.2(\.1|\.2|\.5)?$/, 'dcm2pnm'],
  [/^1\.2\.840\.10008\.1\.2\.4\.(5\d|70)$/, 'dcmj2pnm'],
  [/^1\.2\.840\.10008\.1\.2\.4\.8[01]$/, 'dcml2pnm'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[01]$/, 'dcm2pnm', 'gdcmconv'],
];

/** The options that mean what the presentation says. */
function optionsOf({ voi }: Presentation): string[] {
  if (voi === undefined) return ['+Wm'];
  if (voi.kind === 'lut') return ['+Wl', '1'];
  const { center, width, shape } = voi.window;
  return ['+Ww', String(center), String(width), shape === 'SIGMOID' ? '+Wfs' : '+Wfl'];
}

/** Reads binary PGM and PPM of eight bits. */
function readPnm(bytes: Buffer): Picture {
  const header = /^P([56])\s(?:#[^\n]*\n)*(\d+)\s+(\d+)\s+255\s/.exec(
    bytes.toString('latin1', 0, 200),
  );
  if (header === null) throw new Error('no PGM or PPM of eight bits');
  const [all, kind, width, height] = header;
  return {
    width: Number(width),
    height: Number(height),
    channels: kind === '5' ? 1 : 3,
    data: bytes.subarray(all.length),
  };
}

/**
 * A frame as DCMTK shows it: without overlays, pixels not stretched.
 *
 * @returns `undefined` when no tool reads the transfer syntax; an Error when one refuses the file.
 */
export async function dcmtkPicture(
  file: string,
  transferSyntax: string,
  frame: number,
  presentation: Presentation,
): Promise<Picture | Error | undefined> {
  const reader = readers.find(([pattern]) => pattern.test(transferSyntax));
  if (reader === undefined) return undefined;
  const [, tool, first] = reader;
  const folder = await mkdtemp(join(tmpdir(), 'rendering-'));
  try {
    const output = join(folder, 'frame.pnm');
    const input = first === undefined ? file : join(folder, 'raw.dcm');
    if (first !== undefined) await run(first, ['--raw', file, input], { timeout });
    const options = [...optionsOf(presentation), '-O', '+F', String(frame), '+op'];
    await run(tool, [...options, input, output], { timeout });
    return readPnm(await readFile(output));
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    return new Error(stderr.trim().split('\n').at(-1) ?? 'failed', { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}
