/** The instances in a store request: parts of a multipart body, or the body itself. */
import { ServiceError } from '../../errors.js';
import type { Offer } from '../../http/accept.js';
import { decodedBody } from '../../http/content-encoding.js';
import { parseMediaType, type MediaType } from '../../http/media-type.js';
import { readMultipart } from '../../multipart/reader.js';
import { listed, resumed } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import type { RequestHead } from '../../http/incoming-request.js';

/** Bodies that a store takes. */
export const instanceOffers: readonly Offer[] = [
  { mediaType: 'application/dicom', form: 'multipart' },
  { mediaType: 'application/dicom', form: 'single' },
];

function unsupported(message: string): ServiceError {
  const offered = ['multipart/related; type="application/dicom"', 'application/dicom'];
  return new ServiceError('unsupported-media-type', message, { offered });
}

function isDicom(mediaType: MediaType | undefined): boolean {
  return mediaType?.essence === 'application/dicom';
}

/** Whether the body of a request is to be one file, and not parts. */
export function isLoneFile(request: RequestHead): boolean {
  return isDicom(parseMediaType(request.headers.get('content-type') ?? ''));
}

/**
 * The bytes of each instance, in order; each must be read before the next is asked for.
 *
 * A part may leave its Content-Type out when the request's `type` parameter is application/dicom. A body
 * whose only part is empty and has no header holds nothing: some libraries cannot write none.
 *
 * @throws ServiceError `unsupported-media-type` for anything but DICOM files, `invalid-multipart`.
 */
export async function* instancesInRequest(
  context: RequestContext,
): AsyncGenerator<AsyncIterable<Uint8Array>, void, undefined> {
  const { request, services } = context;
  const coding = request.headers.get('content-encoding');
  const body = decodedBody(context.body, coding, services.limits.requestBytes);
  const header = request.headers.get('content-type');
  const contentType = header === null ? undefined : parseMediaType(header);
  if (contentType === undefined) {
    throw unsupported('The request must have a Content-Type of DICOM files.');
  }
  if (isDicom(contentType)) {
    yield body;
    return;
  }
  if (contentType.essence !== 'multipart/related') {
    throw unsupported('The Content-Type of the request is not one that holds DICOM files.');
  }
  const boundary = contentType.parameters.get('boundary');
  if (boundary === undefined || boundary === '') {
    throw unsupported('The Content-Type multipart/related lacks its boundary.');
  }
  const type = contentType.parameters.get('type');
  if (type !== undefined && !isDicom(parseMediaType(type))) {
    throw unsupported('The type of the multipart request is not application/dicom.');
  }
  /** Whether the first part is empty and has no header, which is a multipart body of nothing. */
  let isBlank = false;
  for await (const part of readMultipart(body, boundary, { maxParts: services.limits.parts })) {
    if (isBlank) {
      refuseOthers(0, type);
      yield listed<Uint8Array>();
      isBlank = false;
    }
    let content = part.body;
    if (part.index === 0 && part.headers.entries.length === 0) {
      const chunks = part.body[Symbol.asyncIterator]();
      const first = await chunks.next();
      isBlank = first.done === true;
      if (first.done === true) continue;
      content = resumed(first.value, chunks);
    }
    refuseOthers(part.index, part.headers.get('content-type') ?? type);
    yield content;
  }
}

/** @throws ServiceError `unsupported-media-type` for a part that is not DICOM. */
function refuseOthers(index: number, contentType: string | undefined): void {
  if (contentType !== undefined && isDicom(parseMediaType(contentType))) return;
  throw unsupported(`Part ${index + 1} of the request is not application/dicom.`);
}
