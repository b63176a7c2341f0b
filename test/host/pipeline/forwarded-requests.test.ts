import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import {
  ForwardedRequests,
  invocationHeader,
  type Forwarded,
} from '../../../src/host/pipeline/forwarded-requests.js';

const patient = 600_000;

/** A request with an invocation id; an event `refused` on its response tells that nobody wanted it. */
function forwarded(id?: string): Forwarded {
  const response = Object.assign(new EventEmitter(), { destroyed: false, headersSent: false });
  const headers = id === undefined ? {} : { [invocationHeader]: id };
  return {
    message: { headers } as unknown as IncomingMessage,
    response: response as unknown as ServerResponse,
  };
}

function matching(waitMilliseconds = patient): ForwardedRequests {
  return new ForwardedRequests(
    () => waitMilliseconds,
    ({ response }) => response.emit('refused'),
  );
}

describe('ForwardedRequests', () => {
  it('gives an invocation its request, whichever comes first', async () => {
    const requests = matching();
    const [one, two] = [forwarded('1'), forwarded('2')];
    requests.arrive(one);
    const second = requests.claim('2');
    requests.arrive(two);
    expect(await second).toBe(two);
    expect(await requests.claim('1')).toBe(one);
    expect(requests.waiting).toBe(0);
  });

  it('finds a request under the id that its client sent, and prefers that of the host', async () => {
    const requests = matching();
    const [own, replaced] = [forwarded('mine'), forwarded('2')];
    requests.arrive(own);
    requests.arrive(replaced);
    expect(await requests.claim('2', 'mine')).toBe(replaced);
    expect(await requests.claim('1', 'mine')).toBe(own);
    const late = requests.claim('3', 'mine');
    const third = forwarded('mine');
    requests.arrive(third);
    expect(await late).toBe(third);
    expect(requests.waiting).toBe(0);
  });

  it('gives up an invocation whose request does not come', async () => {
    const requests = matching(1);
    await expect(requests.claim('1', 'mine')).rejects.toThrow('did not forward');
    expect(requests.waiting).toBe(0);
  });

  it('refuses a request whose invocation does not come, with an id or without', async () => {
    const requests = matching(1);
    for (const one of [forwarded('1'), forwarded()]) {
      requests.arrive(one);
      await once(one.response, 'refused');
    }
    expect(requests.waiting).toBe(0);
  });

  it('forgets a request whose host has gone', () => {
    const requests = matching();
    const one = forwarded('1');
    requests.arrive(one);
    one.response.emit('close');
    expect(requests.waiting).toBe(0);
  });
});
