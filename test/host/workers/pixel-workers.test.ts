import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { defaultPixelLimits } from '../../../src/dicom/pixel/pixel-limits.js';
import type { TransferSyntaxUID } from '../../../src/dicom/uid.js';
import type { TranscodeJob } from '../../../src/dicom/pixel/transcode-frame.js';
import type { PixelWork } from '../../../src/dicomweb/pixel-work.js';
import {
  createPixelWorkers,
  suggestedWorkers,
  type PixelWorkersOptions,
} from '../../../src/host/workers/pixel-workers.js';
import { presentation } from '../../support/dicom/frames.js';
import { pixelsOf } from '../../support/dicom/pixel-frames.js';

const native = '1.2.840.10008.1.2.1' as TransferSyntaxUID;
const rle = '1.2.840.10008.1.2.5' as TransferSyntaxUID;
const never = new AbortController().signal;

/** What the first byte of a payload makes the stand-in do. */
const orders = { answer: 0, hang: 1, exit: 2, throw: 3, fill: 4, wait: 5 } as const;

/** Answers with its payload, or does what the first byte says. */
const standIn = `
  const { parentPort, threadId, workerData } = require('node:worker_threads');
  parentPort.on('message', ({ job }) => {
    const { payload, stored } = job;
    const answer = () => parentPort.postMessage(
      { kind: 'done', result: { bytes: payload, pixels: { ...stored, thread: threadId } } });
    const kept = [];
    switch (payload[0]) {
      case 0: return answer();
      case 1: for (;;) ;
      case 2: return process.exit(3);
      case 3: return setImmediate(() => { throw new Error('in the codec'); });
      case 4: for (;;) kept.push(new Array(1e5).fill(kept.length));
      case 5: return setTimeout(answer, 50);
    }
  });
  parentPort.postMessage({ kind: 'ready' });
`;

function job(order: keyof typeof orders, bytes = 4): TranscodeJob {
  const payload = new Uint8Array(bytes);
  payload[0] = orders[order];
  const stored = pixelsOf({ rows: 1, columns: bytes });
  return { payload, stored, from: native, to: rle, describedBy: 'new-header' };
}

describe('createPixelWorkers', () => {
  it('puts another worker in the place of one that a large frame made grow', async () => {
    const pixels = pool({ workers: 1 });
    const threadOf = async (stored: TranscodeJob['stored']) => {
      const { pixels: answer } = await pixels.transcode({ ...job('answer'), stored }, never);
      return (answer as unknown as { thread: number }).thread;
    };
    const small = pixelsOf();
    const first = await threadOf(small);
    expect(await threadOf(small)).toBe(first);
    expect(await threadOf(pixelsOf({ rows: 8192, columns: 4096 }))).toBe(first);
    expect(await threadOf(small)).not.toBe(first);
  });

  let work: PixelWork | undefined;
  let started: Worker[] = [];

  afterEach(async () => {
    await work?.close();
    started = [];
  });

  function pool(options: Partial<PixelWorkersOptions> = {}): PixelWork {
    work = createPixelWorkers({
      startWorker: () => {
        const worker = new Worker(standIn, {
          eval: true,
          resourceLimits: { maxOldGenerationSizeMb: 24 },
          stderr: true,
        });
        started.push(worker);
        return worker;
      },
      workers: 1,
      timeoutMilliseconds: 20_000,
      mostWaiting: 10,
      mostWaitingBytes: 1000,
      idleMilliseconds: 20_000,
      ...options,
    });
    return work;
  }

  it('starts no thread before the first job, and no more than it may', async () => {
    const pixels = pool({ workers: 2 });
    expect(started).toHaveLength(0);
    await Promise.all(
      ['wait', 'wait', 'wait', 'wait'].map(() => pixels.transcode(job('wait'), never)),
    );
    expect(started).toHaveLength(2);
  });

  it('gives every job its own answer', async () => {
    const pixels = pool({ workers: 2 });
    const lengths = [4, 9, 5, 7, 8, 6];
    const results = await Promise.all(
      lengths.map(async (bytes) => await pixels.transcode(job('wait', bytes), never)),
    );
    expect(results.map(({ bytes }) => bytes.length)).toEqual(lengths);
  });

  it('moves a payload that owns its memory, and copies one that shares it', async () => {
    const pixels = pool();
    const whole = job('answer', 6);
    await pixels.transcode(whole, never);
    expect(whole.payload.length).toBe(0);
    const memory = new Uint8Array(10).fill(7);
    const payload = memory.subarray(0, 5).fill(0);
    const { bytes } = await pixels.transcode({ ...job('answer'), payload }, never);
    expect([...bytes]).toEqual([0, 0, 0, 0, 0]);
    expect([...memory]).toEqual([0, 0, 0, 0, 0, 7, 7, 7, 7, 7]);
  });

  it('gives up a job that takes too long, and goes on with another thread', async () => {
    const pixels = pool({ timeoutMilliseconds: 1000 });
    await expect(pixels.transcode(job('hang'), never)).rejects.toMatchObject({
      code: 'pixel-data-too-large',
      facts: { limit: 'pixelTimeoutSeconds', limitValue: 1 },
    });
    await expect(pixels.transcode(job('answer'), never)).resolves.toMatchObject({});
    expect(started).toHaveLength(2);
  });

  it.each(['exit', 'throw', 'fill'] as const)(
    'blames the frame for a thread that ends (%s), and goes on with another',
    async (order) => {
      const pixels = pool();
      const [lost, kept] = await Promise.allSettled([
        pixels.transcode(job(order), never),
        pixels.transcode(job('answer'), never),
      ]);
      expect(lost).toMatchObject({ status: 'rejected', reason: { code: 'pixel-data-corrupt' } });
      expect(kept).toMatchObject({ status: 'fulfilled' });
      expect(started).toHaveLength(2);
    },
  );

  it('does not blame the frame when a thread cannot be started', async () => {
    const pixels = pool({
      startWorker: () => new Worker('throw new Error("no such module")', { eval: true }),
    });
    await expect(pixels.transcode(job('answer'), never)).rejects.toThrow(
      'The worker for pixels could not be started.',
    );
  });

  it('refuses what is too much to wait, by number and by bytes', async () => {
    const pixels = pool({ mostWaiting: 2, mostWaitingBytes: 100 });
    const running = pixels.transcode(job('wait', 500), never);
    const first = pixels.transcode(job('answer', 60), never);
    await expect(pixels.transcode(job('answer', 60), never)).rejects.toMatchObject({
      code: 'overloaded',
    });
    const second = pixels.transcode(job('answer', 10), never);
    await expect(pixels.transcode(job('answer', 4), never)).rejects.toMatchObject({
      code: 'overloaded',
    });
    await Promise.all([running, first, second]);
    await expect(pixels.transcode(job('answer', 200), never)).resolves.toMatchObject({});
  });

  it('forgets a job that is aborted while it waits', async () => {
    const pixels = pool({ mostWaiting: 1 });
    const running = pixels.transcode(job('wait'), never);
    const caller = new AbortController();
    const waiting = pixels.transcode(job('hang'), caller.signal);
    caller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(pixels.transcode(job('answer'), never)).resolves.toMatchObject({});
    await running;
    expect(started).toHaveLength(1);
  });

  it('rejects at once when a job under way is aborted, and frees its thread before long', async () => {
    const pixels = pool();
    const caller = new AbortController();
    const running = pixels.transcode(job('hang'), caller.signal);
    caller.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
    await expect(pixels.transcode(job('answer'), never)).resolves.toMatchObject({});
    expect(started).toHaveLength(2);
  });

  it('refuses a job that was aborted before', async () => {
    await expect(
      pool().transcode(job('answer'), AbortSignal.abort(new Error('gone'))),
    ).rejects.toThrow('gone');
    expect(started).toHaveLength(0);
  });

  it('ends a thread that has had nothing to do, and starts another when there is', async () => {
    const pixels = pool({ idleMilliseconds: 1 });
    await pixels.transcode(job('answer'), never);
    const [first] = started;
    await new Promise((resolve) => first?.once('exit', resolve));
    await pixels.transcode(job('answer'), never);
    expect(started).toHaveLength(2);
  });

  it('ends its threads when it is closed, with the jobs that are left', async () => {
    const pixels = pool();
    const jobs = [pixels.transcode(job('hang'), never), pixels.transcode(job('answer'), never)];
    const outcomes = Promise.allSettled(jobs);
    await pixels.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'overloaded' } });
    }
    await expect(pixels.transcode(job('answer'), never)).rejects.toMatchObject({
      code: 'overloaded',
    });
  });

  describe('with the worker of the service', () => {
    const support = path.join(__dirname, '../../support/run-typescript.mjs');
    const startWorker = () =>
      new Worker(support, {
        argv: [path.join(__dirname, '../../../src/host/workers/pixel-worker.ts')],
        workerData: { limits: defaultPixelLimits },
      });

    it('transcodes', async () => {
      const pixels = pool({ startWorker });
      const encoded = await pixels.transcode(job('answer', 8), never);
      expect([...encoded.bytes.subarray(64)]).toEqual([249, 0]);
      expect(encoded.pixels).toMatchObject({ rows: 1, columns: 8 });
    });

    it('renders', async () => {
      const pixels = pool({ startWorker });
      const { payload, stored } = job('answer', 64);
      const picture = await pixels.render(
        {
          frames: [{ payload, presentation: presentation() }],
          stored: { ...stored, rows: 8, columns: 8 },
          from: native,
          request: { format: 'png', quality: 90 },
        },
        never,
      );
      expect([...picture.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
    });

    it('tells why a frame cannot be had', async () => {
      const pixels = pool({ startWorker });
      const short = { ...job('answer', 4), stored: pixelsOf() };
      await expect(pixels.transcode(short, never)).rejects.toMatchObject({
        name: 'ServiceError',
        code: 'pixel-data-corrupt',
        message: 'The frame has 4 bytes where its attributes ask for 256.',
      });
    });
  });
});

describe('suggestedWorkers', () => {
  it('is one or two', () => {
    expect([1, 2]).toContain(suggestedWorkers());
  });
});
