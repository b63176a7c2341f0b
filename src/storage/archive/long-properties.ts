/** Bytes and texts of any length as properties of a row, each of which holds 64 KiB. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Properties } from '../table-store.js';

/** Bytes of a property, of those 64 KiB. */
const chunkBytes = 60 * 1024;

/** Bytes as properties `{name}0`, `{name}1` and so on. */
export function toChunks(name: string, bytes: Uint8Array): Properties {
  const properties: Record<string, Uint8Array> = {};
  for (let start = 0, part = 0; start < bytes.length; start += chunkBytes, part++) {
    properties[`${name}${part}`] = bytes.subarray(start, start + chunkBytes);
  }
  return properties;
}

/** The bytes that `toChunks` made into properties; none when there are none. */
export function joinChunks(name: string, properties: Properties): Buffer {
  const parts: Uint8Array[] = [];
  for (let part = 0; ; part++) {
    const bytes = properties[`${name}${part}`];
    if (!(bytes instanceof Uint8Array)) break;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** A property holds 32 Ki characters; what is longer is compressed into as many as it takes. */
const textCharacters = 30_000;

/** Text of any length as properties. */
export function encodeText(name: string, text: string): Properties {
  return text.length <= textCharacters ? { [name]: text } : toChunks(name, gzipSync(text));
}

/** The text that `encodeText` made into properties. */
export function decodeText(name: string, properties: Properties): string | undefined {
  const text = properties[name];
  if (typeof text === 'string') return text;
  const chunks = joinChunks(name, properties);
  return chunks.length === 0 ? undefined : gunzipSync(chunks).toString();
}
