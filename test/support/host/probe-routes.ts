/** Routes that show what a host does with requests, responses and connections; for tests of the hosts. */
import {
  defineRoutes,
  type RequestContext,
  type RouteDefinition,
} from '../../../src/dicomweb/route.js';
import { ServiceError } from '../../../src/errors.js';
import { jsonReply, reply } from '../../../src/http/reply.js';

/** Bytes of one chunk of a streamed answer. */
export const chunkBytes = 64 * 1024;

/** What the streaming routes have done so far. */
export interface Probe {
  /** Chunks asked for by the host. */
  pulled: number;
  /** Resolves when the source of a streamed answer has been closed. */
  readonly sourceClosed: Promise<void>;
  /** Resolves when a handler has seen its client go. */
  readonly clientGone: Promise<void>;
  /** Resolves when a handler has begun. */
  readonly begun: Promise<void>;
  /** Lets handlers that wait go on. */
  readonly release: () => void;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function* chunks(
  probe: Probe,
  count: number,
  onClose: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    for (let index = 0; index < count; index += 1) {
      probe.pulled += 1;
      yield await Promise.resolve(new Uint8Array(chunkBytes).fill(index));
    }
  } finally {
    onClose();
  }
}

/** A set of routes, and the probe that tells about them. Their names begin with `prefix`. */
export function probeRoutes(prefix: string) {
  const closed = deferred();
  const gone = deferred();
  const begun = deferred();
  const released = deferred();
  const probe: Probe = {
    pulled: 0,
    sourceClosed: closed.promise,
    clientGone: gone.promise,
    begun: begun.promise,
    release: released.resolve,
  };
  const countOf = ({ params }: RequestContext) => Number(params['count']);

  const read = { method: 'GET', permission: 'read' } as const;
  const write = { method: 'POST', permission: 'write' } as const;
  const definitions: Readonly<Record<string, RouteDefinition>> = {
    [`${prefix}Echo`]: {
      ...read,
      path: `${prefix}/echo/{one}/{two}`,
      handler: async ({ request, params, profile, partition, baseUrl }) =>
        await Promise.resolve(
          jsonReply({
            params,
            query: [...new URL(request.url).searchParams],
            accept: request.headers.get('accept'),
            profile: profile.name,
            partition,
            baseUrl,
          }),
        ),
    },
    [`${prefix}Count`]: {
      ...write,
      path: `${prefix}/count`,
      handler: async ({ body }) => {
        let bytes = 0;
        let count = 0;
        for await (const chunk of body) {
          bytes += chunk.byteLength;
          count += 1;
        }
        return jsonReply({ bytes, chunks: count });
      },
    },
    [`${prefix}Ignore`]: {
      ...write,
      path: `${prefix}/ignore`,
      handler: async () => await Promise.resolve(reply('not read')),
    },
    [`${prefix}Peek`]: {
      ...write,
      path: `${prefix}/peek`,
      handler: async ({ body }) => {
        // Not closed: a reader that merely stops.
        await body[Symbol.asyncIterator]().next();
        return reply('peeked');
      },
    },
    [`${prefix}FirstChunk`]: {
      ...write,
      path: `${prefix}/first-chunk`,
      handler: async ({ body }) => {
        for await (const chunk of body) {
          if (chunk.byteLength > 0) throw new ServiceError('invalid-multipart', 'Not multipart.');
        }
        return reply('empty');
      },
    },
    [`${prefix}Upload`]: {
      ...write,
      path: `${prefix}/upload`,
      handler: async ({ body, signal }) => {
        signal.addEventListener('abort', gone.resolve);
        for await (const chunk of body) {
          if (chunk.byteLength > 0) begun.resolve();
        }
        return reply('all of it');
      },
    },
    [`${prefix}Stream`]: {
      ...read,
      path: `${prefix}/stream/{count}`,
      handler: async (context) =>
        await Promise.resolve(reply(chunks(probe, countOf(context), closed.resolve))),
    },
    [`${prefix}FailMidway`]: {
      ...read,
      path: `${prefix}/fail-midway/{count}`,
      handler: async (context) => {
        await Promise.resolve();
        async function* failing() {
          yield* chunks(probe, countOf(context), closed.resolve);
          throw new Error('the source failed');
        }
        return reply(failing());
      },
    },
    [`${prefix}Throw`]: {
      ...read,
      path: `${prefix}/throw`,
      handler: async () => {
        await Promise.resolve();
        throw new Error('secret detail');
      },
    },
    [`${prefix}Wait`]: {
      ...read,
      path: `${prefix}/wait`,
      handler: async ({ signal }) => {
        begun.resolve();
        signal.addEventListener('abort', gone.resolve);
        await Promise.race([released.promise, gone.promise]);
        signal.throwIfAborted();
        return reply('waited');
      },
    },
  };
  return { probe, routes: Object.values(defineRoutes(definitions)) };
}
