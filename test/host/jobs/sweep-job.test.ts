import { beforeEach, describe, expect, it } from '@jest/globals';
import { ServiceError } from '../../../src/errors.js';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import { runSweep } from '../../../src/host/jobs/sweep-job.js';
import { blobName } from '../../../src/storage/archive/blob-name.js';
import { MaintenanceReports } from '../../../src/storage/maintenance-reports.js';
import { PartitionRegistry } from '../../../src/storage/partition-registry.js';
import { newUlid } from '../../../src/storage/archive/ulid.js';
import { openOnMemory, put, type Shared } from '../../storage/archive/support/fixture.js';
import { bytes, partition, uidsOf } from '../../storage/archive/support/samples.js';

describe('runSweep', () => {
  let shared: Shared;
  let log: LogEntry[];

  beforeEach(() => {
    shared = openOnMemory(1);
    log = [];
  });

  async function run(options?: Parameters<typeof runSweep>[2]): Promise<readonly unknown[]> {
    const [archive] = shared.archives;
    if (archive === undefined) throw new RangeError('no archive');
    log = [];
    const partitionRegistry = new PartitionRegistry(archive.tables);
    const maintenance = new MaintenanceReports(archive.tables);
    const services = async () =>
      await Promise.resolve({ archive, partitionRegistry, maintenance, shares: undefined });
    await runSweep(services, (entry) => log.push(entry), options);
    return log.map((entry) => ('message' in entry ? entry.message : entry));
  }

  it('says what it removed, and when it has seen everything', async () => {
    const sample = { study: 1, series: 1, instance: 1 };
    const [archive] = shared.archives;
    if (archive === undefined) throw new RangeError('no archive');
    await put(archive, sample);
    const orphan = blobName(partition, uidsOf(sample), newUlid(), 'dcm');
    await shared.blobs.put('instances', orphan, bytes());
    // Blobs younger than a day are left alone.
    expect(await run()).toEqual(['The sweep has been through the whole store.']);
    const now = () => Date.now() + 8 * 24 * 60 * 60_000;
    expect(await run({ roundEvery: 7 * 24 * 60 * 60_000, atMost: 1000, now })).toEqual([
      'The sweep removed 1 blobs and 0 index rows that nobody needs.',
      'The sweep has been through the whole store.',
    ]);
    expect(await run()).toEqual([]);
    const reports = await new MaintenanceReports(archive.tables).read();
    const findings = [{ kind: 'blob-orphaned', found: 1, mended: 1 }];
    expect(reports.get('sweep')).toMatchObject({ last: { findings }, lastFound: { findings } });
  });

  it('logs a failure, and leaves it to the next run', async () => {
    const services = async () =>
      await Promise.reject(new ServiceError('storage-unavailable', 'Storage is away.'));
    await runSweep(services, (entry) => log.push(entry));
    expect(log).toMatchObject([{ event: 'fault', route: 'sweep' }]);
  });
});
