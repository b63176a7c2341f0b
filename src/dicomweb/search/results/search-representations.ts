/** What the results of a search can be had in (PS3.18 §10.6.3). */
import type { DataSet } from '../../../dicom/data-set.js';
import { stringifyDataSet } from '../../../dicom/json.js';
import { toNativeXml } from '../../../dicom/native-xml.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType } from '../../../http/media-type.js';
import { newBoundary, writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import { listed } from '../../read-ahead.js';
import { toCsv } from './csv.js';
import type { ReplyBody } from '../../../http/reply.js';

interface Representation {
  readonly offer: Offer;
  readonly render: (results: readonly DataSet[]) => Rendering;
}

interface Rendering {
  readonly contentType: string;
  readonly body: string | ReplyBody;
}

const dicomXml = 'application/dicom+xml';

function json(mediaType: string): Representation {
  return {
    offer: { mediaType, form: 'single' },
    render: (results) => ({
      contentType: mediaType,
      body: `[${results.map((result) => stringifyDataSet(result)).join(',')}]`,
    }),
  };
}

/** One part per result. */
function xmlParts(results: readonly DataSet[]): Rendering {
  const boundary = newBoundary();
  const parts = results.map((result): OutgoingPart => ({
    headers: [['Content-Type', dicomXml]],
    body: Buffer.from(toNativeXml(result)),
  }));
  return {
    contentType: formatMediaType('multipart/related', { type: dicomXml, boundary }),
    body: writeMultipart(listed(...parts), boundary),
  };
}

const representations: readonly Representation[] = [
  json('application/dicom+json'),
  json('application/json'),
  { offer: { mediaType: dicomXml, form: 'multipart' }, render: xmlParts },
  {
    offer: { mediaType: 'text/csv', form: 'single' },
    render: (results) => ({ contentType: 'text/csv; charset=utf-8', body: toCsv(results) }),
  },
];

export const searchOffers: readonly Offer[] = representations.map(({ offer }) => offer);

/** The results in the representation that was offered. */
export function renderResults(offer: Offer, results: readonly DataSet[]): Rendering {
  const chosen = representations.find((one) => one.offer === offer);
  if (chosen === undefined) throw new RangeError('not an offer of a search');
  return chosen.render(results);
}
