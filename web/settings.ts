/** What the service tells its page before anyone has signed in: no secrets, the same for everyone. */

export interface SignInSettings {
  /** Issuer of tokens; its metadata are at `/.well-known/openid-configuration`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Scopes of an access token for the service, separated by spaces. */
  readonly scope: string;
}

export interface PageSettings {
  readonly version: string;
  /** `null` where the service asks for no tokens. */
  readonly signIn: SignInSettings | null;
  /** Days that a link works where nobody chooses; `null` where there are no links. */
  readonly shareDays: number | null;
  /** Larger files go to storage directly; `null` where pages cannot reach it. */
  readonly directUploadBytes: number | null;
  /** Whether OHIF is served at `viewer/`. */
  readonly ohif: boolean;
}

/** Where the service is: the folder that the page was loaded from, with a final slash. */
export const serviceUrl = new URL('./', document.baseURI);

/** Asks the service how it wants to be used. */
export async function fetchSettings(): Promise<PageSettings> {
  const response = await fetch(new URL('web/settings.json', serviceUrl));
  if (!response.ok) throw new Error(`web/settings.json: ${response.status}`);
  const settings = (await response.json()) as PageSettings;
  largest = settings.directUploadBytes ?? undefined;
  return settings;
}

let largest: number | undefined;

/** Bytes above which a file goes to storage directly; `undefined` where none can. */
export function directUploadBytes(): number | undefined {
  return largest;
}
