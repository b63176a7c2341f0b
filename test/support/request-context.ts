/** What a handler is called with, where a test calls it without a host. */
import { profileOf } from '../../src/dicomweb/profile.js';
import type { RequestContext } from '../../src/dicomweb/route.js';
import type { Services } from '../../src/dicomweb/services.js';
import { headOf } from '../../src/http/incoming-request.js';
import { defaultPartition } from '../../src/storage/archive/keys.js';
import { chunked } from './byte-streams.js';

interface Called {
  readonly services: Services;
  readonly params?: RequestContext['params'];
  /** In one chunk; empty when left out. */
  readonly body?: Uint8Array;
  readonly version?: string | undefined;
}

/** The context of a request in the default partition, from someone who may do everything. */
export function contextOf(
  request: Request,
  { services, params = {}, body = new Uint8Array(), version }: Called,
): RequestContext {
  return {
    request: headOf(request),
    params,
    body: chunked(body),
    profile: profileOf(version),
    partition: defaultPartition,
    reach: 'everywhere',
    baseUrl: new URL(request.url).origin,
    services,
    noteStored: () => undefined,
    noteShare: () => undefined,
    noteUpdate: () => undefined,
    noteFault: () => undefined,
    signal: request.signal,
  };
}
