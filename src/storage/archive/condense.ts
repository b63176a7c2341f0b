/** Makes little of a data set that has to wait for its commit, as thousands of a request may. */
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { Attribute, DataSet, Element } from '../../dicom/data-set.js';
import { stringifyAttribute } from '../../dicom/json.js';
import type { Spelled } from '../../dicom/spelling.js';
import type { Tag } from '../../dicom/tag.js';
import { takeTurns } from '../../take-turns.js';
import { seriesAttributes, studyAttributes } from './index/attributes.js';
import { beforeSpelling } from './records.js';

const compress = promisify(gzip);
const kept = new Set<Tag>([...studyAttributes, ...seriesAttributes]);
/** Text is turned into bytes, outside of the JavaScript heap, as soon as there is as much of it. */
const textCharacters = 64 * 1024;
/** Up to here compressing takes a fraction of a millisecond, and handing it to a thread ten times as much. */
const smallBytes = 16 * 1024;

export interface CondensedMetadata {
  /** The attributes that the rows of studies and series keep. */
  readonly dataSet: DataSet;
  /** The DICOM JSON of all of them with their spelling, compressed (`readMetadata`). */
  readonly metadata: Uint8Array;
}

/** The members of an object one by one, those of the data set separated as JSON has it. */
function* textOf(
  attributes: Iterable<Attribute>,
  spellings: Iterable<readonly [Tag, readonly Spelled[]]>,
): Generator<string, void, undefined> {
  let separator = '{';
  for (const attribute of attributes) {
    yield separator + stringifyAttribute(attribute);
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
  separator = `${beforeSpelling}{`;
  for (const [tag, spelled] of spellings) {
    yield `${separator}"${tag}":${JSON.stringify(spelled)}`;
    separator = ',';
  }
  if (separator === ',') yield '}';
}

function* noting(
  attributes: Iterable<Attribute>,
  dataSet: Record<Tag, Element>,
): Generator<Attribute, void, undefined> {
  for (const attribute of attributes) {
    const [tag, element] = attribute;
    if (kept.has(tag)) dataSet[tag] = element;
    yield attribute;
  }
}

/**
 * Compresses the DICOM JSON of a data set, a large one away from the event loop, and keeps what rows need.
 *
 * @param attributes - in ascending order of tag; they are asked for one by one and not held together.
 * @param spellings - of attributes that their file spells otherwise, asked for behind them.
 */
export async function condense(
  attributes: Iterable<Attribute>,
  spellings: Iterable<readonly [Tag, readonly Spelled[]]> = [],
): Promise<CondensedMetadata> {
  const dataSet: Record<Tag, Element> = {};
  const bytes: Buffer[] = [];
  let text = '';
  for (const piece of textOf(noting(attributes, dataSet), spellings)) {
    text += piece;
    if (text.length > textCharacters) {
      bytes.push(Buffer.from(text));
      text = '';
    }
  }
  bytes.push(Buffer.from(text));
  await takeTurns();
  const json = Buffer.concat(bytes);
  return { dataSet, metadata: json.length <= smallBytes ? gzipSync(json) : await compress(json) };
}
