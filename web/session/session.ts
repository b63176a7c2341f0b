/** Who is at the page: nobody yet, someone with a token, or anyone where no tokens are asked for. */
import { computed, signal } from '@preact/signals';
import { grantsOf, type Permission } from '../../src/auth/roles.js';
import type { SignInSettings } from '../settings.js';
import type { SharedLink } from './shared-link.js';
import { renew, type Tokens } from './sign-in.js';

export type Session =
  | { readonly kind: 'open' }
  /** Someone with a link. */
  | { readonly kind: 'shared'; readonly link: SharedLink }
  | { readonly kind: 'link-over' }
  | { readonly kind: 'signed-out'; readonly settings: SignInSettings; readonly why?: 'expired' }
  | { readonly kind: 'signed-in'; readonly settings: SignInSettings; readonly tokens: Tokens };

/** The session of this tab. */
export const session = signal<Session>({ kind: 'open' });

/** Tokens are renewed this long before they end. */
const marginMilliseconds = 120_000;

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const part = token.split('.')[1] ?? '';
  const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  );
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

/** What the caller may do, to show no more than that; the service decides by itself. */
export const allowed = computed<(permission: Permission) => boolean>(() => {
  const current = session.value;
  if (current.kind === 'open') return () => true;
  if (current.kind === 'shared') return (permission) => permission === 'read';
  if (current.kind !== 'signed-in') return () => false;
  const { roles = [], scp = '' } = claimsOf(current.tokens.accessToken) as {
    roles?: readonly string[];
    scp?: string;
  };
  const grants = grantsOf(roles, scp.split(' ').filter(Boolean));
  return (permission) => grants.has(permission);
});

/** The link that the page was opened with, if it was. */
export function sharedLink(): SharedLink | undefined {
  const current = session.value;
  return current.kind === 'shared' ? current.link : undefined;
}

/** The name of who is signed in. */
export const userName = computed(() => {
  const current = session.value;
  if (current.kind !== 'signed-in') return undefined;
  const { idToken, accessToken } = current.tokens;
  const { name, preferred_username: account } = claimsOf(idToken ?? accessToken);
  return [name, account].find((value) => typeof value === 'string');
});

let renewing: Promise<void> | undefined;

async function renewTokens(settings: SignInSettings, tokens: Tokens): Promise<void> {
  try {
    session.value = { kind: 'signed-in', settings, tokens: await renew(settings, tokens) };
  } catch {
    endSession();
  } finally {
    renewing = undefined;
  }
}

/**
 * A token that is good for a while yet, or the secret of a link; `undefined` where none is asked for, or nobody is
 * signed in.
 */
export async function accessToken(): Promise<string | undefined> {
  const current = session.value;
  if (current.kind === 'shared') return current.link.secret;
  if (current.kind !== 'signed-in') return undefined;
  const { settings, tokens } = current;
  if (Date.now() < tokens.expiresAt - marginMilliseconds) return tokens.accessToken;
  renewing ??= renewTokens(settings, tokens);
  await renewing;
  const renewed = session.value;
  return renewed.kind === 'signed-in' ? renewed.tokens.accessToken : undefined;
}

/** The service does not take the token any more. */
export function endSession(): void {
  const current = session.value;
  if (current.kind === 'shared') session.value = { kind: 'link-over' };
  if (current.kind !== 'signed-in') return;
  session.value = { kind: 'signed-out', settings: current.settings, why: 'expired' };
}
