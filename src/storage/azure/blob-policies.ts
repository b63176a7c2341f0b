/** What we add to the blob SDK's request pipeline: a time-out, headers, and telling of every call. */
import type { RequestPolicyFactory, WebResource } from '@azure/storage-blob';
import type { OnStorageCall, StorageOperation } from '../storage-call.js';
import { answerWithin } from './answer-within.js';

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
      if (comp === 'list') return 'list';
      return ofContainer ? 'check' : 'get';
    default:
      return comp === 'userdelegationkey' ? 'check' : 'delete';
  }
}

function tell(onCall: OnStorageCall, request: WebResource, targetOf: (url: URL) => string): void {
  const url = new URL(request.url);
  const operation = operationOf(request.method, url.searchParams);
  onCall({ service: 'blob', method: request.method, operation, target: targetOf(url) });
}

interface BlobPolicyOptions {
  /** How long a call may take with all its retries, less the reading of its body. */
  readonly timeoutMs: number;
  readonly onCall?: OnStorageCall;
  /** Headers to send with each call. */
  readonly headers?: () => Readonly<Record<string, string>>;
}

/**
 * Limits the time to the answer of each call, and tells of each.
 *
 * @param targetOf the name that the port has for the container of a request.
 */
export function blobPolicyFactory(
  { timeoutMs, onCall, headers }: BlobPolicyOptions,
  targetOf: (url: URL) => string,
): RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest: async (request) => {
        for (const [name, value] of Object.entries(headers?.() ?? {})) {
          request.headers.set(name, value);
        }
        if (onCall !== undefined) tell(onCall, request, targetOf);
        return await answerWithin(timeoutMs, request, () => next.sendRequest(request));
      },
    }),
  };
}
