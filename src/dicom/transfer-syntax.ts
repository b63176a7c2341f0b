/**
 * The transfer syntaxes of PS3.6 table A-1 as one table: how a data set is encoded, and in which
 * media type one of its frames is sent.
 */
import { parseUid, type TransferSyntaxUID } from './uid.js';

export interface TransferSyntax {
  readonly uid: TransferSyntaxUID;
  readonly name: string;
  readonly explicitVR: boolean;
  readonly bigEndian: boolean;
  /** The data set as a whole is deflated (PS3.5 §A.5). */
  readonly deflated: boolean;
  /** Pixel data comes in fragments (PS3.5 §A.4). */
  readonly encapsulated: boolean;
  /** Media type of one frame as it is stored (PS3.18 tables 8.7.3-4 and 8.7.3-5). */
  readonly frameMediaType: string;
  /** Pixel data may have lost information. */
  readonly lossy: boolean;
}

type Traits = Omit<TransferSyntax, 'uid' | 'name'>;

const explicit: Traits = {
  explicitVR: true,
  bigEndian: false,
  deflated: false,
  encapsulated: false,
  frameMediaType: 'application/octet-stream',
  lossy: false,
};
const implicit: Traits = { ...explicit, explicitVR: false };
const deflated: Traits = { ...explicit, deflated: true };
const encapsulated: Traits = { ...explicit, encapsulated: true };
const lossless = (frameMediaType: string): Traits => ({ ...encapsulated, frameMediaType });
const lossy = (frameMediaType: string): Traits => ({ ...lossless(frameMediaType), lossy: true });

const jpeg = lossy('image/jpeg');
const jpegLossless = lossless('image/jpeg');
const mpeg2 = lossy('video/mpeg');
const mpeg4 = lossy('video/mp4');
const hevc = lossy('video/H265');

/** UIDs without their common root. */
const root = '1.2.840.10008.1';
const rows: readonly (readonly [suffix: string, name: string, traits: Traits])[] = [
  ['.2', 'Implicit VR Little Endian', implicit],
  ['.2.1', 'Explicit VR Little Endian', explicit],
  ['.2.1.98', 'Encapsulated Uncompressed Explicit VR Little Endian', encapsulated],
  ['.2.1.99', 'Deflated Explicit VR Little Endian', deflated],
  ['.2.2', 'Explicit VR Big Endian', { ...explicit, bigEndian: true }],
  ['.2.4.50', 'JPEG Baseline (Process 1)', jpeg],
  ['.2.4.51', 'JPEG Extended (Process 2 & 4)', jpeg],
  ['.2.4.52', 'JPEG Extended (Process 3 & 5)', jpeg],
  ['.2.4.53', 'JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)', jpeg],
  ['.2.4.54', 'JPEG Spectral Selection, Non-Hierarchical (Process 7 & 9)', jpeg],
  ['.2.4.55', 'JPEG Full Progression, Non-Hierarchical (Process 10 & 12)', jpeg],
  ['.2.4.56', 'JPEG Full Progression, Non-Hierarchical (Process 11 & 13)', jpeg],
  ['.2.4.57', 'JPEG Lossless, Non-Hierarchical (Process 14)', jpegLossless],
  ['.2.4.58', 'JPEG Lossless, Non-Hierarchical (Process 15)', jpegLossless],
  ['.2.4.59', 'JPEG Extended, Hierarchical (Process 16 & 18)', jpeg],
  ['.2.4.60', 'JPEG Extended, Hierarchical (Process 17 & 19)', jpeg],
  ['.2.4.61', 'JPEG Spectral Selection, Hierarchical (Process 20 & 22)', jpeg],
  ['.2.4.62', 'JPEG Spectral Selection, Hierarchical (Process 21 & 23)', jpeg],
  ['.2.4.63', 'JPEG Full Progression, Hierarchical (Process 24 & 26)', jpeg],
  ['.2.4.64', 'JPEG Full Progression, Hierarchical (Process 25 & 27)', jpeg],
  ['.2.4.65', 'JPEG Lossless, Hierarchical (Process 28)', jpegLossless],
  ['.2.4.66', 'JPEG Lossless, Hierarchical (Process 29)', jpegLossless],
  ['.2.4.70', 'JPEG Lossless, Non-Hierarchical, First-Order Prediction', jpegLossless],
  ['.2.4.80', 'JPEG-LS Lossless', lossless('image/jls')],
  ['.2.4.81', 'JPEG-LS Lossy (Near-Lossless)', lossy('image/jls')],
  ['.2.4.90', 'JPEG 2000 (Lossless Only)', lossless('image/jp2')],
  ['.2.4.91', 'JPEG 2000', lossy('image/jp2')],
  ['.2.4.92', 'JPEG 2000 Part 2 Multi-component (Lossless Only)', lossless('image/jpx')],
  ['.2.4.93', 'JPEG 2000 Part 2 Multi-component', lossy('image/jpx')],
  ['.2.4.94', 'JPIP Referenced', explicit],
  ['.2.4.95', 'JPIP Referenced Deflate', deflated],
  ['.2.4.100', 'MPEG2 Main Profile / Main Level', mpeg2],
  ['.2.4.100.1', 'Fragmentable MPEG2 Main Profile / Main Level', mpeg2],
  ['.2.4.101', 'MPEG2 Main Profile / High Level', mpeg2],
  ['.2.4.101.1', 'Fragmentable MPEG2 Main Profile / High Level', mpeg2],
  ['.2.4.102', 'MPEG-4 AVC/H.264 High Profile / Level 4.1', mpeg4],
  ['.2.4.102.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1', mpeg4],
  ['.2.4.103', 'MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', mpeg4],
  ['.2.4.103.1', 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', mpeg4],
  ['.2.4.104', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video', mpeg4],
  ['.2.4.104.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video', mpeg4],
  ['.2.4.105', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video', mpeg4],
  ['.2.4.105.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video', mpeg4],
  ['.2.4.106', 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', mpeg4],
  ['.2.4.106.1', 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', mpeg4],
  ['.2.4.107', 'HEVC/H.265 Main Profile / Level 5.1', hevc],
  ['.2.4.108', 'HEVC/H.265 Main 10 Profile / Level 5.1', hevc],
  ['.2.4.110', 'JPEG XL Lossless', lossless('image/jxl')],
  ['.2.4.111', 'JPEG XL JPEG Recompression', lossy('image/jxl')],
  ['.2.4.112', 'JPEG XL', lossy('image/jxl')],
  ['.2.4.201', 'High-Throughput JPEG 2000 (Lossless Only)', lossless('image/jphc')],
  [
    '.2.4.202',
    'High-Throughput JPEG 2000 with RPCL Options (Lossless Only)',
    lossless('image/jphc'),
  ],
  ['.2.4.203', 'High-Throughput JPEG 2000', lossy('image/jphc')],
  ['.2.4.204', 'JPIP HTJ2K Referenced', explicit],
  ['.2.4.205', 'JPIP HTJ2K Referenced Deflate', deflated],
  ['.2.5', 'RLE Lossless', lossless('image/dicom-rle')],
  ['.2.8.1', 'Deflated Image Frame Compression', encapsulated],
  ['.20', 'Papyrus 3 Implicit VR Little Endian', implicit],
];

/** Every standard transfer syntax in which a file can be, retired ones as well. */
export const transferSyntaxes: readonly TransferSyntax[] = rows.map(([suffix, name, traits]) => ({
  uid: (root + suffix) as TransferSyntaxUID,
  name,
  ...traits,
}));

const byUid = new Map<string, TransferSyntax>(transferSyntaxes.map((one) => [one.uid, one]));

/**
 * Describes a transfer syntax. One that is not in the table is private, or newer than this service,
 * and is described as explicit VR little endian with encapsulated pixel data, which PS3.5 §A.4
 * demands of every compressed syntax, and as lossy because nothing promises otherwise.
 *
 * @param text the UID, with or without trailing spaces and nulls.
 * @returns `undefined` when the text is no UID.
 */
export function transferSyntaxOf(text: string): TransferSyntax | undefined {
  const uid = parseUid<TransferSyntaxUID>(text);
  if (uid === undefined) return undefined;
  return byUid.get(uid) ?? { uid, name: 'Unknown transfer syntax', ...encapsulated, lossy: true };
}
