/** What metadata can be had in (PS3.18 §10.4.3.2): JSON as one array, XML with a part per instance. */
import type { DataSet } from '../../../dicom/data-set.js';
import { toNativeXml } from '../../../dicom/native-xml.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType } from '../../../http/media-type.js';
import { writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import { jsonArray } from '../../json-array.js';
import { dicomJsonOffers } from '../../negotiation.js';
import { resourcePath } from '../../path-uids.js';

/** The metadata of one instance as DICOM JSON, ready to be shown. */
export interface ShownInstance {
  readonly uids: InstanceUids;
  readonly json: string;
}

interface Rendering {
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

const dicomXml = 'application/dicom+xml';

/** In what the metadata of a study or series can be had. */
export const metadataOffers: readonly Offer[] = [
  ...dicomJsonOffers,
  { mediaType: dicomXml, form: 'multipart' },
];

/** That of one instance needs no parts. */
export const instanceMetadataOffers: readonly Offer[] = [
  ...metadataOffers,
  { mediaType: dicomXml, form: 'single' },
];

/** Whether metadata goes out as DICOM JSON (PS3.18 Annex F), in either of its two media types. */
export function isJson({ mediaType }: Offer): boolean {
  return mediaType !== dicomXml;
}

async function* textsOf(instances: AsyncIterable<ShownInstance>): AsyncGenerator<string> {
  for await (const { json } of instances) yield json;
}

async function* documents(instances: AsyncIterable<ShownInstance>): AsyncGenerator<Buffer> {
  for await (const { json } of instances) {
    yield Buffer.from(toNativeXml(JSON.parse(json) as DataSet));
  }
}

async function* xmlParts(
  instances: AsyncIterable<ShownInstance>,
  baseUrl: string,
): AsyncGenerator<OutgoingPart, void, undefined> {
  for await (const { uids, json } of instances) {
    yield {
      headers: [
        ['Content-Type', dicomXml],
        ['Content-Location', `${baseUrl}${resourcePath(uids)}/metadata`],
      ],
      body: Buffer.from(toNativeXml(JSON.parse(json) as DataSet)),
    };
  }
}

/**
 * Metadata in the representation that was chosen, one instance at a time.
 *
 * @param boundary of parts.
 */
export function renderMetadata(
  offer: Offer,
  instances: AsyncIterable<ShownInstance>,
  baseUrl: string,
  boundary: string,
): Rendering {
  const { mediaType, form } = offer;
  if (isJson(offer)) {
    return { contentType: mediaType, body: jsonArray(textsOf(instances)) };
  }
  if (form === 'single') return { contentType: dicomXml, body: documents(instances) };
  return {
    contentType: formatMediaType('multipart/related', { type: dicomXml, boundary }),
    body: writeMultipart(xmlParts(instances, baseUrl), boundary),
  };
}
