/** Steps that we add to the blob SDK's request pipeline: a time-out, and telling of every call. */
import type { RequestPolicyFactory, WebResource } from '@azure/storage-blob';
import type { OnStorageCall, StorageOperation } from '../storage-call.js';

/** For connections that hang; a block takes 4 MiB, and reading a body is not counted. */
const requestTimeoutMs = 60_000;

const putOperations: Readonly<Record<string, StorageOperation>> = {
  block: 'put-block',
  blocklist: 'commit-blocks',
};

function operationOf(method: string, query: URLSearchParams): StorageOperation {
  const comp = query.get('comp') ?? '';
  const ofContainer = query.get('restype') === 'container' && comp === '';
  switch (method) {
    case 'PUT':
      return ofContainer ? 'create' : (putOperations[comp] ?? 'put');
    case 'GET':
    case 'HEAD':
      return ofContainer ? 'check' : 'get';
    default:
      return 'delete';
  }
}

function tell(onCall: OnStorageCall, request: WebResource, targetOf: (url: URL) => string): void {
  const url = new URL(request.url);
  const operation = operationOf(request.method, url.searchParams);
  onCall({ service: 'blob', method: request.method, operation, target: targetOf(url) });
}

/**
 * Limits the time to the answer of each request, and tells of each before the SDK's retries.
 *
 * @param targetOf the name that the port has for the container of a request.
 */
export function blobPolicyFactory(
  onCall: OnStorageCall | undefined,
  targetOf: (url: URL) => string,
): RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest: async (request) => {
        request.timeout = requestTimeoutMs;
        if (onCall !== undefined) tell(onCall, request, targetOf);
        return await next.sendRequest(request);
      },
    }),
  };
}
