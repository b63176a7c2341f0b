/** The instances in a store request: parts of a multipart body, or the body itself. */
import { ServiceError } from '../../errors.js';
import { parseMediaType, type MediaType } from '../../http/media-type.js';
import { readMultipart } from '../../multipart/reader.js';
import type { RequestContext } from '../route.js';

function unsupported(message: string): ServiceError {
  const offered = ['multipart/related; type="application/dicom"', 'application/dicom'];
  return new ServiceError('unsupported-media-type', message, { offered });
}

function isDicom(mediaType: MediaType | undefined): boolean {
  return mediaType?.essence === 'application/dicom';
}

/**
 * The bytes of each instance, in order; each must be read before the next is asked for.
 *
 * A part may leave its Content-Type out when the request's `type` parameter is application/dicom.
 *
 * @throws ServiceError `unsupported-media-type` for anything but DICOM files, `invalid-multipart`.
 */
export async function* instancesOf(
  context: RequestContext,
): AsyncGenerator<AsyncIterable<Uint8Array>, void, undefined> {
  const { request, body, services } = context;
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
  for await (const part of readMultipart(body, boundary, { maxParts: services.limits.parts })) {
    const partType = part.headers.get('content-type') ?? type;
    if (partType === undefined || !isDicom(parseMediaType(partType))) {
      throw unsupported(`Part ${part.index + 1} of the request is not application/dicom.`);
    }
    yield part.body;
  }
}
