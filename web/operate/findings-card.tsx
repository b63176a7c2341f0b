/** What recovery, the sweep and the check of the store found last. */
import { request } from '../api/client.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { LoadedCard } from './card.js';
import { when } from './when.js';

interface Finding {
  readonly kind: string;
  readonly description: string;
  readonly found: number;
  readonly mended: number;
}

interface Report {
  readonly time: string;
  readonly findings: readonly Finding[];
}

interface JobReports {
  readonly job: string;
  readonly last?: Report;
  readonly lastFound?: Report;
}

function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <ul class="bullets">
      {findings.map(({ kind, description, found, mended }) => (
        <li key={kind} class={found > mended ? 'problem' : ''}>
          {text.operate.finding(found, description, mended)}
        </li>
      ))}
    </ul>
  );
}

function Job({ job, last, lastFound }: JobReports) {
  const { name, about, never } = text.operate.maintenanceJobs[job] ?? {
    ...{ name: job, about: '', never: text.operate.neverRan },
  };
  const isClean = last?.findings.length === 0;
  return (
    <li class="item">
      <div class="item-facts">
        <strong>{name}</strong> <span class="faint">{about}</span>
        {last === undefined && <p>{never}</p>}
        {last !== undefined && (
          <p>
            {text.operate.lastRun(when(last.time))} {isClean && text.operate.foundNothing}
          </p>
        )}
        {last !== undefined && !isClean && <Findings findings={last.findings} />}
        {isClean && lastFound !== undefined && (
          <details>
            <summary>{text.operate.lastFound(when(lastFound.time))}</summary>
            <Findings findings={lastFound.findings} />
          </details>
        )}
      </div>
    </li>
  );
}

export function FindingsCard() {
  const [loaded, reload] = useRequest('maintenance', async (signal) => {
    return (await (await request('maintenance', { signal })).json()) as readonly JobReports[];
  });
  return (
    <LoadedCard title={text.operate.maintenance} loaded={loaded} onRetry={reload}>
      {(jobs) => (
        <ul class="plain">
          {jobs.map((reports) => (
            <Job key={reports.job} {...reports} />
          ))}
        </ul>
      )}
    </LoadedCard>
  );
}
