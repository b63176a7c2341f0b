/** Parsed instances as plain values, to be compared: elements look their bytes up when asked. */
import { Part10Reader, type ParsedInstance } from '../../../src/dicom/part10/part10.js';
import type { Part10Limits } from '../../../src/dicom/part10/limits.js';
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

/** Reads a file that comes in chunks. */
export async function readChunks(
  chunks: readonly Uint8Array[],
  limits?: Part10Limits,
): Promise<ParsedInstance> {
  const reader = new Part10Reader(limits);
  for (const chunk of chunks) await reader.push(chunk);
  return plain(await reader.finish());
}
