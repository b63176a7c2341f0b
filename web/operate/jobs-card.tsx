/** Long work: what is done, how far it is, and a way to end it. */
import { request } from '../api/client.js';
import { useFollowing, useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { LoadedCard } from './card.js';
import { useChange } from './use-change.js';
import { when } from './when.js';

interface Operation {
  readonly operationId: string;
  readonly type: string;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly status: string;
  readonly percentComplete?: number;
  /** Counts, and where errors are noted; each type of work has its own. */
  readonly results?: Readonly<Record<string, unknown>>;
}

const isUnderWay = ({ status }: Operation) => status === 'notStarted' || status === 'running';

function progressOf(operation: Operation): string {
  const { percentComplete, results = {} } = operation;
  const counts = Object.entries(results)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name} ${(value as number).toLocaleString('en')}`);
  const isTold = percentComplete !== undefined && isUnderWay(operation);
  return [...(isTold ? [text.operate.percent(percentComplete)] : []), ...counts].join(' · ');
}

async function loadOperations(signal: AbortSignal): Promise<readonly Operation[]> {
  const response = await request('operations', { signal });
  return (await response.json()) as readonly Operation[];
}

export function JobsCard() {
  const [loaded, reload] = useRequest('operations', loadOperations);
  useFollowing(loaded, reload, (operations) => operations.some(isUnderWay));
  const { problem, remove } = useChange(reload);
  return (
    <LoadedCard title={text.operate.jobs} loaded={loaded} onRetry={reload} problem={problem}>
      {(operations) =>
        operations.length === 0 ? (
          <p class="faint">{text.operate.noJobs}</p>
        ) : (
          <ul class="plain">
            {operations.map((operation) => (
              <li key={operation.operationId} class="item">
                <div class="item-facts">
                  <span class="badge">
                    {text.operate.jobTypes[operation.type] ?? operation.type}
                  </span>{' '}
                  <strong>{text.operate.jobStates[operation.status] ?? operation.status}</strong>{' '}
                  {progressOf(operation)}
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
                    onClick={() =>
                      void remove(`operations/${operation.operationId}`, text.operate.confirmCancel)
                    }
                  >
                    {text.operate.cancelJob}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </LoadedCard>
  );
}
