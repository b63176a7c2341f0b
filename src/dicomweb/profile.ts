/**
 * The three faces of the API as values: PS3.18 at unversioned URLs, the Microsoft contracts under
 * /v1 and /v2. Handlers read their profile; they never ask for a version.
 */
import { ServiceError } from '../errors.js';
import {
  sequencedChangeFeed,
  windowedChangeFeed,
  type ChangeFeedPolicy,
} from './changefeed/change-feed-policy.js';
import {
  microsoftV1OperationPolicy,
  microsoftV2OperationPolicy,
  operationPolicy,
  type OperationPolicy,
} from './operations/operation-policy.js';
import {
  microsoftPartitionPolicy,
  standardPartitionPolicy,
  type PartitionPolicy,
} from './partitions/partition-policy.js';
import {
  microsoftRetrievePolicy,
  microsoftV2RetrievePolicy,
  standardRetrievePolicy,
  type RetrievePolicy,
} from './retrieve/retrieve-policy.js';
import {
  microsoftRenderedPolicy,
  standardRenderedPolicy,
  type RenderedPolicy,
} from './retrieve/rendered/rendered-policy.js';
import {
  microsoftV1SearchPolicy,
  microsoftV2SearchPolicy,
  standardSearchPolicy,
  type SearchPolicy,
} from './search/search-policy.js';
import {
  microsoftV1StorePolicy,
  microsoftV2StorePolicy,
  standardStorePolicy,
  type StorePolicy,
} from './store/store-policy.js';

export interface Profile {
  readonly name: 'ps3.18' | 'v1' | 'v2';
  /** First path segment of its URLs, `''` when there is none. */
  readonly segment: '' | 'v1' | 'v2';
  /** How an abandoned request is explained. */
  readonly problemFormat: 'problem+json' | 'text';
  readonly store: StorePolicy;
  readonly retrieve: RetrievePolicy;
  readonly rendered: RenderedPolicy;
  readonly search: SearchPolicy;
  readonly changeFeed: ChangeFeedPolicy;
  readonly partitions: PartitionPolicy;
  readonly operations: OperationPolicy;
  /** Headers on every response. */
  readonly headers: Readonly<Record<string, string>>;
}

const commonHeaders = { 'X-Content-Type-Options': 'nosniff' };

const microsoftHeaders = {
  ...commonHeaders,
  'X-Frame-Options': 'SAMEORIGIN',
  'Content-Security-Policy': "frame-src 'self';",
  'api-supported-versions': '1.0-prerelease, 1, 2',
};

export const ps318: Profile = {
  name: 'ps3.18',
  segment: '',
  problemFormat: 'problem+json',
  store: standardStorePolicy,
  retrieve: standardRetrievePolicy,
  rendered: standardRenderedPolicy,
  search: standardSearchPolicy,
  changeFeed: windowedChangeFeed,
  partitions: standardPartitionPolicy,
  operations: operationPolicy,
  headers: commonHeaders,
};

export const microsoftV1: Profile = {
  name: 'v1',
  segment: 'v1',
  problemFormat: 'text',
  store: microsoftV1StorePolicy,
  retrieve: microsoftRetrievePolicy,
  rendered: microsoftRenderedPolicy,
  search: microsoftV1SearchPolicy,
  changeFeed: sequencedChangeFeed,
  partitions: microsoftPartitionPolicy,
  operations: microsoftV1OperationPolicy,
  headers: microsoftHeaders,
};

export const microsoftV2: Profile = {
  name: 'v2',
  segment: 'v2',
  problemFormat: 'text',
  store: microsoftV2StorePolicy,
  retrieve: microsoftV2RetrievePolicy,
  rendered: microsoftRenderedPolicy,
  search: microsoftV2SearchPolicy,
  changeFeed: windowedChangeFeed,
  partitions: microsoftPartitionPolicy,
  operations: microsoftV2OperationPolicy,
  headers: microsoftHeaders,
};

const bySegment: Readonly<Record<string, Profile>> = {
  v1: microsoftV1,
  'v1.0': microsoftV1,
  'v1.0-prerelease': microsoftV1,
  'v1-prerelease': microsoftV1,
  v2: microsoftV2,
  'v2.0': microsoftV2,
};

/** The profile that a version segment names; `undefined` when it names none. */
export function knownProfile(segment: string): Profile | undefined {
  const key = segment.toLowerCase();
  return Object.hasOwn(bySegment, key) ? bySegment[key] : undefined;
}

/**
 * The profile that a version segment names; no segment means PS3.18.
 *
 * @throws ServiceError `invalid-version` for a segment that names none.
 */
export function profileOf(segment: string | undefined): Profile {
  if (segment === undefined) return ps318;
  const profile = knownProfile(segment);
  if (profile === undefined) {
    throw new ServiceError(
      'invalid-version',
      'The API version in the URL is not supported. Supported versions: v1, v2, or none for DICOM PS3.18.',
    );
  }
  return profile;
}
