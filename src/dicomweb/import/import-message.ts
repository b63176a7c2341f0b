/**
 * What a message of the import queue asks for: an event of Event Grid about a blob, in either of its
 * schemas, or the plain name of a blob.
 */

export type ImportRequest =
  /** Spellings of the name of one blob, the likeliest first. */
  | { readonly kind: 'file'; readonly names: readonly string[] }
  /** An event that is none of ours: another container, another kind of event. */
  | { readonly kind: 'other'; readonly why: string };

/** The event types of both schemas. */
const created = 'Microsoft.Storage.BlobCreated';
/** With a hierarchical namespace a file is created empty and flushed later; the flush counts. */
const emptyFile = 'CreateFile';

const inSubject = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/s;

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Spellings of the name in an event. The URL is percent-encoded and the subject is not, going by what
 * is documented; should that be otherwise, another spelling is the name.
 */
function namesIn(name: string, { url }: Json): readonly string[] {
  const inUrl = typeof url === 'string' ? /\/import\/([^?#]+)/.exec(url)?.[1] : undefined;
  const spellings = [name, inUrl && decoded(inUrl), decoded(name)];
  return [...new Set(spellings.filter((spelling) => spelling !== undefined))];
}

function readEvent(event: Json): ImportRequest {
  const type = event['eventType'] ?? event['type'];
  const { subject, data } = event;
  if (typeof type !== 'string' || typeof subject !== 'string' || !isJson(data)) {
    throw new TypeError('The message is neither an event about a blob nor the name of one.');
  }
  const [, container, name] = inSubject.exec(subject) ?? [];
  if (type !== created) return { kind: 'other', why: `an event ${type}` };
  if (container !== 'import' || name === undefined) {
    return { kind: 'other', why: 'an event of another container' };
  }
  if (data['api'] === emptyFile) return { kind: 'other', why: 'a file that is empty yet' };
  return { kind: 'file', names: namesIn(name, data) };
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
  if (isJson(value)) return readEvent(value);
  if (typeof message === 'string' && message.trim() !== '') {
    return { kind: 'file', names: [message.trim()] };
  }
  throw new TypeError('The message is neither an event about a blob nor the name of one.');
}
