/**
 * What each kind of resource is answered in and takes, for the documents that describe the API. The
 * offers are those that handlers choose from; where these depend on what is stored, all there can be.
 */
import type { Offer } from '../http/accept.js';
import { dicomJsonOffers } from './negotiation.js';
import { octetStream } from './retrieve/bulkdata/choose-bulk.js';
import { anyFrameOffers, frameMediaTypes } from './retrieve/frame-offers.js';
import { dicom } from './retrieve/instance-choice.js';
import { instanceMetadataOffers, metadataOffers } from './retrieve/metadata-representations.js';
import { pictureOffers } from './retrieve/rendered/render-image.js';
import { standardRenderedPolicy } from './retrieve/rendered/rendered-policy.js';
import { renderingParameters } from './retrieve/wado-uri/parse-uri-query.js';
import { searchOffers } from './search/results/search-representations.js';
import { storeResponseOffers } from './store/store-response.js';

type Form = Offer['form'];

const bothForms = ['multipart', 'single'] as const;

function inForms(mediaTypes: readonly string[], forms: readonly Form[]): readonly Offer[] {
  return mediaTypes.flatMap((mediaType) => forms.map((form) => ({ mediaType, form })));
}

const archive: Offer = { mediaType: 'application/zip', form: 'single' };

/** What is sent, by kind of resource. */
export const answers = {
  stored: storeResponseOffers,
  files: [...inForms([dicom], ['multipart']), archive],
  file: [...inForms([dicom], bothForms), archive],
  metadata: metadataOffers,
  instanceMetadata: instanceMetadataOffers,
  frames: anyFrameOffers,
  bulkValue: inForms([...frameMediaTypes, 'application/pdf'], bothForms),
  bulkValues: inForms([octetStream], ['multipart']),
  pictures: pictureOffers(standardRenderedPolicy, ['single', 'multipart']),
  thumbnail: pictureOffers(standardRenderedPolicy, ['single']),
  byUri: [...pictureOffers(standardRenderedPolicy, ['single']), ...inForms([dicom], ['single'])],
  results: searchOffers,
  dicomJson: dicomJsonOffers,
  json: inForms(['application/json'], ['single']),
} as const satisfies Readonly<Record<string, readonly Offer[]>>;

/** Bodies that a store takes. */
export const takesInstances: readonly Offer[] = inForms([dicom], bothForms);

/** Bodies that ask for long work. */
export const takesJson: readonly Offer[] = answers.json;

/** Query parameters by kind of resource, besides `accept` and the keys of searches. */
export const queries = {
  search: [
    'limit',
    'offset',
    'includefield',
    'fuzzymatching',
    'emptyvaluematching',
    'multiplevaluematching',
    'includetotal',
    'orderby',
    'continuation',
  ],
  metadata: ['includefield', 'charset'],
  pictures: ['window', 'viewport', 'annotation', 'iccprofile', 'quality'],
  byUri: [
    'requestType',
    'studyUID',
    'seriesUID',
    'objectUID',
    'contentType',
    'transferSyntax',
    ...renderingParameters,
  ],
  pages: ['limit', 'offset'],
  changes: ['limit', 'offset', 'startTime', 'endTime', 'includemetadata'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
