/**
 * WADO-URI (PS3.18 §9): one object, named in the query, as a file or rendered. An adapter: the answers
 * are those of the resources of WADO-RS.
 */
import { formatMediaType } from '../../../http/media-type.js';
import { instanceOf } from '../../path-uids.js';
import { answering, type RequestContext } from '../../route.js';
import { dicom } from '../instance-choice.js';
import { renderedKind } from '../rendered/rendered-kind.js';
import { standardRenderedPolicy } from '../rendered/rendered-policy.js';
import { parseRenderQuery } from '../rendered/render-query.js';
import { sendRendered, sourceOf } from '../rendered/retrieve-rendered.js';
import { retrieveInstance } from '../retrieve-instances.js';
import {
  parseUriQuery,
  refuseRendering,
  renderParameters,
  uriParameters,
  type UriQuery,
} from './parse-uri-query.js';
import { headOf, type RequestHead } from '../../../http/incoming-request.js';
import type { Reply } from '../../../http/reply.js';
import { describedThumbnail } from '../rendered/render-image.js';
import { type Offer } from '../../../http/accept.js';

/** The request as one for a resource of WADO-RS: with its own Accept and query, and the other headers. */
function asked(
  { request }: RequestContext,
  accept: string,
  parameters: Readonly<Record<string, string>> = {},
): RequestHead {
  const url = new URL(request.url);
  url.search = new URLSearchParams(parameters).toString();
  const headers = new Headers([...request.headers]);
  headers.set('Accept', accept);
  return headOf({ method: request.method, url, headers });
}

async function retrieveFile(context: RequestContext, query: UriQuery): Promise<Reply> {
  refuseRendering(query);
  const accept = formatMediaType(dicom, { 'transfer-syntax': query.transferSyntax });
  return await retrieveInstance({
    ...context,
    params: { ...context.params, ...query.uids },
    request: asked(context, accept),
  });
}

const uriOffers: readonly Offer[] = [
  ...describedThumbnail.answers,
  { mediaType: dicom, form: 'single' },
];

/** `GET /wado?requestType=WADO&studyUID=…&seriesUID=…&objectUID=…`. */
export const retrieveByUri = answering(
  { answers: uriOffers, query: uriParameters },
  async (context) => {
    const query = parseUriQuery(context.request.query);
    const { contentTypes, frame, uids } = query;
    if (contentTypes[0] === dicom) return await retrieveFile(context, query);
    const source = await sourceOf(context, instanceOf(uids));
    // What has no picture comes as a file, to those who do not insist (PS3.18 §9.1.2.2.1).
    const takesFile = contentTypes.length === 0 || contentTypes.includes(dicom);
    if (renderedKind(source) === undefined && takesFile) return await retrieveFile(context, query);
    const accept = contentTypes.filter((type) => type !== dicom).join(', ');
    const parameters = renderParameters(query, source.dataSet);
    const request = asked(context, accept === '' ? '*/*' : accept, parameters);
    return await sendRendered({ ...context, request }, source, {
      purpose: 'rendered',
      query: parseRenderQuery(request, standardRenderedPolicy),
      ...(frame !== undefined && { frames: [frame] }),
    });
  },
);
