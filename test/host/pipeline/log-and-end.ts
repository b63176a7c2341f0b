/** A process that logs two requests and ends within the same turn, by `exits` or by an error that nobody catches. */
import { logToConsole } from '../../../src/host/pipeline/log.js';

for (const requestId of ['the last but one', 'the last']) {
  logToConsole({
    event: 'request',
    requestId,
    route: 'search',
    method: 'GET',
    profile: 'ps3.18',
    status: 200,
    outcome: 'complete',
    bytesIn: 0,
    bytesOut: 0,
    storageCalls: 1,
    milliseconds: 1,
  });
}
if (process.argv[2] === 'exits') process.exit(0);
throw new Error('Nobody catches this.');
