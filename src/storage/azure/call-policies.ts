/** Steps that the request pipelines of both storage SDKs get from us, and those of theirs that go. */
import { BlobServiceClient } from '@azure/storage-blob';
import type { TableClient } from '@azure/data-tables';

/** Steps of a request in an SDK of Azure. */
export type CallPipeline = TableClient['pipeline'];
export type CallPolicy = Parameters<CallPipeline['addPolicy']>[0];

/**
 * Steps of the SDKs that change nothing of our calls, while each takes promises of every call: connections
 * are ours (`callSender`), so are id and agent of a call (`callerPolicy`), nobody collects spans of the SDKs,
 * signals are native, bodies are never forms, storage redirects nobody and answers in no coding, and what
 * sends or signs a body sets its length.
 */
const idleSteps = [
  'proxyPolicy',
  'decompressResponsePolicy',
  'wrapAbortSignalLikePolicy',
  'formDataPolicy',
  'multipartPolicy',
  'userAgentPolicy',
  'setClientRequestIdPolicy',
  'tracingPolicy',
  'redirectPolicy',
  'StorageCorrectContentLengthPolicy',
  'storageBrowserPolicy',
] as const;

/** Takes out of a pipeline what its calls do not need. */
export function removeIdleSteps(pipeline: CallPipeline): void {
  for (const name of idleSteps) pipeline.removePolicy({ name });
}

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

/** What the logs of storage call us. */
const userAgent = 'dicomweb-functions';

/** Sends the headers of the caller with every call, and tells it how long the answer takes. */
export function callerPolicy({ headers, waits }: StorageCaller): CallPolicy {
  return {
    name: 'callerPolicy',
    async sendRequest(request, next) {
      request.headers.set('User-Agent', userAgent);
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
