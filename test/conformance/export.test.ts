/** Export and its operation, as clients of the Microsoft server start and follow them. */
import { describe, expect, it } from '@jest/globals';
import { parseJobId } from '../../src/jobs/job.js';
import { MemoryExportDestinations } from '../../src/storage/memory/memory-export-destinations.js';
import { fresh, freshUids, onEveryFace, sample, type Client } from '../support/conformance.js';

interface Operation {
  readonly operationId: string;
  readonly status: string;
  readonly results: {
    readonly exported: number;
    readonly skipped: number;
    readonly errorHref: string;
  };
}

/** A container that is there, and its blobs. */
function container(client: Client) {
  const { exports } = client.service.services;
  if (!(exports instanceof MemoryExportDestinations)) throw new Error('exports in memory');
  const uri = `https://account.blob.core.windows.net/${fresh('container')}`;
  const blobs = new Map<string, Buffer>();
  exports.containers.set(uri, blobs);
  return { uri, blobs };
}

const request = (uri: string, values: readonly string[]) => ({
  source: { type: 'identifiers', settings: { values } },
  destination: { type: 'azureBlob', settings: { blobContainerUri: uri, useManagedIdentity: true } },
});

async function post(client: Client, body: unknown, type = 'application/json'): Promise<Response> {
  return await client.send('POST', '/export', {
    headers: { 'Content-Type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function run(client: Client, id: string): Promise<void> {
  const job = parseJobId(id);
  if (job === undefined) throw new Error(`no id: ${id}`);
  expect(await client.service.services.jobs.run(job, Infinity)).toBe('over');
}

onEveryFace((client) => {
  describe('export', () => {
    it('is listed with other operations, the newest first, as each of them is told of', async () => {
      const one = sample();
      await client.store(one);
      const ids: string[] = [];
      for (const { uri } of [container(client), container(client)]) {
        const started = await post(client, request(uri, [one.study]));
        ids.unshift(((await started.json()) as { id: string }).id);
        // So that one is newer than the other.
        const begun = Date.now();
        while (Date.now() === begun) await new Promise(setImmediate);
      }
      const listed = await client.send('GET', '/operations');
      expect(listed.headers.get('cache-control')).toBe('no-store');
      const operations = (await listed.json()) as readonly Operation[];
      const own = operations.filter(({ operationId }) => ids.includes(operationId));
      expect(own.map(({ operationId }) => operationId)).toEqual(ids);
      const read = await fetch(client.url(`/operations/${ids[0] ?? ''}`));
      expect(own[0]).toEqual(await read.json());
    });

    it('copies studies, series and instances, and logs what is not there', async () => {
      const [one, other] = [sample(), sample()];
      const second = sample({ study: one.study });
      await client.store(one, second, other);
      const { uri, blobs } = container(client);
      const gone = freshUids();
      const started = await post(
        client,
        request(uri, [
          one.study,
          ` ${other.study} / ${other.series} / ${other.instance} `,
          `${gone.study}/${gone.series}`,
        ]),
      );
      expect(started.status).toBe(202);
      const { id, href } = (await started.json()) as { id: string; href: string };
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(href).toBe(client.url(`/operations/${id}`));
      expect(started.headers.get('location')).toBe(href);
      expect(blobs.get(`${id}/errors.log`)).toEqual(Buffer.alloc(0));

      const before = await fetch(href);
      expect(before.status).toBe(202);
      expect(before.headers.get('location')).toBe(href);
      expect(await before.json()).toMatchObject({ operationId: id, status: 'notStarted' });

      await run(client, id);
      const after = await fetch(href);
      expect(after.status).toBe(200);
      const operation = (await after.json()) as Operation;
      expect(operation).toEqual({
        operationId: id,
        type: 'export',
        createdTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/) as unknown,
        lastUpdatedTime: expect.stringMatching(/\.\d{7}Z$/) as unknown,
        status: client.face.name === 'v1' ? 'completed' : 'succeeded',
        results: { exported: 3, skipped: 1, errorHref: `${uri}/${id}/errors.log` },
      });
      for (const { study, series, instance, file } of [one, second, other]) {
        const blob = blobs.get(`${id}/results/${study}/${series}/${instance}.dcm`);
        // Its preamble is zeros in the archive.
        expect(blob?.subarray(128)).toEqual(file.subarray(128));
      }
      const lines = (blobs.get(`${id}/errors.log`)?.toString() ?? '').split('\n');
      expect(lines).toHaveLength(2);
      expect(JSON.parse(lines[0] ?? '')).toEqual({
        timestamp: expect.any(String) as unknown,
        identifier: `${gone.study}/${gone.series}`,
        error: 'The specified series cannot be found.',
      });
    });

    it('is of everything where it may be, and of identifiers under /v1 and /v2', async () => {
      const { uri, blobs } = container(client);
      await client.store(sample());
      const everything = { ...request(uri, []), source: { type: 'everything' } };
      const started = await post(client, everything);
      if (client.face.microsoft) {
        expect(await client.refusal(started, 400)).toContain(
          "Expected value 'everything' to be one of the following values: ['identifiers']",
        );
        return;
      }
      const { id } = (await started.json()) as { id: string };
      const found = await (await client.get('/instances?limit=1000')).json();
      await run(client, id);
      const operation = (await (await client.get(`/operations/${id}`)).json()) as Operation;
      expect(operation.results).toMatchObject({
        exported: (found as unknown[]).length,
        skipped: 0,
      });
      expect([...blobs.keys()].filter((name) => name.endsWith('.dcm'))).toHaveLength(
        (found as unknown[]).length,
      );
    });

    it('can be canceled, and stays so', async () => {
      const { uri } = container(client);
      const started = await post(client, request(uri, ['1.2.3']));
      const { id } = (await started.json()) as { id: string };
      expect(await client.remove(`/operations/${id}`)).toBe(204);
      await run(client, id);
      const operation = await client.get(`/operations/${id.toUpperCase()}`);
      expect(operation.status).toBe(200);
      expect(await operation.json()).toMatchObject({ status: 'canceled' });
    });

    const settings = { blobContainerUri: 'https://account.blob.core.windows.net/c' };
    it.each<[string, unknown, string]>([
      ['no JSON', '{', 'The syntax of the request body is invalid.'],
      ['no source', { destination: {} }, 'The Source field is required.'],
      ['no values', request('x', []), "Missing value for property 'Values'."],
      [
        'no identifier',
        request('x', ['1.2.3/x']),
        "The string '1.2.3/x' was not recognized as a valid DICOM identifier.",
      ],
      [
        'four UIDs',
        request('x', ['1/2/3/4']),
        "The string '1/2/3/4' was not recognized as a valid DICOM identifier.",
      ],
      [
        'no destination',
        { ...request('x', ['1.2']), destination: { type: 'azureBlob', settings: {} } },
        'Please specify both ConnectionString and BlobContainerName.',
      ],
      [
        'two destinations',
        {
          ...request('x', ['1.2']),
          destination: { type: 'AZUREBLOB', settings: { ...settings, connectionString: 'a' } },
        },
        'ConnectionString and BlobContainerName cannot be specified along with BlobContainerUri.',
      ],
      [
        'an identity and a connection string',
        {
          ...request('x', ['1.2']),
          destination: {
            type: 'azureBlob',
            settings: { connectionString: 'a', blobContainerName: 'b', useManagedIdentity: true },
          },
        },
        'Managed identity cannot be used with a ConnectionString.',
      ],
      ['a container that is not there', request('memory:/none', ['1.2']), 'no such container'],
    ])('is refused before it starts: %s', async (_what, body, text) => {
      expect(await client.refusal(await post(client, body), 400)).toContain(text);
    });

    it('takes application/json only', async () => {
      await client.refusal(await post(client, '{}', 'text/plain'), 415);
    });
  });

  it.each(['0'.repeat(32), 'x', '12'])('an operation %s is 404', async (id) => {
    await client.refusal(await client.get(`/operations/${id}`), 404);
    await client.refusal(await client.send('DELETE', `/operations/${id}`), 404);
  });
});
