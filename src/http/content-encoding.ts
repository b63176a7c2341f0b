/**
 * Content codings (RFC 9110 §8.4.1): compression of text on its way out, never of files and frames, and
 * decoding of what is sent here.
 */
import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, createGzip, gzip } from 'node:zlib';
import { ServiceError } from '../errors.js';
import { limitBody } from './body.js';
import { splitUnquoted } from './header-list.js';
import type { Reply, ReplyBody } from './reply.js';

const compress = promisify(gzip);

const textTypes =
  /^(?:application\/(?:json|(?:dicom|problem)\+(?:json|xml))|text\/(?:css|csv|html|javascript)|multipart\/related; type="application\/dicom\+xml")(?:;|$)/;

/** Fast rather than small: most of the gain comes with the first levels. */
export const gzipLevel = 4;

/** Whether an Accept-Encoding header takes gzip, by name or by `*`, and not with `q=0` (RFC 9110 §12.5.3). */
export function acceptsGzip(header: string | null): boolean {
  if (header === null) return false;
  const codings = splitUnquoted(header.toLowerCase(), ',').map((coding) => {
    const [name = '', ...parameters] = coding.split(';').map((part) => part.trim());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return { name, refused };
  });
  const gzip =
    codings.find(({ name }) => name === 'gzip') ?? codings.find(({ name }) => name === '*');
  return gzip !== undefined && !gzip.refused;
}

/** Below it a gzip saves no packet, and costs more time than the rest of a small answer. */
const leastBytes = 1024;

/**
 * Whether an answer is worth compressing: DICOM JSON is, pixel data is not, nor are errors and what is
 * small. What comes in ranges stays as it is, since they count its own bytes.
 */
export function isCompressible({ status, headers, body }: Reply): boolean {
  return (
    status < 400 &&
    body !== undefined &&
    (!(body instanceof Uint8Array) || body.byteLength >= leastBytes) &&
    textTypes.test(headers['Content-Type'] ?? '') &&
    headers['Content-Encoding'] === undefined &&
    headers['Accept-Ranges'] !== 'bytes'
  );
}

/** Compresses a body, chunks as they come; stopping early stops the source. */
export async function gzipBody(body: ReplyBody): Promise<ReplyBody> {
  if (body instanceof Uint8Array) return await compress(body, { level: gzipLevel });
  return gzipChunks(body);
}

/** The gzip of chunks, as they come; stopping early stops the source. */
export async function* gzipChunks(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const compressor = createGzip({ level: gzipLevel });
  pipeline(Readable.from(body, { objectMode: false }), compressor, () => undefined);
  yield* compressor as AsyncIterable<Buffer>;
}

/**
 * A body without the coding that its Content-Encoding header names: gzip, or none.
 *
 * @param maxBytes - of the decoded body.
 * @throws ServiceError `unsupported-media-type` for another coding, at once (RFC 9110 §15.5.16); while it is
 *   read `payload-too-large`, `invalid-header` when the body is not in the coding, and what `body` throws.
 */
export function decodedBody(
  body: AsyncIterable<Uint8Array>,
  header: string | null,
  maxBytes: number,
): AsyncIterable<Uint8Array> {
  const codings = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  const [coding, ...more] = codings.filter((one) => one !== '' && one !== 'identity');
  if (coding === undefined) return body;
  if ((coding !== 'gzip' && coding !== 'x-gzip') || more.length > 0) {
    throw new ServiceError('unsupported-media-type', 'The body may be in gzip, or as it is.', {
      parameter: 'Content-Encoding',
      offered: ['gzip', 'identity'],
    });
  }
  return limitBody(gunzipped(body), maxBytes);
}

async function* gunzipped(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip();
  const source = Readable.from(body, { objectMode: false });
  pipeline(source, gunzip, () => undefined);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    if (source.errored !== null) throw source.errored;
    throw new ServiceError(
      'invalid-header',
      'The body is not in the gzip that it claims.',
      {
        parameter: 'Content-Encoding',
      },
      error,
    );
  }
}
