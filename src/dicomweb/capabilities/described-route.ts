/** A route as the documents about the API tell of it. */
import { describeOffers, type Offer } from '../../http/accept.js';
import type { Route } from '../route.js';

export interface DescribedRoute {
  readonly name: string;
  /** `Retrieve study bulk data`. */
  readonly summary: string;
  readonly method: string;
  /** With parameters in braces, without a leading `/`. */
  readonly path: string;
  readonly pathParameters: readonly string[];
  readonly queryParameters: readonly string[];
  /** As in Content-Type, without transfer syntaxes. */
  readonly takes: readonly string[];
  readonly answers: readonly string[];
  readonly anonymous: boolean;
  /** Whether it exists at the root only. */
  readonly atRootOnly: boolean;
}

function mediaTypes(offers: readonly Offer[] = []): readonly string[] {
  return describeOffers(offers.map(({ mediaType, form }) => ({ mediaType, form })));
}

function summaryOf(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What is to be said of a route. */
export function describeRoute(route: Route): DescribedRoute {
  const { name, method, permission, scope, handler } = route;
  const { answers, takes, query = [] } = handler;
  const path = route.path.replaceAll('{*', '{');
  return {
    name,
    summary: summaryOf(name),
    method,
    path,
    pathParameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter),
    queryParameters: answers === undefined ? query : [...new Set([...query, 'accept'])],
    takes: mediaTypes(takes),
    answers: mediaTypes(answers),
    anonymous: permission === 'anonymous',
    atRootOnly: scope === 'service',
  };
}

/** Routes by their path, in the order of the table. */
export function byPath(routes: readonly Route[]): ReadonlyMap<string, readonly DescribedRoute[]> {
  const paths = new Map<string, DescribedRoute[]>();
  for (const route of routes.map(describeRoute)) {
    const known = paths.get(route.path);
    if (known === undefined) paths.set(route.path, [route]);
    else known.push(route);
  }
  return paths;
}
