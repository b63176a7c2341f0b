/**
 * From any request to its route: our own router over the route table, with an answer for what no
 * route serves. The local host sends every request through it, the Functions host those that the
 * platform found no function for.
 */
import { capabilityOffers, describing } from '../../dicomweb/capabilities/retrieve-capabilities.js';
import { knownProfile } from '../../dicomweb/profile.js';
import { urlForms, type Route } from '../../dicomweb/route.js';
import { ServiceError } from '../../errors.js';
import { headOf, type IncomingRequest } from '../../http/incoming-request.js';
import type { Reply } from '../../http/reply.js';
import { noPage, type WebPage } from './page.js';
import type { HostRoute } from './exchange.js';
import type { Pipeline } from './pipeline.js';
import { createRouter } from './router.js';

/** Answers any request; never rejects. */
export type Dispatch = (request: IncomingRequest, signal: AbortSignal) => Promise<Reply>;

/** OPTIONS other than a preflight, which the pipeline answers by itself: what a resource can do. */
function options(path: string, found: readonly Route[], allowed: readonly string[]): Route {
  const handler = describing(() => found, capabilityOffers, allowed);
  return { name: 'describeResource', method: 'OPTIONS', path, permission: 'anonymous', handler };
}

/** Made once: where it was thrown tells nobody anything, and the stack costs as much as the answer. */
const notFound = new ServiceError('route-not-found', 'There is no such resource.');

function refusal(allowed: readonly string[]): HostRoute {
  return {
    name: 'unknownRoute',
    answer: () => {
      if (allowed.length === 0) return notFound;
      return new ServiceError('method-not-allowed', 'The resource does not have this method.', {
        allowed,
      });
    },
  };
}

/** The version segment that a path begins with, so that a refusal speaks the right dialect. */
function versionOf(path: string): Readonly<Record<string, string>> {
  const version = path.split('/')[1] ?? '';
  return knownProfile(version) === undefined ? {} : { version };
}

/** HEAD is GET without its body, which the pipeline leaves out (RFC 9110 §9.3.2). */
function asked(method: string): string {
  return method === 'HEAD' ? 'GET' : method;
}

/** The methods of a path as `Allow` lists them. */
function allowedOf(methods: readonly string[]): readonly string[] {
  if (methods.length === 0) return [];
  return [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])];
}

/** A dispatcher over the routes and the page. Runs of slashes in a path count as one. */
export function createDispatcher(
  pipeline: Pipeline,
  routes: readonly Route[],
  page: WebPage = noPage,
): Dispatch {
  const router = createRouter(
    routes.flatMap((route) =>
      urlForms(route).map(({ template }) => ({ method: route.method, template, value: route })),
    ),
  );
  return (incoming, signal) => {
    const head = headOf(incoming);
    const request = {
      method: head.method,
      url: head.url,
      headers: head.headers,
      body: incoming.body,
    };
    const path = head.url.pathname.replace(/\/{2,}/g, '/');
    const found = router.match(asked(request.method), path);
    if (found !== undefined) return pipeline(found.value, request, found.params, signal);
    if (asked(request.method) === 'GET') {
      const shown = page(path, head);
      if (shown !== undefined) {
        return pipeline({ name: 'showPage', answer: () => shown }, request, {}, signal);
      }
    }
    const methods = router.methodsOf(path);
    const allowed = allowedOf(methods);
    const isRoot = path === '/';
    const served = isRoot
      ? routes
      : methods.flatMap((method) => router.match(method, path)?.value ?? []);
    const route =
      request.method === 'OPTIONS' && served.length > 0
        ? options(path, served, isRoot ? ['OPTIONS'] : allowed)
        : refusal(allowed);
    return pipeline(route, request, versionOf(path), signal);
  };
}
