/**
 * Loads the WebAssembly codecs for decoding: once, when first needed, with a bound on their memory, and
 * anew after a failure, because nobody vouches for the state of a module that threw.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What every decoder of the codec packages has. Buffers are views of the module's memory. */
export interface CodecDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): DecodedFrameInfo;
  /** Of JPEG-LS. */
  getInterleaveMode?(): number;
  delete(): void;
}

export interface DecodedFrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
}

/** Where a codec package keeps its parts. */
export interface CodecModule {
  /** The emscripten module, a function that makes instances. */
  readonly script: string;
  readonly wasm: string;
  /** The decoder class in it. */
  readonly decoder: string;
}

type Instance = Readonly<Record<string, new () => CodecDecoder>>;
type MakeInstance = (options: {
  readonly wasmBinary: Uint8Array;
  readonly print: () => void;
  readonly printErr: () => void;
}) => Promise<Instance>;

const load = createRequire(__filename);

/** Pages of 64 KiB that a codec may take: 1 GiB. The packages ask for twice as much. */
const mostPages = 16_384;
const memorySection = 5;

/**
 * Prepares one decoder class of one codec package.
 *
 * @returns a function that decodes a codestream: `use` is given a decoder that has decoded, and
 *   returns what is to be kept, copied out of the module's memory.
 */
export function wasmDecoder(codec: CodecModule) {
  let binary: Uint8Array | undefined;
  let instance: Promise<Instance> | undefined;

  const start = async (): Promise<Instance> => {
    binary ??= boundMemory(readFileSync(load.resolve(codec.wasm)));
    // The codecs print what they throw.
    const silent = () => undefined;
    const make = load(codec.script) as MakeInstance;
    return await make({ wasmBinary: binary, print: silent, printErr: silent });
  };

  return async <Result>(
    codestream: Uint8Array,
    use: (decoder: CodecDecoder, info: DecodedFrameInfo) => Result,
  ): Promise<Result> => {
    instance ??= start();
    const DecoderClass = (await instance)[codec.decoder];
    if (DecoderClass === undefined) throw new Error(`${codec.script} has no ${codec.decoder}.`);
    try {
      const decoder = new DecoderClass();
      decoder.getEncodedBuffer(codestream.length).set(codestream);
      decoder.decode();
      const result = use(decoder, decoder.getFrameInfo());
      decoder.delete();
      return result;
    } catch (cause) {
      instance = undefined;
      throw cause;
    }
  };
}

/**
 * Lowers the limit that a WebAssembly module sets its own memory, so that no codestream makes a codec
 * take more. The limit keeps its length in bytes.
 */
function boundMemory(binary: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(binary);
  let at = 8;
  const number = (): { value: number; start: number } => {
    const start = at;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return { value, start };
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const { value: length } = number();
    if (section !== memorySection) {
      at += length;
      continue;
    }
    number();
    const limited = number().value === 1;
    number();
    const most = number();
    if (!limited || most.value < mostPages) break;
    for (let place = most.start, left = mostPages; place < at; place++, left >>= 7) {
      bytes[place] = (left & 0x7f) | (place === at - 1 ? 0 : 0x80);
    }
    return bytes;
  }
  throw new Error('A codec does not say how much memory it takes.');
}
