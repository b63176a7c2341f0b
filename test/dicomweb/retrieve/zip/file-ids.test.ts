import { describe, expect, it } from '@jest/globals';
import type { SeriesInstanceUID } from '../../../../src/dicom/uid.js';
import { FileIds } from '../../../../src/dicomweb/retrieve/zip/file-ids.js';

const series = (uid: string) => ({ series: uid as SeriesInstanceUID });

describe('FileIds', () => {
  it('numbers series, and instances within each', () => {
    const names = new FileIds();
    expect(['1.2', '1.2', '1.3', '1.4', '1.4'].map((uid) => names.next(series(uid)))).toEqual([
      'DICOM/STU00001/SER00001/IMG00001',
      'DICOM/STU00001/SER00001/IMG00002',
      'DICOM/STU00001/SER00002/IMG00001',
      'DICOM/STU00001/SER00003/IMG00001',
      'DICOM/STU00001/SER00003/IMG00002',
    ]);
  });

  it('stays within eight characters, and never repeats a name', () => {
    const names = new FileIds();
    const seen = new Set<string>();
    for (let count = 0; count < 100_002; count++) seen.add(names.next(series('1.2')));
    const longest = (name: string) => Math.max(...name.split('/').map((part) => part.length));
    expect(Math.max(...[...seen].map(longest))).toBe(8);
    expect(seen.size).toBe(100_002);
    expect(names.next(series('1.2'))).toBe('DICOM/STU00001/SER00001/IM100003');
  });
});
