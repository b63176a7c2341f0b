/** The routes of a process without a socket: requests go in, responses come out. */
import { routes } from '../../src/dicomweb/routes.js';
import type { Services } from '../../src/dicomweb/services.js';
import { readConfig } from '../../src/host/config.js';
import { openTo } from '../../src/host/pipeline/authenticator.js';
import { createDispatcher } from '../../src/host/pipeline/dispatcher.js';
import type { LogEntry } from '../../src/host/pipeline/log.js';
import { createPipeline } from '../../src/host/pipeline/pipeline.js';
import { asResponse } from './host/web-response.js';

export type Send = (method: string, path: string, init?: RequestInit) => Promise<Response>;

/** @param log - gets what the process logs. */
export function inProcess(
  services: Services,
  log: (entry: LogEntry) => void = () => undefined,
): Send {
  const config = readConfig({});
  const pipeline = createPipeline({
    config,
    authenticate: openTo(config),
    services: async () => await Promise.resolve(services),
    log,
  });
  const dispatch = createDispatcher(pipeline, Object.values(routes));
  return async (method, path, init = {}) => {
    const request = new Request(`http://localhost${path}`, { ...init, method });
    return asResponse(await dispatch(request, new AbortController().signal));
  };
}

/** A body of JSON. */
export function withJson(value: unknown): RequestInit {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}
