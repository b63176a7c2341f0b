/** The time-outs fit each other, and what is set elsewhere. */
import { describe, expect, it } from '@jest/globals';
import hostJson from '../host.json';
import { timeBudgets } from '../src/time-budgets.js';

const secondsOf = (span: string) =>
  span.split(':').reduce((total, part) => total * 60 + Number(part), 0);

describe('the time budgets', () => {
  it('are those of host.json', () => {
    expect(secondsOf(hostJson.functionTimeout) * 1000).toBe(timeBudgets.invocation);
  });

  it('end every request before the host ends its worker, whatever it waits for', () => {
    const { request, lateHandler, lateBody, discardStall, forwarding, invocation } = timeBudgets;
    // The last look at a body that is thrown away comes up to a stall late.
    const latest = forwarding + request + Math.max(lateHandler, lateBody) + lateBody + discardStall;
    expect(latest).toBeLessThan(invocation);
  });

  it('end imports and sweeps before the host does', () => {
    const { import: importing, sweep, blobCall, tableCall, invocation } = timeBudgets;
    expect(importing).toBeLessThan(invocation);
    // A run begins its last page within its time.
    expect(sweep + 4 * (blobCall + tableCall)).toBeLessThan(invocation);
  });

  it('give up on silent clients before the platform gives up on us', () => {
    const { uploadStall, discardStall, downloadStall, platformIdle, platformAnswer } = timeBudgets;
    expect(uploadStall + discardStall).toBeLessThan(platformIdle);
    expect(downloadStall).toBeLessThan(platformIdle);
    expect(uploadStall + discardStall).toBeLessThan(platformAnswer);
  });

  it('leave a client that has its answer the time to send on', () => {
    const { discardStall, idleConnection } = timeBudgets;
    expect(2 * discardStall).toBeLessThan(idleConnection);
  });

  it('hear of storage before a request is over, and before the platform gives up', () => {
    const { blobCall, tableCall, request, platformAnswer } = timeBudgets;
    expect(blobCall + tableCall).toBeLessThan(platformAnswer);
    expect(blobCall + tableCall).toBeLessThan(request);
  });

  it('close idle connections to storage before storage does', () => {
    const { storageIdle, storageServerIdle } = timeBudgets;
    expect(storageIdle).toBeLessThan(storageServerIdle);
  });
});
