/** Steps that the request pipelines of both storage SDKs get from us: headers, and a time for the answer. */
import { BlobServiceClient } from '@azure/storage-blob';
import type { TableClient } from '@azure/data-tables';
import { answerWithin } from './answer-within.js';

/** Steps of a request in an SDK of Azure. */
export type CallPipeline = TableClient['pipeline'];
export type CallPolicy = Parameters<CallPipeline['addPolicy']>[0];

/** A blob service whose own pipeline can be added to: the SDK has policies of an older kind only. */
export class BlobAccount extends BlobServiceClient {
  /** Shared by all clients of the account. */
  get callPipeline(): CallPipeline {
    return this.storageClientContext.pipeline;
  }
}

/** On whose behalf calls are made. */
export interface StorageCaller {
  /** Headers to send with a call, for the logs of the service. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Hears that a call is sent; what it returns hears that the answer has begun, or that there is none. */
  readonly waits: () => () => void;
}

/** Sends the headers of the caller with every call, and tells it how long the answer takes. */
export function callerPolicy({ headers, waits }: StorageCaller): CallPolicy {
  return {
    name: 'callerPolicy',
    async sendRequest(request, next) {
      for (const [name, value] of Object.entries(headers())) request.headers.set(name, value);
      const answered = waits();
      try {
        return await next(request);
      } finally {
        answered();
      }
    },
  };
}

/** Limits the time that a call may take with all its retries, less the reading of its body. */
export function callTimePolicy(timeoutMs: number): CallPolicy {
  return {
    name: 'callTimePolicy',
    sendRequest: (request, next) => answerWithin(timeoutMs, request, () => next(request)),
  };
}
