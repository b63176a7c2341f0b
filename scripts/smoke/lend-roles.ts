/**
 * Roles of the service for as long as the smoke test takes: who deploys may use the service then, and
 * not afterwards. By Microsoft Graph, through the Azure CLI.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The roles that the smoke test needs. */
export const rolesOfSmoke: readonly string[] = ['Dicom.Read', 'Dicom.Write', 'Dicom.Delete'];

/** Why no roles could be lent, or be taken back; its message says what to do. */
export class RolesNotLent extends Error {
  override readonly name = 'RolesNotLent';
}

/** Calls Microsoft Graph. @returns the answer, parsed; undefined when it is empty. */
export type CallGraph = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: Readonly<Record<string, string>>,
) => Promise<unknown>;

interface Assignment {
  readonly id: string;
  readonly appRoleId: string;
  readonly principalId: string;
}

interface ServicePrincipal {
  readonly id: string;
  readonly appRoles: readonly { readonly id: string; readonly value: string }[];
}

/** Calls Microsoft Graph as whoever is signed in to the Azure CLI. @throws RolesNotLent */
export const azureCliGraph: CallGraph = async (method, path, body) => {
  const url = `https://graph.microsoft.com/v1.0/${path}`;
  const args = ['rest', '--method', method, '--url', url];
  if (body !== undefined) args.push('--body', JSON.stringify(body));
  try {
    const { stdout } = await promisify(execFile)('az', args);
    return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as unknown);
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    const why = stderr === undefined || stderr === '' ? message : stderr.trim();
    throw new RolesNotLent(`Microsoft Graph refused ${method} ${path}: ${why}`);
  }
};

/**
 * Gives `principalId` those roles of the smoke test that it lacks.
 *
 * @param clientId of the service.
 * @returns takes them back, those and no others.
 * @throws RolesNotLent
 */
export async function lendRoles(
  graph: CallGraph,
  clientId: string,
  principalId: string,
): Promise<() => Promise<void>> {
  const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
  if (!guid.test(clientId) || !guid.test(principalId)) {
    throw new RolesNotLent('Roles are lent to an object id, by the client id of the service.');
  }
  const service = (await graph(
    'GET',
    `servicePrincipals(appId='${clientId}')?$select=id,appRoles`,
  )) as ServicePrincipal;
  const at = `servicePrincipals/${service.id}/appRoleAssignedTo`;
  const held = (await graph('GET', `${at}?$top=999`)) as { readonly value: readonly Assignment[] };
  const lacks = (appRoleId: string) =>
    !held.value.some((one) => one.principalId === principalId && one.appRoleId === appRoleId);
  const lent: Assignment[] = [];
  const takeBack = async () => {
    for (const { id } of lent.splice(0)) await graph('DELETE', `${at}/${id}`);
  };
  try {
    for (const role of rolesOfSmoke) {
      const appRoleId = service.appRoles.find(({ value }) => value === role)?.id;
      if (appRoleId === undefined) throw new RolesNotLent(`The service has no role ${role}.`);
      if (!lacks(appRoleId)) continue;
      const body = { principalId, resourceId: service.id, appRoleId };
      lent.push((await graph('POST', at, body)) as Assignment);
    }
  } catch (error) {
    await takeBack();
    throw error;
  }
  return takeBack;
}
