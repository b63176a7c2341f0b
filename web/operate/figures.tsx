/** What the archive holds, in figures; whether its storage answers; and which version it is. */
import { request } from '../api/client.js';
import { formatBytes } from '../dicom/format.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { Card, LoadedCard } from './card.js';

/** What the service does not know is left out. */
interface Statistics {
  readonly studies?: number;
  readonly series?: number;
  readonly instances?: number;
  readonly bytes?: number;
}

interface Health {
  readonly overallStatus: string;
  readonly details: readonly { readonly name: string; readonly description: string }[];
}

function HealthCard() {
  const [loaded, retry] = useRequest('health', async (signal) => {
    const response = await request('health/check', { signal }, [503]);
    return (await response.json()) as Health;
  });
  return (
    <LoadedCard title={text.operate.health} loaded={loaded} onRetry={retry}>
      {({ overallStatus, details }) => (
        <ul class={overallStatus === 'Healthy' ? 'plain' : 'plain problem'}>
          {details.map(({ name, description }) => (
            <li key={name}>{description}</li>
          ))}
        </ul>
      )}
    </LoadedCard>
  );
}

function whole(count: number | undefined): string {
  return count === undefined ? text.operate.unknownCount : count.toLocaleString('en');
}

export function Figures({ version }: { readonly version: string }) {
  const [loaded, retry] = useRequest('statistics', async (signal) => {
    return (await (await request('statistics', { signal })).json()) as Statistics;
  });
  const figure = (title: string, show: (statistics: Statistics) => string, hint?: string) => (
    <LoadedCard title={title} loaded={loaded} onRetry={retry}>
      {(statistics) => (
        <>
          <p class="figure">{show(statistics)}</p>
          {hint !== undefined && statistics.bytes === undefined && <p class="hint">{hint}</p>}
        </>
      )}
    </LoadedCard>
  );
  return (
    <div class="cards">
      {figure(text.operate.studies, ({ studies }) => whole(studies))}
      {figure(text.operate.series, ({ series }) => whole(series))}
      {figure(text.operate.instances, ({ instances }) => whole(instances))}
      {figure(
        text.operate.storage,
        ({ bytes }) => (bytes === undefined ? text.operate.unknownCount : formatBytes(bytes)),
        text.operate.storageUnknown,
      )}
      <Card title={text.operate.version}>
        <p class="figure">{version}</p>
      </Card>
      <HealthCard />
    </div>
  );
}
