/** Long work: what is done, how far it is, and a way to end it. */
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api/client.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { useRemoval } from './use-removal.js';

interface Operation {
  readonly operationId: string;
  readonly type: string;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly status: string;
  /** Counts, and where errors are noted; each type of work has its own. */
  readonly results?: Readonly<Record<string, unknown>>;
}

const everyMilliseconds = 3000;

const isUnderWay = ({ status }: Operation) => status === 'notStarted' || status === 'running';
const when = (time: string) => new Date(time).toLocaleString();

function countsOf({ results = {} }: Operation): string {
  return Object.entries(results)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name} ${(value as number).toLocaleString('en')}`)
    .join(' · ');
}

async function loadOperations(signal: AbortSignal): Promise<readonly Operation[]> {
  const response = await request('operations', { signal });
  return (await response.json()) as readonly Operation[];
}

export function JobsCard() {
  const [loaded, reload] = useRequest('operations', loadOperations);
  const [shown, setShown] = useState<readonly Operation[]>([]);
  const { problem, remove } = useRemoval(text.operate.confirmCancel, reload);
  useEffect(() => {
    if (loaded.state === 'there') setShown(loaded.value);
    const goesOn = loaded.state === 'there' && loaded.value.some(isUnderWay);
    const timer = goesOn ? setTimeout(reload, everyMilliseconds) : undefined;
    return () => clearTimeout(timer);
  }, [loaded]);
  return (
    <section class="card">
      <h2>{text.operate.jobs}</h2>
      {problem !== undefined && <Message title={problem} tone="error" />}
      {loaded.state === 'failed' && (
        <Message title={loaded.message} tone="error" onRetry={reload} />
      )}
      {loaded.state === 'there' && shown.length === 0 && <p class="faint">{text.operate.noJobs}</p>}
      <ul class="plain">
        {shown.map((operation) => (
          <li key={operation.operationId} class="item">
            <div class="item-facts">
              <span class="badge">{operation.type}</span>{' '}
              <strong>{text.operate.jobStates[operation.status] ?? operation.status}</strong>{' '}
              {countsOf(operation)}
              <p class="faint">
                {text.operate.jobTimes(
                  when(operation.createdTime),
                  when(operation.lastUpdatedTime),
                )}{' '}
                · <span class="mono">{operation.operationId}</span>
              </p>
            </div>
            {isUnderWay(operation) && (
              <button
                type="button"
                class="button button-danger"
                onClick={() => void remove(`operations/${operation.operationId}`)}
              >
                {text.operate.cancelJob}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
