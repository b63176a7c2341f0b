/** Makes little of a data set that has to wait for its commit, as thousands of a request may. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { DataSet, Element } from '../../dicom/data-set.js';
import { stringifyDataSet } from '../../dicom/json.js';
import type { Tag } from '../../dicom/tag.js';
import { takeTurns } from '../../take-turns.js';
import { seriesAttributes, studyAttributes } from './attributes.js';

const compress = promisify(gzip);
const kept = new Set<Tag>([...studyAttributes, ...seriesAttributes]);

export interface CondensedMetadata {
  /** The attributes that the rows of studies and series keep. */
  readonly dataSet: DataSet;
  /** The DICOM JSON of all of them, compressed. */
  readonly metadata: Uint8Array;
}

/** Compresses the DICOM JSON of a data set away from the event loop, and keeps what rows need. */
export async function condense(dataSet: DataSet): Promise<CondensedMetadata> {
  const json = stringifyDataSet(dataSet);
  await takeTurns(json.length);
  const metadata = await compress(json);
  const attributes: Record<Tag, Element> = {};
  for (const tag of kept) {
    const element = dataSet[tag];
    if (element !== undefined) attributes[tag] = element;
  }
  return { dataSet: attributes, metadata };
}
