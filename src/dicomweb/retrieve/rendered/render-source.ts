/** An instance that is to be rendered: its row, its data set, and its frames and bulk values. */
import { alignFrame } from '../../../dicom/pixel/align-frame.js';
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet, Element } from '../../../dicom/data-set.js';
import { frameRuns, type FrameIndex } from '../../../dicom/frames.js';
import { imagePixelsOf, type ImagePixels } from '../../../dicom/pixel/image-pixels.js';
import { refuseOver } from '../../../dicom/pixel/pixel-errors.js';
import type { BulkSource } from '../../../dicom/pixel/render/lookup-data.js';
import { presentationOf } from '../../../dicom/pixel/render/presentation-of.js';
import type { StoredFrame } from '../../../dicom/pixel/render/render-job.js';
import type { Tag } from '../../../dicom/tag.js';
import type { TransferSyntax } from '../../../dicom/transfer-syntax.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import type { InstanceIndex, InstanceRecord } from '../../../storage/archive/records.js';
import type { RequestContext } from '../../route.js';
import { bulkResource } from '../bulkdata/bulk-resource.js';
import { openBytes } from '../bulkdata/open-bulk.js';
import { openRuns, readAll } from '../open-runs.js';
import { storedSyntax } from '../stored-syntax.js';

export interface RenderSource {
  readonly record: InstanceRecord;
  readonly dataSet: DataSet;
  readonly index: InstanceIndex;
  readonly syntax: TransferSyntax;
}

/** Tables and profiles are short; a value that is not is none. */
const mostBulkBytes = 4 * 1024 ** 2;

const floatPixelData: ReadonlySet<Tag> = new Set([
  attribute('FloatPixelData'),
  attribute('DoubleFloatPixelData'),
]);

/** @param row - read with all its properties. */
export async function renderSource(
  { services, partition }: RequestContext,
  row: InstanceRow,
): Promise<RenderSource> {
  const [text, index] = await Promise.all([
    services.archive.files.metadataText(partition, row),
    services.archive.files.index(partition, row),
  ]);
  const dataSet = JSON.parse(text) as DataSet;
  return { record: row.record, dataSet, index, syntax: storedSyntax(row.record) };
}

/** Reads bulk values of the instance, each once; those that are missing or too long are empty. */
export function bulkSource(
  context: RequestContext,
  { record, index, syntax }: RenderSource,
): BulkSource {
  const known = new Map<string, Promise<Uint8Array>>();
  const read = async (path: string): Promise<Uint8Array> => {
    const value = index.bulk.find((one) => one.path === path);
    const resource = value && bulkResource(value, index, syntax);
    if (resource?.kind !== 'bytes' || resource.length > mostBulkBytes) return new Uint8Array();
    return await readAll(await openBytes(context, record, resource));
  };
  return async (path) => {
    const bytes = known.get(path) ?? read(path);
    known.set(path, bytes);
    return await bytes;
  };
}

/** The pixels of the instance; floating point ones too, whose module has the same attributes. */
export function pixelsOf({ dataSet }: RenderSource): ImagePixels | undefined {
  const described: Record<Tag, Element> = {};
  for (const [tag, element] of Object.entries(dataSet) as [Tag, Element][]) {
    if (!floatPixelData.has(tag)) described[tag] = element;
  }
  return imagePixelsOf(described);
}

/** How many bytes of storage the frames take: what a picture of them costs to read. */
export function storedBytes(index: FrameIndex, frames: readonly number[]): number {
  return frames
    .flatMap((frame) => frameRuns(index, frame))
    .reduce((sum, { length }) => sum + length, 0);
}

/**
 * Reads one frame and how it is to be shown.
 *
 * @param frame counted from 1; one that the index has.
 * @throws ServiceError `pixel-data-too-large` | `instance-not-found` | `storage-corrupt`.
 */
export async function readFrame(
  context: RequestContext,
  { record, dataSet }: RenderSource,
  { pixels, frames, bulk }: { pixels: ImagePixels; frames: FrameIndex; bulk: BulkSource },
  frame: number,
): Promise<StoredFrame> {
  refuseOver(storedBytes(frames, [frame]), context.services.limits.pixels.frameBytes);
  const [bytes, presentation] = await Promise.all([
    openRuns(context, record, frameRuns(frames, frame)).then(readAll),
    presentationOf(dataSet, frame, pixels, bulk),
  ]);
  return { payload: alignFrame(bytes, frames, frame), presentation };
}
