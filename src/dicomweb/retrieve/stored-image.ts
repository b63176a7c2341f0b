/** What has to be known of a stored instance before its pixels can be taken to another transfer syntax. */
import { attribute } from '../../dicom/attribute.js';
import type { DataSet } from '../../dicom/data-set.js';
import { imagePixelsOf, type ImagePixels } from '../../dicom/pixel/image-pixels.js';
import type { TransferSyntax } from '../../dicom/transfer-syntax.js';
import { ServiceError } from '../../errors.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import {
  indexProperties,
  type InstanceIndex,
  type InstanceRecord,
} from '../../storage/archive/records.js';
import type { RequestContext } from '../route.js';
import { inflateAnswer } from './answer-cache.js';
import { storedSyntax } from './stored-syntax.js';

export interface StoredImage {
  readonly record: InstanceRecord;
  readonly syntax: TransferSyntax;
  /** Attributes of the groups that are about pixels. */
  readonly dataSet: DataSet;
  readonly index: InstanceIndex;
  /** `undefined` when the data set describes no pixels that a codec takes. */
  readonly pixels: ImagePixels | undefined;
  /** NumberOfFrames, 1 when it is not said. */
  readonly frames: number;
}

type Context = Pick<RequestContext, 'services' | 'partition'>;

const numberOfFrames = attribute('NumberOfFrames');
const pixelGroups = /^(?:0028|7FE0)/;

/** Where the attributes of a version are kept, for the next frame of it. */
function keyOf({ version }: InstanceRecord): string {
  return `pixels ${version}`;
}

async function keptAttributes({ services }: Context, record: InstanceRecord) {
  const kept = services.answers.compressed(keyOf(record));
  if (kept === undefined) return undefined;
  return JSON.parse((await inflateAnswer(kept)).toString()) as DataSet;
}

async function pixelAttributes(
  { services, partition }: Context,
  row: InstanceRow,
): Promise<DataSet> {
  const text = await services.archive.files.metadataText(partition, row);
  const dataSet = Object.fromEntries(
    Object.entries(JSON.parse(text) as DataSet).filter(([tag]) => pixelGroups.test(tag)),
  );
  await services.answers.keep(keyOf(row.record), Buffer.from(JSON.stringify(dataSet)));
  return dataSet;
}

/** Whether samples of eight bits lie in big-endian words, the second of two first (PS3.5 §A.3). */
export function isInWords({ bigEndian }: TransferSyntax, pixels: ImagePixels): boolean {
  return bigEndian && pixels.bitsAllocated === 8 && pixels.pixelDataVR === 'OW';
}

/** The index with a single frame that ends at the end of its last word, which has its last sample. */
function toWholeWords(index: InstanceIndex): InstanceIndex {
  const { frames } = index;
  if (frames?.kind !== 'native' || frames.frames !== 1) return index;
  return { ...index, frames: { ...frames, frameBits: Math.ceil(frames.frameBits / 16) * 16 } };
}

function describe(record: InstanceRecord, index: InstanceIndex, dataSet: DataSet): StoredImage {
  const frames = Number(dataSet[numberOfFrames]?.Value?.[0] ?? 1);
  const syntax = storedSyntax(record);
  const pixels = imagePixelsOf(dataSet);
  return {
    record,
    syntax,
    dataSet,
    index: pixels !== undefined && isInWords(syntax, pixels) ? toWholeWords(index) : index,
    pixels,
    frames: Number.isInteger(frames) && frames > 0 ? frames : 1,
  };
}

/** Reads what a row says, which has been read with all its properties. */
export async function storedImage(context: Context, row: InstanceRow): Promise<StoredImage> {
  const index = await context.services.archive.files.index(context.partition, row);
  return describe(row.record, index, await pixelAttributes(context, row));
}

/**
 * Reads what is known of an instance; nothing but its index when it has been asked for before.
 *
 * @param record - as it was read; the result has a newer one when the instance was replaced meanwhile.
 * @param index - when it has been read already.
 * @throws ServiceError `instance-not-found` when it was deleted meanwhile.
 */
export async function loadImage(
  context: Context,
  record: InstanceRecord,
  index?: InstanceIndex,
): Promise<StoredImage> {
  const { archive } = context.services;
  const kept = await keptAttributes(context, record);
  if (kept !== undefined && index !== undefined) return describe(record, index, kept);
  const select = kept === undefined ? undefined : indexProperties;
  const newest = await archive.catalog.instance(context.partition, record, select);
  const isOriginal = newest?.record.original === record.version;
  const row = isOriginal
    ? await archive.originals.instance(context.partition, record, select)
    : newest;
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'The instance has just been deleted.');
  }
  if (kept !== undefined && row.record.version === record.version) {
    return describe(record, await archive.files.index(context.partition, row), kept);
  }
  if (kept !== undefined) return await loadImage(context, row.record);
  return await storedImage(context, row);
}
