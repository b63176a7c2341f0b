/** Published clients with a token, end to end: dicomweb-client, and curl as users type it. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearer } from '../../src/host/pipeline/authenticator.js';
import { pathOf, sample, type Json } from '../support/conformance.js';
import { startEntra, type Entra, type Tenant } from '../support/entra.js';
import { hosts, startService, type Service } from '../support/service.js';
import { XmlHttpRequest } from '../support/host/xml-http-request.js';

interface DICOMwebClient {
  searchForStudies(): Promise<readonly Json[]>;
  storeInstances(options: { readonly datasets: readonly ArrayBuffer[] }): Promise<unknown>;
  retrieveInstance(options: {
    readonly studyInstanceUID: string;
    readonly seriesInstanceUID: string;
    readonly sopInstanceUID: string;
  }): Promise<ArrayBuffer>;
}

interface Package {
  readonly api: {
    readonly DICOMwebClient: new (options: {
      readonly url: string;
      readonly verbose: boolean;
      readonly headers?: Readonly<Record<string, string>>;
    }) => DICOMwebClient;
  };
}

const packageName: string = 'dicomweb-client';
const run = promisify(execFile);
/** Not every machine has it. */
const itWithCurl = spawnSync('curl', ['--version']).status === 0 ? it : it.skip;

describe.each(hosts)('with a bearer token, on the %s host', (host) => {
  let entra: Entra;
  let tenant: Tenant;
  let service: Service;
  let folder: string;

  beforeAll(async () => {
    Object.assign(globalThis, { XMLHttpRequest: XmlHttpRequest });
    folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-token-'));
    entra = await startEntra();
    tenant = await entra.newTenant();
    service = await startService({ host, access: bearer(tenant.rules) });
  });

  afterAll(async () => {
    await service.stop();
    await entra.stop();
    await rm(folder, { recursive: true });
    Reflect.deleteProperty(globalThis, 'XMLHttpRequest');
  });

  async function clientWith(roles: readonly string[] | undefined): Promise<DICOMwebClient> {
    const { api } = (await import(packageName)) as Package;
    const headers = roles && {
      Authorization: `Bearer ${await tenant.token({ claims: { roles } })}`,
    };
    return new api.DICOMwebClient({
      url: service.baseUrl,
      verbose: false,
      ...(headers && { headers }),
    });
  }

  it('dicomweb-client stores, searches and retrieves', async () => {
    const client = await clientWith(['Dicom.Read', 'Dicom.Write']);
    const { study, series, instance, file } = sample();
    const bytes = Uint8Array.from(file).buffer;
    await client.storeInstances({ datasets: [bytes] });
    const found = await client.searchForStudies();
    expect(found.map((one) => one['0020000D']?.Value)).toContainEqual([study]);
    const retrieved = await client.retrieveInstance({
      studyInstanceUID: study,
      seriesInstanceUID: series,
      sopInstanceUID: instance,
    });
    expect(Buffer.from(retrieved).equals(file)).toBe(true);
  });

  it('dicomweb-client is told of a missing token and of a missing role', async () => {
    const stranger = await clientWith(undefined);
    await expect(stranger.searchForStudies()).rejects.toMatchObject({ status: 401 });
    const reader = await clientWith(['Dicom.Read']);
    const bytes = Uint8Array.from(sample().file).buffer;
    await expect(reader.storeInstances({ datasets: [bytes] })).rejects.toMatchObject({
      status: 403,
    });
  });

  itWithCurl('curl stores, searches, retrieves and deletes', async () => {
    const one = sample();
    const file = path.join(folder, 'one.dcm');
    await writeFile(file, one.file);
    const token = await tenant.token({ claims: { roles: ['Dicom.Admin'] } });
    const curl = async (resource: string, ...options: readonly string[]): Promise<string> => {
      const auth = ['-H', `Authorization: Bearer ${token}`];
      const url = service.baseUrl + resource;
      const { stdout } = await run('curl', [
        '-sS',
        ...auth,
        ...options,
        '-w',
        ' %{http_code}',
        url,
      ]);
      return stdout;
    };
    const type = ['-H', 'Content-Type: application/dicom'];
    expect(await curl('/studies', ...type, '--data-binary', `@${file}`)).toMatch(/ 200$/);
    expect(await curl(`/studies?StudyInstanceUID=${one.study}`)).toMatch(/ 200$/);
    const copy = path.join(folder, 'copy.dcm');
    const accept = ['-H', 'Accept: application/dicom', '-o', copy];
    expect(await curl(pathOf(one), ...accept)).toBe(' 200');
    expect(await curl(pathOf({ study: one.study }), '-X', 'DELETE')).toBe(' 204');
    expect(await curl(pathOf({ study: one.study }), '-X', 'DELETE')).toMatch(/ 404$/);
  });
});
