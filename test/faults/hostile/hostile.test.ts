import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startService, type Service } from '../../support/service.js';
import { importingWith } from './import.js';
import { attacks } from './requests.js';
import { caseOf, runHostile, type RunReport } from './run.js';
import { findingsIn } from './store.js';

/** Fewer and smaller than in `npm run hostile`, where time and memory are measured as well. */
const cases = 160;
const seed = 7;

describe('the service under hostile requests', () => {
  let service: Service;
  let report: RunReport;

  beforeAll(async () => {
    service = await startService({ host: 'local', config: { allowedOrigins: ['loopback'] } });
    const deliver = importingWith(async () => await Promise.resolve(service.services));
    const target = { baseUrl: service.baseUrl, deliver };
    report = await runHostile(target, { seed, cases, concurrency: 4 });
  }, 180_000);

  afterAll(async () => {
    await service.stop();
  });

  it('answers each with success or a refusal, and with nothing that was not asked', () => {
    expect(report.offences).toEqual([]);
    expect(service.log.filter(({ event }) => event === 'fault')).toEqual([]);
  });

  it('meets every kind of attack', () => {
    expect(report.tallies.map(({ kind }) => kind)).toEqual(Object.keys(attacks));
    for (const { cases: met } of report.tallies) expect(met).toBeGreaterThan(3);
  });

  it('keeps what it has acknowledged and nothing else', async () => {
    expect(report.acknowledged.size).toBeGreaterThan(30);
    await service.services.archive.close();
    expect(await findingsIn(service.services.archive, report)).toEqual([]);
  });

  it('can be met with the same case again', () => {
    for (const index of [0, 40, 41, 63]) expect(caseOf(seed, index)).toEqual(caseOf(seed, index));
  });
});
