/** Writes JP2 (ISO/IEC 15444-1 annex I): a reversible codestream by OpenJPEG within the boxes. */
import { wasmEncoder, type CodecEncoder } from '../../encoders/wasm-codec.js';
import type { Picture } from '../picture.js';

interface Jpeg2000Encoder extends CodecEncoder {
  setQuality(lossless: boolean, quality: number): void;
  setDecompositions(levels: number): void;
}

const encode = wasmEncoder<Jpeg2000Encoder>('@cornerstonejs/codec-openjpeg/wasmjs', 'J2KEncoder');

/** Enumerated colour spaces of ISO/IEC 15444-1 §I.5.3.3: greyscale and sRGB. */
const colorSpaces = { 1: 17, 3: 16 } as const;
const mostDecompositions = 5;

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, { length: bytes }) => sum + bytes, 8);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

/** Encodes a picture without loss. */
export async function encodeJp2({ width, height, channels, data }: Picture): Promise<Uint8Array> {
  const codestream = await encode(
    {
      width,
      height,
      bitsPerSample: 8,
      componentCount: channels,
      isSigned: false,
      isUsingColorTransform: channels === 3,
    },
    data,
    (encoder) => {
      const levels = Math.floor(Math.log2(Math.min(width, height)));
      encoder.setDecompositions(Math.min(mostDecompositions, levels));
      encoder.setQuality(true, 0);
    },
  );
  const header = Buffer.alloc(14);
  header.writeUInt32BE(height, 0);
  header.writeUInt32BE(width, 4);
  header.writeUInt16BE(channels, 8);
  // Eight unsigned bits, compressed, of a known colour space, without property rights.
  header.set([7, 7, 0, 0], 10);
  const color = Buffer.from([1, 0, 0, 0, 0, 0, colorSpaces[channels]]);
  return Buffer.concat([
    box('jP  ', Buffer.from([0x0d, 0x0a, 0x87, 0x0a])),
    box('ftyp', Buffer.from('jp2 \0\0\0\0jp2 ', 'latin1')),
    box('jp2h', box('ihdr', header), box('colr', color)),
    box('jp2c', codestream),
  ]);
}
