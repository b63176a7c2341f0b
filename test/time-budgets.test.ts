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

  it('hold the feed up for three seconds at most when a writer is killed', () => {
    const { settleIntent } = timeBudgets;
    // A second for the reader to come back, and for the calls that settle.
    expect(settleIntent + 1000).toBeLessThanOrEqual(3000);
  });

  it('show a change in the study list of other processes within a second', () => {
    expect(timeBudgets.mergeFollowUps).toBeLessThanOrEqual(500);
  });

  it('leave what follows a commit, and a doubt, to whoever is about to see to it', () => {
    const {
      finishIntent,
      mergeFollowUps,
      retryFollowUps,
      closeIntents,
      settleIntent,
      settleDoubt,
    } = timeBudgets;
    // Two failures on the way count as being about to.
    const slow = mergeFollowUps + retryFollowUps + 2 * retryFollowUps + closeIntents;
    expect(finishIntent).toBeGreaterThan(slow);
    expect(finishIntent).toBeGreaterThan(settleIntent);
    // A doubt is as old as the intent of the delete that it is for, and goes with what follows that.
    expect(settleDoubt).toBeGreaterThan(slow);
  });

  it('keep what a writer leaves behind for as long as it may go on, and a reader may want its file', () => {
    const { keepLeavings, stuckRequest, stuckOutcome, blobCall, tableCall, settleIntent } =
      timeBudgets;
    const stuck = stuckRequest + stuckOutcome;
    expect(keepLeavings).toBeGreaterThan(stuck + blobCall + tableCall + settleIntent);
  });

  it('end a store that is stuck before the platform and the request do', () => {
    const { stuckRequest, stuckOutcome, request, platformAnswer } = timeBudgets;
    expect(stuckRequest + stuckOutcome).toBeLessThan(request);
    expect(stuckRequest + stuckOutcome).toBeLessThan(platformAnswer);
  });

  it('call an intent left to itself only after recovery has had its turns', () => {
    const { overdueIntent, recoveryInterval, finishIntent } = timeBudgets;
    expect(overdueIntent).toBeGreaterThan(2 * recoveryInterval + finishIntent);
  });

  it('take for debris only what no request, import or invocation can be about to commit', () => {
    const { youngBlob, youngIndexRow, request, import: importing, invocation } = timeBudgets;
    expect(youngIndexRow).toBeGreaterThan(Math.max(request, importing, invocation));
    // An upload begins before its index rows do.
    expect(youngBlob).toBeGreaterThan(youngIndexRow + invocation);
  });

  it('end every run of a timer before its next one, and before the host does', () => {
    const { expiryRun, jobRun, sweep, sweepRound, recoveryInterval, invocation } = timeBudgets;
    // Expiry and jobs are looked after every five minutes, the sweep every hour.
    for (const run of [expiryRun, jobRun]) expect(run).toBeLessThan(recoveryInterval);
    for (const run of [expiryRun, jobRun, sweep]) expect(run).toBeLessThan(invocation);
    expect(sweepRound).toBeGreaterThan(24 * sweep);
  });

  it('close idle connections to storage before storage does', () => {
    const { storageIdle, storageServerIdle } = timeBudgets;
    expect(storageIdle).toBeLessThan(storageServerIdle);
  });
});
