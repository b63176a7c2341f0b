/**
 * Content codings (RFC 9110 §8.4.1): compression of text on its way out, never of files and frames, and
 * decoding of what is sent here.
 */
import { Readable, pipeline } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { ServiceError } from '../errors.js';
import { limitBody, streamBody } from './body.js';
import { splitUnquoted } from './header-list.js';

const textTypes =
  /^(?:application\/(?:json|(?:dicom|problem)\+(?:json|xml))|text\/csv|multipart\/related; type="application\/dicom\+xml")(?:;|$)/;

/** Fast rather than small: most of the gain comes with the first levels. */
export const gzipLevel = 4;

/** Whether an Accept-Encoding header takes gzip. */
export function acceptsGzip(header: string | null): boolean {
  const codings = splitUnquoted((header ?? '').toLowerCase(), ',').map((coding) => {
    const [name = '', ...parameters] = coding.split(';').map((part) => part.trim());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return { name, refused };
  });
  const gzip =
    codings.find(({ name }) => name === 'gzip') ?? codings.find(({ name }) => name === '*');
  return gzip !== undefined && !gzip.refused;
}

/**
 * Whether a response of this type is worth compressing: DICOM JSON is, pixel data is not. What comes in
 * ranges stays as it is, since they count its own bytes.
 */
export function isCompressible(headers: Headers): boolean {
  return (
    textTypes.test(headers.get('content-type') ?? '') &&
    !headers.has('content-encoding') &&
    headers.get('accept-ranges') !== 'bytes'
  );
}

/** Compresses a body as it streams; stopping early stops the source. */
export function gzipBody(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const gzip = createGzip({ level: gzipLevel });
  pipeline(Readable.fromWeb(body), gzip, () => undefined);
  return streamBody(gzip);
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
