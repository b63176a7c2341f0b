/** Retrieve Capabilities (PS3.18 §8.9): what the service, or one resource of it, can do. */
import type { Offer } from '../../http/accept.js';
import { chooseRepresentation } from '../negotiation.js';
import { answering, type DescribedHandler, type Route } from '../route.js';
import { toOpenApi } from './openapi.js';
import { toWadl } from './wadl.js';
import { reply } from '../../http/reply.js';

const wadl = 'application/vnd.sun.wadl+xml';

/** In what capabilities are described: WADL, which PS3.18 has as its default, or OpenAPI. */
export const capabilityOffers: readonly Offer[] = [
  { mediaType: wadl, form: 'single' },
  { mediaType: 'application/json', form: 'single' },
  { mediaType: 'application/vnd.oai.openapi+json', form: 'single' },
];

/** The OpenAPI document by a name of its own is JSON whatever else is accepted. */
export const openApiOffers: readonly Offer[] = capabilityOffers.slice(1);

/** The same by the name of YAML, of which JSON is a part (YAML 1.2 §1.3). */
export const openApiYamlOffers: readonly Offer[] = [
  { mediaType: 'application/yaml', form: 'single' },
  { mediaType: 'application/vnd.oai.openapi', form: 'single' },
];

type Routes = () => readonly Route[];

/**
 * A handler that describes routes.
 *
 * @param allowed - methods of the one resource that is described.
 */
export function describing(
  routes: Routes,
  offers: readonly Offer[] = capabilityOffers,
  allowed: readonly string[] = [],
): DescribedHandler {
  return answering(
    { answers: offers },
    async ({ request, baseUrl, profile, services: { partitions } }) => {
      const { mediaType } = chooseRepresentation(request, offers).offer;
      const body =
        mediaType === wadl
          ? toWadl(routes(), baseUrl)
          : JSON.stringify(toOpenApi(routes(), { baseUrl, partitions, version: profile.segment }));
      const headers = {
        'Content-Type': mediaType,
        'Cache-Control': 'no-cache',
        ...(allowed.length > 0 && { Allow: allowed.join(', ') }),
      };
      return await Promise.resolve(reply(body, { headers }));
    },
  );
}
