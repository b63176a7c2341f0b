/**
 * The HTTP server that the Functions library opens in its worker for requests that the host forwards,
 * made to let no invocation hang. Left alone it refuses, with answers of Node's own, what the host lets
 * through, and the library then waits for a request that never comes: until the host gives the worker
 * up, with everything else that it is doing.
 */
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { timeBudgets } from '../../time-budgets.js';
import {
  ForwardedRequests,
  invocationHeader,
  type Forwarded,
} from '../pipeline/forwarded-requests.js';

/** Above what the host lets through (32 KiB) and adds, so that our own limit speaks first. */
const maxHeaderSize = 64 * 1024;

/** What of `@azure/functions-core`, the module that the worker injects, is used here. */
interface CoreInvocation {
  readonly invocationId: string;
  readonly request: {
    readonly triggerMetadata?: Readonly<Record<string, Metadata | undefined>> | null;
  };
  readonly metadata: { readonly bindings?: Readonly<Record<string, { readonly type?: string }>> };
}
type Metadata = { readonly json?: string | null } | null;
interface InvocationModel {
  getArguments(): Promise<unknown>;
}
interface ProgrammingModel {
  getInvocationModel(invocation: CoreInvocation): InvocationModel;
}
interface FunctionsCore {
  getProgrammingModel(): ProgrammingModel | undefined;
}

/** A forwarded request whose invocation is known. */
export interface LiveRequest extends Forwarded {
  /** The client sent an invocation id of its own: the two may have been taken for others' of that name. */
  readonly isForged: boolean;
}

export interface WorkerServer {
  /** The request of an invocation that has begun; `undefined` when the library served it otherwise. */
  liveRequestOf(invocationId: string): LiveRequest | undefined;
}

/** The module that the worker injects; absent where no worker is. */
function functionsCore(): FunctionsCore | undefined {
  try {
    return module.require('@azure/functions-core') as FunctionsCore;
  } catch {
    return undefined;
  }
}

/** The invocation id that the client sent, from the headers that the host tells the worker of. */
function clientsInvocationId({ request }: CoreInvocation): string | undefined {
  const json = request.triggerMetadata?.['Headers']?.json;
  if (typeof json !== 'string' || !json.toLowerCase().includes(invocationHeader)) return undefined;
  const headers = JSON.parse(json) as Readonly<Record<string, string>>;
  const found = Object.keys(headers).find((name) => name.toLowerCase() === invocationHeader);
  return found === undefined ? undefined : headers[found];
}

/** Makes a server as the library does, but one that judges no headers: the pipeline does. */
function makeServer(
  create: typeof http.createServer,
  arrive: (forwarded: Forwarded, pass: () => void) => void,
): Server {
  const server = create({
    maxHeaderSize,
    insecureHTTPParser: true,
    requestTimeout: 0,
    // Node's five seconds also end a body that goes on after its answer, and race with the host's reuse.
    keepAliveTimeout: timeBudgets.idleConnection,
  });
  const emit = server.emit.bind(server) as (...event: unknown[]) => boolean;
  server.on('checkExpectation', (message: IncomingMessage, response: ServerResponse) => {
    server.emit('request', message, response);
  });
  server.emit = ((event: string, ...values: unknown[]) => {
    if (event !== 'request') return emit(event, ...values);
    const [message, response] = values as [IncomingMessage, ServerResponse];
    arrive({ message, response }, () => emit('request', message, response));
    return true;
  }) as typeof server.emit;
  return server;
}

/**
 * Prepares the process for the library's server; to be called before the worker asks the library for
 * it. The next server that anybody makes without options is taken for that.
 *
 * @param waitMilliseconds how long a forwarded request and its invocation wait for each other.
 * @param refuse answers a request that no function can be run for.
 */
export function attendWorkerServer(
  waitMilliseconds: () => number,
  refuse: (forwarded: Forwarded) => void,
): WorkerServer {
  const live = new Map<string, LiveRequest>();
  const passes = new WeakMap<IncomingMessage, () => void>();
  const requests = new ForwardedRequests(waitMilliseconds, refuse);

  /** Hands a request to the library, as that of an invocation. */
  function begin(invocationId: string, forwarded: Forwarded, isForged: boolean): void {
    const { message, response } = forwarded;
    live.set(invocationId, { ...forwarded, isForged });
    response.once('close', () => live.delete(invocationId));
    message.headers[invocationHeader] = invocationId;
    passes.get(message)?.();
  }

  /** Lets each invocation of the library begin only when its request is there. */
  function attend(model: ProgrammingModel): void {
    const getModel = model.getInvocationModel.bind(model);
    model.getInvocationModel = (invocation) => {
      const inner = getModel(invocation);
      const types = Object.values(invocation.metadata.bindings ?? {}).map(({ type }) => type);
      if (!types.some((type) => type?.toLowerCase() === 'httptrigger')) return inner;
      const getArguments = inner.getArguments.bind(inner);
      inner.getArguments = async () => {
        const alias = clientsInvocationId(invocation);
        const forwarded = await requests.claim(invocation.invocationId, alias);
        begin(invocation.invocationId, forwarded, alias !== undefined);
        try {
          return await getArguments();
        } catch (error) {
          refuse(forwarded);
          throw error;
        }
      };
      return inner;
    };
  }

  const create = http.createServer;
  http.createServer = ((...given: Parameters<typeof create>): Server => {
    if (given.length > 0) return create(...given);
    http.createServer = create;
    const model = functionsCore()?.getProgrammingModel();
    if (model !== undefined) attend(model);
    return makeServer(create, (forwarded, pass) => {
      passes.set(forwarded.message, pass);
      const id = forwarded.message.headers[invocationHeader];
      if (model !== undefined) requests.arrive(forwarded);
      else if (typeof id === 'string') begin(id, forwarded, false);
      else refuse(forwarded);
    });
  }) as typeof create;
  return { liveRequestOf: (invocationId) => live.get(invocationId) };
}
