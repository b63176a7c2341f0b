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
  it('writes each entry at once, as a line of its own', () => {
    const written = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
    try {
      for (const requestId of ['one', 'two']) logToConsole({ ...request, requestId });
      const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
      expect(lines).toMatchObject([
        { event: 'request', requestId: 'one' },
        { event: 'request', requestId: 'two' },
      ]);
    } finally {
      written.mockRestore();
    }
  });
});
