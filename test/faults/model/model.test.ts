import { describe, it } from '@jest/globals';
import { runModel } from './run.js';

describe('the service, whatever clients do one after the other', () => {
  it('does what its sequential model does', async () => {
    await runModel({ runs: 100, seed: 20_240_229 });
  }, 60_000);
});
