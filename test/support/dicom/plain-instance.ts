/** Parsed instances as plain values, to be compared: elements look their bytes up when asked. */
import type { ParsedInstance } from '../../../src/dicom/part10/part10.js';
import type { RawDataSet } from '../../../src/dicom/raw-data-set.js';

function plainDataSet({ bigEndian, elements }: RawDataSet): RawDataSet {
  return {
    bigEndian,
    elements: elements.map(({ tag, vr, offset, length, bytes, items }) => ({
      tag,
      vr,
      offset,
      length,
      ...(bytes !== undefined && { bytes }),
      ...(items !== undefined && { items: items.map(plainDataSet) }),
    })),
  };
}

export function plain(parsed: ParsedInstance): ParsedInstance {
  return { ...parsed, dataSet: plainDataSet(parsed.dataSet) };
}
