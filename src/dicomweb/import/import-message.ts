/**
 * What a message of the import queue asks for: an event of Event Grid about a blob, in either of its
 * schemas, or the plain name of a blob. An event is read in one way only, and a name that could lead
 * out of the container is none.
 */
import { blobNameFault } from '../../storage/blob-name.js';
import { isJsonObject } from '../json-body.js';

export type ImportRequest =
  /** The name of one blob of the container. */
  | { readonly kind: 'file'; readonly name: string }
  /** An event that is none of ours: another container, another kind of event. */
  | { readonly kind: 'other'; readonly why: string };

/** The event types of both schemas. */
const created = 'Microsoft.Storage.BlobCreated';
/** With a hierarchical namespace a file is created empty and flushed later; the flush counts. */
const emptyFile = 'CreateFile';

const inSubject = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/./s;

type Json = Readonly<Record<string, unknown>>;

/** @throws TypeError when no blob can have the name. */
function checked(name: string): string {
  const fault = blobNameFault(name);
  if (fault === undefined) return name;
  throw new TypeError(`The message names a file that the container cannot have: ${fault}.`);
}

/**
 * The name that the URL of a blob has, decoded once: in URLs names are percent-encoded. The URL is read
 * as it stands, since a reader that normalises it would follow its `..` segments. Azurite, which has no
 * host name of its own, puts the account before the container.
 */
const inUrl = /^https?:\/\/[^/?#]+\/(?:[a-z0-9]{3,24}\/)??import\/([^?#]+)/i;

/** @throws TypeError when the URL is not that of a blob in the container. */
function nameInUrl(url: unknown): string {
  const encoded = typeof url === 'string' ? inUrl.exec(url)?.[1] : undefined;
  if (encoded !== undefined) {
    try {
      return decodeURIComponent(encoded);
    } catch {
      // Told like every other URL that makes no sense.
    }
  }
  throw new TypeError('The event has no URL of a file in the container "import".');
}

function readEvent(event: Json): ImportRequest {
  const type = event['eventType'] ?? event['type'];
  const { subject, data } = event;
  if (typeof type !== 'string' || typeof subject !== 'string' || !isJsonObject(data)) {
    throw new TypeError('The message is neither an event about a blob nor the name of one.');
  }
  const [, container] = inSubject.exec(subject) ?? [];
  if (type !== created) return { kind: 'other', why: `an event ${type}` };
  if (container !== 'import') {
    return { kind: 'other', why: 'an event of another container' };
  }
  if (data['api'] === emptyFile) return { kind: 'other', why: 'a file that is empty yet' };
  return { kind: 'file', name: checked(nameInUrl(data['url'])) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Reads a message, as text or as the object that the Functions host makes of text that is JSON.
 *
 * @throws TypeError when it makes no sense, now or later: it belongs among the poison messages.
 */
export function readImportMessage(message: unknown): ImportRequest {
  const value = typeof message === 'string' ? parsed(message) : message;
  if (isJsonObject(value)) return readEvent(value);
  if (typeof message === 'string' && message.trim() !== '') {
    return { kind: 'file', name: checked(message.trim()) };
  }
  throw new TypeError('The message is neither an event about a blob nor the name of one.');
}
