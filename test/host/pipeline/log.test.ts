import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
  it('writes the requests of a turn in one go at its end, each as a line of its own, and all else at once', async () => {
    const written = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const texts = () => written.mock.calls.splice(0).map(([text]) => String(text));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const line = (requestId: string) => ({ time, ...request, requestId });
    const notice = { event: 'notice', message: 'a\nb' } as const;
    const entriesOf = (text = '') =>
      text.split('\n').map((one): unknown => (one === '' ? '' : JSON.parse(one)));
    try {
      for (const requestId of ['one', 'two']) logToConsole({ ...request, requestId });
      expect(texts()).toEqual([]);
      await nextTurn();
      expect(texts().map(entriesOf)).toEqual([[line('one'), line('two'), '']]);
      logToConsole({ ...request, requestId: 'three' });
      logToConsole(notice);
      expect(texts().map(entriesOf)).toEqual([[line('three'), { time, ...notice }, '']]);
      await nextTurn();
      expect(texts()).toEqual([]);
    } finally {
      written.mockRestore();
    }
  });

  it.each(['exits', 'fails'])('loses no entry of a process that %s in the same turn', (how) => {
    const runner = path.join(__dirname, '../../support/run-typescript.mjs');
    const script = path.join(__dirname, 'log-and-end.ts');
    const { stdout } = spawnSync(process.execPath, [runner, script, how], { encoding: 'utf8' });
    expect(stdout.split('\n')).toEqual([
      expect.stringContaining('"requestId":"the last but one"'),
      expect.stringContaining('"requestId":"the last"'),
      '',
    ]);
  });
});
