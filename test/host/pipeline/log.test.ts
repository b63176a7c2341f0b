import { describe, expect, it, jest } from '@jest/globals';
import { lineForPeople, logToConsole } from '../../../src/host/pipeline/log.js';

const request = {
  event: 'request',
  requestId: 'r',
  route: 'storeInstances',
  method: 'POST',
  profile: 'ps318',
  status: 200,
  outcome: 'complete',
  bytesIn: 10,
  bytesOut: 20,
  storageCalls: 3,
  milliseconds: 4,
} as const;

describe('lineForPeople', () => {
  it('tells a request, a fault and a notice', () => {
    expect(lineForPeople(request)).toBe('200 POST storeInstances, 4 ms, 10 bytes in, 20 out');
    expect(lineForPeople({ ...request, status: 400, code: 'not-dicom', outcome: 'aborted' })).toBe(
      '400 POST storeInstances not-dicom (aborted), 4 ms, 10 bytes in, 20 out',
    );
    expect(lineForPeople({ event: 'fault', requestId: 'r', route: 'sweep', error: 'E' })).toBe(
      'FAULT in sweep, request r: E',
    );
    expect(lineForPeople({ event: 'notice', message: 'Hello.' })).toBe('Hello.');
  });
});

describe('logToConsole', () => {
  it('writes requests of one turn of the event loop together, and what else there is at once behind them', async () => {
    const written = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      for (const requestId of ['one', 'two']) logToConsole({ ...request, requestId });
      expect(written).not.toHaveBeenCalled();
      await new Promise(setImmediate);
      expect(written).toHaveBeenCalledTimes(1);
      const lines = String(written.mock.calls[0]?.[0]).split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { event: 'request', requestId: 'one' },
        { event: 'request', requestId: 'two' },
      ]);
      logToConsole(request);
      logToConsole({ event: 'notice', message: 'Hello.' });
      expect(written).toHaveBeenCalledTimes(2);
      expect(String(written.mock.calls[1]?.[0])).toMatch(/"event":"request".*\n.*Hello\./);
    } finally {
      written.mockRestore();
    }
  });
});
