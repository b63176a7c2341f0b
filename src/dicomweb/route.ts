/**
 * What a route is: data that both hosts register, the pipeline runs and the documentation is made
 * from. A handler sees nothing but its context.
 */
import type { Archive } from '../storage/archive/archive.js';
import type { Partition } from '../storage/archive/keys.js';
import type { Limits } from './limits.js';
import type { Profile } from './profile.js';

/** What a caller must be allowed to do; `anonymous` routes need no token. */
export type Permission = 'read' | 'write' | 'delete' | 'anonymous';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

/** The parts of the system that handlers use. */
export interface Services {
  readonly archive: Archive;
  readonly limits: Limits;
}

/** Everything a handler may touch. */
export interface RequestContext {
  readonly request: Request;
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The request's body, ended with `payload-too-large` beyond the limit; empty when there is none. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly profile: Profile;
  readonly partition: Partition;
  /** Absolute URL that the resource paths of this version and partition follow, without a final `/`. */
  readonly baseUrl: string;
  readonly services: Services;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

export type Handler = (context: RequestContext) => Promise<Response>;

export interface RouteDefinition {
  readonly method: Method;
  /** ASP.NET style template relative to the version and partition, without a leading `/`. */
  readonly path: string;
  readonly permission: Permission;
  readonly handler: Handler;
  /** `service` routes exist once, at the root: no version, no partition. */
  readonly scope?: 'service';
}

export interface Route extends RouteDefinition {
  readonly name: string;
}

/** Names each route after its key. */
export function defineRoutes<K extends string>(
  definitions: Readonly<Record<K, RouteDefinition>>,
): Readonly<Record<K, Route>> {
  const entries = Object.entries<RouteDefinition>(definitions);
  return Object.fromEntries(entries.map(([name, route]) => [name, { ...route, name }])) as Record<
    K,
    Route
  >;
}

/** One URL form under which a route is registered. */
export interface UrlForm {
  /** Unique among all routes: the name of the Azure Function. */
  readonly functionName: string;
  readonly template: string;
}

const prefixes = [
  { suffix: '', prefix: '' },
  { suffix: 'InVersion', prefix: '{version}/' },
  { suffix: 'InPartition', prefix: 'partitions/{partition}/' },
  { suffix: 'InVersionAndPartition', prefix: '{version}/partitions/{partition}/' },
] as const;

/** The URL forms of a route: unversioned, versioned, and both within a partition. */
export function urlForms(route: Route): readonly UrlForm[] {
  const forms = route.scope === 'service' ? prefixes.slice(0, 1) : prefixes;
  return forms.map(({ suffix, prefix }) => ({
    functionName: route.name + suffix,
    template: prefix + route.path,
  }));
}
