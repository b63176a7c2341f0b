/**
 * Which pixels fit which transfer syntax, as a table after PS3.5 §8.2. It is asked while a request is
 * negotiated, before a byte of pixel data is read, so it knows attributes only.
 */
import type { TransferSyntax } from '../transfer-syntax.js';
import { decodableSyntaxes } from './codecs.js';
import type { ImagePixels } from './image-pixels.js';
import { isReadInPlanes } from './stored-form.js';

/** What one encoder takes. */
interface Capability {
  readonly bitsAllocated: readonly number[];
  /** Bits Stored has to fill Bits Allocated. */
  readonly fullWidth: boolean;
  /** Photometric interpretations of one sample, and of three. */
  readonly photometric: readonly string[];
  /** Photometric interpretations that may have signed samples. */
  readonly signed: readonly string[];
  readonly fewestPixels: number;
  /** Bits allocated of three samples, where fewer depths fit than of one. */
  readonly colourBits?: readonly number[];
}

const grey = ['MONOCHROME1', 'MONOCHROME2'];
const colour = ['RGB', 'YBR_FULL'];

const lossless: Capability = {
  bitsAllocated: [8, 16],
  fullWidth: false,
  photometric: [...grey, 'PALETTE COLOR', ...colour],
  signed: grey,
  fewestPixels: 1,
};
const baseline: Capability = {
  bitsAllocated: [8],
  fullWidth: true,
  // Lossy palette indices would be other colours.
  photometric: [...grey, ...colour],
  signed: [],
  // The codec's output buffer does not hold the headers of a smaller picture.
  fewestPixels: 64,
};
/** Components that are not transformed are joined, which tile-parts by resolution are not made for. */
const progressive: Capability = {
  ...lossless,
  photometric: [...grey, 'PALETTE COLOR', 'RGB'],
  colourBits: [8],
};
const rle: Capability = { ...lossless, bitsAllocated: [8, 16, 32] };

/** Encapsulated targets. Native ones take every frame as it is. */
const capabilities: ReadonlyMap<string, Capability> = new Map([
  ['1.2.840.10008.1.2.4.50', baseline],
  ['1.2.840.10008.1.2.4.70', lossless],
  ['1.2.840.10008.1.2.4.80', lossless],
  ['1.2.840.10008.1.2.4.90', lossless],
  ['1.2.840.10008.1.2.4.201', lossless],
  ['1.2.840.10008.1.2.4.202', progressive],
  ['1.2.840.10008.1.2.4.203', lossless],
  ['1.2.840.10008.1.2.5', rle],
]);

const nativeTargets: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.1.99',
]);

/** What three samples per pixel may be in a codestream that decodes to RGB or YBR_FULL. */
const codestreamColour: ReadonlySet<string> = new Set([
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_ICT',
  'YBR_RCT',
]);

/** JPEG 2000 in its forms: three components of up to 8 bits can be transformed as if they were RGB. */
const transforming: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2.4.90',
  '1.2.840.10008.1.2.4.201',
  '1.2.840.10008.1.2.4.202',
  '1.2.840.10008.1.2.4.203',
]);

/** Whether frames in a target are the samples themselves. */
export function isNativeTarget(target: string): boolean {
  return nativeTargets.has(target);
}

/** Whether an encoder may be given any three components as RGB: what it does to them is undone. */
export function takesComponentsAsRgb(target: string): boolean {
  return transforming.has(target);
}

/** Whether the encoder of a transfer syntax takes a native frame of such pixels. */
export function canEncode(pixels: ImagePixels, target: string): boolean {
  if (isNativeTarget(target)) return true;
  const capability = capabilities.get(target);
  if (capability === undefined) return false;
  const { bitsAllocated, bitsStored, photometricInterpretation, samplesPerPixel } = pixels;
  return (
    capability.bitsAllocated.includes(bitsAllocated) &&
    (samplesPerPixel === 1 || (capability.colourBits ?? [bitsAllocated]).includes(bitsAllocated)) &&
    bitsStored >= 1 &&
    bitsStored <= bitsAllocated &&
    (!capability.fullWidth || bitsStored === bitsAllocated) &&
    capability.photometric.includes(photometricInterpretation) &&
    samplesPerPixel === (colour.includes(photometricInterpretation) ? 3 : 1) &&
    (pixels.pixelRepresentation === 0 || capability.signed.includes(photometricInterpretation)) &&
    pixels.rows * pixels.columns >= capability.fewestPixels
  );
}

/**
 * Whether `transcodeFrame` can take frames of an instance from one transfer syntax to another, told
 * from the instance's attributes alone. Frames already in the target syntax always can.
 */
export function canTranscode(
  from: TransferSyntax,
  to: TransferSyntax,
  pixels: ImagePixels,
): boolean {
  if (from.uid === to.uid) return true;
  if (!decodableSyntaxes.includes(from.uid)) return false;
  const decoded = from.encapsulated ? fromCodestream(pixels) : fromNative(pixels);
  return decoded !== undefined && canEncode(decoded, to.uid);
}

/**
 * In what order decoders hand over three samples a pixel, where it is not pixel by pixel: as Planar
 * Configuration says, or as a finished picture.
 */
const handedOver: ReadonlyMap<string, 'as-said' | 'picture'> = new Map([
  ['1.2.840.10008.1.2.5', 'as-said'],
  ['1.2.840.10008.1.2.4.50', 'picture'],
]);

/** Encapsulated targets of which readers take colour of more than 8 bits for what it is. */
const readDeep: ReadonlySet<string> = new Set(['1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.90']);

/**
 * Whether frames can be taken to another syntax, and there be read by the attributes as stored. Most
 * codestreams decode to pixels, which attributes that promise planes do not describe.
 */
export function canTranscodeAlone(
  from: TransferSyntax,
  to: TransferSyntax,
  pixels: ImagePixels,
): boolean {
  if (from.uid === to.uid) return true;
  if (!canTranscode(from, to, pixels)) return false;
  if (isNativeTarget(to.uid) || pixels.samplesPerPixel === 1) return true;
  if (pixels.bitsAllocated > 8 && !readDeep.has(to.uid)) return false;
  const order = handedOver.get(to.uid);
  if (order === 'picture') return true;
  const inPlanes = order === 'as-said' && pixels.planarConfiguration === 1;
  return inPlanes === isReadInPlanes(pixels);
}

/** What a codestream's frame will be when the encoder gets it: colour transforms are undone. */
function fromCodestream(pixels: ImagePixels): ImagePixels {
  const named = pixels.photometricInterpretation;
  return pixels.samplesPerPixel === 3 && named !== 'YBR_FULL' && codestreamColour.has(named)
    ? { ...pixels, photometricInterpretation: 'RGB' }
    : pixels;
}

/** The same of a native frame, or `undefined` where its missing chroma cannot be completed. */
function fromNative(pixels: ImagePixels): ImagePixels | undefined {
  const { photometricInterpretation, bitsAllocated, columns } = pixels;
  if (photometricInterpretation.startsWith('YBR_PARTIAL_')) return undefined;
  if (photometricInterpretation !== 'YBR_FULL_422') return pixels;
  return bitsAllocated === 8 && columns % 2 === 0
    ? { ...pixels, photometricInterpretation: 'YBR_FULL' }
    : undefined;
}
