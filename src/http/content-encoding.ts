/** Compression of text on its way out (RFC 9110 §8.4.1); never of files and frames. */
import { Readable, pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import { streamBody } from './body.js';
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
