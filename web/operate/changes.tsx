/** The change feed, live: the newest changes of the archive. */
import { useEffect, useState } from 'preact/hooks';
import { isAbort, messageOf, request } from '../api/client.js';
import { Message } from '../parts/message.js';
import { links } from '../route.js';
import { text } from '../text.js';
import { Card } from './card.js';
import { when } from './when.js';

interface Change {
  readonly sequence: number;
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly action: string;
  readonly timestamp: string;
}

const everyMilliseconds = 3000;
const most = 20;

const actions: Readonly<Record<string, string>> = {
  create: text.operate.created,
  update: text.operate.updated,
  delete: text.operate.deleted,
};

/** How far back is looked for enough changes: from a second, in which thousands may come in, to all that there is. */
const windowsSeconds = [1, 10, 60, 600, 3600, 86_400, 30 * 86_400, Infinity];
const mostAsked = 200;

/** The newest change; `undefined` where nothing has ever changed. */
async function latestChange(signal: AbortSignal): Promise<Change | undefined> {
  const latest = await request('changefeed/latest?includemetadata=false', { signal });
  return latest.status === 204 ? undefined : ((await latest.json()) as Change);
}

/** The newest changes up to a known one, the newest first. */
async function changesUpTo(latest: Change, signal: AbortSignal): Promise<readonly Change[]> {
  let found: readonly Change[] = [];
  for (const seconds of windowsSeconds) {
    const from = new Date(Math.max(0, Date.parse(latest.timestamp) - seconds * 1000));
    const response = await request(
      `changefeed?startTime=${from.toISOString()}&limit=${mostAsked}&includemetadata=false`,
      { signal },
    );
    found = (await response.json()) as Change[];
    if (found.length >= most) break;
  }
  return found.slice(-most).reverse();
}

export function Changes() {
  /** `undefined` until the service has told. */
  const [changes, setChanges] = useState<readonly Change[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    let shown: number | undefined;
    const follow = async () => {
      try {
        const latest = await latestChange(controller.signal);
        if (latest === undefined) setChanges([]);
        else if (latest.sequence !== shown) {
          setChanges(await changesUpTo(latest, controller.signal));
          shown = latest.sequence;
        }
        setProblem(undefined);
      } catch (error) {
        if (!isAbort(error)) setProblem(messageOf(error));
      }
      if (!controller.signal.aborted) {
        timer = setTimeout(() => void follow(), everyMilliseconds);
      }
    };
    void follow();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, []);
  return (
    <Card title={text.operate.changes}>
      <p class="faint">{text.operate.changesHint}</p>
      {problem !== undefined && <Message title={problem} tone="error" />}
      {changes?.length === 0 && problem === undefined && (
        <p class="faint">{text.operate.noChanges}</p>
      )}
      <ul class="plain">
        {changes?.map(({ sequence, action, timestamp, studyInstanceUid, sopInstanceUid }) => (
          <li key={sequence} class="change">
            <span class="faint mono">{when(timestamp)}</span>{' '}
            <span class="badge">{actions[action.toLowerCase()] ?? action}</span>{' '}
            <a class="mono" href={links.study(studyInstanceUid)}>
              {sopInstanceUid}
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}
