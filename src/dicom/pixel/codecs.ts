/** Which codec reads and which writes the frames of a transfer syntax; the codecs themselves are loaded by those who run them. */
import type { TransferSyntaxUID } from '../uid.js';

const decoders = {
  '1.2.840.10008.1.2': 'native',
  '1.2.840.10008.1.2.1': 'native',
  '1.2.840.10008.1.2.1.98': 'native',
  '1.2.840.10008.1.2.1.99': 'native',
  '1.2.840.10008.1.2.2': 'bigEndian',
  '1.2.840.10008.1.2.4.50': 'jpeg',
  '1.2.840.10008.1.2.4.51': 'jpeg',
  '1.2.840.10008.1.2.4.57': 'jpeg',
  '1.2.840.10008.1.2.4.70': 'jpeg',
  '1.2.840.10008.1.2.4.80': 'jpegLs',
  '1.2.840.10008.1.2.4.81': 'jpegLs',
  '1.2.840.10008.1.2.4.90': 'jpeg2000',
  '1.2.840.10008.1.2.4.91': 'jpeg2000',
  '1.2.840.10008.1.2.4.201': 'highThroughputJpeg2000',
  '1.2.840.10008.1.2.4.202': 'highThroughputJpeg2000',
  '1.2.840.10008.1.2.4.203': 'highThroughputJpeg2000',
  '1.2.840.10008.1.2.5': 'rle',
  '1.2.840.10008.1.2.8.1': 'deflated',
} as const satisfies Readonly<Record<string, string>>;

const encoders = {
  '1.2.840.10008.1.2': 'native',
  '1.2.840.10008.1.2.1': 'native',
  '1.2.840.10008.1.2.1.99': 'native',
  '1.2.840.10008.1.2.4.50': 'jpegBaseline',
  '1.2.840.10008.1.2.4.70': 'jpegLossless',
  '1.2.840.10008.1.2.4.80': 'jpegLs',
  '1.2.840.10008.1.2.4.90': 'jpeg2000',
  '1.2.840.10008.1.2.4.201': 'highThroughputJpeg2000',
  '1.2.840.10008.1.2.4.202': 'progressiveJpeg2000',
  '1.2.840.10008.1.2.4.203': 'highThroughputJpeg2000',
  '1.2.840.10008.1.2.5': 'rle',
} as const satisfies Readonly<Record<string, string>>;

export type DecoderName = (typeof decoders)[keyof typeof decoders];
export type EncoderName = (typeof encoders)[keyof typeof encoders];

/** By transfer syntax. */
export const decoderOf: ReadonlyMap<string, DecoderName> = new Map(Object.entries(decoders));
export const encoderOf: ReadonlyMap<string, EncoderName> = new Map(Object.entries(encoders));

/** The transfer syntaxes whose frames can be decoded. */
export const decodableSyntaxes: readonly TransferSyntaxUID[] = [
  ...decoderOf.keys(),
] as TransferSyntaxUID[];

/** The transfer syntaxes that frames can be encoded in. */
export const encodableSyntaxes: readonly TransferSyntaxUID[] = [
  ...encoderOf.keys(),
] as TransferSyntaxUID[];
