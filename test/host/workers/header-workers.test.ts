import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { defaultPart10Limits, Part10Reader } from '../../../src/dicom/part10/part10.js';
import { profileOf } from '../../../src/dicomweb/profile.js';
import { headerWorkInThread, type HeaderWork } from '../../../src/dicomweb/store/header-work.js';
import type { HeaderJob } from '../../../src/dicomweb/store/judge-header.js';
import {
  createHeaderWorkers,
  headerHeapMegabytes,
  type HeaderWorkersOptions,
} from '../../../src/host/workers/header-workers.js';
import { startHeaderWorkerFromSource } from '../../support/host/header-worker.js';
import { wrongDates } from '../../support/dicom/many-elements.js';
import { element, ramp, sampleInstance, syntaxes } from '../../support/part10-builder.js';

const never = new AbortController().signal;
const { store: policy } = profileOf('v2');

/** Does what the first of the values that are held says. */
const standIn = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ scanned }) => {
    const text = Buffer.from(scanned.condensed).toString('latin1');
    const comments = [String(scanned.condensed.length)];
    const answer = () => parentPort.postMessage({ kind: 'done', result: { kind: 'refused', comments } });
    const kept = [];
    if (text.includes('HANG')) for (;;) ;
    if (text.includes('FILL')) for (;;) kept.push(new Array(1e5).fill(kept.length));
    setTimeout(answer, 50);
  });
  parentPort.postMessage({ kind: 'ready' });
`;

async function job(file: Buffer): Promise<HeaderJob> {
  const reader = new Part10Reader();
  await reader.push(file);
  return { scanned: await reader.end(), policy };
}

/** A header of a good hundred thousand bytes. */
function large(comment = ''): Buffer {
  return sampleInstance({
    overrides: [element('00104000', 'LT', comment), element('0040A160', 'UT', 'x'.repeat(100_000))],
  });
}

describe('createHeaderWorkers', () => {
  let work: HeaderWork | undefined;
  let started: Worker[] = [];

  afterEach(async () => {
    await work?.close();
    started = [];
  });

  function workers(options: Partial<HeaderWorkersOptions> = {}): HeaderWork {
    work = createHeaderWorkers({
      startWorker: (resourceLimits) => {
        const worker = new Worker(standIn, { eval: true, resourceLimits, stderr: true });
        started.push(worker);
        return worker;
      },
      heapMegabytes: 24,
      ...options,
    });
    return work;
  }

  it('judges small headers where they are', async () => {
    const judged = await workers().judge(await job(sampleInstance()), never);
    expect(judged).toMatchObject({ kind: 'accepted', warning: undefined });
    expect(started).toHaveLength(0);
  });

  it('lets a thread judge large ones, one after the other', async () => {
    const headers = workers();
    const judged = await Promise.all(
      [1, 2, 3].map(async () => await headers.judge(await job(large()), never)),
    );
    for (const { comments } of judged) expect(Number(comments[0])).toBeGreaterThan(100_000);
    expect(started).toHaveLength(1);
  });

  it('refuses the header that fills the memory of its thread, and goes on with another', async () => {
    const headers = workers();
    const [lost, kept] = await Promise.allSettled([
      headers.judge(await job(large('FILL')), never),
      headers.judge(await job(large()), never),
    ]);
    expect(lost).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'dicom-limit-exceeded',
        facts: { limit: 'headerHeapMegabytes', limitValue: 24 },
      },
    });
    expect(kept).toMatchObject({ status: 'fulfilled' });
    expect(started).toHaveLength(2);
  });

  it.each([
    ['whose turn does not come in time', { longestWaitMilliseconds: 1 }],
    ['that takes too long', { timeoutMilliseconds: 1000 }],
  ])('asks to come again with a header %s', async (_, options) => {
    const headers = workers(options);
    const jobs = [await job(large('HANG')), await job(large())];
    const [hanging, next] = jobs.map(async (one) => await headers.judge(one, never));
    const outcomes = Promise.allSettled([hanging, next]);
    await expect('timeoutMilliseconds' in options ? hanging : next).rejects.toMatchObject({
      code: 'overloaded',
      message: 'The service is busy with large headers. Try again.',
      facts: { retryAfterSeconds: 5 },
    });
    await work?.close();
    await outcomes;
  });

  it('has a heap that grows with what a header may have', () => {
    const megabytes = headerHeapMegabytes(defaultPart10Limits);
    expect(megabytes).toBeGreaterThan(100);
    expect(
      headerHeapMegabytes({ ...defaultPart10Limits, elements: 1_000_000 }) - megabytes,
    ).toBeGreaterThan(200);
  });

  describe('with the worker of the service', () => {
    const startWorker = startHeaderWorkerFromSource;
    const heapMegabytes = headerHeapMegabytes(defaultPart10Limits);

    it.each([
      ['explicit', syntaxes.explicit],
      ['big endian', syntaxes.bigEndian],
      ['implicit', syntaxes.implicit],
    ])('comes to what the service itself would (%s)', async (_, transferSyntaxUID) => {
      const file = sampleInstance({
        transferSyntaxUID,
        overrides: [
          element('00104000', 'LT', 'x'.repeat(10_000)),
          element('00204000', 'LT', 'y'.repeat(60_000)),
        ],
      });
      const judged = await workers({ startWorker, heapMegabytes }).judge(await job(file), never);
      expect(judged).toEqual(await headerWorkInThread().judge(await job(file), never));
      expect(judged.kind).toBe('accepted');
    });

    it('hands over the fragments of frames', async () => {
      const file = sampleInstance({
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: [ramp(20), ramp(30)], offsetTable: [0, 28] },
        overrides: [element('00280008', 'IS', '2'), element('0040A160', 'UT', 'x'.repeat(100_000))],
      });
      const judged = await workers({ startWorker, heapMegabytes }).judge(await job(file), never);
      expect(judged).toMatchObject({
        index: { frames: { kind: 'encapsulated', frames: 2, fragments: [20, 30] } },
      });
    });

    it('has the memory that the largest header takes', async () => {
      const file = Buffer.concat([sampleInstance({ pixelData: null }), wrongDates(199_000)]);
      // Memory is what is tried here: a busy machine has its time.
      const options = { startWorker, heapMegabytes, timeoutMilliseconds: 120_000 };
      const judged = await workers(options).judge(await job(file), never);
      expect(judged).toMatchObject({ kind: 'accepted', warning: 'attributes-failed-validation' });
      expect(judged.comments).toHaveLength(201);
    }, 150_000);

    it('says what is wrong with a header', async () => {
      const file = sampleInstance({
        study: 'not a UID',
        overrides: [element('0040A160', 'UT', 'x'.repeat(100_000))],
      });
      const judged = await workers({ startWorker, heapMegabytes }).judge(await job(file), never);
      expect(judged.kind).toBe('refused');
      expect(judged.comments[0]).toMatch(/^DICOM100: \(0020,000d\) - /);
    });
  });
});
