/** A stored instance as a file in another transfer syntax, streamed frame by frame. */
import { attribute } from '../../dicom/attribute.js';
import { everyFrame } from '../../dicom/frames.js';
import type { EncodedFrame } from '../../dicom/pixel/encode-frame.js';
import { lossyHistoryOf, transcodedAttributes } from '../../dicom/pixel/transcoded-attributes.js';
import { tagFrom, type Tag } from '../../dicom/tag.js';
import type { TransferSyntax } from '../../dicom/transfer-syntax.js';
import { rewrittenPart10 } from '../../dicom/write/rewrite-part10.js';
import type { NewValue, PixelDataRewrite, Rewrite } from '../../dicom/write/rewrite.js';
import { ServiceError } from '../../errors.js';
import { readAhead } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import { fileGone } from './reread.js';
import type { StoredImage } from './stored-image.js';
import {
  frameBitsOf,
  framesAheadOf,
  transcodePayload,
  transcodeStoredFrame,
} from './transcode-frames.js';
import { hasPixelData, touchesPixels } from './transcode-targets.js';

const pixelRepresentation = attribute('PixelRepresentation');
/** Extended Offset Table, its lengths, and the total length of encapsulated pixel data. */
const offsetTables = [0x0001, 0x0002, 0x0003].map((element) => tagFrom(0x7fe0, element));

/** What the header, written by the first frame, says of all. */
const describing = [
  'photometricInterpretation',
  'planarConfiguration',
  'bitsAllocated',
  'bitsStored',
  'highBit',
] as const;

/** Frames in their new form; the first has been transcoded already. */
async function* transcoded(
  context: RequestContext,
  image: StoredImage,
  to: TransferSyntax,
  first: EncodedFrame,
  payloads: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isFirst = true;
  const frames = readAhead(
    payloads,
    framesAheadOf(image),
    async (payload) => {
      if (!isFirst) return await transcodePayload(context, image, to, 'new-header', payload);
      isFirst = false;
      return first;
    },
    () => undefined,
  );
  for await (const { bytes, pixels } of frames) {
    if (describing.some((name) => pixels[name] !== first.pixels[name])) {
      throw new ServiceError('pixel-data-corrupt', 'A frame is encoded otherwise than the first.');
    }
    yield bytes;
  }
}

/** How the pixel data of an instance is rewritten, and what its data set then says. */
async function pixelRewrite(
  context: RequestContext,
  image: StoredImage,
  to: TransferSyntax,
): Promise<Pick<Rewrite, 'pixelData' | 'changes'>> {
  const { syntax, index, dataSet, pixels, frames } = image;
  const [firstRuns] = index.frames === undefined ? [] : everyFrame(index.frames);
  if (index.frames === undefined || firstRuns === undefined || pixels === undefined) {
    throw new ServiceError('pixel-data-unsupported', 'The instance has no frames to transcode.');
  }
  const first = await transcodeStoredFrame(context, image, to, 'new-header', firstRuns);
  const made = transcodedAttributes(pixels, syntax, first, lossyHistoryOf(dataSet));
  const changes = new Map<Tag, NewValue | undefined>([
    ...made,
    ...offsetTables.map((tag) => [tag, undefined] as const),
  ]);
  const frameBits = frameBitsOf(first);
  const pixelData: PixelDataRewrite = {
    frames: everyFrame(index.frames),
    vr: first.pixels.bitsAllocated > 8 ? 'OW' : 'OB',
    nativeLength: to.encapsulated ? undefined : Math.ceil((frameBits * frames) / 8),
    ...(!to.encapsulated && frameBits % 8 !== 0 && { frameBits }),
    transcode: (payloads) => transcoded(context, image, to, first, payloads),
  };
  return { pixelData, changes };
}

/** A file that is on its way. */
export interface TranscodedFile {
  /** Opens the stored file when it is read; read it once. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * Prepares an instance in another transfer syntax, one of `fileTargets`. The first frame is transcoded
 * at once, so that what cannot be done fails before an answer has begun, and so that the header, which
 * precedes the pixels, can say what they become.
 *
 * @throws ServiceError as `transcodeStoredFrame`; `instance-not-found` when it was deleted meanwhile.
 */
export async function transcodeInstance(
  context: RequestContext,
  image: StoredImage,
  to: TransferSyntax,
): Promise<TranscodedFile> {
  const { services, partition, signal } = context;
  const { syntax, record, dataSet } = image;
  const rewrite: Rewrite = {
    target: to,
    signedPixels: dataSet[pixelRepresentation]?.Value?.[0] === 1,
    ...(image.pixels !== undefined && { sampleBytes: image.pixels.bitsAllocated / 8 }),
    ...(touchesPixels(syntax, to) &&
      hasPixelData(image) &&
      (await pixelRewrite(context, image, to))),
  };
  return {
    async *chunks() {
      const file = await services.archive.files.open(partition, record, undefined, signal);
      if (file === undefined) throw fileGone();
      yield* rewrittenPart10(file.body, rewrite, services.limits.part10);
    },
  };
}
