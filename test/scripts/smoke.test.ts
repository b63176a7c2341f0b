/** The smoke test, against the service itself. */
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  lendRoles,
  RolesNotLent,
  rolesOfSmoke,
  type CallGraph,
} from '../../scripts/smoke/lend-roles.js';
import { runSmoke } from '../../scripts/smoke/run-smoke.js';
import { azureCliToken, NoToken, type GetToken } from '../../scripts/smoke/token.js';
import { startService, type Service } from '../support/service.js';
import { startStubService, type Faults, type StubService } from './stub-service.js';

const clientId = '0f3e5d5b-7a52-4c49-9f0e-0d3a6c0c8f11';

let said = { out: '', err: '' };
const output = {
  stdout: { write: (text: string) => (said.out += text) },
  stderr: { write: (text: string) => (said.err += text) },
};

const noToken: GetToken = async () => await Promise.reject(new NoToken('nobody is signed in'));

async function smoke(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  getToken: GetToken = noToken,
): Promise<number> {
  said = { out: '', err: '' };
  return await runSmoke([...args, '--wait', '0'], environment, output, getToken);
}

describe('runSmoke', () => {
  let service: Service;
  let door: Server;
  let doorUrl = '';

  beforeAll(async () => {
    service = await startService({ host: 'local' });
    // In front of it, somebody who wants to see the token.
    door = createServer((message, response) => {
      if (message.headers.authorization !== 'Bearer sesame') {
        response.writeHead(401).end();
        return;
      }
      const { method, headers } = message;
      const onward = forward(service.baseUrl + (message.url ?? ''), { method, headers }, (answer) =>
        answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
      );
      message.pipe(onward);
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    doorUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    door.closeAllConnections();
    door.close();
    await service.stop();
  });

  it('stores, searches, retrieves and deletes, and leaves nothing behind', async () => {
    expect(await smoke([service.baseUrl])).toBe(0);
    for (const step of ['ready', 'store', 'search', 'retrieve', 'delete']) {
      expect(said.out).toMatch(new RegExp(`^ {2}${step} +\\d+ ms$`, 'm'));
    }
    const left = await fetch(`${service.baseUrl}/studies`);
    expect(await left.json()).toEqual([]);
  });

  it('gets a token for the audience, sees that none is no way in, and prints a call', async () => {
    const asked: string[] = [];
    const getToken: GetToken = async (audience) => {
      asked.push(audience);
      return await Promise.resolve('sesame');
    };
    const environment = { DICOMWEB_URL: doorUrl, DICOMWEB_AUDIENCE: clientId };
    expect(await smoke([], environment, getToken)).toBe(0);
    expect(asked).toEqual([clientId]);
    expect(said.out).toMatch(/^ {2}locked +\d+ ms$/m);
    expect(said.out).toContain(`curl "${doorUrl}/studies?limit=5"`);
    expect(said.out).toContain(`az account get-access-token --resource ${clientId}`);
  });

  it('takes a token from the environment instead', async () => {
    expect(await smoke([doorUrl], { DICOMWEB_TOKEN: 'sesame' })).toBe(0);
  });

  it('fails when a service lets everyone in though it should not', async () => {
    expect(await smoke([service.baseUrl], { DICOMWEB_TOKEN: 'sesame' })).toBe(1);
    expect(said.err).toBe('without a token the answer is 200, not 401\n');
  });

  it('fails when the token is not taken', async () => {
    expect(await smoke([doorUrl], { DICOMWEB_TOKEN: 'wrong' })).toBe(1);
    expect(said.err).toMatch(/^a search was answered 401/);
  });

  it('fails when there is no token to be had', async () => {
    expect(await smoke([doorUrl, '--audience', clientId])).toBe(1);
    expect(said.err).toBe('nobody is signed in\n');
  });

  it('fails when nobody is there', async () => {
    expect(await smoke(['http://127.0.0.1:1'])).toBe(1);
    expect(said.err).toMatch(/does not answer/);
  });

  it.each([[[]], [['not a url']], [['http://a', 'http://b']], [['http://a', '--nonsense']]])(
    'refuses %j',
    async (args) => {
      expect(await smoke(args)).toBe(2);
      expect(said.err).toMatch(/^usage: /);
    },
  );
});

describe('runSmoke, when the service is at fault', () => {
  let stub: StubService | undefined;

  afterEach(async () => {
    await stub?.close();
    stub = undefined;
  });

  async function smokeStub(faults: Faults): Promise<number> {
    stub = await startStubService(faults);
    return await smoke([stub.url]);
  }

  it('says that a store failed', async () => {
    expect(await smokeStub({ store: () => ({ status: 503, body: {} }) })).toBe(1);
    expect(said.err).toMatch(/^the store was answered 503/);
  });

  it('says that a search did not find, and deletes what it stored', async () => {
    // The stub answers every search with nothing.
    expect(await smokeStub({})).toBe(1);
    expect(said.err).toBe('the search did not find the study\n');
    expect(stub?.held.size).toBe(0);
  });
});

describe('azureCliToken', () => {
  it('refuses what is no audience, before a shell could see it', async () => {
    await expect(azureCliToken('x; rm -rf /')).rejects.toThrow(NoToken);
  });
});

describe('lendRoles', () => {
  const person = '33333333-3333-3333-3333-333333333333';
  const roles = ['Dicom.Read', 'Dicom.Write', 'Dicom.Delete', 'Dicom.Admin'];

  /** Microsoft Graph with one service; what is assigned in it can be seen. */
  function directory(held: readonly string[], refuses?: string) {
    const assigned = held.map((role) => ({
      id: `at-${role}`,
      appRoleId: role,
      principalId: person,
    }));
    const graph: CallGraph = async (method, path, body) => {
      await Promise.resolve();
      if (method === 'GET' && path.includes(`appId='${clientId}'`)) {
        return { id: 'service', appRoles: roles.map((value) => ({ id: value, value })) };
      }
      if (method === 'GET') return { value: [...assigned] };
      if (method === 'POST') {
        const { appRoleId = '' } = body ?? {};
        if (appRoleId === refuses) throw new RolesNotLent('no');
        const one = { id: `at-${appRoleId}`, appRoleId, principalId: person };
        assigned.push(one);
        return one;
      }
      const index = assigned.findIndex(({ id }) => path.endsWith(`/${id}`));
      if (index === -1) throw new RolesNotLent('there is none');
      assigned.splice(index, 1);
      return undefined;
    };
    return { graph, assigned: () => assigned.map(({ appRoleId }) => appRoleId).sort() };
  }

  it('gives what the test needs and takes it back', async () => {
    const { graph, assigned } = directory([]);
    const takeBack = await lendRoles(graph, clientId, person);
    expect(assigned()).toEqual([...rolesOfSmoke].sort());
    await takeBack();
    expect(assigned()).toEqual([]);
  });

  it('leaves what somebody has for good', async () => {
    const { graph, assigned } = directory(['Dicom.Read', 'Dicom.Admin']);
    await (
      await lendRoles(graph, clientId, person)
    )();
    expect(assigned()).toEqual(['Dicom.Admin', 'Dicom.Read']);
  });

  it('takes back what it has given when it may not give the rest', async () => {
    const { graph, assigned } = directory([], 'Dicom.Delete');
    await expect(lendRoles(graph, clientId, person)).rejects.toThrow(RolesNotLent);
    expect(assigned()).toEqual([]);
  });

  it('takes ids and nothing else into a URL', async () => {
    const { graph } = directory([]);
    await expect(lendRoles(graph, "x')/owners", person)).rejects.toThrow(/object id/);
  });

  it('is done with when the smoke test fails', async () => {
    const { graph, assigned } = directory([]);
    said = { out: '', err: '' };
    const args = ['http://127.0.0.1:9', '--audience', clientId, '--wait', '0', '--lend-roles'];
    const environment = { AZURE_PRINCIPAL_ID: person };
    expect(await runSmoke(args, environment, output, noToken, graph)).toBe(1);
    expect(said.out).toContain('Roles are lent');
    expect(assigned()).toEqual([]);
    expect(await runSmoke(args, {}, output, noToken, graph)).toBe(2);
  });
});
