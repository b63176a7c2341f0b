/** Real files, whole or damaged, are rendered or refused; nothing else happens. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readFrame } from '../../../../scripts/rendering/read-frame.js';
import { renderFrame } from '../../../../src/dicom/pixel/render/render-frame.js';
import { ServiceError } from '../../../../src/errors.js';
import { corpusRoot, hasCorpus } from '../../../support/dicom/corpus.js';
import { isNightly } from '../../../support/nightly.js';

const suite = hasCorpus() ? describe : describe.skip;
const largest = 4 * 1024 ** 2;
/** One file of so many: all of them are rendered beside DCMTK's pictures by `npm run rendering`. */
const share = isNightly ? 1 : 4;

suite('rendering the corpus', () => {
  it('gives a thumbnail of each file that has pixels, or says why not', async () => {
    const outcomes = new Map<string, number>();
    const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const names = readdirSync(corpusRoot, { recursive: true, encoding: 'utf8' })
      .sort()
      .filter((_, at) => at % share === 0);
    for (const name of names) {
      const file = path.join(corpusRoot, name);
      const { size } = statSync(file);
      if (!statSync(file).isFile() || size > largest) continue;
      try {
        const read = await readFrame(readFileSync(file), 1);
        if (read === undefined) {
          count('without pixels');
          continue;
        }
        const viewport = { width: 64, height: 64 };
        const bytes = await renderFrame(read.frame, read.presentation, {
          format: 'jpeg',
          quality: 80,
          viewport,
        });
        expect(Buffer.from(bytes).readUInt16BE(0)).toBe(0xffd8);
        count('rendered');
      } catch (error) {
        if (!(error instanceof ServiceError)) throw new Error(`${name} failed`, { cause: error });
        count(error.code);
      }
    }
    expect(outcomes.get('rendered')).toBeGreaterThan(180 / share);
  });
});
