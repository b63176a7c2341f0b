/** The server in the worker, as the library gets it. */
import http from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { timeBudgets } from '../../../src/time-budgets.js';
import { attendWorkerServer } from '../../../src/host/functions/worker-server.js';

describe("the worker's server", () => {
  it('does not end a body after its answer, nor a connection that the host may use again', () => {
    const create = http.createServer;
    attendWorkerServer(
      () => 1,
      () => undefined,
    );
    const server = http.createServer();
    expect(http.createServer).toBe(create);
    // Node closes a connection after this long without bytes once the answer is out.
    expect(server.keepAliveTimeout).toBe(timeBudgets.idleConnection);
    expect(server.requestTimeout).toBe(0);
  });
});
