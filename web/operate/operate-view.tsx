/** The state of the service, for who runs it: health, counts, and what comes in. */
import type { ComponentChildren } from 'preact';
import { request } from '../api/client.js';
import { search } from '../api/search.js';
import { Message } from '../parts/message.js';
import { useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { allowed } from '../session/session.js';
import type { PageSettings } from '../settings.js';
import { Changes } from './changes.js';
import { JobsCard } from './jobs-card.js';
import { SharesCard } from './shares-card.js';

interface Health {
  readonly overallStatus: string;
  readonly details: readonly { readonly name: string; readonly description: string }[];
}

function Card({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function HealthCard() {
  const [loaded, retry] = useRequest('health', async (signal) => {
    const response = await request('health/check', { signal });
    return (await response.json()) as Health;
  });
  return (
    <Card title={text.operate.health}>
      {loaded.state === 'loading' && <p class="faint">{text.loading}</p>}
      {loaded.state === 'failed' && <Message title={loaded.message} tone="error" onRetry={retry} />}
      {loaded.state === 'there' && (
        <ul class="plain">
          {loaded.value.details.map(({ name, description }) => (
            <li key={name}>{description}</li>
          ))}
        </ul>
      )}
    </Card>
  );
}

async function countOf(path: string, signal: AbortSignal): Promise<string> {
  const { total } = await search(`${path}?limit=1`, signal);
  if (total === undefined) return text.operate.unknownCount;
  return `${total.isLowerBound ? '≥ ' : ''}${total.count.toLocaleString('en')}`;
}

function CountCard({ title, path }: { readonly title: string; readonly path: string }) {
  const [loaded] = useRequest(path, async (signal) => await countOf(path, signal));
  return (
    <Card title={title}>
      <p class="figure">{loaded.state === 'there' ? loaded.value : text.operate.unknownCount}</p>
    </Card>
  );
}

export function OperateView({ settings }: { readonly settings: PageSettings }) {
  const shares = settings.shareDays !== null && allowed.value('share');
  return (
    <section class="operate" aria-label={text.operate.title}>
      <h1>{text.operate.title}</h1>
      {allowed.value('admin') && <Service version={settings.version} />}
      {allowed.value('admin') && <JobsCard />}
      {shares && <SharesCard />}
      {allowed.value('admin') && <Changes />}
    </section>
  );
}

function Service({ version }: { readonly version: string }) {
  return (
    <div class="cards">
      <CountCard title={text.operate.studies} path="studies" />
      <CountCard title={text.operate.series} path="series" />
      <CountCard title={text.operate.instances} path="instances" />
      <Card title={text.operate.version}>
        <p class="figure">{version}</p>
      </Card>
      <HealthCard />
    </div>
  );
}
