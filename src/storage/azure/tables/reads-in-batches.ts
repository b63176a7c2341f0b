/**
 * Reading one row without its key in a URL: the read goes in the body of a batch, which may hold one query and
 * then nothing else. The tables SDK knows of no such batches: a point read is wrapped on its way out, and the
 * answer unwrapped before anybody looks at it. A read stays one call.
 */
import { randomUUID } from 'node:crypto';
import type { CallPipeline, CallPolicy } from '../call-policies.js';

type Request = Parameters<CallPolicy['sendRequest']>[0];
type Response = Awaited<ReturnType<CallPolicy['sendRequest']>>;

const wrapped = new WeakSet<Request>();

/** Whether a request reads though it is sent as a `POST`. */
export function isReadInBatch(request: Request): boolean {
  return wrapped.has(request);
}

const lineEnd = '\r\n';

/** Makes the read of one row a batch; leaves other requests alone. */
function wrap(request: Request): void {
  const { url, method } = request;
  // Of a row: parentheses and quotes stand as they are, and no key holds a slash.
  const row = /^(https?:\/\/[^?]*\/)[^/?]+\(PartitionKey=[^/]*\)(?:\?|$)/.exec(url);
  if (method !== 'GET' || row === null) return;
  const boundary = `batch_${randomUUID()}`;
  const body = [
    `--${boundary}`,
    'Content-Type: application/http',
    'Content-Transfer-Encoding: binary',
    '',
    `GET ${url} HTTP/1.1`,
    'Accept: application/json;odata=minimalmetadata',
    'DataServiceVersion: 3.0;',
    '',
    '',
    `--${boundary}--`,
    '',
  ].join(lineEnd);
  request.method = 'POST';
  request.url = `${row[1] ?? ''}$batch`;
  request.body = body;
  request.headers.set('Content-Type', `multipart/mixed; boundary=${boundary}`);
  request.headers.set('Content-Length', Buffer.byteLength(body));
  wrapped.add(request);
}

/** The answer within that to a batch; what is none of that kind, a refusal of the whole, as it is. */
function unwrap(response: Response): Response {
  const text = response.bodyAsText ?? '';
  const status = /^HTTP\/1\.1 (\d{3})\b/m.exec(text)?.[1];
  if (status === undefined) return response;
  response.headers.set('Content-Type', 'application/json');
  // Azurite puts no empty line before it.
  const json = /^\{.*\}(?=\s*^--)/ms.exec(text)?.[0] ?? '';
  return { ...response, status: Number(status), bodyAsText: json };
}

/** Sends the point reads of a client in batches. */
export function readInBatches(pipeline: CallPipeline): void {
  pipeline.addPolicy(
    {
      name: 'wrapReadPolicy',
      sendRequest(request, next) {
        wrap(request);
        return next(request);
      },
    },
    // What is signed is the batch.
    { beforePolicies: ['tablesNamedKeyCredentialPolicy'] },
  );
  pipeline.addPolicy(
    {
      name: 'unwrapReadPolicy',
      async sendRequest(request, next) {
        const response = await next(request);
        return isReadInBatch(request) ? unwrap(response) : response;
      },
    },
    // Seen by what sends again, and by the SDK after it.
    { afterPhase: 'Retry' },
  );
}
