/**
 * Loads the WebAssembly codecs for encoding: once, when first needed, and anew after a failure,
 * because an exception that crosses the boundary leaves a module in a state nobody vouches for.
 */
import { createRequire } from 'node:module';

/** What embind demands of every frame description; the codecs ignore what is not theirs. */
export interface EncodedFrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
  readonly isUsingColorTransform: boolean;
}

/** What all encoder classes have in common. Buffers are views of the module's memory. */
export interface CodecEncoder {
  getDecodedBuffer(info: EncodedFrameInfo): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}

/**
 * Encodes samples of one frame: configures a new encoder, copies the samples in, and copies the
 * codestream out of the module's memory. Throws what the codec throws, as an Error.
 */
export type EncodeSamples<Encoder extends CodecEncoder> = (
  info: EncodedFrameInfo,
  samples: Uint8Array | Uint16Array,
  configure: (encoder: Encoder) => void,
) => Promise<Uint8Array>;

type CodecModule<Encoder> = Readonly<Record<string, new () => Encoder>>;

const load = createRequire(__filename);

/**
 * Prepares one encoder class of one codec package.
 *
 * @param specifier the package's emscripten module, a function that makes instances.
 * @param name the encoder class in it.
 */
export function wasmEncoder<Encoder extends CodecEncoder>(
  specifier: string,
  name: string,
): EncodeSamples<Encoder> {
  let instance: Promise<CodecModule<Encoder>> | undefined;

  return async (info, samples, configure) => {
    instance ??= (load(specifier) as () => Promise<CodecModule<Encoder>>)();
    try {
      const EncoderClass = (await instance)[name];
      if (EncoderClass === undefined) throw new TypeError(`There is no ${name}.`);
      const encoder = new EncoderClass();
      encoder
        .getDecodedBuffer(info)
        .set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
      configure(encoder);
      encoder.encode();
      const bytes = Uint8Array.from(encoder.getEncodedBuffer());
      encoder.delete();
      return bytes;
    } catch (cause) {
      instance = undefined;
      throw new Error(`${name} of ${specifier} failed.`, { cause });
    }
  };
}
