/** Attributes of real files are changed; our reader and pydicom read the new values and find everything else as it was. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { changeAttributes } from '../../../src/dicom/write/change-attributes.js';
import { toDataSet } from '../../../src/dicom/json.js';
import { defaultPart10Limits, parsePart10 } from '../../../src/dicom/part10/part10.js';
import { spellingsOf, type Spelling } from '../../../src/dicom/spelling.js';
import { editedPart10, type Move } from '../../../src/dicom/write/edit-part10.js';
import { movedIndex } from '../../../src/dicom/write/moved-index.js';
import { ServiceError } from '../../../src/errors.js';
import { chunked, collect } from '../../support/byte-streams.js';
import { corpusRoot, hasCorpus } from '../../support/dicom/corpus.js';

const changes = {
  '00080050': { vr: 'SH', Value: ['ACC1'] },
  '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Changed^By^Update' }] },
  '00100020': { vr: 'LO', Value: ['P-777'] },
  '00100040': { vr: 'CS' },
  '00104000': { vr: 'LT', Value: ['One remark, of\r\ntwo lines.'] },
} as const;

/** A file with the changes; `undefined` when it cannot be read to begin with. */
async function edit(file: Buffer) {
  const parsed = await parsePart10(file).catch((error: unknown) => {
    if (error instanceof ServiceError) return undefined;
    throw error;
  });
  if (parsed === undefined) return undefined;
  const spelling = Object.fromEntries(spellingsOf(parsed.dataSet)) as Spelling;
  const changed = changeAttributes(toDataSet(parsed.dataSet), spelling, changes);
  if (changed.kind !== 'changed') throw new Error('ASCII that cannot be written');
  const moves: Move[] = [];
  const source = chunked(file, [4099]);
  const edited = await collect(
    editedPart10(source, changed.values, defaultPart10Limits, (move) => moves.push(move)),
  );
  return { edited, changed, index: movedIndex(parsed, moves, changed.changed) };
}

/** Compares pairs of files, all elements but those that were changed; prints the names of those that differ. */
const comparison = `
import sys, pydicom
left_out = {0x00080050, 0x00100010, 0x00100020, 0x00100040, 0x00104000, 0x00080001}
def raw(path, force):
    with pydicom.dcmread(path, force=force) as data:
        found = {}
        for tag in data.keys():
            if int(tag) in left_out or tag.element == 0: continue
            item = data.get_item(tag)
            found[int(tag)] = item.value if isinstance(item.value, (bytes, type(None))) else str(item)
        return found, data
for line in sys.stdin:
    before, after = line.rstrip("\\n").split("\\t")
    (a, _), (b, data) = raw(before, True), raw(after, False)
    ok = a == b and data.PatientName == "Changed^By^Update" and data.PatientID == "P-777" and data.AccessionNumber == "ACC1"
    if not ok or data.PatientComments != "One remark, of\\r\\ntwo lines.": print(after)
`;

function hasPydicom(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import pydicom'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const present = hasCorpus();

(present ? it : it.skip)(
  'changes attributes of real files and nothing else',
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'edited-'));
    const pairs: string[] = [];
    let read = 0;
    try {
      for (const entry of readdirSync(corpusRoot, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || entry.name.endsWith('.md')) continue;
        const from = path.join(entry.parentPath, entry.name);
        const made = await edit(readFileSync(from));
        if (made === undefined) continue;
        read += 1;
        const { edited, changed, index } = made;
        const after = await parsePart10(edited);
        expect([entry.name, toDataSet(after.dataSet)]).toEqual([entry.name, changed.dataSet]);
        expect([entry.name, index]).toEqual([
          entry.name,
          { frames: after.frames, bulk: after.bulk },
        ]);
        // pydicom takes its time: every tenth file will do.
        if (read % 10 > 0) continue;
        const to = path.join(folder, `${read}.dcm`);
        writeFileSync(to, edited);
        pairs.push(`${from}\t${to}\n`);
      }
      expect(read).toBeGreaterThan(200);
      if (!hasPydicom()) {
        console.info('Tests with pydicom are skipped: it is not there.');
        return;
      }
      const differing = execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', comparison], {
        input: pairs.join(''),
      });
      expect(differing.toString()).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);
