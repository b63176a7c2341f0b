/** The change feed, live: the newest changes of the archive. */
import { useEffect, useState } from 'preact/hooks';
import { isAbort, messageOf, request } from '../api/client.js';
import { Message } from '../parts/message.js';
import { links } from '../route.js';
import { text } from '../text.js';

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

async function newestChanges(signal: AbortSignal): Promise<readonly Change[]> {
  const latest = await request('changefeed/latest?includemetadata=false', { signal });
  if (latest.status === 204) return [];
  const { sequence } = (await latest.json()) as Partial<Change>;
  if (sequence === undefined) return [];
  const offset = Math.max(0, sequence - most);
  const response = await request(
    `changefeed?offset=${offset}&limit=${most}&includemetadata=false`,
    { signal },
  );
  return ((await response.json()) as Change[]).reverse();
}

export function Changes() {
  const [changes, setChanges] = useState<readonly Change[]>([]);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    const follow = async () => {
      try {
        setChanges(await newestChanges(controller.signal));
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
    <section class="card changes">
      <h2>{text.operate.changes}</h2>
      <p class="faint">{text.operate.changesHint}</p>
      {problem !== undefined && <Message title={problem} tone="error" />}
      {changes.length === 0 && problem === undefined && (
        <p class="faint">{text.operate.noChanges}</p>
      )}
      <ul class="plain">
        {changes.map(({ sequence, action, timestamp, studyInstanceUid, sopInstanceUid }) => (
          <li key={sequence} class="change">
            <span class="faint mono">{new Date(timestamp).toLocaleString()}</span>{' '}
            <span class="badge">{actions[action.toLowerCase()] ?? action}</span>{' '}
            <a class="mono" href={links.study(studyInstanceUid)}>
              {sopInstanceUid}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
