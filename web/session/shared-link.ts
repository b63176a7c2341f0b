/**
 * A link that was given to whoever is at the page: its secret comes after `#`, which no server sees, leaves the
 * address bar at once, and lives in the session storage of this tab.
 */
import { replaceView } from '../route.js';

/** What a link is to, as it says itself; the service decides. */
export interface SharedLink {
  readonly secret: string;
  readonly study: string;
  /** The whole study when left out. */
  readonly series?: string;
}

const key = 'shared-link';
const form = /^#\/shared\/(share_[\w-]+)\/studies\/([\d.]{1,64})(?:\/series\/([\d.]{1,64}))?$/;

function parse(hash: string): SharedLink | undefined {
  const [, secret, study, series] = form.exec(hash) ?? [];
  if (secret === undefined || study === undefined) return undefined;
  return { secret, study, ...(series !== undefined && { series }) };
}

/** The link of this tab: that in the address bar, or the one that was there before; `undefined` when there is none. */
export function takeSharedLink(): SharedLink | undefined {
  const given = parse(location.hash);
  if (given !== undefined) {
    sessionStorage.setItem(key, JSON.stringify(given));
    replaceView(`#/studies/${given.study}`);
    return given;
  }
  const stored = sessionStorage.getItem(key);
  return stored === null ? undefined : (JSON.parse(stored) as SharedLink);
}

/** Goes back to the page as it is without the link. */
export function leaveSharedLink(): void {
  sessionStorage.removeItem(key);
  location.assign(location.pathname);
}

// Another link, opened where the page is open already, changes nothing but the part after `#`.
addEventListener('hashchange', () => {
  if (parse(location.hash) === undefined) return;
  takeSharedLink();
  location.reload();
});
