/** Bodies in JSON that are no DICOM, read as the Microsoft server reads them: names in any letter case. */
import { ServiceError } from '../errors.js';
import { parseMediaType } from '../http/media-type.js';
import type { RequestContext } from './route.js';

/** Most bytes of such a body. */
const mostBytes = 4 * 1024 * 1024;

/** An object of a body; `undefined` members are not there. */
export type JsonObject = ReadonlyMap<string, unknown>;

/**
 * Reads the body of a request.
 *
 * @throws ServiceError `unsupported-media-type` when it is not `application/json`, `invalid-body` when it
 *   is not JSON, `payload-too-large`.
 */
export async function readJsonBody({ request, body }: RequestContext): Promise<unknown> {
  const type = parseMediaType(request.headers.get('content-type') ?? '');
  if (type?.essence !== 'application/json') {
    throw new ServiceError('unsupported-media-type', 'The body must be application/json.');
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes) {
      throw new ServiceError('payload-too-large', `The body is larger than ${mostBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch (error) {
    throw new ServiceError('invalid-body', 'The syntax of the request body is invalid.', {}, error);
  }
}

/** The error of a JSON body with a bad member, in the words of the Microsoft server. */
export function invalidMember(path: string, detail: string): ServiceError {
  return new ServiceError(
    'invalid-body',
    `The field '${path}' in request body is invalid: ${detail}`,
    { parameter: path },
  );
}

/** Whether parsed JSON is an object. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object by the lower-case names of its members. @throws ServiceError `invalid-body`. */
export function objectAt(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw invalidMember(path, 'An object is expected.');
  return new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
}

/** A member that is text. @throws ServiceError `invalid-body` when it is something else. */
export function textAt(object: JsonObject, name: string, path: string): string | undefined {
  const value = object.get(name.toLowerCase()) ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalidMember(`${path}.${name}`, 'Text is expected.');
}
