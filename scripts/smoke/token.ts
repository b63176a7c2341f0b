/** Tokens for the service, from the Azure CLI where somebody is signed in. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Why there is no token; its message says what to do. */
export class NoToken extends Error {
  override readonly name = 'NoToken';
}

/** Gets a token for an audience. @throws NoToken */
export type GetToken = (audience: string) => Promise<string>;

/** The command that gets a token, for people to run. */
export function tokenCommand(audience: string): string {
  return `az account get-access-token --resource ${audience} --query accessToken -o tsv`;
}

/** Asks the Azure CLI. @throws NoToken when it is not there, or nobody is signed in. */
export const azureCliToken: GetToken = async (audience) => {
  if (!/^[\w:/.-]+$/.test(audience)) throw new NoToken(`${audience} is no audience.`);
  try {
    // On Windows the Azure CLI is a batch file, which only a shell can run.
    const { stdout } = await promisify(execFile)('az', tokenCommand(audience).split(' ').slice(1), {
      shell: process.platform === 'win32',
    });
    return stdout.trim();
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    const why = stderr === undefined || stderr === '' ? message : stderr.trim();
    throw new NoToken(
      `The Azure CLI gave no token: ${why}\nSign in with az login, or set DICOMWEB_TOKEN.`,
    );
  }
};
