import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { frameRuns, type FrameIndex } from '../../../src/dicom/frames.js';
import { parsePart10, type ParsedInstance } from '../../../src/dicom/part10/part10.js';
import { ServiceError, type ErrorCode } from '../../../src/errors.js';
import { chunksOf } from '../../support/part10-builder.js';
import { plain, readChunks } from '../../support/dicom/plain-instance.js';

const root = process.env['DICOM_CORPUS'] ?? resolve(__dirname, '../../../../shared/corpus');
const present = existsSync(root);
if (!present)
  console.info('Tests with real files are skipped: set DICOM_CORPUS to a folder of them.');

/** Files that are broken on purpose, and how they must be refused. */
const refusals: Readonly<Record<string, ErrorCode>> = {
  'ExplVR_BigEndNoMeta.dcm': 'not-dicom',
  'ExplVR_LitEndNoMeta.dcm': 'not-dicom',
  'no_meta.dcm': 'not-dicom',
  'rtstruct.dcm': 'not-dicom',
  'JLSL_RGB_ILV0.dcm': 'not-dicom',
  'JLSL_RGB_ILV1.dcm': 'not-dicom',
  'JLSL_RGB_ILV2.dcm': 'not-dicom',
  'JLSN_RGB_ILV0.dcm': 'not-dicom',
  'OT-PAL-8-face.dcm': 'not-dicom',
  'meta_missing_tsyntax.dcm': 'dicom-malformed',
  'DICOMDIR-nooffset': 'dicom-malformed',
  'MR_truncated.dcm': 'dicom-truncated',
  'rtplan_truncated.dcm': 'dicom-truncated',
};

/** How fragments make up frames; the payloads were compared with those that pydicom finds. */
const groupings: Readonly<Record<string, Partial<FrameIndex & { kind: 'encapsulated' }>>> = {
  'CT0012.fragmented_no_bot_jpeg_lossless.57.dcm': { frames: 2, perFrame: [9, 8] },
  'CT0012.fragmented_no_bot_jpeg_lossless.70.dcm': { frames: 2, perFrame: [10, 9] },
  'CT0012.fragmented_no_bot_jpeg_ls.80.dcm': { frames: 2, perFrame: [6, 5] },
  'CT0012.fragmented_no_bot_jpeg_ls.81.dcm': { frames: 2, perFrame: 4 },
  'CT0012.fragmented_no_bot_jpeg_baseline.51.dcm': { frames: 2, perFrame: [6, 5] },
  'CT0012.not_fragmented_bot_rle.dcm': { frames: 2, perFrame: 1 },
  'CT1_UNC.fragmented_bot_jpeg_ls.80.dcm': { frames: 1, perFrame: 21 },
  'IM00001.fragmented_no_bot_jpeg_baseline.50.dcm': {
    frames: 8,
    perFrame: [6, 6, 6, 5, 5, 5, 5, 6],
  },
  'examples_ybr_color.dcm': { frames: 30, perFrame: 1 },
  'emri_small_jpeg_2k_lossless_too_short.dcm': { frames: 10, perFrame: 1 },
};

type Outcome = ParsedInstance | ErrorCode;

async function outcome(read: () => Promise<ParsedInstance>): Promise<Outcome> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

function numberOfFrames({ dataSet }: ParsedInstance): number {
  const element = dataSet.elements.find(({ tag }) => tag === '00280008');
  return Number(Buffer.from(element?.bytes ?? []).toString('latin1')) || 1;
}

(present ? describe : describe.skip)('parsePart10 of real files', () => {
  const outcomes = new Map<string, Outcome>();
  const parsed = (): [string, ParsedInstance][] =>
    [...outcomes].flatMap(([path, result]) => (typeof result === 'string' ? [] : [[path, result]]));

  beforeAll(async () => {
    const files = readdirSync(root, { recursive: true, withFileTypes: true });
    for (const file of files) {
      if (!file.isFile() || file.name.endsWith('.md')) continue;
      const path = join(file.parentPath, file.name);
      outcomes.set(path, await outcome(async () => plain(await parsePart10(readFileSync(path)))));
    }
  });

  it('refuses the broken ones for their fault and reads all others', () => {
    const found = [...outcomes].flatMap(([path, result]) =>
      typeof result === 'string' ? [[basename(path), result]] : [],
    );
    const names = new Set([...outcomes.keys()].map((path) => basename(path)));
    const expected = Object.entries(refusals).filter(([name]) => names.has(name));
    console.info(`${outcomes.size} files: ${parsed().length} read, ${found.length} refused.`);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  it('reads the same from chunks', async () => {
    for (const [path, result] of outcomes) {
      expect([path, await outcome(() => readChunks(chunksOf(readFileSync(path), 1021)))]).toEqual([
        path,
        result,
      ]);
    }
  });

  it('indexes every frame, within the file and in order', () => {
    for (const [path, instance] of parsed()) {
      const { frames, length, meta } = instance;
      if (frames === undefined) continue;
      expect([path, frames.frames]).toEqual([path, numberOfFrames(instance)]);
      const runs = Array.from({ length: frames.frames }, (_, at) =>
        frameRuns(frames, at + 1),
      ).flat();
      let end = 0;
      for (const run of runs) {
        const shared = frames.kind === 'native' && frames.frameBits % 8 !== 0 ? 1 : 0;
        expect(run.offset).toBeGreaterThanOrEqual(end - shared);
        end = run.offset + run.length;
      }
      if (!meta.transferSyntax.deflated) expect(end).toBeLessThanOrEqual(length);
    }
  });

  it('groups fragments as they belong', () => {
    for (const [path, { frames }] of parsed()) {
      const expected = groupings[basename(path)];
      if (expected !== undefined) expect([path, frames]).toMatchObject([path, expected]);
    }
  });

  it('has an index for every file with pixel data', () => {
    for (const [path, { dataSet, frames }] of parsed()) {
      const pixels = dataSet.elements.some(({ tag, length }) => tag === '7FE00010' && length > 0);
      if (pixels) expect([path, frames]).not.toEqual([path, undefined]);
    }
  });
});
