/**
 * What a route is: data that both hosts register, the pipeline runs and the documentation is made
 * from. A handler sees nothing but its context.
 */
import type { Principal } from '../auth/principal.js';
import type { Permission, Reach } from '../auth/roles.js';
import type { StudyInstanceUID } from '../dicom/uid.js';
import type { Offer } from '../http/accept.js';
import type { Partition } from '../storage/archive/keys.js';
import type { SharedResource } from '../storage/share-registry.js';
import type { Profile } from './profile.js';
import type { Services } from './services.js';
import type { Reply } from '../http/reply.js';
import type { RequestHead } from '../http/incoming-request.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Everything a handler may touch. */
export interface RequestContext {
  readonly request: RequestHead;
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The request's body, ended with `payload-too-large` beyond the limit; empty when there is none. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly profile: Profile;
  readonly partition: Partition;
  /** Where the caller has the permission that the route takes. */
  readonly reach: Reach;
  /** Absolute URL that the resource paths of this version and partition follow, without a final `/`. */
  readonly baseUrl: string;
  readonly services: Services;
  /** Who asks, where a token told. */
  readonly caller?: Pick<Principal, 'objectId' | 'appId'>;
  /** Notes, for the log, that an instance of a study was stored. */
  readonly noteStored: (study: StudyInstanceUID) => void;
  /** Notes, for the log, the link that the request is about. */
  readonly noteShare: (id: string, shared?: SharedResource) => void;
  /** Notes, for the log, the operation that updates studies. */
  readonly noteUpdate: (operation: string, studies: readonly StudyInstanceUID[]) => void;
  /** Logs a failure that is not the answer to the whole request. */
  readonly noteFault: (error: unknown) => void;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

export type Handler = (context: RequestContext) => Promise<Reply>;

/** What a handler answers in and takes, for the documents that describe the API. */
export interface Description {
  /** All that there can be; what is stored may leave less. */
  readonly answers?: readonly Offer[];
  /** What bodies it takes. */
  readonly takes?: readonly Offer[];
  /** Query parameters, besides `accept`. */
  readonly query?: readonly string[];
}

/** A handler that tells what it answers in and takes, unless that is nothing. */
export type DescribedHandler = Handler & Description;

/** Puts beside a handler what it answers in and takes. */
export function answering(description: Description, handler: Handler): DescribedHandler {
  return Object.assign(handler, description);
}

export interface RouteDefinition {
  readonly method: Method;
  /** ASP.NET style template relative to the version and partition, without a leading `/`. */
  readonly path: string;
  /** What a caller must be allowed to do; `anonymous` routes need no token. */
  readonly permission: Permission | 'anonymous';
  readonly handler: DescribedHandler;
  /**
   * `service` routes exist once, at the root: no version, no partition. `all-partitions` routes are
   * not within a partition.
   */
  readonly scope?: 'service' | 'all-partitions';
  /** Of `all-partitions`: who has the permission in some partitions is let in, and shown what is theirs. */
  readonly partly?: true;
  /** Whether its data partition comes into being when it is not there. */
  readonly createsPartition?: true;
}

/** A row of the route table. */
export function route(
  method: Method,
  path: string,
  permission: RouteDefinition['permission'],
  handler: DescribedHandler,
  more: Pick<RouteDefinition, 'scope' | 'partly' | 'createsPartition'> = {},
): RouteDefinition {
  return { method, path, permission, handler, ...more };
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
  { suffix: '', prefix: '', scopes: ['service', 'all-partitions', undefined] },
  { suffix: 'InVersion', prefix: '{version}/', scopes: ['all-partitions', undefined] },
  { suffix: 'InPartition', prefix: 'partitions/{partition}/', scopes: [undefined] },
  {
    suffix: 'InVersionAndPartition',
    prefix: '{version}/partitions/{partition}/',
    scopes: [undefined],
  },
] as const satisfies readonly {
  readonly suffix: string;
  readonly prefix: string;
  readonly scopes: readonly RouteDefinition['scope'][];
}[];

/** The URL forms of a route: unversioned, versioned, and both within a partition. */
export function urlForms(route: Route): readonly UrlForm[] {
  const forms = prefixes.filter(({ scopes }) =>
    scopes.some((scope: RouteDefinition['scope']) => scope === route.scope),
  );
  return forms.map(({ suffix, prefix }) => ({
    functionName: route.name + suffix,
    template: prefix + route.path,
  }));
}
