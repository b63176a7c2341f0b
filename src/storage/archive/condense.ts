/** Makes little of a data set that has to wait for its commit, as thousands of a request may. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Attribute, DataSet, Element } from '../../dicom/data-set.js';
import { stringifyAttribute } from '../../dicom/json.js';
import type { Tag } from '../../dicom/tag.js';
import { takeTurns } from '../../take-turns.js';
import { seriesAttributes, studyAttributes } from './index/attributes.js';

const compress = promisify(gzip);
const kept = new Set<Tag>([...studyAttributes, ...seriesAttributes]);
/** Text is turned into bytes, outside of the JavaScript heap, as soon as there is as much of it. */
const textCharacters = 64 * 1024;

export interface CondensedMetadata {
  /** The attributes that the rows of studies and series keep. */
  readonly dataSet: DataSet;
  /** The DICOM JSON of all of them, compressed. */
  readonly metadata: Uint8Array;
}

/**
 * Compresses the DICOM JSON of a data set away from the event loop, and keeps what rows need.
 *
 * @param attributes - in ascending order of tag; they are asked for one by one and not held together.
 */
export async function condense(attributes: Iterable<Attribute>): Promise<CondensedMetadata> {
  const dataSet: Record<Tag, Element> = {};
  const bytes: Buffer[] = [];
  let text = '{';
  let separator = '';
  for (const attribute of attributes) {
    const [tag, element] = attribute;
    if (kept.has(tag)) dataSet[tag] = element;
    text += separator + stringifyAttribute(attribute);
    separator = ',';
    if (text.length > textCharacters) {
      bytes.push(Buffer.from(text));
      text = '';
    }
  }
  bytes.push(Buffer.from(`${text}}`));
  await takeTurns();
  return { dataSet, metadata: await compress(Buffer.concat(bytes)) };
}
