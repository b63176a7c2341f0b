/**
 * Signing in at the issuer of tokens: authorisation code with PKCE (RFC 7636) in the page itself, as a
 * public client. The protocol is oauth4webapi's; here stand the redirect, and what lives between two
 * loads of the page: in the session storage of this tab, gone with it.
 */
import * as oauth from 'oauth4webapi';
import { replaceView } from '../route.js';
import { serviceUrl, type SignInSettings } from '../settings.js';

export interface Tokens {
  readonly accessToken: string;
  readonly idToken?: string;
  readonly refreshToken?: string;
  /** Milliseconds of the epoch. */
  readonly expiresAt: number;
}

/** What must be remembered while the user is at the issuer. */
interface Pending {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  /** Where in the page the user was. */
  readonly hash: string;
}

const pendingKey = 'sign-in';
const refreshKey = 'refresh-token';
const redirectUri = serviceUrl.href;

const client = ({ clientId }: SignInSettings): oauth.Client => ({ client_id: clientId });
const publicClient = oauth.None();

/** Plain http is for an issuer on this machine, as tests have one. */
const insecure = (issuer: string) => ({
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out; it is no older way.
  [oauth.allowInsecureRequests]: new URL(issuer).protocol === 'http:',
});

async function serverOf({ issuer }: SignInSettings): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, insecure(issuer));
  return await oauth.processDiscoveryResponse(url, response);
}

/** Leaves the page for that of the issuer, which comes back with a code. */
export async function startSignIn(settings: SignInSettings): Promise<void> {
  const server = await serverOf(settings);
  const pending: Pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    hash: location.hash,
  };
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  const url = new URL(server.authorization_endpoint ?? settings.issuer);
  url.search = new URLSearchParams({
    client_id: settings.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: `openid profile offline_access ${settings.scope}`,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  }).toString();
  location.assign(url);
}

function tokensOf(response: oauth.TokenEndpointResponse, before?: Tokens): Tokens {
  const refreshToken = response.refresh_token ?? before?.refreshToken;
  const idToken = response.id_token ?? before?.idToken;
  if (refreshToken !== undefined) sessionStorage.setItem(refreshKey, refreshToken);
  return {
    accessToken: response.access_token,
    ...(idToken !== undefined && { idToken }),
    ...(refreshToken !== undefined && { refreshToken }),
    expiresAt: Date.now() + (response.expires_in ?? 300) * 1000,
  };
}

/**
 * Finishes a sign-in when the issuer has just sent the user back, or takes up the session of this tab
 * after a reload.
 *
 * @returns `undefined` when there is none.
 * @throws when the issuer refused, or the answer is not to what this tab has asked.
 */
export async function finishSignIn(settings: SignInSettings): Promise<Tokens | undefined> {
  const stored = sessionStorage.getItem(pendingKey);
  const url = new URL(location.href);
  const isAnswer = url.searchParams.has('state');
  if (stored !== null && isAnswer) {
    const { verifier, state, nonce, hash } = JSON.parse(stored) as Pending;
    sessionStorage.removeItem(pendingKey);
    replaceView(hash);
    const server = await serverOf(settings);
    const code = oauth.validateAuthResponse(server, client(settings), url, state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client(settings),
      publicClient,
      code,
      redirectUri,
      verifier,
      insecure(settings.issuer),
    );
    return tokensOf(
      await oauth.processAuthorizationCodeResponse(server, client(settings), response, {
        expectedNonce: nonce,
      }),
    );
  }
  const refreshToken = sessionStorage.getItem(refreshKey);
  if (refreshToken === null) return undefined;
  try {
    return await renew(settings, { accessToken: '', refreshToken, expiresAt: 0 });
  } catch {
    sessionStorage.removeItem(refreshKey);
    return undefined;
  }
}

/** New tokens for old ones. @throws when there is no refresh token, or it is not good any more. */
export async function renew(settings: SignInSettings, tokens: Tokens): Promise<Tokens> {
  if (tokens.refreshToken === undefined) throw new Error('no refresh token');
  const server = await serverOf(settings);
  const response = await oauth.refreshTokenGrantRequest(
    server,
    client(settings),
    publicClient,
    tokens.refreshToken,
    { ...insecure(settings.issuer), additionalParameters: { scope: settings.scope } },
  );
  return tokensOf(
    await oauth.processRefreshTokenResponse(server, client(settings), response),
    tokens,
  );
}

/** Forgets the tokens and ends the session at the issuer. */
export async function signOut(settings: SignInSettings): Promise<void> {
  sessionStorage.removeItem(refreshKey);
  const { end_session_endpoint: end } = await serverOf(settings).catch(() => ({
    end_session_endpoint: undefined,
  }));
  if (end === undefined) {
    location.assign(redirectUri);
    return;
  }
  const url = new URL(end);
  url.searchParams.set('post_logout_redirect_uri', redirectUri);
  url.searchParams.set('client_id', settings.clientId);
  location.assign(url);
}
