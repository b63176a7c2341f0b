/** Bearer tokens of a run that takes longer than a token lasts. */
import { exec } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(exec);

/** Tokens of Entra ID last an hour or more. */
const keptMilliseconds = 20 * 60_000;

/** The command that prints a token failed, or printed none. */
export class NoToken extends Error {
  override readonly name = 'NoToken';
}

/** Says the token of now; `undefined` where none is sent. */
export type Tokens = () => Promise<string | undefined>;

/**
 * Tokens out of a command, asked again every twenty minutes, or the one that there is.
 *
 * @throws NoToken, from the tokens, when the command fails.
 */
export function tokensOf(token: string | undefined, command: string | undefined): Tokens {
  if (command === undefined) return async () => await Promise.resolve(token || undefined);
  let known: Promise<string> | undefined;
  let until = 0;
  return async () => {
    if (known === undefined || Date.now() >= until) {
      until = Date.now() + keptMilliseconds;
      known = ask(command);
      known.catch(() => (until = 0));
    }
    return await known;
  };
}

async function ask(command: string): Promise<string> {
  let printed: string;
  try {
    printed = (await run(command)).stdout.trim();
  } catch {
    // What the command said may hold what it was given.
    throw new NoToken('The command for a token failed.');
  }
  if (/^\S+$/.test(printed)) return printed;
  throw new NoToken('The command for a token printed none.');
}
